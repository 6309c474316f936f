//! Charts and maps as SVG: what is drawn is described by plain data, and drawn in one place for pages and reports alike.
//! Every chart says in words what it shows, every mark that stands for records leads to them.

use chrono::NaiveDate;

mod bars;
mod flows;
mod frame;
mod lines;
mod matrix;
mod scale;
mod timeline;
mod world;

pub use frame::{POLICY, STYLE, Words, draw, inline};

/// What a mark means, so that colour means the same everywhere. Colour is never the only sign of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing in particular.
    Plain,
    /// It goes well, or is done.
    Good,
    /// Look at it.
    Fair,
    /// It goes badly, or was given up.
    Poor,
    /// Not known, or not begun.
    Faint,
}

/// Something to be drawn.
#[derive(Debug, Clone)]
pub enum Chart {
    /// Lengths side by side.
    Bars(Bars),
    /// Values over time.
    Lines(Lines),
    /// Which of two things go together.
    Matrix(Matrix),
    /// What happened when.
    Timeline(Timeline),
    /// What goes from where to where, on a map of the world.
    Flows(Flows),
}

/// Horizontal bars, in their order.
#[derive(Debug, Clone)]
pub struct Bars {
    /// What the chart shows, in one sentence.
    pub title: String,
    /// The unit of the values.
    pub unit: Option<String>,
    /// The bars.
    pub bars: Vec<Bar>,
}

/// One bar.
#[derive(Debug, Clone)]
pub struct Bar {
    /// Its name.
    pub label: String,
    /// Its length; none: there is no value, which is not 0.
    pub value: Option<f64>,
    /// The value as it is written.
    pub text: String,
    /// What it means.
    pub tone: Tone,
    /// Where its records are.
    pub link: Option<String>,
}

/// Values over time.
#[derive(Debug, Clone)]
pub struct Lines {
    /// What the chart shows, in one sentence.
    pub title: String,
    /// The unit of the values.
    pub unit: Option<String>,
    /// What was measured.
    pub series: Vec<Series>,
    /// The value to begin with, with its day.
    pub baseline: Option<Point>,
    /// What is to be reached, each with its day.
    pub targets: Vec<Point>,
}

/// One line.
#[derive(Debug, Clone)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// In order of day.
    pub points: Vec<Point>,
}

/// A value on a day.
#[derive(Debug, Clone)]
pub struct Point {
    /// The day.
    pub on: NaiveDate,
    /// The value.
    pub value: f64,
    /// The value as it is written.
    pub text: String,
    /// Whether nobody verified it yet.
    pub is_provisional: bool,
    /// Where its record is.
    pub link: Option<String>,
}

/// Which of two things go together.
#[derive(Debug, Clone)]
pub struct Matrix {
    /// What the chart shows, in one sentence.
    pub title: String,
    /// The names of the rows.
    pub rows: Vec<String>,
    /// The names of the columns.
    pub columns: Vec<String>,
    /// What there is.
    pub cells: Vec<Cell>,
}

/// Where a row and a column meet.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The place of its row.
    pub row: usize,
    /// The place of its column.
    pub column: usize,
    /// What it says.
    pub text: String,
    /// What it means.
    pub tone: Tone,
    /// Where its records are.
    pub link: Option<String>,
}

/// What happened when.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// What the chart shows, in one sentence.
    pub title: String,
    /// In order of their beginnings.
    pub spans: Vec<Span>,
}

/// Something that lasted.
#[derive(Debug, Clone)]
pub struct Span {
    /// Its name.
    pub label: String,
    /// Its first day, or the first that it can mean.
    pub from: NaiveDate,
    /// Its last day; none: it goes on.
    pub to: Option<NaiveDate>,
    /// What it means.
    pub tone: Tone,
    /// Where its record is.
    pub link: Option<String>,
}

/// What goes from where to where.
#[derive(Debug, Clone)]
pub struct Flows {
    /// What the map shows, in one sentence.
    pub title: String,
    /// The places.
    pub places: Vec<Place>,
    /// What goes between them.
    pub flows: Vec<Flow>,
}

/// A place on the map.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// Degrees north [WGS 84].
    pub latitude: f64,
    /// Degrees east [WGS 84].
    pub longitude: f64,
    /// Where more is said of it.
    pub link: Option<String>,
}

/// What goes from one place to another.
#[derive(Debug, Clone)]
pub struct Flow {
    /// The place of where it comes from among the places.
    pub from: usize,
    /// The place of where it goes to.
    pub to: usize,
    /// How much.
    pub count: i64,
    /// Where its records are.
    pub link: Option<String>,
}
