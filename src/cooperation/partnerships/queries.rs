//! Its SQL and the rules that are checked before it.

use std::collections::BTreeSet;

use super::model::*;
use crate::database::records;
use crate::database::references::Resolved;
use crate::database::schema::{initiative, partnership, partnership_view};
use crate::database::{Tx, last_day};
use crate::http::body::Rules;
use crate::http::editing::Editable;
use crate::http::{Body, Checked, Problem};
use crate::ids::{self, InitiativeId, PartnershipId, ProgrammeId};
use crate::values::PartialDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

pub(super) type Query = partnership_view::BoxedQuery<'static, diesel::pg::Pg>;

impl PartnershipFilter {
    pub(super) fn apply(&self, mut query: Query, resolved: &Resolved) -> Query {
        use partnership_view as view;
        if let Some(programmes) = &self.programme_id {
            query = query.filter(view::programme_id.eq_any(programmes.iter().map(|id| id.0).collect::<Vec<_>>()));
        }
        if let Some(cities) = resolved.cities(self.cities.as_ref()) {
            query = query.filter(view::city_ids.overlaps_with(cities));
        }
        if let Some(statuses) = &self.status {
            query = query.filter(view::status.eq_any(statuses.clone()));
        }
        if let Some(from) = &self.since_from {
            query = query.filter(last_day(view::since).ge(from.first_day()));
        }
        if let Some(to) = &self.since_to {
            query = query.filter(last_day(view::since).le(to.last_day()));
        }
        query
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = partnership, treat_none_as_null = true)]
struct Row<'a> {
    title: &'a str,
    programme_id: Option<ProgrammeId>,
    city_ids: Vec<Uuid>,
    status: PartnershipStatus,
    since: Option<&'a PartialDate>,
}

impl<'a> Row<'a> {
    fn of(input: &'a Checked<PartnershipInput>) -> Self {
        Self {
            title: &input.title,
            programme_id: input.programme_id,
            city_ids: cities_of(input),
            status: input.status.unwrap_or(PartnershipStatus::Forming),
            since: input.since.as_ref(),
        }
    }
}

/// The set of cities: in order, each once.
fn cities_of(input: &Checked<PartnershipInput>) -> Vec<Uuid> {
    let set: BTreeSet<Uuid> = input.cities.iter().map(|city| input.city(city)).collect();
    set.into_iter().collect()
}

pub(super) async fn check(_tx: &mut Tx, input: &Checked<PartnershipInput>, rules: &mut Rules) -> Result<(), Problem> {
    // A city can be named by its code and by its id.
    let mut seen = BTreeSet::new();
    for (index, city) in input.cities.iter().enumerate() {
        let new = input.known_city(city).is_none_or(|id| seen.insert(id));
        rules.require(new || rules.has("/cities"), &format!("/cities/{index}"), "not_unique", "is named before");
    }
    Ok(())
}

impl Editable for Partnership {
    type Input = PartnershipInput;
    type Change = PartnershipInput;

    async fn create(tx: &mut Tx, body: &Body<PartnershipInput>) -> Result<Uuid, Problem> {
        let input = body.checked(tx).await?;
        tx.act_for(&cities_of(&input))?;
        insert(tx, None, &input).await
    }

    async fn change(tx: &mut Tx, current: &Self, body: &Body<PartnershipInput>) -> Result<bool, Problem> {
        tx.act_for(current.cities())?;
        tx.precondition(current)?;
        let Some(input) = body.merged(tx, current).await? else { return Ok(false) };
        tx.act_for(&cities_of(&input))?;
        check_key(tx, Some(current.id), &input).await?;
        tx.revise::<Self>(current.id, &input.common()).await?;
        diesel::update(partnership::table.find(current.id)).set(Row::of(&input)).execute(&mut tx.conn).await?;
        Ok(true)
    }
}

/// 409 if the programme has another partnership of the same cities.
async fn check_key(tx: &mut Tx, id: Option<Uuid>, input: &Checked<PartnershipInput>) -> Result<(), Problem> {
    let existing: Option<Uuid> = partnership::table
        .filter(partnership::city_ids.eq(cities_of(input)))
        .filter(partnership::programme_id.is_not_distinct_from(input.programme_id.map(|id| id.0)))
        .select(partnership::id)
        .first(&mut tx.conn)
        .await
        .optional()?;
    match existing {
        Some(_) if existing != id => {
            Err(records::duplicate::<Partnership>(tx, "programme and set of cities", existing).await?)
        }
        _ => Ok(()),
    }
}

/// Registers a partnership under an id that may be given.
///
/// # Errors
/// 409 if there is one of the programme and the cities.
pub async fn insert(tx: &mut Tx, id: Option<Uuid>, input: &Checked<PartnershipInput>) -> Result<Uuid, Problem> {
    check_key(tx, None, input).await?;
    let id = tx.register_as::<Partnership>(id.unwrap_or_else(ids::fresh), &input.common()).await?;
    diesel::insert_into(partnership::table)
        .values((partnership::id.eq(id), Row::of(input)))
        .execute(&mut tx.conn)
        .await?;
    Ok(id)
}

/// The cities of a partnership; none if there is no such partnership.
///
/// # Errors
/// Those of the database.
pub async fn cities_of_partnership(tx: &mut Tx, id: PartnershipId) -> Result<Vec<Uuid>, Problem> {
    let cities: Option<Vec<Uuid>> =
        partnership::table.find(id.0).select(partnership::city_ids).first(&mut tx.conn).await.optional()?;
    Ok(cities.unwrap_or_default())
}

/// The cities of the partnership of an initiative; none if there is no such initiative.
///
/// # Errors
/// Those of the database.
pub async fn cities_of_initiative(tx: &mut Tx, id: InitiativeId) -> Result<Vec<Uuid>, Problem> {
    let cities: Option<Vec<Uuid>> = initiative::table
        .inner_join(partnership::table)
        .filter(initiative::id.eq(id))
        .select(partnership::city_ids)
        .first(&mut tx.conn)
        .await
        .optional()?;
    Ok(cities.unwrap_or_default())
}
