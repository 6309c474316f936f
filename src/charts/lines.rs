//! Values over time: lines, the value to begin with, and what is to be reached.

use askama::Template;
use chrono::NaiveDate;

use super::frame::{Frame, STYLE, Words, listed, render};
use super::scale::{Scale, days_between, number_of, percent, px, shortened, tick_text};
use super::{Lines, Point, Series};

const TOP: f64 = 22.0;
const BOTTOM: f64 = 250.0;
const BELOW: f64 = 26.0;
/// More points than this of a line have no room to be pointed at.
const ROOMY: usize = 20;

struct Tick {
    at: f64,
    text: String,
}

struct Line {
    class: &'static str,
    path: String,
}

struct Mark {
    x: f64,
    y: f64,
    class: String,
    path: &'static str,
    said: String,
    label: Option<String>,
    anchor: &'static str,
    link: Option<String>,
    is_roomy: bool,
    size: f64,
}

#[derive(Template)]
#[template(path = "charts/lines.svg")]
struct Drawing {
    frame: Frame,
    style: &'static str,
    ticks: Vec<Tick>,
    days: Vec<Tick>,
    bottom: f64,
    baseline: Option<Mark>,
    lines: Vec<Line>,
    marks: Vec<Mark>,
}

/// Each series has a colour, a dash and a form of its points of its own.
const CLASSES: [&str; 6] = ["plain", "s1", "s2", "s3", "s4", "s5"];
const FORMS: [&str; 6] = [
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
    "M-4-4h8v8h-8z",
    "M0-5l5 9h-10z",
    "M0 5l5-9h-10z",
    "M-5-2h10v4h-10z",
    "M-2-5h4v10h-4z",
];
const DIAMOND: &str = "M0-6l6 6-6 6-6-6z";
const BASELINE: &str = "M-5 0h10M0-5v10";

/// Where values and days go.
struct Field {
    x: Scale,
    y: Scale,
}

impl Field {
    fn x(&self, day: NaiveDate) -> f64 {
        percent(self.x.place(number_of(day)))
    }

    fn y(&self, value: f64) -> f64 {
        px(self.y.place(value))
    }
}

pub fn draw(lines: &Lines, words: &Words, is_alone: bool) -> String {
    let points: Vec<&Point> = lines.series.iter().flat_map(|series| &series.points).collect();
    let all = || points.iter().copied().chain(&lines.baseline).chain(&lines.targets);
    let mut frame = Frame::new(&lines.title, lines.unit.as_deref(), all().any(|point| point.link.is_some()), is_alone);
    frame.description = listed(all().map(|point| format!("{}: {}", point.on, point.text)));
    let (Some(first), Some(last)) = (all().map(|point| point.on).min(), all().map(|point| point.on).max()) else {
        frame.notes.push(words.nothing.clone());
        let nothing = Drawing {
            frame: frame.with_height(0.0),
            style: STYLE,
            ticks: vec![],
            days: vec![],
            bottom: 0.0,
            baseline: None,
            lines: vec![],
            marks: vec![],
        };
        return render(&nothing);
    };
    if points.iter().any(|point| point.is_provisional) {
        frame.notes.push(format!("○ {}", words.provisional));
    }
    let (low, high) = all()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), point| (low.min(point.value), high.max(point.value)));
    let (y, at) = Scale::new(low, high, BOTTOM, TOP).with_ticks(5);
    let field = Field { x: Scale::new(number_of(first), number_of(last), 9.0, 96.0), y };
    let drawing = Drawing {
        ticks: at.iter().map(|value| Tick { at: field.y(*value), text: tick_text(*value, &at) }).collect(),
        days: spaced(days_between(first, last).into_iter().map(|(day, text)| Tick { at: field.x(day), text })),
        bottom: BOTTOM,
        baseline: lines.baseline.as_ref().map(|point| of_baseline(point, &field, words)),
        lines: lines.series.iter().enumerate().map(|(place, series)| line(place, series, &field)).collect(),
        marks: marks(lines, &field, words),
        frame: frame.with_height(BOTTOM + BELOW),
        style: STYLE,
    };
    render(&drawing)
}

/// Marks of time, but none that runs into the one before it.
fn spaced(ticks: impl Iterator<Item = Tick>) -> Vec<Tick> {
    let mut kept: Vec<Tick> = vec![];
    for tick in ticks {
        if kept.last().is_none_or(|last| tick.at - last.at >= 11.0) {
            kept.push(tick);
        }
    }
    kept
}

fn line(place: usize, series: &Series, field: &Field) -> Line {
    let steps: Vec<String> =
        series.points.iter().map(|point| format!("{} {}", field.x(point.on), field.y(point.value))).collect();
    Line { class: CLASSES[place % CLASSES.len()], path: format!("M{}", steps.join("L")) }
}

fn marks(lines: &Lines, field: &Field, words: &Words) -> Vec<Mark> {
    // The baseline is named at the end of its line.
    let named = |point| Mark { label: None, ..of_baseline(point, field, words) };
    let mut marks: Vec<Mark> = lines.baseline.iter().map(named).collect();
    for point in &lines.targets {
        let said = format!("{} {} · {}", words.target, point.text, point.on);
        let label = Some(format!("{} {}", words.target, shortened(&point.text, 16)));
        marks.push(Mark { label, ..mark(point, field, "target".into(), DIAMOND, said) });
    }
    let is_one = lines.series.len() == 1;
    for (place, series) in lines.series.iter().enumerate() {
        let class = CLASSES[place % CLASSES.len()];
        let is_roomy = series.points.len() <= ROOMY;
        for (at, point) in series.points.iter().enumerate() {
            let is_last = at + 1 == series.points.len();
            let state = if point.is_provisional { format!(" ({})", words.provisional) } else { String::new() };
            let said = format!("{}: {} {}{state}", point.on, series.name, point.text);
            let class = if point.is_provisional { format!("{class} provisional") } else { class.to_owned() };
            let mut mark = mark(point, field, class, FORMS[place % FORMS.len()], said);
            mark.is_roomy = is_roomy;
            mark.size = if is_roomy { 1.0 } else { 0.6 };
            if is_last {
                let name = if is_one { String::new() } else { format!("{} ", shortened(&series.name, 24)) };
                mark.label = Some(format!("{name}{}", shortened(&point.text, 16)));
            }
            marks.push(mark);
        }
    }
    marks
}

fn of_baseline(point: &Point, field: &Field, words: &Words) -> Mark {
    let said = format!("{} {} · {}", words.baseline, point.text, point.on);
    let label = Some(format!("{} {}", words.baseline, shortened(&point.text, 16)));
    Mark { label, ..mark(point, field, "line plain".into(), BASELINE, said) }
}

fn mark(point: &Point, field: &Field, class: String, path: &'static str, said: String) -> Mark {
    let x = field.x(point.on);
    Mark {
        x,
        y: field.y(point.value),
        class,
        path,
        said,
        label: None,
        // Labels stay within the chart.
        anchor: if x > 70.0 {
            "end"
        } else if x > 25.0 {
            "middle"
        } else {
            ""
        },
        link: point.link.clone(),
        is_roomy: true,
        size: 1.0,
    }
}
