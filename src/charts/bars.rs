//! Horizontal bars. Each has its name above it and its value at its end, so that there is room for both on a phone.

use askama::Template;

use super::frame::{Frame, STYLE, Words, listed, render};
use super::scale::{Scale, heard, percent, shortened};
use super::{Bar, Bars, Tone};

/// More bars than this are cut.
const MOST: usize = 120;
const ROW: f64 = 44.0;
/// So many characters of a name and of a value are seen.
const LABEL: usize = 48;
const TEXT: usize = 36;

struct Row {
    y: f64,
    label: String,
    said: String,
    text: String,
    tone: &'static str,
    sign: Option<&'static str>,
    has_value: bool,
    x: f64,
    width: f64,
    end: f64,
    link: Option<String>,
}

#[derive(Template)]
#[template(path = "charts/bars.svg")]
struct Drawing {
    frame: Frame,
    style: &'static str,
    rows: Vec<Row>,
    zero: f64,
    length: f64,
}

impl Tone {
    /// The class of its colour.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Fair => "fair",
            Self::Poor => "poor",
            Self::Faint => "faint",
        }
    }

    /// The sign that says the same as the colour, as a path within 10 by 10.
    pub(super) fn sign(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Good => Some("M1 5l3 3 5-7"),
            Self::Fair => Some("M5 1l4.5 8h-9z"),
            Self::Poor => Some("M1.5 1.5l7 7M8.5 1.5l-7 7"),
            Self::Faint => Some("M1 5h8"),
        }
    }
}

pub fn draw(bars: &Bars, words: &Words, is_alone: bool) -> String {
    let shown = &bars.bars[..bars.bars.len().min(MOST)];
    let mut frame = Frame::new(&bars.title, bars.unit.as_deref(), shown.iter().any(|bar| bar.link.is_some()), is_alone);
    frame.description = listed(shown.iter().map(|bar| format!("{}: {}", bar.label, bar.text)));
    if bars.bars.len() > MOST {
        frame.notes.push(words.cut.clone());
    }
    if shown.is_empty() {
        frame.notes.push(words.nothing.clone());
    }
    let values = || shown.iter().filter_map(|bar| bar.value);
    // Below zero there is room on the left; the text of a value is always right of its bar.
    let scale = Scale::new(values().fold(0.0, f64::min), values().fold(0.0, f64::max), 0.0, 76.0);
    let zero = if values().any(|value| value != 0.0) { percent(scale.place(0.0)) } else { 0.0 };
    let rows: Vec<Row> = shown.iter().enumerate().map(|(place, bar)| row(place, bar, scale, zero)).collect();
    let length = rows.len() as f64 * ROW;
    render(&Drawing { frame: frame.with_height(length), style: STYLE, rows, zero, length })
}

fn row(place: usize, bar: &Bar, scale: Scale, zero: f64) -> Row {
    let at = match bar.value {
        Some(value) if value != 0.0 => percent(scale.place(value)),
        _ => zero,
    };
    Row {
        y: place as f64 * ROW,
        label: shortened(&bar.label, LABEL),
        // The name of a link holds what is seen of it, in the same order [WCAG 2.5.3].
        said: format!("{} {}", heard(&bar.label, LABEL), heard(&bar.text, TEXT)),
        text: shortened(&bar.text, TEXT),
        tone: bar.tone.class(),
        sign: bar.tone.sign(),
        has_value: bar.value.is_some(),
        x: at.min(zero),
        width: percent((at - zero).abs()),
        end: at.max(zero),
        link: bar.link.clone(),
    }
}
