//! What happened when, one below the other under one axis of time.

use askama::Template;

use super::frame::{Frame, STYLE, Words, listed, render};
use super::scale::{Scale, days_between, heard, number_of, percent, shortened};
use super::{Span, Timeline, Tone};

/// More spans than this are cut.
const MOST: usize = 120;
const ROW: f64 = 40.0;
const TOP: f64 = 22.0;
/// So many characters of a name are seen.
const LABEL: usize = 42;

struct Tick {
    at: f64,
    text: String,
}

struct Row {
    y: f64,
    label: String,
    label_at: f64,
    anchor: &'static str,
    said: String,
    tone: &'static str,
    sign: Option<&'static str>,
    x: f64,
    width: f64,
    end: f64,
    is_moment: bool,
    is_open: bool,
    link: Option<String>,
}

#[derive(Template)]
#[template(path = "charts/timeline.svg")]
struct Drawing {
    frame: Frame,
    style: &'static str,
    days: Vec<Tick>,
    rows: Vec<Row>,
    length: f64,
}

pub fn draw(timeline: &Timeline, words: &Words, is_alone: bool) -> String {
    let shown = &timeline.spans[..timeline.spans.len().min(MOST)];
    let mut frame = Frame::new(&timeline.title, None, shown.iter().any(|span| span.link.is_some()), is_alone);
    frame.description = listed(shown.iter().map(|span| said(span, words)));
    if timeline.spans.len() > MOST {
        frame.notes.push(words.cut.clone());
    }
    let days = || shown.iter().flat_map(|span| [Some(span.from), span.to]).flatten();
    let (Some(first), Some(last)) = (days().min(), days().max()) else {
        frame.notes.push(words.nothing.clone());
        return render(&Drawing {
            frame: frame.with_height(0.0),
            style: STYLE,
            days: vec![],
            rows: vec![],
            length: 0.0,
        });
    };
    let scale = Scale::new(number_of(first), number_of(last), 4.0, 95.0);
    let mut ticks: Vec<Tick> = vec![];
    for (day, text) in days_between(first, last) {
        let at = percent(scale.place(number_of(day)));
        if ticks.last().is_none_or(|tick| at - tick.at >= 13.0) {
            ticks.push(Tick { at, text });
        }
    }
    let rows: Vec<Row> = shown.iter().enumerate().map(|(place, span)| row(place, span, scale, words)).collect();
    let length = TOP + rows.len() as f64 * ROW;
    render(&Drawing { frame: frame.with_height(length), style: STYLE, days: ticks, rows, length })
}

/// A span in words.
fn said(span: &Span, words: &Words) -> String {
    let label = heard(&span.label, LABEL);
    match span.to {
        Some(to) if to == span.from => format!("{label}: {to}"),
        Some(to) => format!("{label}: {} – {to}", span.from),
        None => format!("{label}: {} – {}", span.from, words.open),
    }
}

fn row(place: usize, span: &Span, scale: Scale, words: &Words) -> Row {
    let x = percent(scale.place(number_of(span.from)));
    let end = span.to.map_or(95.0, |to| percent(scale.place(number_of(to)))).max(x);
    let is_moment = span.to == Some(span.from);
    // A label begins where its span does, or ends there where there is no room on the right.
    let (label_at, anchor) = if x > 52.0 { (end, "end") } else { (x, "") };
    Row {
        y: TOP + place as f64 * ROW,
        label: shortened(&span.label, LABEL),
        label_at,
        anchor,
        said: said(span, words),
        tone: span.tone.class(),
        sign: span.tone.sign().filter(|_| !is_moment && span.tone != Tone::Faint),
        x,
        width: percent((end - x).max(0.5)),
        end,
        is_moment,
        is_open: span.to.is_none(),
        link: span.link.clone(),
    }
}
