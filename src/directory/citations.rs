//! What a document supports: the records that cite it, asked from its side.

use actix_web::{get, web};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::documents::Document;
use crate::access::Caller;
use crate::database::records;
use crate::database::references::{VIEWS, sight_condition};
use crate::http::call::path_id;
use crate::http::paging::Page;
use crate::http::{Answer, Call, Paging, Problem};

/// A place where a record cites a document.
#[derive(Debug, Serialize, ToSchema, QueryableByName)]
pub struct DocumentCitation {
    /// The collection of the record.
    #[serde(rename = "type")]
    #[diesel(sql_type = Text)]
    #[schema(example = "pilots")]
    collection: String,
    /// The record.
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    /// What the record is called; a hosting as its pilot, outcomes and observations as their indicator.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "Smart streetlights")]
    title: Option<String>,
    /// Where in the document.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "Areas of Future Cooperation, item 1")]
    locator: Option<String>,
    /// Its words.
    #[diesel(sql_type = Nullable<Text>)]
    quote: Option<String>,
    #[serde(skip)]
    #[diesel(sql_type = SmallInt)]
    position: i16,
}

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_document_citations);
}

/// List what a document supports
///
/// Every citation of the document by a record that you may see, in order of record: its type and id, what it is called,
/// where in the document, and the words it quotes. `updated_since` means the record.
#[utoipa::path(tag = "directory", params(Paging), responses((status = 200, description = "A page of citations", body = Page<DocumentCitation>)))]
#[get("/v1/documents/{id}/citations")]
pub async fn list_document_citations(call: Call, id: web::Path<String>) -> Answer {
    let paging: Paging = call.query()?;
    let mut conn = call.connection().await?;
    let today = call.state().clock.today();
    let document = records::find::<Document>(&mut conn, call.caller(), path_id(&id)?, today).await?;
    let of = Of { caller: call.caller(), document_id: document.id, updated_since: paging.updated_since };
    let count = match paging.count {
        Some(_) => Some(of.count(&mut conn).await?),
        None => None,
    };
    let after = call.cursor().map(|cursor| Ok::<_, Problem>((cursor.id, cursor.key::<i16>()?))).transpose()?;
    let items = of.page(&mut conn, after, paging.limit() + 1).await?;
    call.page_of(items, paging.limit(), count, |last| (json!(last.position), last.id))
}

/// The citations of a document that somebody may see.
struct Of<'a> {
    caller: &'a Caller,
    document_id: Uuid,
    updated_since: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

impl Of<'_> {
    /// Each collection is asked by its own view whether the record is seen; only that of the record's type is run.
    fn from(&self) -> String {
        let branches: Vec<String> = VIEWS
            .iter()
            .map(|one| {
                let (collection, view, title) = (one.collection, one.view, one.title);
                let seen = sight_condition(self.caller, collection, 2);
                format!(
                    "SELECT {title} AS title FROM {view} v WHERE r.type = '{collection}' AND v.id = r.id AND {seen}"
                )
            })
            .collect();
        format!(
            "FROM citation c JOIN record r ON r.id = c.record_id
             CROSS JOIN LATERAL ({}) s
             WHERE c.document_id = $1 AND $2::uuid[] IS NOT NULL AND ($3::timestamptz IS NULL OR r.updated_at >= $3)",
            branches.join(" UNION ALL ")
        )
    }

    async fn count(&self, conn: &mut crate::database::Conn) -> Result<i64, Problem> {
        let found: Count = diesel::sql_query(format!("SELECT count(*) AS count {}", self.from()))
            .bind::<SqlUuid, _>(self.document_id)
            .bind::<Array<SqlUuid>, _>(self.caller.cities())
            .bind::<Nullable<Timestamptz>, _>(self.updated_since)
            .get_result(conn)
            .await?;
        Ok(found.count)
    }

    async fn page(
        &self,
        conn: &mut crate::database::Conn,
        after: Option<(Uuid, i16)>,
        limit: i64,
    ) -> Result<Vec<DocumentCitation>, Problem> {
        let (after_id, after_position) = after.unwrap_or((Uuid::nil(), -1));
        let items = diesel::sql_query(format!(
            "SELECT r.type AS collection, r.id, s.title, c.locator, c.quote, c.position {}
             AND (c.record_id, c.position) > ($4, $5) ORDER BY c.record_id, c.position LIMIT $6",
            self.from()
        ))
        .bind::<SqlUuid, _>(self.document_id)
        .bind::<Array<SqlUuid>, _>(self.caller.cities())
        .bind::<Nullable<Timestamptz>, _>(self.updated_since)
        .bind::<SqlUuid, _>(after_id)
        .bind::<SmallInt, _>(after_position)
        .bind::<BigInt, _>(limit)
        .load(conn)
        .await?;
        Ok(items)
    }
}
