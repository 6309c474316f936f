//! Its SQL.

use super::model::*;
use crate::database::Tx;
use crate::database::references::Resolved;
use crate::database::schema::{need, need_view};
use crate::http::editing::Editable;
use crate::http::{Body, Checked, Problem};
use crate::ids::{self};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

pub(super) type Query = need_view::BoxedQuery<'static, diesel::pg::Pg>;

impl NeedFilter {
    pub(super) fn apply(&self, mut query: Query, resolved: &Resolved) -> Query {
        use need_view as view;
        if let Some(cities) = resolved.cities(self.city.as_ref()) {
            query = query.filter(view::city_id.eq_any(cities));
        }
        if let Some(areas) = &self.area {
            query = query.filter(view::area.eq_any(areas.iter().map(|one| one.to_string()).collect::<Vec<_>>()));
        }
        if let Some(categories) = &self.category {
            query =
                query.filter(view::category.eq_any(categories.iter().map(|one| one.to_string()).collect::<Vec<_>>()));
        }
        if let Some(statuses) = &self.status {
            query = query.filter(view::status.eq_any(statuses.clone()));
        }
        if let Some(tags) = &self.tags {
            query = query.filter(view::tags.overlaps_with(tags.clone()));
        }
        query
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = need, treat_none_as_null = true)]
struct Row<'a> {
    city_id: Uuid,
    area: &'a str,
    category: Option<&'a str>,
    title: &'a str,
    description: Option<&'a str>,
    tags: Vec<&'a str>,
    status: NeedStatus,
}

impl<'a> Row<'a> {
    fn of(input: &'a Checked<NeedInput>) -> Self {
        Self {
            city_id: input.city(&input.city),
            area: &input.area,
            category: input.category.as_deref(),
            title: &input.title,
            description: input.description.as_deref(),
            tags: input.tags.iter().map(|tag| tag.as_ref()).collect(),
            status: input.status.unwrap_or(NeedStatus::Open),
        }
    }
}

impl Editable for Need {
    type Input = NeedInput;
    type Change = NeedInput;

    async fn create(tx: &mut Tx, body: &Body<NeedInput>) -> Result<Uuid, Problem> {
        let input = body.checked(tx).await?;
        tx.act_for(&[input.city(&input.city)])?;
        let id = tx.register_as::<Need>(ids::fresh(), &input.common()).await?;
        diesel::insert_into(need::table).values((need::id.eq(id), Row::of(&input))).execute(&mut tx.conn).await?;
        Ok(id)
    }

    async fn change(tx: &mut Tx, current: &Need, body: &Body<NeedInput>) -> Result<bool, Problem> {
        tx.act_for(&[current.city_id])?;
        tx.precondition(current)?;
        let Some(input) = body.merged(tx, current).await? else { return Ok(false) };
        // A need is given to another city by somebody who acts for both.
        tx.act_for(&[input.city(&input.city)])?;
        tx.revise::<Need>(current.id, &input.common()).await?;
        diesel::update(need::table.find(current.id)).set(Row::of(&input)).execute(&mut tx.conn).await?;
        Ok(true)
    }
}
