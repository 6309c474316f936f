//! A report as a page to read: its chart and its table, each figure leading to the records behind it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::ALL;
use crate::http::formats::{Cells, Column, Kind, Lines, text_of, texts_of};

/// The page of a report.
pub fn page(
    name: &str,
    filters: &Map<String, Value>,
    columns: &[Column],
    lines: &Lines,
    chart: Option<String>,
) -> String {
    let report = ALL.iter().find(|report| report.name == name);
    let (title, description) = report.map_or((name, ""), |report| (report.title, report.description));
    let mut body = format!("<h1>{title}</h1>\n<p>{}</p>\n", escaped(description));
    for (filter, value) in filters {
        let _ = writeln!(body, "<p>{}: {}</p>", escaped(filter), escaped(&value.to_string()));
    }
    body.push_str(&chart.unwrap_or_default());
    table(&mut body, columns, lines);
    crate::pages::html(title, &body)
}

fn table(body: &mut String, columns: &[Column], lines: &Lines) {
    let shown: Vec<&Column> = columns.iter().filter(|column| column.name != "links").collect();
    body.push_str("<table>\n<thead><tr>");
    for column in &shown {
        let _ = write!(body, "<th scope=\"col\">{}</th>", escaped(&column.name.replace('_', " ")));
    }
    body.push_str("</tr></thead>\n<tbody>\n");
    for line in lines.iter() {
        let Ok(cells) = Cells::of(columns, line) else { continue };
        let cells: Vec<(&Column, &str)> = cells.iter().collect();
        let links = cells.iter().find(|(column, _)| column.name == "links");
        let links: BTreeMap<String, String> =
            links.and_then(|(_, raw)| serde_json::from_str(raw).ok()).unwrap_or_default();
        body.push_str("<tr>");
        for (column, raw) in cells.iter().filter(|(column, _)| column.name != "links") {
            let text = match column.kind {
                _ if *raw == "null" => String::new(),
                Kind::List => texts_of(raw).join(", "),
                _ => text_of(raw).into_owned(),
            };
            let text = escaped(&text);
            let cell = match links.get(&column.name) {
                Some(link) => format!("<td><a href=\"{}\">{text}</a></td>", escaped(link)),
                None => format!("<td>{text}</td>"),
            };
            body.push_str(&cell);
        }
        body.push_str("</tr>\n");
    }
    body.push_str("</tbody>\n</table>\n");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
