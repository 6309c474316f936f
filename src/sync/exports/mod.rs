//! Exports: the list of a collection as a whole, in the order of the list, from one snapshot. There is one implementation
//! for every collection: what is exported is what its [`Listed::list`] answers, shown as the list shows it. Each record
//! is written as JSON once, and the other formats are made of that line, so that none of them can differ from the list.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName};
use actix_web::web;
use aws_lc_rs::digest;
use chrono::SecondsFormat;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::api::collections;
use crate::database::positions::{Moment, Reader};
use crate::http::formats::{self, Csv, Ndjson, Sheet, Table, columns_of};
use crate::http::paging::Listed;
use crate::http::presentation::AS_OF_POSITION;
use crate::http::{Answer, Call, Fault, Problem, Reply};
use crate::sync::changes;
use crate::values::labels;

mod files;
mod geojson;
mod slots;
mod transfer;
mod walk;

pub use slots::Slots;
use transfer::Limits;
use walk::Walk;

/// Answers the instant of the snapshot.
pub const AS_OF: HeaderName = HeaderName::from_static("x-as-of");

/// Answers where to follow the changes from; never later than the snapshot.
pub const CHANGE_CURSOR: HeaderName = HeaderName::from_static("x-change-cursor");

/// Bytes that the client has to take in a second, on average, so that few slow ones cannot hold all the connections.
const SLOWEST: u32 = 32 * 1024;

labels! {
    /// What an export is written as.
    Format {
        /// comma-separated values [RFC 4180], one row for each record
        Csv = "csv",
        /// one JSON object a line, as the list shows it, and a last line that says how many there were
        Ndjson = "ndjson",
        /// a workbook with typed cells
        Xlsx = "xlsx",
        /// Apache Parquet with typed columns
        Parquet = "parquet",
        /// a collection of features [RFC 7946], for collections whose records have a place
        Geojson = "geojson",
    }
}

impl Format {
    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => formats::CSV,
            Self::Ndjson => formats::NDJSON,
            Self::Xlsx => formats::XLSX,
            Self::Parquet => formats::PARQUET,
            Self::Geojson => "application/geo+json",
        }
    }

    /// The formats of a collection.
    pub fn of(collection: &str) -> impl Iterator<Item = Self> {
        let has_place = geojson::has_place(collection);
        Self::ALL.iter().copied().filter(move |format| *format != Self::Geojson || has_place)
    }
}

/// Their operations: one for each collection, described by `api::exports`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    for collection in collections::ALL.iter() {
        let export = move |call: Call, format: web::Path<String>| async move {
            let wanted = format.parse().ok();
            let format = Format::of(collection.name).find(|format| Some(*format) == wanted);
            (collection.export)(call, format.ok_or_else(Problem::not_found)?).await
        };
        config.route(&format!("/v1/exports/{}.{{format}}", collection.name), web::get().to(export));
    }
}

/// What an export says of itself: in its headers, and where its format has a place for it.
#[derive(Debug, Clone)]
pub struct About {
    /// The instant of the snapshot.
    as_of: String,
    /// The number of the last change before the snapshot.
    position: i64,
    /// Where to follow the changes from.
    change_cursor: String,
    publisher: String,
    licence: String,
}

impl About {
    /// What the last line of NDJSON repeats.
    fn of_end(&self) -> Map<String, Value> {
        let members = [("as_of", &self.as_of), ("change_cursor", &self.change_cursor)];
        members.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
    }
}

/// Answers the list that the request asks for as a file.
///
/// # Errors
/// Those of the list, 406, and 503 if as many exports are running as there are connections for, or as the client may have.
pub async fn export<R: Listed + ToSchema>(call: Call, format: Format) -> Answer {
    call.check_accept(format.media_type())?;
    let is_raw = call.raw_query()["raw"].as_bool();
    if is_raw.is_some() && format != Format::Csv {
        let fault = Fault::of_parameter("raw", "not_for_this_format", "is for csv only");
        return Err(Problem::bad_parameters(vec![fault]));
    }
    let slot = call.state().exports.take(call.client())?;
    let limits = Limits { stall: Duration::from_secs(call.state().config.export_stall_seconds), slowest: SLOWEST };
    let (mut reader, moment) = call.snapshot(limits.stall).await?;
    let etag = etag(&call, &reader, &moment);
    if let Some(known) = call.knows(&etag) {
        reader.finish().await?;
        return Ok(Reply::empty(StatusCode::NOT_MODIFIED).header(header::ETAG, &format!("W/{known}")));
    }
    let about = about(&call, &mut reader, &moment).await?;
    let columns = columns_of(R::TYPE, &R::name(), call.language().is_some());
    let walk: Walk<R> = Walk::begin(call.reading(reader), slot).await?;
    let reply = match format {
        Format::Csv => transfer::stream(walk, Csv::new(columns, is_raw == Some(true)), limits).await?,
        Format::Ndjson => transfer::stream(walk, Ndjson::new(about.of_end()), limits).await?,
        Format::Geojson => transfer::stream(walk, geojson::GeoJson::new(R::TYPE, about.clone()), limits).await?,
        Format::Xlsx => files::send(walk, Sheet::new(R::TYPE, columns, moment.at)?).await?,
        Format::Parquet => files::send(walk, Table::new(columns)?).await?,
    };
    Ok(with_headers::<R>(reply, format, &about, &etag))
}

fn with_headers<R: Listed>(reply: Reply, format: Format, about: &About, etag: &str) -> Reply {
    let media_type = match format {
        Format::Csv => "text/csv; charset=utf-8",
        _ => format.media_type(),
    };
    reply
        .header(header::CONTENT_TYPE, media_type)
        .header(header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{}.{format}\"", R::TYPE))
        .header(header::ETAG, &format!("W/{etag}"))
        .header(AS_OF, &about.as_of)
        .header(AS_OF_POSITION, &about.position.to_string())
        .header(CHANGE_CURSOR, &about.change_cursor)
}

async fn about(call: &Call, reader: &mut Reader, moment: &Moment) -> Result<About, Problem> {
    let config = &call.state().config;
    Ok(About {
        as_of: moment.at.to_rfc3339_opts(SecondsFormat::Micros, true),
        position: moment.seq,
        change_cursor: changes::cursor_at(&mut reader.conn, call.state(), call.caller(), moment.seq).await?,
        publisher: config.publisher_name.clone(),
        licence: config.data_licence.clone(),
    })
}

/// A weak ETag, known before anything is read: the snapshot, what was asked, who asks, and the day. It is weak because
/// what it stands for says its own instant.
fn etag(call: &Call, reader: &Reader, moment: &Moment) -> String {
    let caller = call.caller();
    let of = json!([
        env!("CARGO_PKG_VERSION"),
        call.path(),
        call.raw_query(),
        [caller.account_id().map(|id| id.to_string()), caller.role().map(|role| role.to_string())],
        caller.cities(),
        reader.day(call.state().clock.today()),
        [moment.seq, moment.unnumbered.unwrap_or(0)],
    ]);
    let hash = digest::digest(&digest::SHA256, of.to_string().as_bytes());
    let hash: String = hash.as_ref()[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hash}\"")
}
