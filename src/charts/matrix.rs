//! Which of two things go together: a cell says it in a word, the tone says it again in colour and sign.

use askama::Template;

use super::frame::{Frame, STYLE, Words, listed, render};
use super::scale::{heard, px, shortened, width_of};
use super::{Cell, Matrix};

/// More rows and columns than these are cut.
const MOST_ROWS: usize = 60;
const MOST_COLUMNS: usize = 40;
const ROW: f64 = 28.0;
/// So many characters of a cell are seen.
const TEXT: usize = 12;

struct Heading {
    at: f64,
    label: String,
    name: String,
}

struct Drawn {
    x: f64,
    y: f64,
    width: f64,
    middle: f64,
    text: String,
    said: String,
    tone: &'static str,
    sign: Option<&'static str>,
    link: Option<String>,
}

#[derive(Template)]
#[template(path = "charts/matrix.svg")]
struct Drawing {
    frame: Frame,
    style: &'static str,
    columns: Vec<Heading>,
    rows: Vec<Heading>,
    cells: Vec<Drawn>,
    top: f64,
    right: f64,
}

pub fn draw(matrix: &Matrix, words: &Words, is_alone: bool) -> String {
    let rows = &matrix.rows[..matrix.rows.len().min(MOST_ROWS)];
    let columns = &matrix.columns[..matrix.columns.len().min(MOST_COLUMNS)];
    let cells: Vec<&Cell> =
        matrix.cells.iter().filter(|cell| cell.row < rows.len() && cell.column < columns.len()).collect();
    let mut frame = Frame::new(&matrix.title, None, cells.iter().any(|cell| cell.link.is_some()), is_alone);
    frame.description = listed(cells.iter().map(|cell| said(cell, matrix)));
    if rows.len() < matrix.rows.len() || columns.len() < matrix.columns.len() {
        frame.notes.push(words.cut.clone());
    }
    if cells.is_empty() {
        frame.notes.push(words.nothing.clone());
    }
    let row_labels: Vec<String> = rows.iter().map(|name| shortened(name, 30)).collect();
    let column_labels: Vec<String> = columns.iter().map(|name| shortened(name, 20)).collect();
    let widest = |labels: &[String]| labels.iter().map(|label| width_of(label)).fold(0.0, f64::max);
    let texts: Vec<String> = cells.iter().map(|cell| shortened(&cell.text, TEXT)).collect();
    let signs = if cells.iter().any(|cell| cell.tone.sign().is_some()) { 20.0 } else { 0.0 };
    let column = px((widest(&texts) + 12.0 + signs).max(30.0));
    let left = px(widest(&row_labels) + 12.0);
    let top = px(widest(&column_labels) * 0.65 + 22.0);
    let right = px(left + column * columns.len() as f64);
    // The slanted name of the last column reaches beyond it.
    frame.width = Some(px(right + column_labels.last().map_or(0.0, |label| width_of(label) * 0.8).max(20.0)));
    let length = top + rows.len() as f64 * ROW + 4.0;
    let drawn = cells.iter().zip(texts).map(|(cell, text)| {
        let x = px(left + cell.column as f64 * column + 2.0);
        Drawn {
            x,
            y: px(top + cell.row as f64 * ROW + 2.0),
            width: px(column - 4.0),
            middle: px(x + column / 2.0 - 2.0 + if cell.tone.sign().is_some() { 8.0 } else { 0.0 }),
            text,
            said: said(cell, matrix),
            tone: cell.tone.class(),
            sign: cell.tone.sign(),
            link: cell.link.clone(),
        }
    });
    let headings = |labels: Vec<String>, names: &[String], at: &dyn Fn(usize) -> f64| -> Vec<Heading> {
        let pairs = labels.into_iter().zip(names).enumerate();
        pairs.map(|(place, (label, name))| Heading { at: px(at(place)), label, name: name.clone() }).collect()
    };
    let drawing = Drawing {
        columns: headings(column_labels, columns, &|place| left + (place as f64 + 0.5) * column),
        rows: headings(row_labels, rows, &|place| top + place as f64 * ROW),
        cells: drawn.collect(),
        frame: frame.with_height(length),
        style: STYLE,
        top,
        right,
    };
    render(&drawing)
}

fn said(cell: &Cell, matrix: &Matrix) -> String {
    format!("{}, {}: {}", matrix.rows[cell.row], matrix.columns[cell.column], heard(&cell.text, TEXT))
}
