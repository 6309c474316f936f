//! THE list of routes, one line per operation: it gives the application and the OpenAPI document together.

use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{App, HttpResponse, get, web};
use serde_json::Value;
use utoipa::OpenApi;
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::access::{accounts, tokens};
use crate::catalogue::pilots;
use crate::directory::{cities, documents, organisations, programmes, terms};
use crate::hosting::{compliance, hostings, transitions};
use crate::http::paging::{Count, NameSort, TitleSort, UpdatedSort};
use crate::outcomes::{evaluations, indicators, observations, outcome, verification};
use crate::{pages, service};

mod document;

/// The operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(service::get_service).service(service::get_liveness).service(service::get_readiness);
    config
        .service(tokens::create_token)
        .service(tokens::get_keys)
        .service(tokens::get_authorization_server)
        .service(tokens::get_protected_resource)
        .service(accounts::get_me)
        .service(accounts::list_accounts)
        .service(accounts::create_account)
        .service(accounts::get_account)
        .service(accounts::update_account)
        .service(accounts::rotate_account_secret);
    config
        .service(cities::list_cities)
        .service(cities::create_city)
        .service(cities::get_city)
        .service(cities::update_city)
        .service(cities::delete_city);
    config
        .service(organisations::list_organisations)
        .service(organisations::create_organisation)
        .service(organisations::get_organisation)
        .service(organisations::update_organisation)
        .service(organisations::delete_organisation);
    config
        .service(programmes::list_programmes)
        .service(programmes::create_programme)
        .service(programmes::get_programme)
        .service(programmes::update_programme)
        .service(programmes::delete_programme);
    config
        .service(documents::list_documents)
        .service(documents::create_document)
        .service(documents::get_document)
        .service(documents::update_document)
        .service(documents::delete_document);
    config.service(terms::list_terms).service(terms::create_term).service(terms::get_term).service(terms::update_term);
    config
        .service(pilots::list_pilots)
        .service(pilots::create_pilot)
        .service(pilots::get_pilot)
        .service(pilots::update_pilot)
        .service(pilots::delete_pilot);
    config
        .service(hostings::list_hostings)
        .service(hostings::create_hosting)
        .service(hostings::get_hosting)
        .service(hostings::update_hosting)
        .service(hostings::delete_hosting)
        .service(transitions::list_transitions)
        .service(transitions::create_transition)
        .service(compliance::list_compliance)
        .service(compliance::create_compliance)
        .service(compliance::get_compliance)
        .service(compliance::update_compliance)
        .service(compliance::delete_compliance);
    config
        .service(indicators::list_indicators)
        .service(indicators::create_indicator)
        .service(indicators::get_indicator)
        .service(indicators::update_indicator)
        .service(indicators::delete_indicator)
        .service(outcome::list_outcomes)
        .service(outcome::create_outcome)
        .service(outcome::get_outcome)
        .service(outcome::update_outcome)
        .service(outcome::delete_outcome)
        .service(observations::list_outcome_observations)
        .service(observations::create_observation)
        .service(observations::list_observations)
        .service(observations::get_observation)
        .service(observations::update_observation)
        .service(observations::delete_observation)
        .service(verification::create_observation_transition)
        .service(evaluations::list_evaluations)
        .service(evaluations::create_evaluation)
        .service(evaluations::get_evaluation)
        .service(evaluations::update_evaluation)
        .service(evaluations::delete_evaluation);
}

/// What is for people and stands outside the OpenAPI document.
pub fn plain_routes(config: &mut web::ServiceConfig) {
    config
        .service(pages::home)
        .service(pages::style)
        .service(pages::docs)
        .service(pages::problem)
        .service(get_document)
        .service(pages::swagger_ui());
}

/// Schemas that only parameters use; utoipa collects those of bodies by itself.
#[derive(OpenApi)]
#[openapi(components(schemas(Count, NameSort, TitleSort, UpdatedSort)))]
struct OfParameters;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let (_, collected) =
        App::new().into_utoipa_app().openapi(OfParameters::openapi()).configure(routes).split_for_parts();
    document::finish(serde_json::to_value(collected).expect("an OpenAPI document is plain data"))
});

/// The OpenAPI document.
pub fn document() -> &'static Value {
    &DOCUMENT
}

/// The document as it is checked in: indented, with a line break at the end.
pub fn document_text() -> String {
    format!("{:#}\n", document())
}

static DOCUMENT_BYTES: LazyLock<web::Bytes> = LazyLock::new(|| document().to_string().into());

#[get("/openapi.json")]
async fn get_document() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/vnd.oai.openapi+json;version=3.1"))
        .body(DOCUMENT_BYTES.clone())
}
