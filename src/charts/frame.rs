//! What all charts have: a size, a name, a description, and as a file of its own a heading and a style.

use askama::Template;

use super::{Chart, bars, flows, lines, matrix, scale, timeline};

/// The style of charts; a page that holds them [`inline`] has it in its own stylesheet.
pub const STYLE: &str = include_str!("style.css");

/// The Content-Security-Policy of an answer that is a chart: its style stands in it.
pub const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/// The width of a chart that is a file of its own.
const WIDTH: f64 = 760.0;
const MARGIN: f64 = 16.0;

/// The words that charts say by themselves.
#[derive(Debug, Clone)]
pub struct Words {
    /// The value to begin with.
    pub baseline: String,
    /// What is to be reached.
    pub target: String,
    /// Of a value that nobody verified.
    pub provisional: String,
    /// Of what has no end yet.
    pub open: String,
    /// There is more than is drawn; the table leads to all of it.
    pub cut: String,
    /// There is nothing to draw.
    pub nothing: String,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            baseline: "baseline".into(),
            target: "target".into(),
            provisional: "not yet verified".into(),
            open: "goes on".into(),
            cut: "There is more than can be drawn here; the table leads to all of it.".into(),
            nothing: "There is nothing to draw.".into(),
        }
    }
}

/// A chart as a document of its own, with its style, readable on light and on dark.
pub fn draw(chart: &Chart) -> String {
    drawn(chart, &Words::default(), true)
}

/// A chart as a part of a page: as wide as there is room, named by its title but without showing it, its style being
/// the page's ([`STYLE`]).
pub fn inline(chart: &Chart, words: &Words) -> String {
    drawn(chart, words, false)
}

fn drawn(chart: &Chart, words: &Words, is_alone: bool) -> String {
    match chart {
        Chart::Bars(bars) => bars::draw(bars, words, is_alone),
        Chart::Lines(lines) => lines::draw(lines, words, is_alone),
        Chart::Matrix(matrix) => matrix::draw(matrix, words, is_alone),
        Chart::Timeline(timeline) => timeline::draw(timeline, words, is_alone),
        Chart::Flows(flows) => flows::draw(flows, words, is_alone),
    }
}

/// A template as text.
pub fn render(template: &impl Template) -> String {
    template.render().expect("templates of charts only write text")
}

/// What goes round the marks of a chart.
#[derive(Debug)]
pub struct Frame {
    pub title: String,
    pub description: String,
    /// `img`, whose parts nobody hears of, or `group`, where they are links.
    pub role: &'static str,
    pub class: &'static str,
    pub is_alone: bool,
    pub heading: Vec<String>,
    pub notes: Vec<String>,
    pub height: f64,
    /// In pixels; none: as wide as there is room.
    pub width: Option<f64>,
}

impl Frame {
    pub fn new(title: &str, unit: Option<&str>, has_links: bool, is_alone: bool) -> Self {
        let title = match unit {
            Some(unit) => format!("{title} ({unit})"),
            None => title.to_owned(),
        };
        Self {
            heading: if is_alone { wrapped(&title, 92) } else { vec![] },
            title,
            description: String::new(),
            role: if has_links { "group" } else { "img" },
            class: "",
            is_alone,
            notes: vec![],
            height: 0.0,
            width: None,
        }
    }

    /// Sets the height of what is drawn; notes come below it.
    pub fn with_height(mut self, height: f64) -> Self {
        self.height = scale::px(height + 22.0 * self.notes.len() as f64);
        self
    }

    /// Where a note stands; on a map, which grows with its page, above its lower edge.
    pub fn note_at(&self, place: &usize) -> String {
        let from_below = 22 * (self.notes.len() - 1 - place);
        if self.class.is_empty() { (self.height - 6.0 - from_below as f64).to_string() } else { "98%".into() }
    }

    pub fn top(&self) -> f64 {
        self.heading.len() as f64 * 20.0 + MARGIN
    }

    pub fn inner_width(&self) -> f64 {
        self.width.unwrap_or(WIDTH - 2.0 * MARGIN)
    }

    /// The attributes of the size.
    pub fn size(&self) -> String {
        if self.is_alone {
            let (width, height) = (self.inner_width() + 2.0 * MARGIN, self.top() + self.height + MARGIN);
            return format!("width=\"{width}\" height=\"{height}\"");
        }
        match self.width {
            Some(width) => format!("width=\"{width}\" height=\"{}\"", self.height),
            None => format!("width=\"100%\" height=\"{}\"", self.height),
        }
    }
}

/// Lines of at most so many characters.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The first of these, in words.
pub fn listed(parts: impl Iterator<Item = String>) -> String {
    const SAID: usize = 12;
    let parts: Vec<String> = parts.take(SAID + 1).collect();
    let more = if parts.len() > SAID { "; …" } else { "" };
    format!("{}{more}", parts[..parts.len().min(SAID)].join("; "))
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::super::*;
    use super::*;

    const HOSTILE: &str = "<script>\"&' ]]> 가로등";

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn point(on: &str, value: f64, is_provisional: bool) -> Point {
        Point { on: day(on), value, text: value.to_string(), is_provisional, link: Some("/v1/observations/1".into()) }
    }

    /// One of each, with a text that would break out if it could.
    fn all(text: &str) -> Vec<Chart> {
        let (text, link) = (text.to_owned(), Some(format!("/hostings?q={text}")));
        let bar = |value, tone| Bar { label: text.clone(), value, text: text.clone(), tone, link: link.clone() };
        let tones = [Tone::Plain, Tone::Good, Tone::Fair, Tone::Poor, Tone::Faint];
        let bars = [Some(3.0), Some(-1.5), Some(0.0), None, Some(1e9)].into_iter().zip(tones);
        let place = |latitude, longitude| Place { name: text.clone(), latitude, longitude, link: link.clone() };
        let span = |from, to: Option<&str>| Span {
            label: text.clone(),
            from: day(from),
            to: to.map(day),
            tone: Tone::Good,
            link: link.clone(),
        };
        vec![
            Chart::Bars(Bars {
                title: text.clone(),
                unit: Some(text.clone()),
                bars: bars.map(|(value, tone)| bar(value, tone)).collect(),
            }),
            Chart::Lines(Lines {
                title: text.clone(),
                unit: None,
                series: vec![Series {
                    name: text.clone(),
                    points: vec![point("2024-12-31", 420.0, false), point("2025-12-31", 380.0, true)],
                }],
                baseline: Some(point("2016-12-31", 425.0, false)),
                targets: vec![point("2028-12-31", 250.0, false)],
            }),
            Chart::Matrix(Matrix {
                title: text.clone(),
                rows: vec![text.clone(), "b".into()],
                columns: vec![text.clone()],
                cells: vec![Cell { row: 0, column: 0, text: text.clone(), tone: Tone::Poor, link: link.clone() }],
            }),
            Chart::Timeline(Timeline {
                title: text.clone(),
                spans: vec![
                    span("2025-01-01", Some("2025-01-01")),
                    span("2025-02-01", None),
                    span("2025-03-01", Some("2026-01-01")),
                ],
            }),
            Chart::Flows(Flows {
                title: text.clone(),
                places: vec![place(35.2, 129.1), place(41.4, 2.2)],
                flows: vec![
                    Flow { from: 0, to: 1, count: 3, link: link.clone() },
                    Flow { from: 1, to: 1, count: 1, link },
                ],
            }),
        ]
    }

    #[test]
    fn a_chart_is_the_same_bytes_each_time_and_holds_no_text_that_is_not_escaped() {
        for chart in all(HOSTILE) {
            let drawn = draw(&chart);
            assert_eq!(drawn, draw(&chart));
            assert!(!drawn.contains("<script") && !drawn.contains("]]>"), "{drawn}");
            assert!(drawn.contains("&#60;script&#62;"), "{drawn}");
            assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
        }
    }

    #[test]
    fn a_chart_says_what_it_shows_and_its_marks_are_links_with_names() {
        for chart in all("What came of it") {
            for drawn in [draw(&chart), inline(&chart, &Words::default())] {
                assert!(drawn.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""), "{drawn}");
                assert!(drawn.contains("role=\"group\" aria-label=\"What came of it"), "{drawn}");
                assert!(drawn.contains("<desc>") && drawn.contains("<a href=\""), "{drawn}");
                assert!(!drawn.contains("<desc></desc>"), "{drawn}");
            }
            let part = inline(&chart, &Words::default());
            assert!(!part.contains("<style") && !part.contains(" style="), "{part}");
            assert!(draw(&chart).contains("prefers-color-scheme"));
        }
    }

    #[test]
    fn without_links_a_chart_is_one_picture() {
        let bars = Bars {
            title: "Pilots".into(),
            unit: None,
            bars: vec![Bar {
                label: "Busan".into(),
                value: Some(5.0),
                text: "5".into(),
                tone: Tone::Plain,
                link: None,
            }],
        };
        let drawn = draw(&Chart::Bars(bars));
        assert!(drawn.contains("role=\"img\"") && !drawn.contains("<a "), "{drawn}");
        assert!(drawn.contains("<desc>Busan: 5</desc>"), "{drawn}");
    }

    #[test]
    fn what_is_not_known_has_no_bar_and_is_not_nought() {
        let bar =
            |value| Bar { label: "Seoul".into(), value, text: "not stated".into(), tone: Tone::Faint, link: None };
        let count = |bars: Vec<Bar>| {
            draw(&Chart::Bars(Bars { title: "Pilots".into(), unit: None, bars })).matches("<rect class=\"bar").count()
        };
        assert_eq!(count(vec![bar(None), bar(Some(2.0))]), 1);
    }

    #[test]
    fn what_is_too_much_is_cut_and_says_so() {
        let names = |count: usize| (0..count).map(|place| format!("n{place}")).collect::<Vec<_>>();
        let cell = |row, column| Cell { row, column, text: "live".into(), tone: Tone::Good, link: None };
        let matrix = Matrix {
            title: "Hostings".into(),
            rows: names(200),
            columns: names(90),
            cells: vec![cell(0, 0), cell(199, 0), cell(0, 89)],
        };
        let drawn = draw(&Chart::Matrix(matrix));
        assert_eq!(drawn.matches("<rect class=\"cell").count(), 1);
        assert!(drawn.contains(&Words::default().cut), "{drawn}");
    }

    #[test]
    fn what_is_empty_says_so() {
        let empty = [
            Chart::Bars(Bars { title: "Nothing".into(), unit: None, bars: vec![] }),
            Chart::Lines(Lines {
                title: "Nothing".into(),
                unit: None,
                series: vec![],
                baseline: None,
                targets: vec![],
            }),
            Chart::Matrix(Matrix { title: "Nothing".into(), rows: vec![], columns: vec![], cells: vec![] }),
            Chart::Timeline(Timeline { title: "Nothing".into(), spans: vec![] }),
        ];
        for chart in empty {
            let drawn = draw(&chart);
            assert!(drawn.contains(&Words::default().nothing) && !drawn.contains("NaN"), "{drawn}");
        }
    }

    #[test]
    fn what_nobody_verified_looks_and_says_otherwise() {
        let drawn = draw(&all("Energy")[1]);
        assert_eq!(drawn.matches("plain provisional").count(), 1);
        assert!(drawn.contains("not yet verified"), "{drawn}");
    }

    #[test]
    fn two_ways_between_the_same_places_are_two_arcs() {
        let place = |latitude, longitude| Place { name: "x".into(), latitude, longitude, link: None };
        let flow = |from, to| Flow { from, to, count: 1, link: None };
        let flows = Flows {
            title: "Exchange".into(),
            places: vec![place(35.2, 129.1), place(41.4, 2.2)],
            flows: vec![flow(0, 1), flow(1, 0)],
        };
        let drawn = draw(&Chart::Flows(flows));
        let arcs: Vec<&str> = drawn.split("class=\"flow plain\" d=\"").skip(1).collect();
        assert_eq!(arcs.len(), 2);
        assert_ne!(arcs[0].split('Q').nth(1), arcs[1].split('Q').nth(1));
    }
}
