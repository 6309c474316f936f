//! Its operations.

use actix_web::http::{StatusCode, header};
use actix_web::web::{Bytes, Payload};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, get, post, web};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use futures_util::stream;
use serde_json::{Value, json};
use uuid::Uuid;

use super::model::*;
use super::{jobs, upload};
use crate::database::Database;
use crate::database::schema::import_shown;
use crate::http::body::BodyHash;
use crate::http::call::path_id;
use crate::http::paging::{Page, Steps};
use crate::http::{Answer, Call, Code, Problem, Reply, conditional};

/// List imports
///
/// Your own ones, oldest first; administrators see all. Those that ended more than thirty days ago are gone, with their
/// reports.
#[utoipa::path(tag = "sync", params(Steps, ImportFilter), responses((status = 200, description = "A page of imports", body = Page<Import>)))]
#[get("/v1/imports")]
pub async fn list_imports(call: Call) -> Answer {
    let (steps, filter): (Steps, ImportFilter) = (call.query()?, call.query()?);
    let filtered = || {
        let mut query = jobs::visible(call.caller());
        if let Some(statuses) = filter.status.clone() {
            query = query.filter(import_shown::status.eq_any(statuses));
        }
        if let Some(kinds) = filter.kind.clone() {
            query = query.filter(import_shown::type_.eq_any(kinds));
        }
        query
    };
    let mut conn = call.connection().await?;
    let count: Option<i64> = match steps.count {
        Some(_) => Some(filtered().count().get_result(&mut conn).await?),
        None => None,
    };
    let mut query = filtered().order(import_shown::id).limit(steps.limit() + 1);
    if let Some(cursor) = call.cursor() {
        query = query.filter(import_shown::id.gt(cursor.id));
    }
    let items: Vec<Import> = query.select(Import::as_select()).load(&mut conn).await?;
    call.page_of(items, steps.limit(), count, |one| (Value::Null, one.id))
}

/// Import a file of records
///
/// The file is stored and worked on in the background; the answer is the job. Read it at its Location until it has ended.
///
/// **Rows** are what you would send to make a record, one for each: NDJSON (a JSON object a line), a JSON array, or CSV
/// (UTF-8, header with the names of members, lists of codes, ids and tags joined by `;`, other nested values as JSON, an
/// empty cell for a member that is left out, an apostrophe before `=`, `+`, `-` or `@` taken off). At most 64 MiB, a row
/// at most 1 MiB.
///
/// **Which record a row is**: that of its `id`; else that of the first of its `external_ids` that is known; else a new
/// one. A row says the whole record, as PUT by external id does: members that can be empty and are left out are emptied.
/// Members that the service sets (`version`, `created_at`, `progress`, …) are ignored, so that a file that an export
/// wrote can be imported again, and all is unchanged then; so is the line with which an NDJSON export ends.
///
/// **Rows are checked** like single calls, in their order, with the permissions that your account has when they are
/// brought in. What is refused stands in the report with its line, pointer, code and detail; other rows are written
/// all the same. With `atomic=true` all are written or none. With `dry_run=true` all is checked and nothing is changed.
#[utoipa::path(
    tag = "sync",
    params(Wanted),
    request_body(content(
        (Value = "application/json", example = json!([
            {"city": "KRPUS", "area": "smart_cities", "title": "Quieter streets at night",
             "external_ids": [{"source": "busan-wishes", "value": "N-1"}]}
        ])),
        (String = "application/x-ndjson", example = "{\"city\": \"KRPUS\", \"area\": \"smart_cities\", \"title\": \"Quieter streets at night\"}\n"),
        (String = "text/csv", example = "city,area,title,tags\nKRPUS,smart_cities,Quieter streets at night,noise;night\n"),
    )),
    responses((status = 202, description = "The job", body = Import))
)]
#[post("/v1/imports")]
pub async fn create_import(call: Call, request: HttpRequest, payload: Payload) -> Answer {
    let wanted: Wanted = call.query()?;
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let format = content_type.and_then(Format::of);
    let format =
        format.ok_or_else(|| Problem::new(Code::UnsupportedMediaType, Code::UnsupportedMediaType.meaning()))?;
    let file = upload::store(&call.state().database, payload).await?;
    request.extensions_mut().insert(BodyHash(file.hash));
    let answer = call
        .write(async |tx| {
            let job = jobs::insert(tx, wanted, format, file.id).await?;
            let location = format!("/v1/imports/{}", job.id);
            Ok(answer(StatusCode::ACCEPTED, &job).header(header::LOCATION, &location))
        })
        .await;
    // Refused, or answered before under the same key: then this copy is nobody's. One that stays is removed later.
    if let Err(problem) = discard(&call, file.id).await {
        tracing::warn!(%problem, file = %file.id, "a file that may be of no import could not be removed now");
    }
    call.state().import_came.notify_one();
    answer
}

async fn discard(call: &Call, file_id: Uuid) -> Result<(), Problem> {
    upload::discard(&mut call.connection().await?, file_id).await
}

fn answer(status: StatusCode, job: &Import) -> Reply {
    let reply = Reply::json(status, job);
    let etag = conditional::etag_of_list(&reply.body);
    reply.header(header::ETAG, &etag)
}

/// Read an import
///
/// How far it is, and the first hundred entries of its report.
#[utoipa::path(tag = "sync", responses((status = 200, description = "The job", body = Import)))]
#[get("/v1/imports/{id}")]
pub async fn get_import(call: Call, id: web::Path<String>) -> Answer {
    let job = jobs::find(&mut call.connection().await?, call.caller(), path_id(&id)?).await?;
    Ok(call.known(answer(StatusCode::OK, &job)))
}

/// List what was wrong in an import
///
/// The whole report, in the order of the file. A row that has several faults has an entry for each.
#[utoipa::path(tag = "sync", params(Steps), responses((status = 200, description = "A page of the report", body = Page<ImportError>)))]
#[get("/v1/imports/{id}/errors")]
pub async fn list_import_errors(call: Call, id: web::Path<String>) -> Answer {
    let steps: Steps = call.query()?;
    let mut conn = call.connection().await?;
    let job = jobs::find(&mut conn, call.caller(), path_id(&id)?).await?;
    let after = call.cursor().map_or(Ok(-1), |cursor| cursor.key::<i32>())?;
    let items = jobs::errors(&mut conn, job.id, after, steps.limit() + 1).await?;
    let count = match steps.count {
        Some(_) => Some(jobs::count_errors(&mut conn, job.id).await?),
        None => None,
    };
    call.page_of(items, steps.limit(), count, |one| (json!(one.number), job.id))
}

/// Download what was wrong in an import
///
/// The whole report as CSV: line, pointer, code, detail. An apostrophe stands before a detail that a spreadsheet would
/// take for a formula.
#[utoipa::path(tag = "sync", responses((status = 200, description = "The report", body = String, content_type = "text/csv")))]
#[get("/v1/imports/{id}/errors.csv")]
pub async fn get_import_report(call: Call, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    let job = jobs::find(&mut call.connection().await?, call.caller(), path_id(&id)?).await?;
    let etag = conditional::etag_of_list(format!("{} {}", job.id, job.updated_at).as_bytes());
    let head = call.known(Reply::empty(StatusCode::OK).header(header::ETAG, &etag));
    if head.status == StatusCode::NOT_MODIFIED {
        return Ok(HttpResponse::NotModified().insert_header((header::ETAG, etag)).finish());
    }
    let database = call.state().database.clone();
    let name = format!("attachment; filename=\"import-{}-errors.csv\"", job.id);
    Ok(HttpResponse::Ok()
        .insert_header((header::ETAG, etag))
        .insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"))
        .insert_header((header::CONTENT_DISPOSITION, name))
        .streaming(report(database, job.id)))
}

/// The report in pieces; one that cannot be read breaks the answer off, so that it does not look whole.
fn report(database: Database, id: Uuid) -> impl stream::Stream<Item = Result<Bytes, Problem>> {
    const ROWS: i64 = 1000;
    stream::try_unfold(Some(-1), move |after| {
        let database = database.clone();
        async move {
            let Some(after) = after else { return Ok(None) };
            let errors = jobs::errors(&mut database.connection().await?, id, after, ROWS).await?;
            let more = (errors.len() == usize::try_from(ROWS).unwrap_or_default())
                .then(|| errors.last().map(|one| one.number))
                .flatten();
            Ok(Some((as_csv(after < 0, &errors), more)))
        }
    })
}

fn as_csv(with_header: bool, errors: &[ImportError]) -> Bytes {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(vec![]);
    let written = "memory can be written";
    if with_header {
        writer.write_record(["line", "pointer", "code", "detail"]).expect(written);
    }
    for one in errors {
        let formula = one.detail.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let detail = format!("{}{}", if formula { "'" } else { "" }, one.detail);
        let pointer = one.pointer.as_deref().unwrap_or_default();
        writer.write_record([&one.line.to_string(), pointer, &one.code, &detail]).expect(written);
    }
    writer.into_inner().expect(written).into()
}

/// Cancel an import
///
/// It stops between two batches of rows: what was written before stays, of an atomic one nothing. One that was cancelled
/// already is answered as it is.
#[utoipa::path(tag = "sync", responses((status = 200, description = "The job", body = Import)))]
#[post("/v1/imports/{id}/cancel")]
pub async fn cancel_import(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let caller = tx.caller.clone();
        let job = jobs::find(&mut tx.conn, &caller, path_id(&id)?).await?;
        if !jobs::cancel(tx, job.id).await? && job.status != ImportStatus::Cancelled {
            return Err(Problem::new(Code::Conflict, format!("the import is {}; it has ended", job.status)));
        }
        Ok(answer(StatusCode::OK, &jobs::find(&mut tx.conn, &caller, job.id).await?))
    })
    .await
}
