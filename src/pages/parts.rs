//! What pages are made of: figures, facts, tables, pictures, texts. One template draws them all, so that they look the
//! same everywhere.

use askama::Template;
use serde_json::Value;

use super::texts::Texts;
use crate::charts::{self, Chart, Tone};

/// A text, with its language where it is another one than the page's.
#[derive(Debug, Clone, Default)]
pub struct Words {
    /// The text.
    pub text: String,
    /// BCP 47.
    pub lang: Option<String>,
}

impl From<String> for Words {
    fn from(text: String) -> Self {
        Self { text, lang: None }
    }
}

impl From<&str> for Words {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// Something that can be a link.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// What it says.
    pub words: Words,
    /// Where it leads.
    pub link: Option<String>,
    /// What it means, where that has a colour.
    pub tone: Option<Tone>,
    /// Whether it stands on the right, figure below figure.
    pub is_number: bool,
    /// Whether nobody stated it.
    pub is_unknown: bool,
}

impl Cell {
    /// A text.
    pub fn text(words: impl Into<Words>) -> Self {
        Self { words: words.into(), ..Self::default() }
    }

    /// A text that leads somewhere.
    pub fn link(words: impl Into<Words>, link: impl Into<String>) -> Self {
        Self { link: Some(link.into()), ..Self::text(words) }
    }

    /// A figure.
    pub fn number(text: impl Into<Words>) -> Self {
        Self { is_number: true, ..Self::text(text) }
    }

    /// A state.
    pub fn state(text: impl Into<Words>, tone: Tone) -> Self {
        Self { tone: Some(tone), ..Self::text(text) }
    }

    /// What nobody stated, which is not nothing.
    pub fn unknown(texts: &Texts) -> Self {
        Self { is_unknown: true, ..Self::text(texts.say("not-stated")) }
    }

    /// A text, or that nobody stated it.
    pub fn stated(texts: &Texts, text: Option<impl Into<Words>>) -> Self {
        text.map_or_else(|| Self::unknown(texts), Self::text)
    }

    /// The class of its tone.
    pub fn class(&self) -> &'static str {
        match self.tone {
            None => "",
            Some(Tone::Plain) => "state plain",
            Some(Tone::Good) => "state good",
            Some(Tone::Fair) => "state fair",
            Some(Tone::Poor) => "state poor",
            Some(Tone::Faint) => "state faint",
        }
    }
}

/// A figure that stands large.
#[derive(Debug)]
pub struct Figure {
    /// The figure.
    pub number: String,
    /// What it counts.
    pub text: String,
    /// The records that it counts.
    pub link: String,
}

/// A table.
#[derive(Debug)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Its columns; those of figures stand on the right.
    pub columns: Vec<(String, bool)>,
    /// Its rows; the first cell of each is its heading.
    pub rows: Vec<Vec<Cell>>,
    /// Where the rest is.
    pub more: Option<Cell>,
}

/// A chart with a line below it.
#[derive(Debug)]
pub struct Picture {
    /// What it shows.
    pub caption: Words,
    /// What is worth saying beside it.
    pub note: Option<Cell>,
    /// The chart as SVG.
    pub svg: String,
    /// Whether it can be wider than the page.
    pub is_wide: bool,
}

/// Something that somebody said.
#[derive(Debug)]
pub struct Quote {
    /// What kind of saying it is.
    pub kind: String,
    /// In their words.
    pub words: Words,
    /// Who or where.
    pub source: Cell,
}

/// A form that narrows a list.
#[derive(Debug)]
pub struct Form {
    /// Where it is sent.
    pub action: String,
    /// What is asked by choice.
    pub choices: Vec<Choice>,
    /// What is asked in words: name, label and what stands in it.
    pub words: Option<(&'static str, String, String)>,
    /// What goes with it unseen.
    pub kept: Vec<(String, String)>,
    /// What its button says.
    pub button: String,
}

/// One of several.
#[derive(Debug)]
pub struct Choice {
    /// The parameter.
    pub name: &'static str,
    /// What is asked.
    pub label: String,
    /// Value, text, and whether it is chosen; an empty value is all of them.
    pub options: Vec<(String, String, bool)>,
}

impl Choice {
    /// A choice among these, or all.
    pub fn of(
        name: &'static str,
        label: String,
        all: String,
        options: Vec<(String, String)>,
        chosen: Option<&str>,
    ) -> Self {
        let mut shown = vec![(String::new(), all, chosen.is_none())];
        shown.extend(options.into_iter().map(|(value, text)| {
            let is_chosen = chosen == Some(value.as_str());
            (value, text, is_chosen)
        }));
        Self { name, label, options: shown }
    }
}

/// A part of a page.
#[derive(Debug)]
pub enum Part {
    /// A form.
    Form(Form),
    /// What stands below the heading of the page.
    Lead(Words),
    /// Paragraphs.
    Prose(Vec<Words>),
    /// Figures side by side.
    Figures(Vec<Figure>),
    /// What is known of something, member by member.
    Facts(Vec<(String, Vec<Cell>)>),
    /// A table.
    Table(Table),
    /// A chart.
    Picture(Picture),
    /// Sayings.
    Quotes(Vec<Quote>),
    /// A list of links.
    Links(Vec<Cell>),
    /// A remark.
    Note(String),
    /// HTML that is made elsewhere.
    Html(String),
}

impl Part {
    /// A chart, named by its own title.
    pub fn chart(texts: &Texts, chart: &Chart, note: Option<Cell>) -> Self {
        let (title, unit) = match chart {
            Chart::Bars(chart) => (&chart.title, &chart.unit),
            Chart::Lines(chart) => (&chart.title, &chart.unit),
            Chart::Matrix(chart) => (&chart.title, &None),
            Chart::Timeline(chart) => (&chart.title, &None),
            Chart::Flows(chart) => (&chart.title, &None),
        };
        let caption = unit.as_ref().map_or_else(|| title.clone(), |unit| format!("{title} ({unit})"));
        Self::Picture(Picture {
            caption: caption.into(),
            note,
            svg: charts::inline(chart, &texts.of_charts()),
            is_wide: matches!(chart, Chart::Matrix(_)),
        })
    }
}

/// Parts under a heading.
#[derive(Debug)]
pub struct Section {
    /// Its name in addresses.
    pub id: &'static str,
    /// Its heading; none at the top of a page.
    pub heading: Option<String>,
    /// What is in it.
    pub parts: Vec<Part>,
}

impl Section {
    /// A section with a heading.
    pub fn new(id: &'static str, heading: String, parts: Vec<Part>) -> Self {
        Self { id, heading: Some(heading), parts }
    }
}

/// Sections as HTML.
#[derive(Template)]
#[template(path = "pages/parts.html")]
pub struct Body {
    /// From the top.
    pub sections: Vec<Section>,
}

/// A record as it is shown to anybody, in the language of the page where it has one.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    value: Value,
    lang: Option<String>,
}

impl Shown {
    /// A record that was localised for a page in this language.
    pub fn of(value: Value, texts: &Texts) -> Self {
        let served = value["served_language"].as_str().unwrap_or_default();
        let lang =
            (!served.eq_ignore_ascii_case(texts.language.label()) && !served.is_empty()).then(|| served.to_owned());
        Self { value, lang }
    }

    /// A member.
    pub fn get(&self, member: &str) -> &Value {
        &self.value[member]
    }

    /// A member as text, if it was stated.
    pub fn text(&self, member: &str) -> Option<&str> {
        self.value[member].as_str()
    }

    /// A text for people, with its language.
    pub fn words(&self, member: &str) -> Option<Words> {
        self.text(member).map(|text| self.said(text))
    }

    /// A text of the record, with its language.
    pub fn said(&self, text: &str) -> Words {
        Words { text: text.to_owned(), lang: self.lang.clone() }
    }

    /// A text that every such record has.
    pub fn title(&self, member: &str) -> Words {
        self.words(member).unwrap_or_default()
    }

    /// A long text, paragraph by paragraph.
    pub fn paragraphs(&self, member: &str) -> Vec<Words> {
        let text = self.text(member).unwrap_or_default();
        text.split("\n\n").map(str::trim).filter(|one| !one.is_empty()).map(|one| self.said(one)).collect()
    }

    /// A list of texts.
    pub fn texts(&self, member: &str) -> Vec<String> {
        let items = self.value[member].as_array().into_iter().flatten();
        items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
    }
}
