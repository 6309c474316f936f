//! Its SQL and the rules that are checked before it.

use super::model::*;
use crate::catalogue::pilots::PilotStatus;
use crate::database::records::{self};
use crate::database::references::Resolved;
use crate::database::schema::{hosting, hosting_view, pilot, site};
use crate::database::{Tx, last_day, transitions};
use crate::hosting::lifecycle::{self, HostingStatus, Said};
use crate::http::body::Rules;
use crate::http::editing::Editable;
use crate::http::problem::{Code, Problem};
use crate::http::{Body, Checked};
use crate::ids::{self, AgreementId, HostingId, InitiativeId, OrganisationId};
use crate::values::{PartialDate, Visibility};
use diesel::expression::SqlLiteral;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::sql_types::{Array, Bool, Date, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::{Map, Value};
use uuid::Uuid;

/// Whether a hosting `v` is one of those asked for by `a`, as every report asks it.
const IN_SCOPE: &str = include_str!("../../reports/hosting_scope.sql");

pub(super) type Query = hosting_view::BoxedQuery<'static, diesel::pg::Pg>;

impl HostingScope {
    /// Whether a hosting, whose id stands in this column, is one of those that are asked for, in the words of reports;
    /// nothing if all are.
    pub fn includes(
        &self,
        hosting_id: &str,
        resolved: &Resolved,
    ) -> Option<SqlLiteral<Bool, impl QueryFragment<Pg> + QueryId + Send + 'static>> {
        let cities = resolved.cities(self.city.as_ref());
        let partnerships = self.partnership_id.as_ref().map(|all| all.iter().map(|id| id.0).collect::<Vec<_>>());
        let programmes = self.programme_id.as_ref().map(|all| all.iter().map(|id| id.0).collect::<Vec<_>>());
        let areas = self.areas.as_ref().map(|all| all.iter().map(|area| area.0.clone()).collect::<Vec<_>>());
        let since = self.from.as_ref().map(PartialDate::first_day);
        let until = self.to.as_ref().map(PartialDate::last_day);
        if (&cities, &partnerships, &programmes, &areas, since, until) == (&None, &None, &None, &None, None, None) {
            return None;
        }
        let asked = diesel::dsl::sql::<Bool>(&format!("{hosting_id} IN (SELECT v.id FROM hosting_view v, (SELECT "))
            .bind::<Nullable<Array<SqlUuid>>, _>(cities)
            .sql("::uuid[] AS cities, ")
            .bind::<Nullable<Array<SqlUuid>>, _>(partnerships)
            .sql("::uuid[] AS partnerships, ")
            .bind::<Nullable<Array<SqlUuid>>, _>(programmes)
            .sql("::uuid[] AS programmes, ")
            .bind::<Nullable<Array<Text>>, _>(areas)
            .sql("::text[] AS areas, ")
            .bind::<Nullable<Date>, _>(since)
            .sql("::date AS since, ")
            .bind::<Nullable<Date>, _>(until)
            .sql(&format!("::date AS until) a WHERE {IN_SCOPE})"));
        Some(asked)
    }
}

impl HostingFilter {
    /// `agreements` are those of the filter that the caller may see.
    pub(super) fn apply(&self, mut query: Query, resolved: &Resolved, agreements: Option<&Vec<Uuid>>) -> Query {
        use hosting_view as view;
        if let Some(agreements) = agreements {
            query = query.filter(view::any_agreement_id.eq_any(agreements.clone()));
        }
        if let Some(pilots) = &self.pilot_id {
            query = query.filter(view::pilot_id.eq_any(pilots.clone()));
        }
        if let Some(cities) = resolved.cities(self.host_city.as_ref()) {
            query = query.filter(view::host_city_id.eq_any(cities));
        }
        if let Some(cities) = resolved.cities(self.origin_city.as_ref()) {
            query = query.filter(view::origin_city_id.eq_any(cities));
        }
        if let Some(cities) = resolved.cities(self.proposed_by_city.as_ref()) {
            query = query.filter(view::proposed_by_city_id.eq_any(cities));
        }
        if let Some(hostings) = &self.follows_id {
            query = query.filter(view::follows_id.eq_any(hostings.iter().map(|id| id.0).collect::<Vec<_>>()));
        }
        self.apply_days(self.apply_rest(query))
    }

    fn apply_days(&self, mut query: Query) -> Query {
        use hosting_view as view;
        if let Some(from) = &self.planned_start_from {
            query = query.filter(last_day(view::planned_start).ge(from.first_day()));
        }
        if let Some(to) = &self.planned_start_to {
            query = query.filter(last_day(view::planned_start).le(to.last_day()));
        }
        if let Some(from) = &self.planned_end_from {
            query = query.filter(last_day(view::planned_end).ge(from.first_day()));
        }
        if let Some(to) = &self.planned_end_to {
            query = query.filter(last_day(view::planned_end).le(to.last_day()));
        }
        if let Some(from) = &self.actual_start_from {
            query = query.filter(last_day(view::actual_start).ge(from.first_day()));
        }
        if let Some(to) = &self.actual_start_to {
            query = query.filter(last_day(view::actual_start).le(to.last_day()));
        }
        if let Some(from) = &self.actual_end_from {
            query = query.filter(last_day(view::actual_end).ge(from.first_day()));
        }
        if let Some(to) = &self.actual_end_to {
            query = query.filter(last_day(view::actual_end).le(to.last_day()));
        }
        query
    }

    fn apply_rest(&self, mut query: Query) -> Query {
        use hosting_view as view;
        if let Some(kinds) = &self.kind {
            query = query.filter(view::kind.eq_any(kinds.clone()));
        }
        if let Some(statuses) = &self.status {
            query = query.filter(view::status.eq_any(statuses.clone()));
        }
        if let Some(statuses) = &self.reached {
            // By its bare name, so that the past has the moves of the past.
            let moved = diesel::dsl::sql::<Bool>(
                "EXISTS (SELECT FROM transition t WHERE t.record_id = hosting_view.id AND t.to_status = ANY (",
            );
            query = query.filter(moved.bind::<Array<Text>, _>(statuses.clone()).sql("))"));
        }
        if let Some(organisations) = &self.lead_organisation_id {
            query = query
                .filter(view::lead_organisation_id.eq_any(organisations.iter().map(|id| id.0).collect::<Vec<_>>()));
        }
        if let Some(initiatives) = &self.initiative_id {
            query = query.filter(view::initiative_id.eq_any(initiatives.iter().map(|id| id.0).collect::<Vec<_>>()));
        }
        if let Some(broken) = self.gate_broken {
            query = query.filter(view::gate_broken.eq(broken));
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
pub(super) struct Row<'a> {
    no_outcome_reason: Option<&'a str>,
    planned_start: Option<&'a PartialDate>,
    planned_end: Option<&'a PartialDate>,
    actual_start: Option<&'a PartialDate>,
    actual_end: Option<&'a PartialDate>,
    lead_organisation_id: Option<OrganisationId>,
    agreement_id: Option<AgreementId>,
    initiative_id: Option<InitiativeId>,
    scale_note: Option<&'a str>,
    follows_id: Option<HostingId>,
    visibility: Visibility,
}

impl<'a> Row<'a> {
    pub(super) fn of(input: &'a HostingChange) -> Self {
        Self {
            no_outcome_reason: input.no_outcome_reason.as_deref(),
            planned_start: input.planned_start.as_ref(),
            planned_end: input.planned_end.as_ref(),
            actual_start: input.actual_start.as_ref(),
            actual_end: input.actual_end.as_ref(),
            lead_organisation_id: input.lead_organisation_id,
            agreement_id: input.agreement_id,
            initiative_id: input.initiative_id,
            scale_note: input.scale_note.as_deref(),
            follows_id: input.follows_id,
            visibility: input.visibility.unwrap_or(Visibility::Public),
        }
    }
}

pub(super) async fn check(tx: &mut Tx, input: &Checked<HostingInput>, rules: &mut Rules) -> Result<(), Problem> {
    check_members(&HostingChange::from(&**input), rules);
    let stated = input.historical || input.status.is_none_or(|status| status == HostingStatus::Proposed);
    let detail = "a hosting starts as proposed; move it by POST /v1/hostings/{id}/transitions";
    rules.require(stated, "/status", "read_only", detail);
    let origin: Option<Uuid> =
        pilot::table.find(input.pilot_id).select(pilot::origin_city_id).first(&mut tx.conn).await.optional()?;
    let (Some(origin), Some(host)) = (origin, input.known_city(&input.host_city)) else { return Ok(()) };
    let named = input.proposed_by_city.as_ref().and_then(|city| input.known_city(city));
    let involved = named.is_none_or(|city| city == origin || city == host);
    rules.require(involved, "/proposed_by_city", "not_involved", "must be the city of origin or the host city");
    check_follows(tx, input.follows_id, input.pilot_id.0, host, rules).await
}

pub(super) async fn check_change(
    _tx: &mut Tx,
    input: &Checked<HostingChange>,
    rules: &mut Rules,
) -> Result<(), Problem> {
    check_members(input, rules);
    Ok(())
}

fn check_members(input: &HostingChange, rules: &mut Rules) {
    rules.require_order(input.planned_start.as_ref(), input.planned_end.as_ref(), "/planned_end", "planned_start");
    rules.require_order(input.actual_start.as_ref(), input.actual_end.as_ref(), "/actual_end", "actual_start");
    for (index, site) in input.sites.iter().enumerate() {
        let whole = site.latitude.is_some() == site.longitude.is_some();
        rules.require(whole, &format!("/sites/{index}"), "half_location", "latitude and longitude go together");
    }
}

/// A second try follows one that ended: of the same pilot, in the same city.
pub(super) async fn check_follows(
    tx: &mut Tx,
    follows_id: Option<HostingId>,
    pilot_id: Uuid,
    host_city_id: Uuid,
    rules: &mut Rules,
) -> Result<(), Problem> {
    let Some(follows) = follows_id else { return Ok(()) };
    let earlier = hosting::table
        .find(follows.0)
        .filter(hosting::pilot_id.eq(pilot_id).and(hosting::host_city_id.eq(host_city_id)))
        .filter(hosting::status.eq_any([HostingStatus::Closed, HostingStatus::Cancelled]));
    let fits: bool = diesel::select(diesel::dsl::exists(earlier)).get_result(&mut tx.conn).await?;
    let detail = "must be a closed or cancelled hosting of the same pilot in the same city";
    rules.require(fits, "/follows_id", "other_hosting", detail);
    Ok(())
}

pub(super) async fn attach(tx: &mut Tx, id: Uuid, sites: &[Site]) -> Result<(), Problem> {
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
pub(super) fn proposer(tx: &mut Tx, input: &Checked<HostingInput>, origin: Uuid, host: Uuid) -> Result<Uuid, Problem> {
    let named = input.optional_city(input.proposed_by_city.as_ref());
    tx.act_for(&named.map_or_else(|| vec![origin, host], |city| vec![city]))?;
    Ok(named.or(tx.acting.city_id).unwrap_or(origin))
}

/// Proposes a hosting, or enters one after the fact, under an id that may be given.
///
/// # Errors
/// 409 if the pilot has an open hosting there, 403, 422.
pub async fn insert(tx: &mut Tx, id: Option<Uuid>, input: &Checked<HostingInput>) -> Result<Uuid, Problem> {
    let pilot_id = input.pilot_id.0;
    let (origin, pilot_status): (Uuid, PilotStatus) =
        pilot::table.find(pilot_id).select((pilot::origin_city_id, pilot::status)).first(&mut tx.conn).await?;
    if pilot_status == PilotStatus::Retired && !input.historical {
        return Err(Problem::new(Code::Conflict, "the pilot is retired; it is not offered any more"));
    }
    let host = input.city(&input.host_city);
    let proposed_by = proposer(tx, input, origin, host)?;
    if input.historical && !tx.caller.is_administrator() {
        return Err(Problem::new(Code::Forbidden, "only administrators enter hostings after the fact (historical)"));
    }
    let change = HostingChange::from(&**input);
    let status = input.status.unwrap_or(HostingStatus::Proposed);
    if !matches!(status, HostingStatus::Closed | HostingStatus::Cancelled) {
        check_open(tx, pilot_id, host).await?;
    }
    let id = tx.register_as::<Hosting>(id.unwrap_or_else(ids::fresh), &input.common()).await?;
    diesel::insert_into(hosting::table)
        .values((
            hosting::id.eq(id),
            hosting::pilot_id.eq(pilot_id),
            hosting::origin_city_id.eq(origin),
            hosting::host_city_id.eq(host),
            hosting::proposed_by_city_id.eq(proposed_by),
            // A historical one takes its state below; until then it must not count as open.
            hosting::status.eq(if input.historical { HostingStatus::Cancelled } else { HostingStatus::Proposed }),
            hosting::historical.eq(input.historical),
            Row::of(&change),
        ))
        .execute(&mut tx.conn)
        .await?;
    attach(tx, id, &input.sites).await?;
    let waived = if input.historical { enter_at(tx, id, status).await? } else { vec![] };
    tx.keep_transition(id, None, status.label(), transitions::Said { guards_waived: waived, ..Default::default() })
        .await?;
    Ok(id)
}

pub(super) async fn check_open(tx: &mut Tx, pilot_id: Uuid, host: Uuid) -> Result<(), Problem> {
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
pub(super) async fn enter_at(tx: &mut Tx, id: Uuid, status: HostingStatus) -> Result<Vec<String>, Problem> {
    let facts = lifecycle::facts(&mut tx.conn, id).await?;
    let current = tx.reload::<Hosting>(id).await?;
    let said = Said { reason: false, consents: current.kind == HostingKind::HomeTest };
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

/// What may still be said of a hosting that ended.
const ALWAYS: &[&str] = &["citations", "external_ids", "language", "scale_note", "translations", "visibility"];

/// 409 for the facts of a hosting that ended.
fn check_terminal(current: &Hosting, body: &Body<HostingChange>) -> Result<(), Problem> {
    let ended = matches!(current.status, HostingStatus::Closed | HostingStatus::Cancelled);
    if ended && !body.touches_only(current, ALWAYS) {
        let detail = format!("the hosting is {}; its dates and lead stay as they were", current.status);
        return Err(Problem::new(Code::Conflict, detail));
    }
    Ok(())
}

/// What the city of origin may change; the rest is the host's.
const SHARED: &[&str] = &["planned_start", "planned_end", "lead_organisation_id"];

impl Editable for Hosting {
    type Input = HostingInput;
    type Change = HostingChange;

    fn reread(row: &mut Map<String, Value>, current: Option<&Hosting>) {
        if current.is_some_and(|one| row.get("status").is_some_and(|status| status == one.status.label())) {
            row.remove("status");
        }
    }

    async fn create(tx: &mut Tx, body: &Body<HostingInput>) -> Result<Uuid, Problem> {
        let input = body.checked(tx).await?;
        insert(tx, None, &input).await
    }

    async fn change(tx: &mut Tx, current: &Hosting, body: &Body<HostingChange>) -> Result<bool, Problem> {
        if body.touches_only(current, SHARED) {
            tx.act_for(&current.cities())?;
        } else {
            tx.act_for(&[current.host_city_id])?;
        }
        tx.precondition(current)?;
        let Some(input) = body.merged(tx, current).await? else { return Ok(false) };
        check_terminal(current, body)?;
        if input.follows_id != current.follows_id {
            let mut rules = Rules::new();
            check_follows(tx, input.follows_id, current.pilot_id.0, current.host_city_id, &mut rules).await?;
            rules.done()?;
        }
        tx.revise::<Hosting>(current.id, &input.common()).await?;
        diesel::update(hosting::table.find(current.id)).set(Row::of(&input)).execute(&mut tx.conn).await?;
        tx.detach(current.id, &["site.hosting_id"]).await?;
        attach(tx, current.id, &input.sites).await?;
        Ok(true)
    }
    async fn check_fixed(
        _tx: &mut Tx,
        current: &Hosting,
        input: &Checked<HostingInput>,
        rules: &mut Rules,
    ) -> Result<(), Problem> {
        let host = input.known_city(&input.host_city).is_none_or(|city| city == current.host_city_id);
        rules.require(input.pilot_id == current.pilot_id, "/pilot_id", "fixed", "stays the pilot that it is of");
        rules.require(host, "/host_city", "fixed", "stays the city that it was proposed for");
        let proposer = input.proposed_by_city.as_ref().and_then(|city| input.known_city(city));
        let same = proposer.is_none_or(|city| city == current.proposed_by_city_id);
        rules.require(same, "/proposed_by_city", "fixed", "stays the city that proposed it");
        let same = input.status.is_none_or(|status| status == current.status);
        rules.require(same, "/status", "read_only", "is moved by POST /v1/hostings/{id}/transitions");
        Ok(())
    }
}
