//! THE list of routes, one line per operation: it gives the application and the OpenAPI document together.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};

use actix_web::http::header;
use actix_web::{App, HttpResponse, get, web};
use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::access::{accounts, inbox, oauth};
use crate::catalogue::search::Facet;
use crate::catalogue::{applicability, matching, needs, pilots, search};
use crate::cooperation::{activities, agreements, initiatives, partnerships, stages};
use crate::database::search::Searchable;
use crate::directory::{citations, cities, documents, organisations, programmes, terms};
use crate::hosting::{compliance, hostings, transitions};
use crate::http::paging::{Count, NameSort, TitleSort, UpdatedSort};
use crate::http::schemas::texts_of;
use crate::ids::NeedId;
use crate::outcomes::{evaluations, indicators, observations, outcome, verification};
use crate::sync::webhooks::Event;
use crate::sync::{changes, exports as files, harvest, imports, webhooks};
use crate::{pages, reports, service};

pub mod collections;
mod document;
mod events;
mod exports;
mod following;
mod problems;
mod reading;
mod reporting;

/// The operations: one line per slice, in order of work.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .configure(oauth::routes)
        .configure(accounts::routes)
        .configure(inbox::routes)
        .configure(cities::routes)
        .configure(organisations::routes)
        .configure(programmes::routes)
        .configure(documents::routes)
        .configure(citations::routes)
        .configure(terms::routes)
        .configure(pilots::routes)
        .configure(needs::routes)
        .configure(applicability::routes)
        .configure(search::routes)
        .configure(matching::routes)
        .configure(partnerships::routes)
        .configure(initiatives::routes)
        .configure(stages::routes)
        .configure(activities::routes)
        .configure(agreements::routes)
        .configure(hostings::routes)
        .configure(transitions::routes)
        .configure(compliance::routes)
        .configure(indicators::routes)
        .configure(outcome::routes)
        .configure(observations::routes)
        .configure(verification::routes)
        .configure(evaluations::routes)
        .configure(reports::routes)
        .configure(changes::routes)
        .configure(files::routes)
        .configure(harvest::routes)
        .configure(imports::routes)
        .configure(webhooks::routes)
        .configure(service::routes);
}

/// What is for people and stands outside the OpenAPI document.
pub fn plain_routes(config: &mut web::ServiceConfig) {
    config.configure(pages::routes).service(get_document).service(pages::swagger_ui());
}

/// Schemas that only parameters use; utoipa collects those of bodies by itself.
#[derive(OpenApi)]
#[openapi(components(schemas(
    Count,
    Event,
    Facet,
    changes::Include,
    NameSort,
    NeedId,
    Searchable,
    TitleSort,
    UpdatedSort
)))]
struct OfParameters;

fn make() -> Value {
    let (_, collected) =
        App::new().into_utoipa_app().openapi(OfParameters::openapi()).configure(routes).split_for_parts();
    document::finish(serde_json::to_value(collected).expect("an OpenAPI document is plain data"))
}

static DOCUMENT: LazyLock<Value> = LazyLock::new(make);

/// The OpenAPI document, with the schemas that bodies are checked by after a merge patch.
pub fn document() -> &'static Value {
    &DOCUMENT
}

/// What a running service keeps of the document, which as a whole takes some 25 MiB.
struct Kept {
    /// Its schemas, where they stand in it.
    schemas: Value,
    /// Its paths, until the operations are made of them.
    paths: Mutex<Value>,
    /// The whole as clients get it.
    published: web::Bytes,
}

static KEPT: LazyLock<Kept> = LazyLock::new(|| {
    let mut document = make();
    let published = published(&document).to_string().into();
    let schemas = json!({"components": {"schemas": document["components"]["schemas"].take()}});
    Kept { schemas, paths: Mutex::new(document["paths"].take()), published }
});

/// The document with nothing but its schemas.
pub fn schemas() -> &'static Value {
    &KEPT.schemas
}

/// The paths of the document, for whoever makes operations of them, once.
pub fn take_paths() -> Value {
    std::mem::take(&mut *KEPT.paths.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The document as clients see it: what a patch is merged into is known to them by the record itself, and which of its
/// members can be translated is said where the service asks a rule.
fn published(document: &Value) -> Value {
    let mut published = document.clone();
    if let Some(schemas) = published["components"]["schemas"].as_object_mut() {
        let patched: HashSet<String> = schemas
            .keys()
            .filter_map(|name| name.strip_suffix("Patch"))
            .map(|record| format!("{record}Change"))
            .collect();
        schemas.retain(|name, _| !patched.contains(name));
        for schema in schemas.values_mut() {
            let texts = texts_of(&schema["properties"]);
            if let Some(translations) = schema.pointer_mut("/properties/translations").filter(|_| !texts.is_empty()) {
                let one = match translations["oneOf"].is_array() {
                    true => &mut translations["oneOf"][0],
                    false => translations,
                };
                one["additionalProperties"] = json!({"propertyNames": {"enum": texts}});
            }
        }
    }
    published
}

/// The document as it is checked in: indented, with a line break at the end.
pub fn document_text() -> String {
    format!("{:#}\n", published(document()))
}

#[get("/openapi.json")]
async fn get_document() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/vnd.oai.openapi+json;version=3.1"))
        .body(KEPT.published.clone())
}
