//! Its SQL and the rules that are checked before it.

use std::collections::HashSet;

use super::model::*;
use crate::cooperation::partnerships::cities_of_partnership;
use crate::database::references::Resolved;
use crate::database::schema::{
    activity, activity_area, activity_initiative, activity_participant, activity_place, activity_view,
};
use crate::database::{Tx, last_day};
use crate::directory::organisations::cities_of_organisations;
use crate::http::body::Rules;
use crate::http::editing::Editable;
use crate::http::{Body, Checked, Problem};
use crate::ids::{self, ActivityId, PartnershipId};
use crate::values::PartialDate;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

pub(super) type Query = activity_view::BoxedQuery<'static, diesel::pg::Pg>;

impl ActivityFilter {
    pub(super) fn apply(&self, mut query: Query, resolved: &Resolved) -> Query {
        use activity_view as view;
        if let Some(kinds) = &self.kind {
            query = query.filter(view::kind.eq_any(kinds.clone()));
        }
        if let Some(cities) = resolved.cities(self.city.as_ref()) {
            query = query.filter(view::city_id.eq_any(cities));
        }
        if let Some(parents) = &self.parent_id {
            query = query.filter(view::parent_id.eq_any(parents.iter().map(|id| id.0).collect::<Vec<_>>()));
        }
        if let Some(partnerships) = &self.partnership_id {
            query = query.filter(view::partnership_id.eq_any(partnerships.iter().map(|id| id.0).collect::<Vec<_>>()));
        }
        if let Some(initiatives) = &self.initiative_ids {
            query =
                query.filter(view::initiative_ids.overlaps_with(initiatives.iter().map(|id| id.0).collect::<Vec<_>>()));
        }
        if let Some(areas) = &self.areas {
            query =
                query.filter(view::areas.overlaps_with(areas.iter().map(|one| one.to_string()).collect::<Vec<_>>()));
        }
        if let Some(from) = &self.starts_on_from {
            query = query.filter(last_day(view::starts_on).ge(from.first_day()));
        }
        if let Some(to) = &self.starts_on_to {
            query = query.filter(last_day(view::starts_on).le(to.last_day()));
        }
        if let Some(from) = &self.ends_on_from {
            query = query.filter(last_day(view::ends_on).ge(from.first_day()));
        }
        if let Some(to) = &self.ends_on_to {
            query = query.filter(last_day(view::ends_on).le(to.last_day()));
        }
        query
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = activity, treat_none_as_null = true)]
struct Row<'a> {
    kind: ActivityKind,
    title: &'a str,
    theme: Option<&'a str>,
    city_id: Option<Uuid>,
    starts_on: Option<&'a PartialDate>,
    ends_on: Option<&'a PartialDate>,
    parent_id: Option<ActivityId>,
    partnership_id: Option<PartnershipId>,
}

impl<'a> Row<'a> {
    fn of(input: &'a Checked<ActivityInput>) -> Self {
        Self {
            kind: input.kind,
            title: &input.title,
            theme: input.theme.as_deref(),
            city_id: input.optional_city(input.city.as_ref()),
            starts_on: input.starts_on.as_ref(),
            ends_on: input.ends_on.as_ref(),
            parent_id: input.parent_id,
            partnership_id: input.partnership_id,
        }
    }
}

pub(super) async fn check(_tx: &mut Tx, input: &Checked<ActivityInput>, rules: &mut Rules) -> Result<(), Problem> {
    rules.require_order(input.starts_on.as_ref(), input.ends_on.as_ref(), "/ends_on", "starts_on");
    for (index, place) in input.places.iter().enumerate() {
        let whole = place.latitude.is_some() == place.longitude.is_some();
        rules.require(whole, &format!("/places/{index}"), "half_location", "latitude and longitude go together");
    }
    let mut seen = HashSet::new();
    for (index, one) in input.participants.iter().enumerate() {
        let pointer = format!("/participants/{index}");
        let single = one.city.is_some() != one.organisation_id.is_some();
        rules.require(single, &pointer, "one_of", "must name either a city or an organisation");
        let city = one.city.as_ref().and_then(|city| input.known_city(city));
        let new =
            (city.is_none() && one.organisation_id.is_none()) || seen.insert((city, one.organisation_id, one.role));
        rules.require(new, &pointer, "not_unique", "takes part in this role already");
    }
    Ok(())
}

/// How an activity lies to the one it is part of, and to its own parts.
#[derive(QueryableByName)]
struct Tree {
    #[diesel(sql_type = Bool)]
    cycle: bool,
    #[diesel(sql_type = Bool)]
    starts_within: bool,
    #[diesel(sql_type = Bool)]
    ends_within: bool,
    #[diesel(sql_type = Bool)]
    parts_after_start: bool,
    #[diesel(sql_type = Bool)]
    parts_before_end: bool,
}

/// An activity lies within the one it is part of, and its parts within it, as far as dates are known.
async fn check_tree(tx: &mut Tx, id: Option<Uuid>, input: &ActivityInput) -> Result<(), Problem> {
    let tree: Tree = diesel::sql_query(include_str!("tree.sql"))
        .bind::<Nullable<SqlUuid>, _>(id)
        .bind::<Nullable<SqlUuid>, _>(input.parent_id)
        .bind::<Nullable<Text>, _>(input.starts_on.as_ref())
        .bind::<Nullable<Text>, _>(input.ends_on.as_ref())
        .get_result(&mut tx.conn)
        .await?;
    let mut rules = Rules::new();
    rules.require(!tree.cycle, "/parent_id", "cycle", "must not lead back to the activity itself");
    let detail = "must lie within the activity that this one is part of";
    rules.require(tree.starts_within, "/starts_on", "outside_parent", detail);
    rules.require(tree.ends_within, "/ends_on", "outside_parent", detail);
    let detail = "must not leave a part of this activity outside";
    rules.require(tree.parts_after_start, "/starts_on", "part_outside", detail);
    rules.require(tree.parts_before_end, "/ends_on", "part_outside", detail);
    rules.done()
}

impl Editable for Activity {
    type Input = ActivityInput;
    type Change = ActivityInput;

    async fn create(tx: &mut Tx, body: &Body<ActivityInput>) -> Result<Uuid, Problem> {
        let input = body.checked(tx).await?;
        let cities = cities_of(tx, &input).await?;
        tx.act_for(&cities)?;
        insert(tx, None, &input).await
    }

    async fn change(tx: &mut Tx, current: &Self, body: &Body<ActivityInput>) -> Result<bool, Problem> {
        tx.act_for(current.cities())?;
        tx.precondition(current)?;
        let Some(input) = body.merged(tx, current).await? else { return Ok(false) };
        let cities = cities_of(tx, &input).await?;
        tx.act_for(&cities)?;
        check_tree(tx, Some(current.id), &input).await?;
        tx.revise::<Self>(current.id, &input.common()).await?;
        diesel::update(activity::table.find(current.id)).set(Row::of(&input)).execute(&mut tx.conn).await?;
        tx.detach(current.id, ATTACHED).await?;
        attach(tx, current.id, &input).await?;
        Ok(true)
    }
}

/// The cities that take part: its own, the participants, their organisations', its partnership's.
async fn cities_of(tx: &mut Tx, input: &Checked<ActivityInput>) -> Result<Vec<Uuid>, Problem> {
    let mut cities: Vec<Uuid> = input.city.iter().map(|city| input.city(city)).collect();
    cities.extend(input.participants.iter().filter_map(|one| one.city.as_ref()).map(|city| input.city(city)));
    let organisations: Vec<_> = input.participants.iter().filter_map(|one| one.organisation_id).collect();
    cities.extend(cities_of_organisations(tx, organisations).await?);
    if let Some(partnership) = input.partnership_id {
        cities.extend(cities_of_partnership(tx, partnership).await?);
    }
    Ok(cities)
}

/// Registers an activity under an id that may be given.
///
/// # Errors
/// 422 if it does not lie within the one it is part of.
pub async fn insert(tx: &mut Tx, id: Option<Uuid>, input: &Checked<ActivityInput>) -> Result<Uuid, Problem> {
    check_tree(tx, None, input).await?;
    let id = tx.register_as::<Activity>(id.unwrap_or_else(ids::fresh), &input.common()).await?;
    diesel::insert_into(activity::table).values((activity::id.eq(id), Row::of(input))).execute(&mut tx.conn).await?;
    attach(tx, id, input).await?;
    Ok(id)
}

/// Where the rows of its lists are.
const ATTACHED: &[&str] = &[
    "activity_place.activity_id",
    "activity_area.activity_id",
    "activity_initiative.activity_id",
    "activity_participant.activity_id",
];

async fn attach(tx: &mut Tx, id: Uuid, input: &Checked<ActivityInput>) -> Result<(), Problem> {
    let conn = &mut tx.conn;
    let places = input.places.iter().zip(0i16..).map(|(one, position)| {
        (
            activity_place::activity_id.eq(id),
            activity_place::position.eq(position),
            activity_place::name.eq(&one.name),
            activity_place::latitude.eq(one.latitude),
            activity_place::longitude.eq(one.longitude),
        )
    });
    diesel::insert_into(activity_place::table).values(places.collect::<Vec<_>>()).execute(conn).await?;
    let areas = input.areas.iter().map(|area| (activity_area::activity_id.eq(id), activity_area::area.eq(area)));
    diesel::insert_into(activity_area::table).values(areas.collect::<Vec<_>>()).execute(conn).await?;
    let initiatives = input
        .initiative_ids
        .iter()
        .map(|one| (activity_initiative::activity_id.eq(id), activity_initiative::initiative_id.eq(one)));
    diesel::insert_into(activity_initiative::table).values(initiatives.collect::<Vec<_>>()).execute(conn).await?;
    let participants = input.participants.iter().zip(0i16..).map(|(one, position)| {
        (
            activity_participant::activity_id.eq(id),
            activity_participant::position.eq(position),
            activity_participant::city_id.eq(input.optional_city(one.city.as_ref())),
            activity_participant::organisation_id.eq(one.organisation_id),
            activity_participant::role.eq(one.role),
            activity_participant::headcount.eq(one.headcount),
        )
    });
    diesel::insert_into(activity_participant::table).values(participants.collect::<Vec<_>>()).execute(conn).await?;
    Ok(())
}
