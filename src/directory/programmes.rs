//! Programmes: the frames in which cities cooperate, such as World Cities.

use actix_web::{delete, get, patch, post, put, web};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::database::Tx;
use crate::database::records::{self, record};
use crate::database::schema::{programme, programme_view};
use crate::directory::cities::lower;
use crate::http::body::{Rules, input};
use crate::http::call::path_id;
use crate::http::editing::{Editable, upsert_operation};
use crate::http::history::history_operation;
use crate::http::paging::{List, Listed, NameSort, Page, list};
use crate::http::{Answer, Body, Call, Checked, Paging, Problem};
use crate::ids;
use crate::values::{Line, PartialDate, WebAddress};

record! {
    /// A frame in which cities cooperate.
    Programme = "programmes", "programme", programme_view {
        /// Its name.
        #[schema(example = "World Cities")]
        name: String,
        /// Who pays for it.
        #[schema(example = "European Union")]
        funder: Option<String>,
        /// When it began.
        starts_on: Option<PartialDate>,
        /// When it ends.
        ends_on: Option<PartialDate>,
        /// Its web site.
        website: Option<String>,
    }
    kept {}
}

input! {
    /// A programme to register or change.
    #[schema(example = json!({"name": "International Urban Cooperation", "funder": "European Union", "starts_on": "2017", "ends_on": "2020"}))]
    ProgrammeInput {
        /// Its name; unique, whatever its case.
        #[schema(example = "International Urban Cooperation")]
        name: Line,
        /// Who pays for it.
        #[schema(example = "European Union")]
        funder: Option<Line>,
        /// When it began.
        starts_on: Option<PartialDate>,
        /// When it ends.
        ends_on: Option<PartialDate>,
        /// Its web site.
        website: Option<WebAddress>,
    }
    checked by crate::directory::programmes::check
}

/// Filters of programmes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ProgrammeFilter {
    /// The name, whatever its case.
    #[param(max_length = 300, example = "World Cities")]
    name: Option<String>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    sort: Option<NameSort>,
}

type Query = programme_view::BoxedQuery<'static, diesel::pg::Pg>;

impl ProgrammeFilter {
    fn apply(&self, mut query: Query) -> Query {
        if let Some(name) = &self.name {
            query = query.filter(lower(programme_view::name).eq(name.to_lowercase()));
        }
        query
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = programme, treat_none_as_null = true)]
struct Row<'a> {
    name: &'a str,
    funder: Option<&'a str>,
    starts_on: Option<&'a PartialDate>,
    ends_on: Option<&'a PartialDate>,
    website: Option<&'a str>,
}

impl<'a> Row<'a> {
    fn of(input: &'a ProgrammeInput) -> Self {
        Self {
            name: &input.name,
            funder: input.funder.as_deref(),
            starts_on: input.starts_on.as_ref(),
            ends_on: input.ends_on.as_ref(),
            website: input.website.as_deref(),
        }
    }
}

async fn check(_tx: &mut Tx, input: &Checked<ProgrammeInput>, rules: &mut Rules) -> Result<(), Problem> {
    rules.require_order(input.starts_on.as_ref(), input.ends_on.as_ref(), "/ends_on", "starts_on");
    Ok(())
}

/// 409 if there is another one of the name.
async fn check_name(tx: &mut Tx, id: Option<Uuid>, input: &Checked<ProgrammeInput>) -> Result<(), Problem> {
    let existing: Option<Uuid> = programme::table
        .filter(lower(programme::name).eq(lower(input.name.to_string())))
        .select(programme::id)
        .first(&mut tx.conn)
        .await
        .optional()?;
    match existing {
        Some(_) if existing != id => Err(records::duplicate::<Programme>(tx, "name", existing).await?),
        _ => Ok(()),
    }
}

/// Registers a programme under an id that may be given.
///
/// # Errors
/// 409 if there is one of the name.
pub async fn insert(tx: &mut Tx, id: Option<Uuid>, input: &Checked<ProgrammeInput>) -> Result<Uuid, Problem> {
    check_name(tx, None, input).await?;
    let id = tx.register_as::<Programme>(id.unwrap_or_else(ids::fresh), &input.common()).await?;
    diesel::insert_into(programme::table).values((programme::id.eq(id), Row::of(input))).execute(&mut tx.conn).await?;
    Ok(id)
}

impl Editable for Programme {
    type Input = ProgrammeInput;
    type Change = ProgrammeInput;

    async fn create(tx: &mut Tx, body: &Body<ProgrammeInput>) -> Result<Uuid, Problem> {
        tx.act_for(&[])?;
        let input = body.checked(tx).await?;
        insert(tx, None, &input).await
    }

    async fn change(tx: &mut Tx, current: &Programme, body: &Body<ProgrammeInput>) -> Result<bool, Problem> {
        tx.act_for(&[])?;
        tx.precondition(current)?;
        let Some(input) = body.merged(tx, current).await? else { return Ok(false) };
        check_name(tx, Some(current.id), &input).await?;
        tx.revise::<Programme>(current.id, &input.common()).await?;
        diesel::update(programme::table.find(current.id)).set(Row::of(&input)).execute(&mut tx.conn).await?;
        Ok(true)
    }
}

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_programmes)
        .service(create_programme)
        .service(upsert_programme)
        .service(get_programme)
        .service(list_programme_history)
        .service(update_programme)
        .service(delete_programme);
}

/// List programmes
///
/// In order of registration or by name.
#[utoipa::path(tag = "directory", params(Paging, ProgrammeFilter), responses((status = 200, description = "A page of programmes", body = Page<Programme>)))]
#[get("/v1/programmes")]
pub async fn list_programmes(call: Call) -> Answer {
    Programme::list(&call).await?.page(&call).await
}

impl Listed for Programme {
    async fn list(call: &Call) -> Result<List<Self>, Problem> {
        let (paging, filter): (Paging, ProgrammeFilter) = (call.query()?, call.query()?);
        list!(call, paging, Programme, programme_view, filter.apply(Programme::visible(call.caller())),
            sort "name" => name: String, "updated_at" => updated_at: records::Instant)
    }
}

/// Register a programme
///
/// For administrators.
#[utoipa::path(tag = "directory", request_body = ProgrammeInput, responses((status = 201, description = "The programme", body = Programme)))]
#[post("/v1/programmes")]
pub async fn create_programme(call: Call, body: Body<ProgrammeInput>) -> Answer {
    call.create::<Programme>(&body).await
}

upsert_operation! {
    /// Register or change a programme by external id
    ///
    /// For partner systems: makes the programme that you know by this id, or brings it to what the body says.
    upsert_programme: Programme from ProgrammeInput, "directory", "/v1/programmes/by-external-id/{source}/{value}"
}

/// Read a programme
///
/// By id.
#[utoipa::path(tag = "directory", responses((status = 200, description = "The programme", body = Programme)))]
#[get("/v1/programmes/{id}")]
pub async fn get_programme(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Programme>(path_id(&id)?).await
}

history_operation! {
    /// List the changes of a programme
    ///
    /// Who changed what, when and for which city, oldest first.
    list_programme_history: Programme, "directory", "/v1/programmes/{id}/history"
}

/// Change a programme
///
/// For administrators.
#[utoipa::path(tag = "directory", request_body = ProgrammeInput, responses((status = 200, description = "The programme", body = Programme)))]
#[patch("/v1/programmes/{id}")]
pub async fn update_programme(call: Call, id: web::Path<String>, body: Body<ProgrammeInput>) -> Answer {
    call.change::<Programme>(path_id(&id)?, &body).await
}

/// Delete a programme
///
/// For administrators; only one that nothing refers to.
#[utoipa::path(tag = "directory", responses((status = 204, description = "Deleted")))]
#[delete("/v1/programmes/{id}")]
pub async fn delete_programme(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Programme>(path_id(&id)?).await?;
        tx.act_for(&[])?;
        tx.precondition(&current)?;
        tx.deleted(current).await
    })
    .await
}
