//! Catalogues that portals of open data harvest, made of what everybody may see.

use actix_web::get;
use actix_web::http::header;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::{Answer, Call};

mod dcat;

/// The media type of JSON-LD.
const JSON_LD: &str = "application/ld+json";

/// A catalogue as JSON-LD.
#[derive(Debug, Serialize, ToSchema)]
pub struct Catalogue {
    /// What the names in it mean; nothing has to be fetched to read it.
    #[serde(rename = "@context")]
    context: serde_json::Map<String, serde_json::Value>,
    /// Its IRI.
    #[serde(rename = "@id")]
    id: String,
    /// `dcat:Catalog`.
    #[serde(rename = "@type")]
    kind: String,
}

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_catalogue);
}

/// Read the catalogue for data portals
///
/// DCAT-AP 3 as JSON-LD: a data set for each public collection with its exports, and the interface as a data service.
#[utoipa::path(tag = "sync", responses((status = 200, description = "The catalogue", body = Catalogue, content_type = "application/ld+json")))]
#[get("/catalog.jsonld")]
pub async fn get_catalogue(call: Call) -> Answer {
    let facts = dcat::facts(&mut call.connection().await?).await?;
    let reply = call.list(&dcat::catalogue(&call.state().config, &facts), None);
    Ok(if reply.body.is_empty() { reply } else { reply.header(header::CONTENT_TYPE, JSON_LD) })
}
