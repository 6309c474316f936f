//! What goes from where to where, on a map of the world. Arcs lean to the north, those to the west less than those to the
//! east, so that two ways between the same places are two arcs; they end in a head, and are the wider the more there is.

use askama::Template;

use super::Flows;
use super::frame::{Frame, STYLE, Words, listed, render};
use super::scale::{percent, px, shortened, width_of};
use super::world::{self, HEIGHT, LAND, WIDTH};

/// More arcs than this are cut, the smallest first.
const MOST: usize = 60;
/// So many places are named at most, the busiest first, where there is room.
const NAMED: usize = 40;
/// The widths that room for names is counted by: on a page, and on a phone, where fewer are named.
const ASSUMED: f64 = 760.0;
const PHONE: f64 = 320.0;

struct Arc {
    path: String,
    head: String,
    width: f64,
    said: String,
    link: Option<String>,
}

struct Dot {
    x: f64,
    y: f64,
    radius: f64,
    said: String,
}

struct Label {
    name: String,
    x: f64,
    y: f64,
    dx: f64,
    dy: f64,
    anchor: &'static str,
    is_minor: bool,
    link: Option<String>,
}

#[derive(Template)]
#[template(path = "charts/flows.svg")]
struct Drawing {
    frame: Frame,
    style: &'static str,
    land: &'static str,
    map_height: String,
    arcs: Vec<Arc>,
    dots: Vec<Dot>,
    labels: Vec<Label>,
}

pub fn draw(flows: &Flows, words: &Words, is_alone: bool) -> String {
    let mut order: Vec<usize> = (0..flows.flows.len()).collect();
    order.sort_by_key(|place| -flows.flows[*place].count);
    let is_cut = order.len() > MOST;
    order.truncate(MOST);
    let has_links = order.iter().any(|place| flows.flows[*place].link.is_some())
        || flows.places.iter().any(|place| place.link.is_some());
    let mut frame = Frame::new(&flows.title, None, has_links, is_alone);
    frame.class = if is_alone { "" } else { " map" };
    frame.description = listed(order.iter().map(|place| said(flows, *place)));
    if is_cut {
        frame.notes.push(words.cut.clone());
    }
    let at: Vec<(f64, f64)> = flows.places.iter().map(|one| world::place(one.latitude, one.longitude)).collect();
    let busy = busiest(flows);
    let most = order.first().map_or(1, |place| flows.flows[*place].count.max(1));
    let height = px(frame.inner_width() * HEIGHT / WIDTH);
    let drawing = Drawing {
        // The busiest arcs are drawn last, above the others.
        arcs: order.iter().rev().map(|place| arc(flows, *place, &at, most)).collect(),
        dots: dots(flows, &at, &busy),
        labels: labels(flows, &at, &busy),
        land: LAND,
        map_height: if is_alone { height.to_string() } else { "100%".into() },
        frame: frame.with_height(height),
        style: STYLE,
    };
    render(&drawing)
}

fn said(flows: &Flows, place: usize) -> String {
    let flow = &flows.flows[place];
    format!("{} → {}: {}", flows.places[flow.from].name, flows.places[flow.to].name, flow.count)
}

/// The places in order of what goes from and to them, each with how much that is.
fn busiest(flows: &Flows) -> Vec<(usize, i64)> {
    let mut busy: Vec<(usize, i64)> = (0..flows.places.len()).map(|place| (place, 0)).collect();
    for flow in &flows.flows {
        busy[flow.from].1 += flow.count;
        if flow.to != flow.from {
            busy[flow.to].1 += flow.count;
        }
    }
    busy.sort_by_key(|(place, count)| (-count, *place));
    busy
}

fn arc(flows: &Flows, place: usize, at: &[(f64, f64)], most: i64) -> Arc {
    let flow = &flows.flows[place];
    let width = px(0.7 + 4.3 * flow.count.max(0) as f64 / most as f64);
    let ((x1, y1), (x2, y2)) = (at[flow.from], at[flow.to]);
    let (path, head) = if flow.from == flow.to {
        (format!("M{} {}a9 9 0 1 1 .1 0", px(x1), px(y1)), String::new())
    } else {
        bow((x1, y1), (x2, y2), width)
    };
    Arc { path, head, width, said: said(flows, place), link: flow.link.clone() }
}

/// A bow to the north of the way, and the head at its end.
fn bow((x1, y1): (f64, f64), (x2, y2): (f64, f64), width: f64) -> (String, String) {
    let (dx, dy) = (x2 - x1, y2 - y1);
    let long = dx.hypot(dy).max(0.1);
    let lean = if dx >= 0.0 { (0.24 * long).min(130.0) } else { -(0.13 * long).min(90.0) };
    let control = ((x1 + x2) / 2.0 + dy / long * lean, ((y1 + y2) / 2.0 - dx / long * lean).clamp(4.0, HEIGHT - 4.0));
    let (tx, ty) = (x2 - control.0, y2 - control.1);
    let turned = tx.hypot(ty).max(0.1);
    let (ux, uy) = (tx / turned, ty / turned);
    let size = (5.0 + width * 1.4).min(long * 0.6);
    let (ex, ey) = (x2 - ux * 3.0, y2 - uy * 3.0);
    let (bx, by) = (ex - ux * size, ey - uy * size);
    let wing = size * 0.5;
    let path = format!("M{} {}Q{} {} {} {}", px(x1), px(y1), px(control.0), px(control.1), px(bx), px(by));
    let head = format!(
        "M{} {}L{} {}L{} {}z",
        px(ex),
        px(ey),
        px(bx - uy * wing),
        px(by + ux * wing),
        px(bx + uy * wing),
        px(by - ux * wing)
    );
    (path, head)
}

fn dots(flows: &Flows, at: &[(f64, f64)], busy: &[(usize, i64)]) -> Vec<Dot> {
    let dot = |(place, count): &(usize, i64)| {
        let (x, y) = at[*place];
        Dot { x: px(x), y: px(y), radius: if *count > 0 { 3.5 } else { 2.0 }, said: flows.places[*place].name.clone() }
    };
    busy.iter().map(dot).collect()
}

/// Where a name stands: the text's distance from its place, its anchor, and the room it takes.
type Stand = (f64, f64, &'static str, [f64; 4]);

/// The room that is taken on a map of this width.
struct Room {
    width: f64,
    taken: Vec<[f64; 4]>,
}

impl Room {
    /// Beside its place, where a name runs into no other one and no busier place.
    fn stand(&mut self, at: (f64, f64), name: &str) -> Option<Stand> {
        let unit = self.width / WIDTH;
        let (x, y, long) = (at.0 * unit, at.1 * unit, width_of(name) + 4.0);
        // Right, left, above, below.
        let ways = [
            (9.0, 4.5, "", 0.0),
            (-9.0, 4.5, "end", -long),
            (0.0, -9.0, "middle", -long / 2.0),
            (0.0, 19.0, "middle", -long / 2.0),
        ];
        let free = ways.into_iter().find_map(|(dx, dy, anchor, from)| {
            let left = x + dx + from;
            let room = [left, y + dy - 12.0, left + long, y + dy + 4.0];
            let fits = room[0] >= 0.0 && room[2] <= self.width && room[1] >= 0.0 && room[3] <= HEIGHT * unit;
            (fits && !self.taken.iter().any(|one| overlap(one, &room))).then_some((dx, dy, anchor, room))
        });
        self.taken.push([x - 3.0, y - 3.0, x + 3.0, y + 3.0]);
        self.taken.extend(free.iter().map(|(.., room)| *room));
        free
    }
}

/// Names beside their places. On a phone only those are seen that have room there in the same stand.
fn labels(flows: &Flows, at: &[(f64, f64)], busy: &[(usize, i64)]) -> Vec<Label> {
    let mut page = Room { width: ASSUMED, taken: vec![] };
    let mut phone = Room { width: PHONE, taken: vec![] };
    let mut labels = vec![];
    for (place, _) in busy.iter().take(NAMED) {
        let name = shortened(&flows.places[*place].name, 22);
        let Some((dx, dy, anchor, _)) = page.stand(at[*place], &name) else { continue };
        let on_phone = phone.stand(at[*place], &name);
        labels.push(Label {
            x: percent(at[*place].0 / WIDTH * 100.0),
            y: percent(at[*place].1 / HEIGHT * 100.0),
            dx,
            dy,
            anchor,
            is_minor: on_phone.is_none_or(|(.., on_phone, _)| on_phone != anchor),
            link: flows.places[*place].link.clone(),
            name,
        });
    }
    labels
}

fn overlap(a: &[f64; 4], b: &[f64; 4]) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}
