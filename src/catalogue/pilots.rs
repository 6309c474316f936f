//! Pilots: entries of the catalogue, each one service that a city of origin offers.

use actix_web::{delete, get, patch, post, web};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::database::Tx;
use crate::database::records::{self, record};
use crate::database::references::Resolved;
use crate::database::schema::{pilot, pilot_area, pilot_provider, pilot_view};
use crate::http::body::{Input, Rules, input};
use crate::http::call::path_id;
use crate::http::paging::{Page, TitleSort, page};
use crate::http::{Answer, Body, Call, Checked, Paging, Problem};
use crate::ids::{self, OrganisationId};
use crate::values::{AreaCode, CategoryCode, CityRef, Json, Line, Prose, Tag, Visibility, WebAddress, labels};

labels! {
    /// How far a pilot is.
    PilotStatus {
        /// an idea
        Idea = "idea",
        /// under test
        InTest = "in_test",
        /// in regular operation
        Operational = "operational",
        /// no longer run
        Retired = "retired",
    }
}

/// An organisation that provides a pilot.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// What it does for the pilot.
    #[schema(min_length = 1, max_length = 100, example = "operator")]
    pub role: Option<String>,
}

record! {
    /// A service that a city of origin offers for exchange.
    Pilot = "pilots", "pilot", pilot_view {
        /// Its name in addresses; unique per city of origin.
        #[schema(example = "smart-streetlights")]
        slug: String,
        /// Its title.
        #[schema(example = "Smart streetlights")]
        title: String,
        /// One or two sentences.
        summary: Option<String>,
        /// As long as needed.
        description: Option<String>,
        /// The city that offers it.
        #[schema(example = "KRPUS")]
        origin_city: String,
        /// What kind of service.
        #[schema(example = "smart_street_lighting")]
        category: String,
        /// The fields of cooperation it belongs to.
        #[schema(example = json!(["smart_cities"]))]
        areas: Vec<String>,
        /// Who provides it.
        #[schema(value_type = Vec<Provider>)]
        providers: Json<Vec<Provider>>,
        /// Technology readiness level, 1 to 9.
        trl: Option<i16>,
        /// How far it is.
        status: PilotStatus,
        /// Free words to find it by.
        tags: Vec<String>,
        /// The standards it follows.
        standards: Vec<String>,
        /// Where its data model is described.
        data_model_uri: Option<String>,
        /// Whether it processes personal data; null: not stated, which counts as yes where privacy is gated.
        processes_personal_data: Option<bool>,
        /// Licence and terms of intellectual property.
        ip_terms: Option<String>,
        /// What it costs.
        cost_note: Option<String>,
        /// Its web site.
        website: Option<String>,
        /// Who may see it.
        visibility: Visibility,
    }
    kept { origin_city_id: Uuid }
}

input! {
    /// A pilot to register or change.
    #[schema(example = json!({
        "title": "Adaptive crossing lights",
        "summary": "Pedestrian lights that see who is waiting and how fast they walk.",
        "origin_city": "KRPUS",
        "category": "mobility_data",
        "areas": ["smart_cities", "public_transport"],
        "trl": 7,
        "status": "in_test",
        "tags": ["pedestrians", "lidar"],
        "processes_personal_data": false
    }))]
    PilotInput {
        /// Its name in addresses; made from the title if absent; unique per city of origin.
        #[schema(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", max_length = 80)]
        slug: Option<String>,
        /// Its title.
        title: Line,
        /// One or two sentences.
        summary: Option<Prose>,
        /// As long as needed.
        description: Option<Prose>,
        /// The city that offers it.
        origin_city: CityRef,
        /// What kind of service.
        category: CategoryCode,
        /// The fields of cooperation it belongs to.
        #[serde(default)]
        #[schema(max_items = 20)]
        areas: Vec<AreaCode>,
        /// Who provides it.
        #[serde(default)]
        #[schema(max_items = 50)]
        providers: Vec<Provider>,
        /// Technology readiness level.
        #[schema(minimum = 1, maximum = 9)]
        trl: Option<i16>,
        /// How far it is; `idea` if absent.
        status: Option<PilotStatus>,
        /// Free words to find it by, without `;`.
        #[serde(default)]
        #[schema(max_items = 50)]
        tags: Vec<Tag>,
        /// The standards it follows, without `;`.
        #[serde(default)]
        #[schema(max_items = 50)]
        standards: Vec<Tag>,
        /// Where its data model is described.
        data_model_uri: Option<WebAddress>,
        /// Whether it processes personal data; absent: not stated, which counts as yes where privacy is gated.
        processes_personal_data: Option<bool>,
        /// Licence and terms of intellectual property.
        ip_terms: Option<Prose>,
        /// What it costs.
        cost_note: Option<Prose>,
        /// Its web site.
        website: Option<WebAddress>,
        /// Who may see it; `public` if absent.
        visibility: Option<Visibility>,
    }
}

/// Filters of pilots.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PilotFilter {
    /// Cities that offer them; repeat for several.
    origin_city: Option<Vec<CityRef>>,
    /// Kinds of service; repeat for several.
    category: Option<Vec<CategoryCode>>,
    /// Fields of cooperation; repeat for several.
    areas: Option<Vec<AreaCode>>,
    /// How far they are; repeat for several.
    status: Option<Vec<PilotStatus>>,
    /// Tags; repeat for several.
    tags: Option<Vec<String>>,
    /// Their names in addresses; repeat for several.
    slug: Option<Vec<String>>,
    /// Whether they process personal data.
    processes_personal_data: Option<bool>,
    /// Who may see them; repeat for several.
    visibility: Option<Vec<Visibility>>,
    /// Readiness level from.
    #[param(minimum = 1, maximum = 9)]
    trl_from: Option<i16>,
    /// Readiness level up to.
    #[param(minimum = 1, maximum = 9)]
    trl_to: Option<i16>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    sort: Option<TitleSort>,
}

type Query = pilot_view::BoxedQuery<'static, diesel::pg::Pg>;

impl PilotFilter {
    fn apply(&self, mut query: Query, resolved: &Resolved) -> Query {
        use pilot_view as view;
        if let Some(cities) = resolved.cities(self.origin_city.as_ref()) {
            query = query.filter(view::origin_city_id.eq_any(cities));
        }
        if let Some(categories) = &self.category {
            query =
                query.filter(view::category.eq_any(categories.iter().map(|one| one.to_string()).collect::<Vec<_>>()));
        }
        if let Some(areas) = &self.areas {
            let areas: Vec<String> = areas.iter().map(|one| one.to_string()).collect();
            query = query.filter(view::areas.overlaps_with(areas));
        }
        if let Some(statuses) = &self.status {
            query = query.filter(view::status.eq_any(statuses.clone()));
        }
        if let Some(tags) = &self.tags {
            query = query.filter(view::tags.overlaps_with(tags.clone()));
        }
        if let Some(slugs) = &self.slug {
            query = query.filter(view::slug.eq_any(slugs.clone()));
        }
        if let Some(flag) = self.processes_personal_data {
            query = query.filter(view::processes_personal_data.eq(flag));
        }
        if let Some(visibilities) = &self.visibility {
            query = query.filter(view::visibility.eq_any(visibilities.clone()));
        }
        if let Some(from) = self.trl_from {
            query = query.filter(view::trl.ge(from));
        }
        if let Some(to) = self.trl_to {
            query = query.filter(view::trl.le(to));
        }
        query
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = pilot, treat_none_as_null = true)]
struct Row<'a> {
    slug: String,
    title: &'a str,
    summary: Option<&'a str>,
    description: Option<&'a str>,
    origin_city_id: Uuid,
    category: &'a str,
    trl: Option<i16>,
    status: PilotStatus,
    tags: Vec<&'a str>,
    standards: Vec<&'a str>,
    data_model_uri: Option<&'a str>,
    processes_personal_data: Option<bool>,
    ip_terms: Option<&'a str>,
    cost_note: Option<&'a str>,
    website: Option<&'a str>,
    visibility: Visibility,
}

impl<'a> Row<'a> {
    fn of(input: &'a Checked<PilotInput>) -> Self {
        Self {
            slug: slug_of(input),
            title: &input.title,
            summary: input.summary.as_deref(),
            description: input.description.as_deref(),
            origin_city_id: input.city(&input.origin_city),
            category: &input.category,
            trl: input.trl,
            status: input.status.unwrap_or(PilotStatus::Idea),
            tags: input.tags.iter().map(|tag| tag.as_ref()).collect(),
            standards: input.standards.iter().map(|tag| tag.as_ref()).collect(),
            data_model_uri: input.data_model_uri.as_deref(),
            processes_personal_data: input.processes_personal_data,
            ip_terms: input.ip_terms.as_deref(),
            cost_note: input.cost_note.as_deref(),
            website: input.website.as_deref(),
            visibility: input.visibility.unwrap_or(Visibility::Public),
        }
    }
}

fn slug_of(input: &PilotInput) -> String {
    let made = || slug::slugify(&*input.title).chars().take(80).collect::<String>().trim_end_matches('-').to_owned();
    input.slug.clone().unwrap_or_else(made)
}

async fn check(tx: &mut Tx, id: Option<Uuid>, input: &Checked<PilotInput>) -> Result<(), Problem> {
    let slug = slug_of(input);
    let mut rules = Rules::new();
    rules.require(!slug.is_empty(), "/slug", "required", "must be given: none can be made from the title");
    let mut seen = std::collections::HashSet::new();
    let unique = input.providers.iter().all(|provider| seen.insert(provider.organisation_id));
    rules.require(unique, "/providers", "not_unique", "must name each organisation once");
    rules.done()?;
    let existing: Option<Uuid> = pilot::table
        .filter(pilot::origin_city_id.eq(input.city(&input.origin_city)).and(pilot::slug.eq(slug)))
        .select(pilot::id)
        .first(&mut tx.conn)
        .await
        .optional()?;
    match existing {
        Some(_) if existing != id => Err(records::duplicate::<Pilot>(tx, "origin city and slug", existing).await?),
        _ => Ok(()),
    }
}

/// Registers a pilot under an id that may be given.
///
/// # Errors
/// 409 if its city has one of the slug.
pub async fn insert(tx: &mut Tx, id: Option<Uuid>, input: &Checked<PilotInput>) -> Result<Uuid, Problem> {
    check(tx, None, input).await?;
    let id = tx.register_as::<Pilot>(id.unwrap_or_else(ids::new), &input.common()).await?;
    diesel::insert_into(pilot::table).values((pilot::id.eq(id), Row::of(input))).execute(&mut tx.conn).await?;
    attach(tx, id, input).await?;
    Ok(id)
}

async fn attach(tx: &mut Tx, id: Uuid, input: &PilotInput) -> Result<(), Problem> {
    diesel::delete(pilot_area::table.filter(pilot_area::pilot_id.eq(id))).execute(&mut tx.conn).await?;
    diesel::delete(pilot_provider::table.filter(pilot_provider::pilot_id.eq(id))).execute(&mut tx.conn).await?;
    let areas: Vec<_> =
        input.areas.iter().map(|area| (pilot_area::pilot_id.eq(id), pilot_area::area.eq(area))).collect();
    diesel::insert_into(pilot_area::table).values(areas).on_conflict_do_nothing().execute(&mut tx.conn).await?;
    let providers: Vec<_> = input
        .providers
        .iter()
        .zip(0i16..)
        .map(|(provider, position)| {
            (
                pilot_provider::pilot_id.eq(id),
                pilot_provider::position.eq(position),
                pilot_provider::organisation_id.eq(provider.organisation_id),
                pilot_provider::role.eq(&provider.role),
            )
        })
        .collect();
    diesel::insert_into(pilot_provider::table).values(providers).execute(&mut tx.conn).await?;
    Ok(())
}

/// List pilots
///
/// The catalogue: every pilot that you may see, in order of registration or by title.
#[utoipa::path(tag = "catalogue", params(Paging, PilotFilter), responses((status = 200, description = "A page of pilots", body = Page<Pilot>)))]
#[get("/v1/pilots")]
pub async fn list_pilots(call: Call) -> Answer {
    let (paging, filter, resolved): (Paging, PilotFilter, _) = (call.query()?, call.query()?, call.resolved().await?);
    page!(call, paging, Pilot, pilot_view, filter.apply(Pilot::visible(call.caller()), &resolved),
        sort "title" => title: String, "updated_at" => updated_at: records::Instant)
}

/// Register a pilot
///
/// Editors of the city of origin. Without a slug one is made from the title; without a status it is an idea.
#[utoipa::path(tag = "catalogue", request_body = PilotInput, responses((status = 201, description = "The pilot", body = Pilot)))]
#[post("/v1/pilots")]
pub async fn create_pilot(call: Call, body: Body<PilotInput>) -> Answer {
    call.write(async |tx| {
        let input = body.checked(tx).await?;
        tx.act_for(&[input.city(&input.origin_city)])?;
        let id = insert(tx, None, &input).await?;
        tx.created::<Pilot>(id).await
    })
    .await
}

/// Read a pilot
///
/// By id.
#[utoipa::path(tag = "catalogue", responses((status = 200, description = "The pilot", body = Pilot)))]
#[get("/v1/pilots/{id}")]
pub async fn get_pilot(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Pilot>(path_id(&id)?).await
}

/// Change a pilot
///
/// Editors of the city of origin. The origin of a pilot that has hostings stays as it is.
#[utoipa::path(tag = "catalogue", request_body = PilotInput, responses((status = 200, description = "The pilot", body = Pilot)))]
#[patch("/v1/pilots/{id}")]
pub async fn update_pilot(call: Call, id: web::Path<String>, body: Body<PilotInput>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Pilot>(path_id(&id)?).await?;
        tx.act_for(&[current.origin_city_id])?;
        tx.precondition(&current)?;
        let Some(input) = body.merged(tx, &current).await? else {
            return Ok(tx.unchanged(current));
        };
        tx.act_for(&[input.city(&input.origin_city)])?;
        check(tx, Some(current.id), &input).await?;
        tx.revise::<Pilot>(current.id, &input.common()).await?;
        diesel::update(pilot::table.find(current.id)).set(Row::of(&input)).execute(&mut tx.conn).await?;
        attach(tx, current.id, &input).await?;
        tx.updated::<Pilot>(current.id).await
    })
    .await
}

/// Delete a pilot
///
/// Editors of the city of origin; only a pilot that nothing refers to. One that ended is better marked `retired`.
#[utoipa::path(tag = "catalogue", responses((status = 204, description = "Deleted")))]
#[delete("/v1/pilots/{id}")]
pub async fn delete_pilot(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Pilot>(path_id(&id)?).await?;
        tx.act_for(&[current.origin_city_id])?;
        tx.precondition(&current)?;
        tx.deleted(current).await
    })
    .await
}
