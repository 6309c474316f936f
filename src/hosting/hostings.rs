//! Hostings: which city hosts which pilot. Pilot and host city of a hosting never change.

use actix_web::{delete, get, patch, post, web};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::lifecycle::{self, HostingStatus, Said};
use super::transitions;
use crate::database::Tx;
use crate::database::records::{self, record};
use crate::database::references::Resolved;
use crate::database::schema::{hosting, hosting_view, pilot, site};
use crate::http::body::{Input, Rules, input};
use crate::http::call::path_id;
use crate::http::paging::{Page, UpdatedSort, page};
use crate::http::problem::{Code, Problem};
use crate::http::{Answer, Body, Call, Checked, Paging};
use crate::ids::{self, HostingId, OrganisationId, PilotId};
use crate::values::{CityRef, Json, PartialDate, Prose, Visibility, labels};

labels! {
    /// Whether the pilot is at home.
    HostingKind {
        /// in its own city
        HomeTest = "home_test",
        /// in another city
        Exchange = "exchange",
    }
}

/// A place in the host city.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Its name.
    #[schema(min_length = 1, max_length = 200, example = "Passeig de Gràcia")]
    pub name: String,
    /// WGS 84, degrees north; with longitude or not at all.
    #[schema(minimum = -90, maximum = 90, example = 41.3917)]
    pub latitude: Option<f64>,
    /// WGS 84, degrees east.
    #[schema(minimum = -180, maximum = 180, example = 2.1649)]
    pub longitude: Option<f64>,
}

record! {
    /// A pilot run in one host city.
    Hosting = "hostings", "hosting", hosting_view {
        /// The pilot.
        pilot_id: PilotId,
        /// The city that offers the pilot.
        #[schema(example = "KRPUS")]
        origin_city: String,
        /// The city that hosts it.
        #[schema(example = "ESBCN")]
        host_city: String,
        /// `home_test` when host and origin are the same city.
        kind: HostingKind,
        /// The city that proposed it; the other one agrees.
        #[schema(example = "KRPUS")]
        proposed_by_city: String,
        /// Where it is in its life; moved by POST …/transitions.
        status: HostingStatus,
        /// Where it was before it was suspended.
        suspended_from: Option<HostingStatus>,
        /// Why it has no outcome with a baseline.
        no_outcome_reason: Option<String>,
        /// When it is planned to begin.
        planned_start: Option<PartialDate>,
        /// When it is planned to end.
        planned_end: Option<PartialDate>,
        /// When it began.
        actual_start: Option<PartialDate>,
        /// When it ended.
        actual_end: Option<PartialDate>,
        /// Where in the city.
        #[schema(value_type = Vec<Site>)]
        sites: Json<Vec<Site>>,
        /// The organisation that leads it.
        lead_organisation_id: Option<OrganisationId>,
        /// How large it is.
        scale_note: Option<String>,
        /// The earlier hosting that it follows.
        follows_id: Option<HostingId>,
        /// Whether it was entered after the fact, by an administrator.
        historical: bool,
        /// The guards it was excused from.
        guards_waived: Vec<String>,
        /// Who may see it; never wider than its pilot, and while proposed never wider than `partners`.
        visibility: Visibility,
    }
    kept { origin_city_id: Uuid, host_city_id: Uuid, proposed_by_city_id: Uuid }
}

impl Hosting {
    /// The cities involved.
    pub fn cities(&self) -> [Uuid; 2] {
        [self.origin_city_id, self.host_city_id]
    }
}

input! {
    /// A hosting to propose.
    #[schema(example = json!({
        "pilot_id": "015aca1d-640d-7000-8000-00000000000d",
        "host_city": "ESBCN",
        "planned_start": "2027-03",
        "planned_end": "2028-02",
        "sites": [{"name": "Passeig de Gràcia", "latitude": 41.3917, "longitude": 2.1649}],
        "scale_note": "120 luminaires on one avenue"
    }))]
    HostingInput {
        /// The pilot.
        pilot_id: PilotId,
        /// The city that would host it.
        host_city: CityRef,
        /// The city that proposes: the origin or the host. The account's own one if absent.
        proposed_by_city: Option<CityRef>,
        /// Only with `historical`: where it is in its life.
        status: Option<HostingStatus>,
        /// For administrators: entered after the fact; guards that the source is silent on are recorded as waived.
        #[serde(default)]
        historical: bool,
        /// Why it has no outcome with a baseline.
        no_outcome_reason: Option<Prose>,
        /// When it is planned to begin.
        planned_start: Option<PartialDate>,
        /// When it is planned to end.
        planned_end: Option<PartialDate>,
        /// When it began.
        actual_start: Option<PartialDate>,
        /// When it ended.
        actual_end: Option<PartialDate>,
        /// Where in the city.
        #[serde(default)]
        #[schema(max_items = 100)]
        sites: Vec<Site>,
        /// The organisation that leads it.
        lead_organisation_id: Option<OrganisationId>,
        /// How large it is.
        scale_note: Option<Prose>,
        /// The earlier hosting that it follows; of the same pilot and host.
        follows_id: Option<HostingId>,
        /// Who may see it; `public` if absent.
        visibility: Option<Visibility>,
    }
}

input! {
    /// What can be changed of a hosting. Its status moves by POST …/transitions.
    #[schema(example = json!({"planned_start": "2027-04", "planned_end": "2028-03"}))]
    HostingChange {
        /// Why it has no outcome with a baseline.
        no_outcome_reason: Option<Prose>,
        /// When it is planned to begin.
        planned_start: Option<PartialDate>,
        /// When it is planned to end.
        planned_end: Option<PartialDate>,
        /// When it began.
        actual_start: Option<PartialDate>,
        /// When it ended.
        actual_end: Option<PartialDate>,
        /// Where in the city.
        #[serde(default)]
        #[schema(max_items = 100)]
        sites: Vec<Site>,
        /// The organisation that leads it.
        lead_organisation_id: Option<OrganisationId>,
        /// How large it is.
        scale_note: Option<Prose>,
        /// The earlier hosting that it follows; of the same pilot and host.
        follows_id: Option<HostingId>,
        /// Who may see it; `public` if absent.
        visibility: Option<Visibility>,
    }
}

impl From<&HostingInput> for HostingChange {
    fn from(input: &HostingInput) -> Self {
        let input = input.clone();
        Self {
            no_outcome_reason: input.no_outcome_reason,
            planned_start: input.planned_start,
            planned_end: input.planned_end,
            actual_start: input.actual_start,
            actual_end: input.actual_end,
            sites: input.sites,
            lead_organisation_id: input.lead_organisation_id,
            scale_note: input.scale_note,
            follows_id: input.follows_id,
            visibility: input.visibility,
            external_ids: input.external_ids,
            citations: input.citations,
            language: input.language,
            translations: input.translations,
        }
    }
}

/// Filters of hostings.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HostingFilter {
    /// Their pilots; repeat for several.
    pilot_id: Option<Vec<PilotId>>,
    /// Cities that host; repeat for several.
    host_city: Option<Vec<CityRef>>,
    /// Cities that offer the pilot; repeat for several.
    origin_city: Option<Vec<CityRef>>,
    /// At home or in another city; repeat for both.
    kind: Option<Vec<HostingKind>>,
    /// Where they are in their life; repeat for several.
    status: Option<Vec<HostingStatus>>,
    /// The organisations that lead them; repeat for several.
    lead_organisation_id: Option<Vec<OrganisationId>>,
    /// Whether they were entered after the fact.
    historical: Option<bool>,
    /// Who may see them; repeat for several.
    visibility: Option<Vec<Visibility>>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    sort: Option<UpdatedSort>,
}

type Query = hosting_view::BoxedQuery<'static, diesel::pg::Pg>;

impl HostingFilter {
    fn apply(&self, mut query: Query, resolved: &Resolved) -> Query {
        use hosting_view as view;
        if let Some(pilots) = &self.pilot_id {
            query = query.filter(view::pilot_id.eq_any(pilots.clone()));
        }
        if let Some(cities) = resolved.cities(self.host_city.as_ref()) {
            query = query.filter(view::host_city_id.eq_any(cities));
        }
        if let Some(cities) = resolved.cities(self.origin_city.as_ref()) {
            query = query.filter(view::origin_city_id.eq_any(cities));
        }
        if let Some(kinds) = &self.kind {
            query = query.filter(view::kind.eq_any(kinds.clone()));
        }
        if let Some(statuses) = &self.status {
            query = query.filter(view::status.eq_any(statuses.clone()));
        }
        if let Some(organisations) = &self.lead_organisation_id {
            query = query
                .filter(view::lead_organisation_id.eq_any(organisations.iter().map(|id| id.0).collect::<Vec<_>>()));
        }
        if let Some(historical) = self.historical {
            query = query.filter(view::historical.eq(historical));
        }
        if let Some(visibilities) = &self.visibility {
            query = query.filter(view::visibility.eq_any(visibilities.clone()));
        }
        query
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = hosting, treat_none_as_null = true)]
struct Row<'a> {
    no_outcome_reason: Option<&'a str>,
    planned_start: Option<&'a PartialDate>,
    planned_end: Option<&'a PartialDate>,
    actual_start: Option<&'a PartialDate>,
    actual_end: Option<&'a PartialDate>,
    lead_organisation_id: Option<OrganisationId>,
    scale_note: Option<&'a str>,
    follows_id: Option<HostingId>,
    visibility: Visibility,
}

impl<'a> Row<'a> {
    fn of(input: &'a HostingChange) -> Self {
        Self {
            no_outcome_reason: input.no_outcome_reason.as_deref(),
            planned_start: input.planned_start.as_ref(),
            planned_end: input.planned_end.as_ref(),
            actual_start: input.actual_start.as_ref(),
            actual_end: input.actual_end.as_ref(),
            lead_organisation_id: input.lead_organisation_id,
            scale_note: input.scale_note.as_deref(),
            follows_id: input.follows_id,
            visibility: input.visibility.unwrap_or(Visibility::Public),
        }
    }
}

async fn check(tx: &mut Tx, input: &HostingChange, pilot_id: Uuid, host_city_id: Uuid) -> Result<(), Problem> {
    let mut rules = Rules::new();
    rules.require_order(input.planned_start.as_ref(), input.planned_end.as_ref(), "/planned_end", "planned_start");
    rules.require_order(input.actual_start.as_ref(), input.actual_end.as_ref(), "/actual_end", "actual_start");
    for (index, site) in input.sites.iter().enumerate() {
        let whole = site.latitude.is_some() == site.longitude.is_some();
        rules.require(whole, &format!("/sites/{index}"), "half_location", "latitude and longitude go together");
    }
    if let Some(follows) = input.follows_id {
        let earlier = hosting::table
            .find(follows.0)
            .filter(hosting::pilot_id.eq(pilot_id).and(hosting::host_city_id.eq(host_city_id)));
        let fits: bool = diesel::select(diesel::dsl::exists(earlier)).get_result(&mut tx.conn).await?;
        rules.require(
            fits,
            "/follows_id",
            "other_hosting",
            "must be an earlier hosting of the same pilot in the same city",
        );
    }
    rules.done()
}

async fn attach(tx: &mut Tx, id: Uuid, sites: &[Site]) -> Result<(), Problem> {
    diesel::delete(site::table.filter(site::hosting_id.eq(id))).execute(&mut tx.conn).await?;
    let rows: Vec<_> = sites
        .iter()
        .zip(0i16..)
        .map(|(one, position)| {
            (
                site::hosting_id.eq(id),
                site::position.eq(position),
                site::name.eq(&one.name),
                site::latitude.eq(one.latitude),
                site::longitude.eq(one.longitude),
            )
        })
        .collect();
    diesel::insert_into(site::table).values(rows).execute(&mut tx.conn).await?;
    Ok(())
}

/// Who proposes: the city named, or the one that the account acts for.
fn proposer(tx: &mut Tx, input: &Checked<HostingInput>, origin: Uuid, host: Uuid) -> Result<Uuid, Problem> {
    let named = input.optional_city(input.proposed_by_city.as_ref());
    let mut rules = Rules::new();
    let involved = named.is_none_or(|city| city == origin || city == host);
    rules.require(involved, "/proposed_by_city", "not_involved", "must be the city of origin or the host city");
    rules.done()?;
    tx.act_for(&named.map_or_else(|| vec![origin, host], |city| vec![city]))?;
    Ok(named.or(tx.acting.city_id).unwrap_or(origin))
}

/// Proposes a hosting, or enters one after the fact, under an id that may be given.
///
/// # Errors
/// 409 if the pilot has an open hosting there, 403, 422.
pub async fn insert(tx: &mut Tx, id: Option<Uuid>, input: &Checked<HostingInput>) -> Result<Uuid, Problem> {
    let pilot_id = input.pilot_id.0;
    let origin: Uuid = pilot::table.find(pilot_id).select(pilot::origin_city_id).first(&mut tx.conn).await?;
    let host = input.city(&input.host_city);
    let proposed_by = proposer(tx, input, origin, host)?;
    if input.historical && !tx.caller.is_administrator() {
        return Err(Problem::new(Code::Forbidden, "only administrators enter hostings after the fact (historical)"));
    }
    let mut rules = Rules::new();
    let stated = input.historical || input.status.is_none_or(|status| status == HostingStatus::Proposed);
    rules.require(
        stated,
        "/status",
        "read_only",
        "a hosting starts as proposed; move it by POST /v1/hostings/{id}/transitions",
    );
    rules.done()?;
    let change = HostingChange::from(&**input);
    check(tx, &change, pilot_id, host).await?;
    let status = input.status.unwrap_or(HostingStatus::Proposed);
    if !matches!(status, HostingStatus::Closed | HostingStatus::Cancelled) {
        check_open(tx, pilot_id, host).await?;
    }
    let id = tx.register_as::<Hosting>(id.unwrap_or_else(ids::new), &input.common()).await?;
    diesel::insert_into(hosting::table)
        .values((
            hosting::id.eq(id),
            hosting::pilot_id.eq(pilot_id),
            hosting::origin_city_id.eq(origin),
            hosting::host_city_id.eq(host),
            hosting::proposed_by_city_id.eq(proposed_by),
            hosting::status.eq(HostingStatus::Proposed),
            hosting::historical.eq(input.historical),
            Row::of(&change),
        ))
        .execute(&mut tx.conn)
        .await?;
    attach(tx, id, &input.sites).await?;
    let waived = if input.historical { enter_at(tx, id, status).await? } else { vec![] };
    transitions::record(tx, id, None, status, &transitions::Said { guards_waived: waived, ..Default::default() })
        .await?;
    Ok(id)
}

async fn check_open(tx: &mut Tx, pilot_id: Uuid, host: Uuid) -> Result<(), Problem> {
    let open: Option<Uuid> = hosting::table
        .filter(hosting::pilot_id.eq(pilot_id).and(hosting::host_city_id.eq(host)))
        .filter(hosting::status.ne_all([HostingStatus::Closed, HostingStatus::Cancelled]))
        .select(hosting::id)
        .first(&mut tx.conn)
        .await
        .optional()?;
    match open {
        Some(_) => {
            Err(records::duplicate::<Hosting>(tx, "pilot and host city that is not closed or cancelled", open).await?)
        }
        None => Ok(()),
    }
}

/// Puts a historical hosting into its state and says which guards on the way there are not met.
async fn enter_at(tx: &mut Tx, id: Uuid, status: HostingStatus) -> Result<Vec<String>, Problem> {
    let facts = lifecycle::facts(&mut tx.conn, id).await?;
    let current = tx.reload::<Hosting>(id).await?;
    let said = Said { reason: true, consents: current.kind == HostingKind::HomeTest };
    let missing = lifecycle::missing(&lifecycle::guards_on_the_way_to(status), &current, &facts, said);
    let mut waived: Vec<String> = missing.into_iter().map(|one| one.code).collect();
    waived.dedup();
    let suspended_from = (status == HostingStatus::Suspended).then_some(HostingStatus::Live);
    diesel::update(hosting::table.find(id))
        .set((
            hosting::status.eq(status),
            hosting::suspended_from.eq(suspended_from),
            hosting::guards_waived.eq(&waived),
        ))
        .execute(&mut tx.conn)
        .await?;
    Ok(waived)
}

/// List hostings
///
/// Which city hosts which pilot: every hosting that you may see, in order of registration.
#[utoipa::path(tag = "hosting", params(Paging, HostingFilter), responses((status = 200, description = "A page of hostings", body = Page<Hosting>)))]
#[get("/v1/hostings")]
pub async fn list_hostings(call: Call) -> Answer {
    let (paging, filter, resolved): (Paging, HostingFilter, _) = (call.query()?, call.query()?, call.resolved().await?);
    page!(call, paging, Hosting, hosting_view, filter.apply(Hosting::visible(call.caller()), &resolved),
        sort "updated_at" => updated_at: records::Instant)
}

/// Propose a hosting
///
/// By an editor of the origin or the host city. It starts as `proposed`, seen by partners at most; the other city
/// agrees or cancels. Administrators may enter one after the fact with `historical` and its status.
#[utoipa::path(tag = "hosting", request_body = HostingInput, responses((status = 201, description = "The hosting", body = Hosting)))]
#[post("/v1/hostings")]
pub async fn create_hosting(call: Call, body: Body<HostingInput>) -> Answer {
    call.write(async |tx| {
        let input = body.checked(tx).await?;
        let id = insert(tx, None, &input).await?;
        tx.created::<Hosting>(id).await
    })
    .await
}

/// Read a hosting
///
/// By id.
#[utoipa::path(tag = "hosting", responses((status = 200, description = "The hosting", body = Hosting)))]
#[get("/v1/hostings/{id}")]
pub async fn get_hosting(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Hosting>(path_id(&id)?).await
}

/// What the city of origin may change; the rest is the host's.
const SHARED: &[&str] = &["planned_start", "planned_end", "lead_organisation_id"];

/// Change a hosting
///
/// Editors of the host city; planned dates and lead organisation also by the city of origin.
#[utoipa::path(tag = "hosting", request_body = HostingChange, responses((status = 200, description = "The hosting", body = Hosting)))]
#[patch("/v1/hostings/{id}")]
pub async fn update_hosting(call: Call, id: web::Path<String>, body: Body<HostingChange>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Hosting>(path_id(&id)?).await?;
        if body.touches_only(SHARED) {
            tx.act_for(&current.cities())?;
        } else {
            tx.act_for(&[current.host_city_id])?;
        }
        tx.precondition(&current)?;
        let Some(input) = body.merged(tx, &current).await? else {
            return Ok(tx.unchanged(current));
        };
        check(tx, &input, current.pilot_id.0, current.host_city_id).await?;
        tx.revise::<Hosting>(current.id, &input.common()).await?;
        diesel::update(hosting::table.find(current.id)).set(Row::of(&input)).execute(&mut tx.conn).await?;
        attach(tx, current.id, &input.sites).await?;
        tx.updated::<Hosting>(current.id).await
    })
    .await
}

/// Delete a hosting
///
/// Only one that is still proposed and that nothing refers to; a later one is cancelled by a transition.
#[utoipa::path(tag = "hosting", responses((status = 204, description = "Deleted")))]
#[delete("/v1/hostings/{id}")]
pub async fn delete_hosting(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Hosting>(path_id(&id)?).await?;
        tx.act_for(&current.cities())?;
        tx.precondition(&current)?;
        if current.status != HostingStatus::Proposed && !tx.caller.is_administrator() {
            return Err(Problem::new(
                Code::Conflict,
                "only a proposed hosting can be deleted; cancel this one by POST …/transitions",
            ));
        }
        tx.deleted(current).await
    })
    .await
}
