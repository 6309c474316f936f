//! Its SQL and the rules that are checked before it.

use super::model::*;
use crate::cooperation::agreements;
use crate::cooperation::partnerships::cities_of_partnership;
use crate::cooperation::stages::Stage;
use crate::database::Tx;
use crate::database::references::{Link, Resolved};
use crate::database::schema::{initiative, initiative_document, initiative_pilot, initiative_view};
use crate::database::transitions::{Reason, Said};
use crate::http::body::Rules;
use crate::http::editing::Editable;
use crate::http::{Body, Checked, Problem};
use crate::ids::{self, Id, PartnershipId};
use crate::values::CityRef;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

pub(super) type Query = initiative_view::BoxedQuery<'static, diesel::pg::Pg>;

/// The records that a filter names by their links, as far as the caller may see them.
#[derive(Debug, Clone)]
pub(super) struct Links {
    pub(super) pilots: Option<Vec<Uuid>>,
    pub(super) agreements: Option<Vec<Uuid>>,
    pub(super) documents: Option<Vec<Uuid>>,
}

impl InitiativeFilter {
    pub(super) fn apply(&self, mut query: Query, resolved: &Resolved, links: Links) -> Query {
        use initiative_view as view;
        if let Some(partnerships) = &self.partnership_id {
            query = query.filter(view::partnership_id.eq_any(partnerships.clone()));
        }
        if let Some(areas) = &self.area {
            query = query.filter(view::area.eq_any(areas.iter().map(|one| one.to_string()).collect::<Vec<_>>()));
        }
        if let Some(kinds) = &self.kind {
            query = query.filter(view::kind.eq_any(kinds.clone()));
        }
        if let Some(cities) = resolved.cities(self.from_city.as_ref()) {
            query = query.filter(view::from_city_id.eq_any(cities));
        }
        if let Some(cities) = resolved.cities(self.to_city.as_ref()) {
            query = query.filter(view::to_city_id.eq_any(cities));
        }
        if let Some(stages) = &self.stage {
            query = query.filter(view::stage.eq_any(stages.clone()));
        }
        if let Some(pilots) = links.pilots {
            query = query.filter(view::any_pilot_ids.overlaps_with(pilots));
        }
        if let Some(agreements) = links.agreements {
            query = query.filter(view::any_agreement_ids.overlaps_with(agreements));
        }
        if let Some(documents) = links.documents {
            query = query.filter(view::any_document_ids.overlaps_with(documents));
        }
        query
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = initiative, treat_none_as_null = true)]
struct Row<'a> {
    partnership_id: PartnershipId,
    area: &'a str,
    kind: InitiativeKind,
    from_city_id: Option<Uuid>,
    to_city_id: Option<Uuid>,
    title: &'a str,
    description: Option<&'a str>,
}

impl<'a> Row<'a> {
    fn of(input: &'a InitiativeChange, city: impl Fn(&CityRef) -> Uuid) -> Self {
        Self {
            partnership_id: input.partnership_id,
            area: &input.area,
            kind: input.kind,
            from_city_id: input.from_city.as_ref().map(&city),
            to_city_id: input.to_city.as_ref().map(&city),
            title: &input.title,
            description: input.description.as_deref(),
        }
    }
}

pub(super) async fn check(tx: &mut Tx, input: &Checked<InitiativeInput>, rules: &mut Rules) -> Result<(), Problem> {
    let stage = input.stage.unwrap_or(Stage::Exploring);
    let detail = "must say why it was declined";
    rules.require(stage != Stage::Declined || input.reason.is_some(), "/reason", "required", detail);
    let stopped = matches!(stage, Stage::Declined | Stage::OnHold);
    let detail = "is for initiatives that were declined or put on hold";
    rules.require(stopped || input.reason.is_none(), "/reason", "not_stopped", detail);
    check_direction(tx, &InitiativeChange::from(&**input), |city| input.known_city(city), rules).await
}

pub(super) async fn check_change(
    tx: &mut Tx,
    input: &Checked<InitiativeChange>,
    rules: &mut Rules,
) -> Result<(), Problem> {
    check_direction(tx, input, |city| input.known_city(city), rules).await
}

/// From one city of the partnership to another, or mutual.
async fn check_direction(
    tx: &mut Tx,
    input: &InitiativeChange,
    known: impl Fn(&CityRef) -> Option<Uuid>,
    rules: &mut Rules,
) -> Result<(), Problem> {
    let (from, to) = (&input.from_city, &input.to_city);
    let half = "from_city and to_city go together; without both it is mutual";
    rules.require(from.is_some() || to.is_none(), "/from_city", "half_direction", half);
    rules.require(to.is_some() || from.is_none(), "/to_city", "half_direction", half);
    let (from, to) = (from.as_ref().and_then(&known), to.as_ref().and_then(&known));
    rules.require(from.is_none() || from != to, "/to_city", "same_city", "must be another city than from_city");
    let cities = cities_of_partnership(tx, input.partnership_id).await?;
    for (pointer, city) in [("/from_city", from), ("/to_city", to)] {
        let takes_part = cities.is_empty() || city.is_none_or(|city| cities.contains(&city));
        rules.require(takes_part, pointer, "not_involved", "must be a city of the partnership");
    }
    Ok(())
}

impl Editable for Initiative {
    type Input = InitiativeInput;
    type Change = InitiativeChange;

    async fn create(tx: &mut Tx, body: &Body<InitiativeInput>) -> Result<Uuid, Problem> {
        let input = body.checked(tx).await?;
        let cities = cities_of_partnership(tx, input.partnership_id).await?;
        tx.act_for(&cities)?;
        let first = input.stage.is_none_or(|stage| stage == Stage::Exploring);
        let mut rules = Rules::new();
        let detail = "an initiative starts as exploring; move it by POST /v1/initiatives/{id}/transitions";
        rules.require(first || tx.caller.is_administrator(), "/stage", "read_only", detail);
        rules.done()?;
        insert(tx, None, &input).await
    }

    async fn change(tx: &mut Tx, current: &Self, body: &Body<InitiativeChange>) -> Result<bool, Problem> {
        tx.act_for(current.cities())?;
        tx.precondition(current)?;
        let Some(input) = body.merged(tx, current).await? else { return Ok(false) };
        if input.partnership_id != current.partnership_id {
            let cities = cities_of_partnership(tx, input.partnership_id).await?;
            tx.act_for(&cities)?;
        }
        tx.revise::<Self>(current.id, &input.common()).await?;
        diesel::update(initiative::table.find(current.id))
            .set(Row::of(&input, |city| input.city(city)))
            .execute(&mut tx.conn)
            .await?;
        attach(tx, current.id, &input, Some(current)).await?;
        Ok(true)
    }

    async fn check_fixed(
        _tx: &mut Tx,
        current: &Self,
        input: &Checked<InitiativeInput>,
        rules: &mut Rules,
    ) -> Result<(), Problem> {
        let same = input.stage.is_none_or(|stage| stage == current.stage);
        rules.require(same, "/stage", "read_only", "moves by POST /v1/initiatives/{id}/transitions");
        let same = input.reason.as_deref().is_none_or(|reason| Some(reason) == current.reason.as_deref());
        rules.require(same, "/reason", "read_only", "is given with a transition");
        Ok(())
    }
}

/// Registers an initiative under an id that may be given.
///
/// # Errors
/// 403 and 422 for agreements that cannot be linked.
pub async fn insert(tx: &mut Tx, id: Option<Uuid>, input: &Checked<InitiativeInput>) -> Result<Uuid, Problem> {
    let id = tx.register_as::<Initiative>(id.unwrap_or_else(ids::fresh), &input.common()).await?;
    let stage = input.stage.unwrap_or(Stage::Exploring);
    let change = InitiativeChange::from(&**input);
    diesel::insert_into(initiative::table)
        .values((
            initiative::id.eq(id),
            initiative::stage.eq(stage),
            // Nobody says where one that is entered on hold came from; from the first stage it can go anywhere.
            initiative::on_hold_from.eq((stage == Stage::OnHold).then_some(Stage::Exploring)),
            initiative::reason.eq(input.reason.as_deref()),
            Row::of(&change, |city| input.city(city)),
        ))
        .execute(&mut tx.conn)
        .await?;
    let reason = input.reason.as_ref().map(|reason| Reason::Text(reason.to_string()));
    tx.keep_transition(id, None, stage.label(), Said { reason, ..Default::default() }).await?;
    attach(tx, id, &change, None).await?;
    Ok(id)
}

/// Of the links that are there, those that the caller sees and does not name.
fn dropped<I: Id>(tx: &Tx, before: Option<&Vec<Link>>, wanted: &[I]) -> Vec<Uuid> {
    let seen = before.into_iter().flatten().filter(|link| link.is_seen_by(&tx.caller, I::COLLECTION));
    seen.map(|link| link.id).filter(|id| !wanted.iter().any(|one| one.uuid() == *id)).collect()
}

async fn attach(tx: &mut Tx, id: Uuid, input: &InitiativeChange, before: Option<&Initiative>) -> Result<(), Problem> {
    let gone = dropped(tx, before.map(|one| &one.pilot_ids.0), &input.pilot_ids);
    let links = initiative_pilot::table.filter(initiative_pilot::initiative_id.eq(id));
    diesel::delete(links.filter(initiative_pilot::pilot_id.eq_any(gone))).execute(&mut tx.conn).await?;
    let rows: Vec<_> = input
        .pilot_ids
        .iter()
        .map(|pilot| (initiative_pilot::initiative_id.eq(id), initiative_pilot::pilot_id.eq(pilot)))
        .collect();
    diesel::insert_into(initiative_pilot::table).values(rows).on_conflict_do_nothing().execute(&mut tx.conn).await?;

    let gone = dropped(tx, before.map(|one| &one.document_ids.0), &input.document_ids);
    let links = initiative_document::table.filter(initiative_document::initiative_id.eq(id));
    diesel::delete(links.filter(initiative_document::document_id.eq_any(gone))).execute(&mut tx.conn).await?;
    let rows: Vec<_> = input
        .document_ids
        .iter()
        .map(|document| (initiative_document::initiative_id.eq(id), initiative_document::document_id.eq(document)))
        .collect();
    diesel::insert_into(initiative_document::table).values(rows).on_conflict_do_nothing().execute(&mut tx.conn).await?;

    let gone = dropped(tx, before.map(|one| &one.agreement_ids.0), &input.agreement_ids);
    let known = |id: Uuid| before.is_some_and(|one| one.agreement_ids.iter().any(|link| link.id == id));
    let new =
        input.agreement_ids.iter().enumerate().filter(|(_, one)| !known(one.0)).map(|(index, one)| (one.0, index));
    agreements::link(tx, id, new.collect(), gone).await
}
