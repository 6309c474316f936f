//! Its SQL and the rules that are checked before it.

use super::model::*;
use crate::database::Tx;
use crate::database::records::{self};
use crate::database::references::Resolved;
use crate::database::rows::Prepared;
use crate::database::schema::{pilot, pilot_view};
use crate::http::body::Rules;
use crate::http::editing::Editable;
use crate::http::{Body, Checked, Problem};
use crate::ids::{self};
use crate::values::Visibility;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;
use std::collections::BTreeSet;
use uuid::Uuid;

pub(super) type Query = pilot_view::BoxedQuery<'static, diesel::pg::Pg>;

impl PilotFilter {
    pub(super) fn apply(&self, mut query: Query, resolved: &Resolved) -> Query {
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
pub(super) struct Row<'a> {
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
    pub(super) fn of(input: &'a Checked<PilotInput>) -> Self {
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

pub(super) fn slug_of(input: &PilotInput) -> String {
    let made = || slug::slugify(&*input.title).chars().take(80).collect::<String>().trim_end_matches('-').to_owned();
    input.slug.clone().unwrap_or_else(made)
}

impl Editable for Pilot {
    type Input = PilotInput;
    type Change = PilotInput;

    async fn create(tx: &mut Tx, body: &Body<PilotInput>) -> Result<Uuid, Problem> {
        let input = body.checked(tx).await?;
        tx.act_for(&[input.city(&input.origin_city)])?;
        insert(tx, None, &input).await
    }

    async fn change(tx: &mut Tx, current: &Pilot, body: &Body<PilotInput>) -> Result<bool, Problem> {
        tx.act_for(&[current.origin_city_id])?;
        tx.precondition(current)?;
        let Some(input) = body.merged(tx, current).await? else { return Ok(false) };
        tx.act_for(&[input.city(&input.origin_city)])?;
        check_slug(tx, Some(current.id), &input).await?;
        if input.city(&input.origin_city) != current.origin_city_id {
            tx.check_references::<Pilot>(current.id).await?;
        }
        tx.revise::<Pilot>(current.id, &input.common()).await?;
        Prepared(diesel::update(pilot::table.find(current.id)).set(Row::of(&input))).execute(&mut tx.conn).await?;
        tx.detach(current.id, &["pilot_area.pilot_id", "pilot_provider.pilot_id"]).await?;
        attach(tx, current.id, &input).await?;
        Ok(true)
    }
}

pub(super) async fn check(_tx: &mut Tx, input: &Checked<PilotInput>, rules: &mut Rules) -> Result<(), Problem> {
    let slug = slug_of(input);
    rules.require(
        !slug.is_empty() || rules.has("/title"),
        "/slug",
        "required",
        "must be given: none can be made from the title",
    );
    let mut seen = std::collections::HashSet::new();
    let unique = input.providers.iter().all(|provider| seen.insert(provider.organisation_id));
    rules.require(unique, "/providers", "not_unique", "must name each organisation once");
    Ok(())
}

/// 409 if the city of origin has another pilot of this slug.
pub(super) async fn check_slug(tx: &mut Tx, id: Option<Uuid>, input: &Checked<PilotInput>) -> Result<(), Problem> {
    let slug = slug_of(input);
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
    check_slug(tx, None, input).await?;
    let id = tx.register_as::<Pilot>(id.unwrap_or_else(ids::fresh), &input.common()).await?;
    diesel::insert_into(pilot::table).values((pilot::id.eq(id), Row::of(input))).execute(&mut tx.conn).await?;
    attach(tx, id, input).await?;
    Ok(id)
}

pub(super) async fn attach(tx: &mut Tx, id: Uuid, input: &PilotInput) -> Result<(), Problem> {
    let areas: BTreeSet<&str> = input.areas.iter().map(|area| area.as_ref()).collect();
    let areas = areas.into_iter().map(|area| json!({"pilot_id": id, "area": area})).collect::<Vec<_>>();
    tx.insert_rows("pilot_area", "pilot_id, area", areas).await?;
    let provider = |(position, provider): (usize, &Provider)| json!({"pilot_id": id, "position": position, "organisation_id": provider.organisation_id, "role": provider.role});
    let providers = input.providers.iter().enumerate().map(provider).collect::<Vec<_>>();
    tx.insert_rows("pilot_provider", "pilot_id, position, organisation_id, role", providers).await
}
