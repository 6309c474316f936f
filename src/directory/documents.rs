//! Documents: what facts are cited from. Metadata and a link; the registry stores no files.

use actix_web::{delete, get, patch, post, put, web};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::database::Tx;
use crate::database::records::{self, record};
use crate::database::references::Resolved;
use crate::database::schema::{document, document_view};
use crate::http::body::input;
use crate::http::call::path_id;
use crate::http::editing::{Editable, upsert_operation};
use crate::http::history::history_operation;
use crate::http::paging::{List, Listed, Page, TitleSort, list};
use crate::http::{Answer, Body, Call, Checked, Paging, Problem};
use crate::ids;
use crate::values::{CityRef, Line, PartialDate, Visibility, WebAddress};

record! {
    /// A document that facts are cited from.
    Document = "documents", "document", document_view {
        /// Its title.
        #[schema(example = "Barcelona in Busan")]
        title: String,
        /// Whose it is; null: the registry's.
        #[schema(example = "KRPUS")]
        city: Option<String>,
        /// Where it is.
        url: Option<String>,
        /// SHA-256 of its file, in hex.
        sha256: Option<String>,
        /// Its licence.
        #[schema(example = "CC-BY-4.0")]
        licence: Option<String>,
        /// When it was published.
        published_on: Option<PartialDate>,
        /// Who may see it.
        visibility: Visibility,
    }
    kept { city_id: Option<Uuid> }
}

input! {
    /// A document to register or change.
    #[schema(example = json!({
        "title": "Data protection impact assessment, smart streetlights", "url": "https://example.org/dpia.pdf",
        "published_on": "2026-05", "visibility": "partners"
    }))]
    DocumentInput {
        /// Its title.
        #[schema(example = "Data protection impact assessment, smart streetlights")]
        title: Line,
        /// Whose it is; absent: the registry's, or the only city of the account.
        city: Option<CityRef>,
        /// Where it is.
        url: Option<WebAddress>,
        /// SHA-256 of its file, in hex.
        #[schema(pattern = "^[0-9a-f]{64}$")]
        sha256: Option<String>,
        /// Its licence.
        #[schema(example = "CC-BY-4.0")]
        licence: Option<Line>,
        /// When it was published.
        published_on: Option<PartialDate>,
        /// Who may see it; `public` if absent.
        visibility: Option<Visibility>,
    }
}

/// Filters of documents.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DocumentFilter {
    /// Whose they are; repeat for several.
    city: Option<Vec<CityRef>>,
    /// Who may see them; repeat for several.
    visibility: Option<Vec<Visibility>>,
    /// SHA-256 of the file, in hex.
    #[param(pattern = "^[0-9a-f]{64}$", example = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    sha256: Option<String>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    sort: Option<TitleSort>,
}

type Query = document_view::BoxedQuery<'static, diesel::pg::Pg>;

impl DocumentFilter {
    fn apply(&self, mut query: Query, resolved: &Resolved) -> Query {
        if let Some(cities) = resolved.cities(self.city.as_ref()) {
            query = query.filter(document_view::city_id.eq_any(cities));
        }
        if let Some(visibilities) = &self.visibility {
            query = query.filter(document_view::visibility.eq_any(visibilities.clone()));
        }
        if let Some(sha256) = &self.sha256 {
            query = query.filter(document_view::sha256.eq(sha256.clone()));
        }
        query
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = document, treat_none_as_null = true)]
struct Row<'a> {
    title: &'a str,
    city_id: Option<Uuid>,
    url: Option<&'a str>,
    sha256: Option<&'a str>,
    licence: Option<&'a str>,
    published_on: Option<&'a PartialDate>,
    visibility: Visibility,
}

impl<'a> Row<'a> {
    fn of(input: &'a Checked<DocumentInput>) -> Self {
        Self {
            title: &input.title,
            city_id: input.optional_city(input.city.as_ref()),
            url: input.url.as_deref(),
            sha256: input.sha256.as_deref(),
            licence: input.licence.as_deref(),
            published_on: input.published_on.as_ref(),
            visibility: input.visibility.unwrap_or(Visibility::Public),
        }
    }
}

/// Registers a document under an id that may be given.
///
/// # Errors
/// Those of the database.
pub async fn insert(tx: &mut Tx, id: Option<Uuid>, input: &Checked<DocumentInput>) -> Result<Uuid, Problem> {
    let id = tx.register_as::<Document>(id.unwrap_or_else(ids::fresh), &input.common()).await?;
    diesel::insert_into(document::table).values((document::id.eq(id), Row::of(input))).execute(&mut tx.conn).await?;
    Ok(id)
}

impl Editable for Document {
    type Input = DocumentInput;
    type Change = DocumentInput;

    async fn create(tx: &mut Tx, body: &Body<DocumentInput>) -> Result<Uuid, Problem> {
        let input = match tx.caller.cities() {
            [only] => body.or_member("city", &only.to_string()).checked(tx).await?,
            _ => body.checked(tx).await?,
        };
        tx.act_for(input.optional_city(input.city.as_ref()).as_slice())?;
        insert(tx, None, &input).await
    }

    async fn change(tx: &mut Tx, current: &Document, body: &Body<DocumentInput>) -> Result<bool, Problem> {
        tx.act_for(current.city_id.as_slice())?;
        tx.precondition(current)?;
        let Some(input) = body.merged(tx, current).await? else { return Ok(false) };
        tx.act_for(input.optional_city(input.city.as_ref()).as_slice())?;
        tx.revise::<Document>(current.id, &input.common()).await?;
        diesel::update(document::table.find(current.id)).set(Row::of(&input)).execute(&mut tx.conn).await?;
        Ok(true)
    }
}

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_documents)
        .service(create_document)
        .service(upsert_document)
        .service(get_document)
        .service(list_document_history)
        .service(update_document)
        .service(delete_document);
}

/// List documents
///
/// In order of registration or by title.
#[utoipa::path(tag = "directory", params(Paging, DocumentFilter), responses((status = 200, description = "A page of documents", body = Page<Document>)))]
#[get("/v1/documents")]
pub async fn list_documents(call: Call) -> Answer {
    Document::list(&call).await?.page(&call).await
}

impl Listed for Document {
    async fn list(call: &Call) -> Result<List<Self>, Problem> {
        let (paging, filter, resolved): (Paging, DocumentFilter, _) =
            (call.query()?, call.query()?, call.resolved().await?);
        list!(call, paging, Document, document_view, filter.apply(Document::visible(call.caller()), &resolved),
            sort "title" => title: String, "updated_at" => updated_at: records::Instant)
    }
}

/// Register a document
///
/// Editors for their own cities; one without a city is the registry's and is registered by administrators.
#[utoipa::path(tag = "directory", request_body = DocumentInput, responses((status = 201, description = "The document", body = Document)))]
#[post("/v1/documents")]
pub async fn create_document(call: Call, body: Body<DocumentInput>) -> Answer {
    call.create::<Document>(&body).await
}

upsert_operation! {
    /// Register or change a document by external id
    ///
    /// For partner systems: makes the document that you know by this id, or brings it to what the body says.
    upsert_document: Document from DocumentInput, "directory", "/v1/documents/by-external-id/{source}/{value}"
}

/// Read a document
///
/// Its metadata and link.
#[utoipa::path(tag = "directory", responses((status = 200, description = "The document", body = Document)))]
#[get("/v1/documents/{id}")]
pub async fn get_document(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Document>(path_id(&id)?).await
}

history_operation! {
    /// List the changes of a document
    ///
    /// Who changed what, when and for which city, oldest first.
    list_document_history: Document, "directory", "/v1/documents/{id}/history"
}

/// Change a document
///
/// Editors of its city; the registry's own are changed by administrators.
#[utoipa::path(tag = "directory", request_body = DocumentInput, responses((status = 200, description = "The document", body = Document)))]
#[patch("/v1/documents/{id}")]
pub async fn update_document(call: Call, id: web::Path<String>, body: Body<DocumentInput>) -> Answer {
    call.change::<Document>(path_id(&id)?, &body).await
}

/// Delete a document
///
/// Only one that nothing cites.
#[utoipa::path(tag = "directory", responses((status = 204, description = "Deleted")))]
#[delete("/v1/documents/{id}")]
pub async fn delete_document(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Document>(path_id(&id)?).await?;
        tx.act_for(current.city_id.as_slice())?;
        tx.precondition(&current)?;
        tx.deleted(current).await
    })
    .await
}
