//! A report as an answer: its rows are made once, in one snapshot, and written as what the client wants.

use std::io::{Read, Seek};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Asked, Entry, Linked, Report};
use crate::charts::{self, Bars, Chart};
use crate::database::Conn;
use crate::database::schema::change;
use crate::http::call::query_as;
use crate::http::conditional;
use crate::http::formats::{self, Column, Csv, FileWriter, Lines, Ndjson, Sheet, Table, TextWriter, columns_of};
use crate::http::presentation::AS_OF_POSITION;
use crate::http::{Answer, Call, Problem, Reply};
use crate::pages::{self, Language, Texts};
use crate::values::labels;

/// How long a statement's result may wait to be read.
const PAUSE: Duration = Duration::from_secs(30);

labels! {
    /// What a report is written as.
    ReportFormat {
        /// one object with its rows
        Json = "json",
        /// comma-separated values [RFC 4180]
        Csv = "csv",
        /// one JSON object a line, and a last line that says how many there were
        Ndjson = "ndjson",
        /// a workbook with typed cells
        Xlsx = "xlsx",
        /// Apache Parquet with typed columns
        Parquet = "parquet",
        /// a page to read, with the chart and the table
        Html = "html",
        /// the chart alone
        Svg = "svg",
    }
}

impl ReportFormat {
    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => formats::CSV,
            Self::Ndjson => formats::NDJSON,
            Self::Xlsx => formats::XLSX,
            Self::Parquet => formats::PARQUET,
            Self::Html => "text/html",
            Self::Svg => "image/svg+xml",
        }
    }

    /// What the query names, else what the client likes best.
    fn of(call: &Call) -> Result<Self, Problem> {
        let named = call.raw_query()["format"].as_str().and_then(|format| format.parse::<Self>().ok());
        if let Some(format) = named {
            call.check_accept(format.media_type())?;
            return Ok(format);
        }
        let media: Vec<&str> = Self::ALL.iter().map(|format| format.media_type()).collect();
        let preferred = call.preferred(&media)?;
        Ok(Self::ALL.iter().copied().find(|format| format.media_type() == preferred).unwrap_or(Self::Json))
    }
}

/// A report that was made: what every format is written from.
pub struct Made {
    /// The columns of its table.
    pub columns: Vec<Column>,
    /// Its rows.
    pub lines: Lines,
    /// What is drawn of them; nothing where there are no rows, or nobody draws them.
    pub chart: Option<Chart>,
}

/// Makes a report, to be drawn or not.
///
/// # Errors
/// Those of the database.
pub async fn make<R: Report>(mut asked: Asked, query: Value, is_drawn: bool) -> Result<Made, Problem> {
    let mut rows = R::rows(&mut asked, query_as(&query)?).await?;
    rows.iter_mut().for_each(|row| row.link(&asked));
    asked.finish().await?;
    let mut lines = Lines::default();
    rows.iter().for_each(|row| lines.add(row));
    let columns = columns_of(&format!("reports/{}", R::NAME), &R::Row::name(), false);
    let chart = (is_drawn && !rows.is_empty()).then(|| R::chart(&rows));
    Ok(Made { columns, lines, chart })
}

/// When the registry came to be as it is at this position.
async fn last_change(conn: &mut Conn, position: i64) -> Result<DateTime<Utc>, Problem> {
    let at: Option<Option<DateTime<Utc>>> =
        change::table.filter(change::seq.eq(position)).select(change::at.nullable()).first(conn).await.optional()?;
    Ok(at.flatten().unwrap_or_default())
}

/// Answers a report.
///
/// # Errors
/// 400 for filters that name nothing, 406, and 503 if no connection is free.
pub async fn answer(call: Call, report: &Entry) -> Answer {
    let format = ReportFormat::of(&call)?;
    let (mut reader, moment) = call.still(PAUSE).await?;
    let changed_at = last_change(&mut reader.conn, moment.seq).await?;
    let past = reader.position.map(|position| position.seq);
    let today = reader.day(call.state().clock.today());
    let resolved = call.resolved().await?;
    let asked = Asked::of(call.caller().clone(), today, call.raw_query(), resolved, reader)?;
    let is_drawn = matches!(format, ReportFormat::Svg | ReportFormat::Html);
    let made = (report.make)(asked, call.raw_query().clone(), is_drawn).await?;
    let mut filters = call.raw_query().clone();
    filters.as_object_mut().map(|filters| filters.remove("format"));
    let mut reply = Reply::empty(StatusCode::OK);
    reply.body = written(report, format, made, &filters, changed_at)?.into();
    let etag = conditional::etag_of_list(&reply.body);
    let reply = with_headers(reply, report.name, format).header(header::ETAG, &etag);
    let reply = match past {
        Some(position) => reply.header(AS_OF_POSITION, &position.to_string()),
        None => reply,
    };
    Ok(call.known(reply))
}

fn written(
    report: &Entry,
    format: ReportFormat,
    made: Made,
    filters: &Value,
    changed_at: DateTime<Utc>,
) -> Result<Vec<u8>, Problem> {
    match format {
        ReportFormat::Json => Ok(json(report.name, filters, &made.lines)),
        ReportFormat::Csv => text(Csv::new(made.columns, false), &made.lines),
        ReportFormat::Ndjson => text(Ndjson::new(Map::new()), &made.lines),
        // It says when it was made by the last change before it, so that the same figures are the same file.
        ReportFormat::Xlsx => file(Sheet::new(report.name, made.columns, changed_at)?, &made.lines),
        ReportFormat::Parquet => file(Table::new(made.columns)?, &made.lines),
        ReportFormat::Svg => Ok(charts::draw(&made.chart.unwrap_or_else(|| nothing(report.title))).into_bytes()),
        ReportFormat::Html => {
            let page = pages::reports::page(Texts::of(Language::English), report, &made, filters);
            Ok(page.html().into_bytes())
        }
    }
}

/// The chart of a report without rows.
fn nothing(title: &str) -> Chart {
    Chart::Bars(Bars { title: format!("{title}: no records"), unit: None, bars: vec![] })
}

/// One object, whose items are the lines.
fn json(name: &str, filters: &Value, lines: &Lines) -> Vec<u8> {
    let mut out = format!("{{\"report\":\"{name}\",\"filters\":{filters},\"items\":[").into_bytes();
    let start = out.len();
    // Within a line there is no line break, as in all JSON that is written without spaces.
    out.extend_from_slice(lines.as_bytes().strip_suffix(b"\n").unwrap_or_default());
    for byte in &mut out[start..] {
        if *byte == b'\n' {
            *byte = b',';
        }
    }
    out.extend_from_slice(b"]}");
    out
}

fn with_headers(reply: Reply, name: &str, format: ReportFormat) -> Reply {
    let media = format.media_type();
    let reply = match format {
        ReportFormat::Csv | ReportFormat::Html => {
            reply.header(header::CONTENT_TYPE, &format!("{media}; charset=utf-8"))
        }
        _ => reply.header(header::CONTENT_TYPE, media),
    };
    match format {
        ReportFormat::Json => reply,
        ReportFormat::Html => reply.header(header::CONTENT_SECURITY_POLICY, pages::PAGE_POLICY),
        // A picture has its style in itself.
        ReportFormat::Svg => reply.header(header::CONTENT_SECURITY_POLICY, charts::POLICY),
        _ => reply.header(header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}.{format}\"")),
    }
}

fn text(mut writer: impl TextWriter, lines: &Lines) -> Result<Vec<u8>, Problem> {
    let mut out = vec![];
    writer.begin(&mut out);
    writer.write(lines, &mut out)?;
    writer.end(&mut out);
    Ok(out)
}

fn file(mut writer: impl FileWriter, lines: &Lines) -> Result<Vec<u8>, Problem> {
    writer.write(lines)?;
    let (mut file, mut out) = (writer.finish()?, vec![]);
    file.rewind().and_then(|()| file.read_to_end(&mut out)).map_err(formats::unwritten)?;
    Ok(out)
}
