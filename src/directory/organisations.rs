//! Organisations: who provides, leads, controls and pays. Their contact addresses are private.

use actix_web::{delete, get, patch, post, put, web};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::access::Caller;
use crate::database::Tx;
use crate::database::records::{self, record};
use crate::database::references::Resolved;
use crate::database::schema::{organisation, organisation_view};
use crate::directory::cities::lower;
use crate::http::body::{Input, input};
use crate::http::call::path_id;
use crate::http::editing::{Editable, upsert_operation};
use crate::http::history::history_operation;
use crate::http::paging::{List, Listed, NameSort, Page, list};
use crate::http::{Answer, Body, Call, Checked, Paging, Problem, merging};
use crate::ids::{self, OrganisationId};
use crate::values::{CityRef, Line, WebAddress, labels};

labels! {
    /// What an organisation is.
    OrganisationKind {
        /// the government of a city
        CityGovernment = "city_government",
        /// a public agency
        Agency = "agency",
        /// a company
        Company = "company",
        /// an operator of a service or network
        Operator = "operator",
        /// a university
        University = "university",
        /// a research centre
        ResearchCentre = "research_centre",
        /// an organiser of events
        EventOrganiser = "event_organiser",
        /// a funder
        Funder = "funder",
        /// a non-governmental organisation
        Ngo = "ngo",
        /// something else
        Other = "other",
    }
}

record! {
    /// An organisation that takes part in pilots.
    Organisation = "organisations", "organisation", organisation_view {
        /// Its name.
        #[schema(example = "Busan IT Industry Promotion Agency")]
        name: String,
        /// What it is.
        kind: Option<OrganisationKind>,
        /// Its city: UN/LOCODE, or id where the city has no code.
        #[schema(example = "KRPUS")]
        city: Option<String>,
        /// Its web site.
        website: Option<String>,
        /// Seen only by accounts of its city and administrators.
        contact_email: Option<String>,
    }
    kept { city_id: Option<Uuid> }
    with {
        fn shown_to(&mut self, caller: &Caller) {
            let own = self.city_id.is_some_and(|city| caller.city_among(&[city]).is_some());
            if !own && !caller.is_administrator() {
                self.contact_email = None;
            }
        }
    }
}

input! {
    /// An organisation to register or change.
    #[schema(example = json!({"name": "Barcelona Digital Talent", "kind": "agency", "website": "https://example.org/talent"}))]
    OrganisationInput {
        /// Its name; unique within its city, whatever its case.
        #[schema(example = "Barcelona Digital Talent")]
        name: Line,
        /// What it is.
        kind: Option<OrganisationKind>,
        /// Its city.
        city: Option<CityRef>,
        /// Its web site.
        website: Option<WebAddress>,
        /// Never public.
        #[schema(pattern = r"^[^\s@]+@[^\s@]+\.[^\s@]+$", max_length = 254, example = "pilots@example.org")]
        contact_email: Option<String>,
    }
}

/// Where a duplicate goes.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"into_id": "015aca1d-640a-7000-8000-00000000000a"}))]
pub struct OrganisationMerge {
    /// The record that is left.
    pub into_id: OrganisationId,
}

impl Input for OrganisationMerge {}

/// Filters of organisations.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OrganisationFilter {
    /// What they are; repeat for several.
    kind: Option<Vec<OrganisationKind>>,
    /// Their city; repeat for several.
    city: Option<Vec<CityRef>>,
    /// The name, whatever its case.
    #[param(max_length = 300, example = "KISWIRE")]
    name: Option<String>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    sort: Option<NameSort>,
}

type Query = organisation_view::BoxedQuery<'static, diesel::pg::Pg>;

impl OrganisationFilter {
    fn apply(&self, mut query: Query, resolved: &Resolved) -> Query {
        if let Some(kinds) = &self.kind {
            query =
                query.filter(organisation_view::kind.eq_any(kinds.iter().map(|kind| kind.label()).collect::<Vec<_>>()));
        }
        if let Some(cities) = resolved.cities(self.city.as_ref()) {
            query = query.filter(organisation_view::city_id.eq_any(cities));
        }
        if let Some(name) = &self.name {
            query = query.filter(lower(organisation_view::name).eq(name.to_lowercase()));
        }
        query
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = organisation, treat_none_as_null = true)]
struct Row<'a> {
    name: &'a str,
    kind: Option<OrganisationKind>,
    city_id: Option<Uuid>,
    website: Option<&'a str>,
    contact_email: Option<&'a str>,
}

impl<'a> Row<'a> {
    fn of(input: &'a Checked<OrganisationInput>) -> Self {
        Self {
            name: &input.name,
            kind: input.kind,
            city_id: input.optional_city(input.city.as_ref()),
            website: input.website.as_deref(),
            contact_email: input.contact_email.as_deref(),
        }
    }
}

/// 409 if its city has another one of the name.
async fn check_name(tx: &mut Tx, id: Option<Uuid>, input: &Checked<OrganisationInput>) -> Result<(), Problem> {
    let city_id = input.optional_city(input.city.as_ref());
    let existing: Option<Uuid> = organisation::table
        .filter(
            lower(organisation::name)
                .eq(lower(input.name.to_string()))
                .and(organisation::city_id.is_not_distinct_from(city_id)),
        )
        .select(organisation::id)
        .first(&mut tx.conn)
        .await
        .optional()?;
    match existing {
        Some(_) if existing != id => Err(records::duplicate::<Organisation>(tx, "name and city", existing).await?),
        _ => Ok(()),
    }
}

/// Registers an organisation under an id that may be given.
///
/// # Errors
/// 409 if its city has one of the name.
pub async fn insert(tx: &mut Tx, id: Option<Uuid>, input: &Checked<OrganisationInput>) -> Result<Uuid, Problem> {
    check_name(tx, None, input).await?;
    let id = tx.register_as::<Organisation>(id.unwrap_or_else(ids::fresh), &input.common()).await?;
    diesel::insert_into(organisation::table)
        .values((organisation::id.eq(id), Row::of(input)))
        .execute(&mut tx.conn)
        .await?;
    Ok(id)
}

/// The cities of these organisations, of those that have one.
///
/// # Errors
/// Those of the database.
pub async fn cities_of_organisations(tx: &mut Tx, ids: Vec<OrganisationId>) -> Result<Vec<Uuid>, Problem> {
    let cities: Vec<Option<Uuid>> = organisation::table
        .filter(organisation::id.eq_any(ids))
        .select(organisation::city_id)
        .load(&mut tx.conn)
        .await?;
    Ok(cities.into_iter().flatten().collect())
}

impl Editable for Organisation {
    type Input = OrganisationInput;
    type Change = OrganisationInput;

    async fn create(tx: &mut Tx, body: &Body<OrganisationInput>) -> Result<Uuid, Problem> {
        let input = body.checked(tx).await?;
        let own =
            input.optional_city(input.city.as_ref()).map_or_else(|| tx.caller.cities().to_vec(), |city| vec![city]);
        tx.act_for(&own)?;
        insert(tx, None, &input).await
    }

    async fn change(tx: &mut Tx, current: &Organisation, body: &Body<OrganisationInput>) -> Result<bool, Problem> {
        tx.act_for(current.city_id.as_slice())?;
        tx.precondition(current)?;
        let Some(input) = body.merged(tx, current).await? else { return Ok(false) };
        tx.act_for(input.optional_city(input.city.as_ref()).as_slice())?;
        check_name(tx, Some(current.id), &input).await?;
        tx.revise::<Organisation>(current.id, &input.common()).await?;
        diesel::update(organisation::table.find(current.id)).set(Row::of(&input)).execute(&mut tx.conn).await?;
        Ok(true)
    }
}

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_organisations)
        .service(create_organisation)
        .service(upsert_organisation)
        .service(get_organisation)
        .service(list_organisation_history)
        .service(update_organisation)
        .service(delete_organisation)
        .service(merge_organisation);
}

/// List organisations
///
/// In order of registration or by name.
#[utoipa::path(tag = "directory", params(Paging, OrganisationFilter), responses((status = 200, description = "A page of organisations", body = Page<Organisation>)))]
#[get("/v1/organisations")]
pub async fn list_organisations(call: Call) -> Answer {
    Organisation::list(&call).await?.page(&call).await
}

impl Listed for Organisation {
    async fn list(call: &Call) -> Result<List<Self>, Problem> {
        let (paging, filter, resolved): (Paging, OrganisationFilter, _) =
            (call.query()?, call.query()?, call.resolved().await?);
        list!(call, paging, Organisation, organisation_view, filter.apply(Organisation::visible(call.caller()), &resolved),
            sort "name" => name: String, "updated_at" => updated_at: records::Instant)
    }
}

/// Register an organisation
///
/// Any editor; one with a city belongs to that city's editors from then on.
#[utoipa::path(tag = "directory", request_body = OrganisationInput, responses((status = 201, description = "The organisation", body = Organisation)))]
#[post("/v1/organisations")]
pub async fn create_organisation(call: Call, body: Body<OrganisationInput>) -> Answer {
    call.create::<Organisation>(&body).await
}

upsert_operation! {
    /// Register or change an organisation by external id
    ///
    /// For partner systems: makes the organisation that you know by this id, or brings it to what the body says.
    upsert_organisation: Organisation from OrganisationInput, "directory", "/v1/organisations/by-external-id/{source}/{value}"
}

/// Read an organisation
///
/// The contact address is shown to accounts of its city and administrators only.
#[utoipa::path(tag = "directory", responses((status = 200, description = "The organisation", body = Organisation)))]
#[get("/v1/organisations/{id}")]
pub async fn get_organisation(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Organisation>(path_id(&id)?).await
}

history_operation! {
    /// List the changes of an organisation
    ///
    /// Who changed what, when and for which city, oldest first.
    list_organisation_history: Organisation, "directory", "/v1/organisations/{id}/history"
}

/// Change an organisation
///
/// Editors of its city; one without a city is changed by administrators.
#[utoipa::path(tag = "directory", request_body = OrganisationInput, responses((status = 200, description = "The organisation", body = Organisation)))]
#[patch("/v1/organisations/{id}")]
pub async fn update_organisation(call: Call, id: web::Path<String>, body: Body<OrganisationInput>) -> Answer {
    call.change::<Organisation>(path_id(&id)?, &body).await
}

/// Delete an organisation
///
/// Only one that nothing refers to.
#[utoipa::path(tag = "directory", responses((status = 204, description = "Deleted")))]
#[delete("/v1/organisations/{id}")]
pub async fn delete_organisation(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Organisation>(path_id(&id)?).await?;
        tx.act_for(current.city_id.as_slice())?;
        tx.precondition(&current)?;
        tx.deleted(current).await
    })
    .await
}

/// Merge a duplicate into another organisation
///
/// What refers to the duplicate refers to the other one from then on; the duplicate is deleted, and reading it leads to
/// the other (308). Editors who may write both. Answers the other.
#[utoipa::path(tag = "directory", request_body = OrganisationMerge, responses((status = 200, description = "The organisation that is left", body = Organisation)))]
#[post("/v1/organisations/{id}/merge")]
pub async fn merge_organisation(call: Call, id: web::Path<String>, body: Body<OrganisationMerge>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Organisation>(path_id(&id)?).await?;
        tx.act_for(current.city_id.as_slice())?;
        let input = body.checked(tx).await?;
        let into = tx.target::<Organisation>(input.into_id.0).await?;
        tx.act_for(into.city_id.as_slice())?;
        merging::merge(tx, current, into).await
    })
    .await
}
