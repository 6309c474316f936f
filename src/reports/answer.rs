//! A report as an answer: its rows are made once, in one snapshot, and written as what the client wants.

use std::io::{Read, Seek};
use std::time::Duration;

use actix_web::http::header;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Asked, Report, html};
use crate::charts;
use crate::database::Conn;
use crate::database::schema::change;
use crate::http::conditional;
use crate::http::formats::{self, Csv, FileWriter, Lines, Ndjson, Sheet, Table, TextWriter, columns_of};
use crate::http::presentation::AS_OF_POSITION;
use crate::http::{Answer, Call, Problem, Reply};
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

/// What a report answers as JSON.
#[derive(Serialize)]
struct Whole<'a, R> {
    report: &'static str,
    filters: &'a Map<String, Value>,
    items: &'a [R],
}

/// Answers a report.
///
/// # Errors
/// 400 for filters that name nothing, 406, and 503 if no connection is free.
pub async fn answer<R: Report>(call: Call) -> Answer {
    let format = ReportFormat::of(&call)?;
    let (reader, moment) = call.snapshot(PAUSE).await?;
    let position = reader.position.map(|position| position.seq);
    let mut asked = Asked::of(&call, reader).await?;
    let rows = R::rows(&mut asked, call.query()?).await?;
    let changed_at = last_change(asked.conn(), moment.seq).await?;
    asked.reader.finish().await?;
    let mut filters = call.raw_query().as_object().cloned().unwrap_or_default();
    filters.remove("format");
    let columns = columns_of(&format!("reports/{}", R::NAME), &R::Row::name(), false);
    let body = match format {
        ReportFormat::Json => serde_json::to_vec(&Whole { report: R::NAME, filters: &filters, items: &rows })
            .map_err(formats::unwritten)?,
        ReportFormat::Csv => text(Csv::new(columns, false), &lines(&rows))?,
        ReportFormat::Ndjson => text(Ndjson::new(Map::new()), &lines(&rows))?,
        // It says when it was made by the last change before it, so that the same figures are the same file.
        ReportFormat::Xlsx => file(Sheet::new(R::NAME, columns, changed_at)?, &lines(&rows))?,
        ReportFormat::Parquet => file(Table::new(columns)?, &lines(&rows))?,
        ReportFormat::Svg => charts::draw(&R::chart(&rows)).into_bytes(),
        ReportFormat::Html => {
            let chart = (!rows.is_empty()).then(|| charts::draw(&R::chart(&rows)));
            html::page(R::NAME, &filters, &columns, &lines(&rows), chart).into_bytes()
        }
    };
    let mut reply = Reply::ok(&Value::Null);
    reply.body = body.into();
    let etag = conditional::etag_of_list(&reply.body);
    let reply = with_headers::<R>(reply, format).header(header::ETAG, &etag);
    let reply = match position {
        Some(position) => reply.header(AS_OF_POSITION, &position.to_string()),
        None => reply,
    };
    Ok(call.known(reply))
}

/// When the registry came to be as it is at this position.
async fn last_change(conn: &mut Conn, position: i64) -> Result<DateTime<Utc>, Problem> {
    let at: Option<Option<DateTime<Utc>>> =
        change::table.filter(change::seq.eq(position)).select(change::at.nullable()).first(conn).await.optional()?;
    Ok(at.flatten().unwrap_or_default())
}

fn with_headers<R: Report>(reply: Reply, format: ReportFormat) -> Reply {
    let media = format.media_type();
    let reply = match format {
        ReportFormat::Csv | ReportFormat::Html => {
            reply.header(header::CONTENT_TYPE, &format!("{media}; charset=utf-8"))
        }
        _ => reply.header(header::CONTENT_TYPE, media),
    };
    match format {
        ReportFormat::Json => reply,
        ReportFormat::Html => reply.header(header::CONTENT_SECURITY_POLICY, crate::pages::POLICY),
        // A picture has its style in itself.
        ReportFormat::Svg => reply.header(
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
        _ => reply.header(header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{}.{format}\"", R::NAME)),
    }
}

fn lines(rows: &[impl Serialize]) -> Lines {
    let mut lines = Lines::default();
    rows.iter().for_each(|row| lines.add(row));
    lines
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
