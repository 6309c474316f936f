//! Vocabularies: code lists as data. Terms are retired, never deleted.

use crate::http::editing::Editable;
use crate::http::history::{HistoryPaging, Revision};
use actix_web::{get, patch, post, put, web};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::database::records::{self, record};
use crate::database::schema::{term, term_view};
use crate::database::{Conn, Tx};
use crate::http::body::{Rules, inputs};
use crate::http::paging::{List, Listed, Page, UpdatedSort, list};
use crate::http::{Answer, Body, Call, Checked, Fault, Paging, Problem};
use crate::ids;
use crate::values::{Line, PartialDate, labels};

labels! {
    /// The vocabularies.
    Scheme {
        /// fields of cooperation
        Areas = "areas",
        /// kinds of pilot service
        Categories = "categories",
        /// why a pilot does or does not suit a city
        ApplicabilityReasons = "applicability_reasons",
        /// why a hosting was suspended, stopped or cancelled
        HostingReasons = "hosting_reasons",
        /// criteria of replicability
        Replicability = "replicability",
        /// units of indicators
        Units = "units",
    }
}

record! {
    /// A term of a vocabulary.
    Term = "terms", "term", term_view {
        /// The vocabulary.
        scheme: Scheme,
        /// The code that other records use.
        #[schema(example = "smart_street_lighting")]
        code: String,
        /// What people read.
        #[schema(example = "Smart street lighting")]
        label: String,
        /// For units: the symbol.
        #[schema(example = "%")]
        symbol: Option<String>,
        /// For categories: whether such a service tracks people, so that the privacy gate applies.
        tracks_people: Option<bool>,
        /// The code of the broader term.
        broader: Option<String>,
        /// Since when it is not used any more.
        retired_on: Option<PartialDate>,
    }
    kept {}
    with {
        fn path(&self) -> String {
            format!("/v1/vocabularies/{}/terms/{}", self.scheme, self.id)
        }
    }
}

inputs! {
    /// A term to add.
    #[schema(example = json!({"code": "noise_monitoring", "label": "Noise monitoring", "tracks_people": false}))]
    TermInput {
        /// Its scheme; that of the path may be left out.
        scheme: Option<Scheme>,
        /// The code that other records use; stays the same.
        #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9_/%.-]*$", max_length = 60, example = "noise_monitoring")]
        code: String,
    };
    /// What can be changed of a term.
    TermChange {
        /// What people read.
        #[schema(example = "Noise monitoring")]
        label: Line,
        /// For units: the symbol.
        symbol: Option<Line>,
        /// For categories: whether such a service tracks people.
        tracks_people: Option<bool>,
        /// The code of the broader term, of the same scheme.
        #[schema(max_length = 60)]
        broader: Option<String>,
        /// Since when it is not used any more.
        retired_on: Option<PartialDate>,
    }
}

/// Filters of terms.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TermFilter {
    /// Codes; repeat for several.
    #[param(example = json!(["smart_street_lighting"]))]
    code: Option<Vec<String>>,
    /// Codes of the broader term; repeat for several.
    #[param(example = json!(["mobility_data"]))]
    broader: Option<Vec<String>>,
    /// Only retired ones, or only those in use.
    retired: Option<bool>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    sort: Option<UpdatedSort>,
}

type Query = term_view::BoxedQuery<'static, diesel::pg::Pg>;

impl TermFilter {
    fn apply(&self, mut query: Query) -> Query {
        if let Some(codes) = &self.code {
            query = query.filter(term_view::code.eq_any(codes.clone()));
        }
        if let Some(codes) = &self.broader {
            query = query.filter(term_view::broader.eq_any(codes.clone()));
        }
        match self.retired {
            Some(true) => query.filter(term_view::retired_on.is_not_null()),
            Some(false) => query.filter(term_view::retired_on.is_null()),
            None => query,
        }
    }
}

fn scheme_of(path: &str) -> Result<Scheme, Problem> {
    path.parse().map_err(|_| Problem::not_found())
}

async fn id_of(conn: &mut Conn, scheme: Scheme, name: &str) -> Result<Uuid, Problem> {
    let mut query = term::table.filter(term::scheme.eq(scheme.label())).select(term::id).into_boxed();
    query = match ids::parse(name) {
        Some(id) => query.filter(term::id.eq(id)),
        None => query.filter(term::code.eq(name)),
    };
    query.first(conn).await.optional()?.ok_or_else(Problem::not_found)
}

async fn check(tx: &mut Tx, scheme: Scheme, broader: Option<&str>, tracks_people: Option<bool>) -> Result<(), Problem> {
    let mut rules = Rules::new();
    if let Some(broader) = broader {
        let found = term::table.filter(term::scheme.eq(scheme.label()).and(term::code.eq(broader)));
        let exists: bool = diesel::select(diesel::dsl::exists(found)).get_result(&mut tx.conn).await?;
        rules.require(exists, "/broader", "unknown_term", "must be the code of a term of the same scheme");
    }
    let fits = tracks_people.is_none() || scheme == Scheme::Categories;
    rules.require(fits, "/tracks_people", "not_for_this_scheme", "is for categories only");
    rules.done()
}

/// Adds a term under an id that may be given.
///
/// # Errors
/// 409 if the scheme has the code.
pub async fn insert(tx: &mut Tx, id: Option<Uuid>, input: &Checked<TermInput>) -> Result<Uuid, Problem> {
    let scheme =
        input.scheme.ok_or_else(|| Problem::invalid(vec![Fault::at("/scheme", "required", "must be given")]))?;
    check(tx, scheme, input.broader.as_deref(), input.tracks_people).await?;
    let existing: Option<Uuid> = term::table
        .filter(term::scheme.eq(scheme.label()).and(term::code.eq(&input.code)))
        .select(term::id)
        .first(&mut tx.conn)
        .await
        .optional()?;
    if existing.is_some() {
        return Err(records::duplicate::<Term>(tx, "scheme and code", existing).await?);
    }
    let id = tx.register_as::<Term>(id.unwrap_or_else(ids::fresh), &input.common()).await?;
    diesel::insert_into(term::table)
        .values((
            term::id.eq(id),
            term::scheme.eq(scheme.label()),
            term::code.eq(&input.code),
            term::label.eq(&input.label),
            term::symbol.eq(&input.symbol),
            term::tracks_people.eq(input.tracks_people),
            term::broader.eq(&input.broader),
            term::retired_on.eq(&input.retired_on),
        ))
        .execute(&mut tx.conn)
        .await?;
    Ok(id)
}

impl Editable for Term {
    type Input = TermInput;
    type Change = TermChange;

    async fn create(tx: &mut Tx, body: &Body<TermInput>) -> Result<Uuid, Problem> {
        tx.act_for(&[])?;
        let input = body.checked(tx).await?;
        insert(tx, None, &input).await
    }

    async fn change(tx: &mut Tx, current: &Term, body: &Body<TermChange>) -> Result<bool, Problem> {
        let id = current.id;
        tx.act_for(&[])?;
        tx.precondition(current)?;
        let Some(input) = body.merged(tx, current).await? else { return Ok(false) };
        check(tx, current.scheme, input.broader.as_deref(), input.tracks_people).await?;
        tx.revise::<Term>(id, &input.common()).await?;
        diesel::update(term::table.find(id))
            .set((
                term::label.eq(&input.label),
                term::symbol.eq(&input.symbol),
                term::tracks_people.eq(input.tracks_people),
                term::broader.eq(&input.broader),
                term::retired_on.eq(&input.retired_on),
            ))
            .execute(&mut tx.conn)
            .await?;
        Ok(true)
    }

    async fn check_fixed(
        _tx: &mut Tx,
        current: &Term,
        input: &Checked<TermInput>,
        rules: &mut Rules,
    ) -> Result<(), Problem> {
        rules.require(input.code == current.code, "/code", "fixed", "stays the code that other records use");
        let same = input.scheme.is_none_or(|scheme| scheme == current.scheme);
        rules.require(same, "/scheme", "fixed", "stays the scheme that it was added to");
        Ok(())
    }
}

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_terms)
        .service(create_term)
        .service(upsert_term)
        .service(get_term)
        .service(list_term_history)
        .service(update_term);
}

/// List the terms of a vocabulary
///
/// Schemes: areas, categories, applicability_reasons, hosting_reasons, replicability, units.
#[utoipa::path(tag = "directory", params(Paging, TermFilter), responses((status = 200, description = "A page of terms", body = Page<Term>)))]
#[get("/v1/vocabularies/{scheme}/terms")]
pub async fn list_terms(call: Call, scheme: web::Path<String>) -> Answer {
    listed(&call, Some(vec![scheme_of(&scheme)?])).await?.page(&call).await
}

/// The terms of these vocabularies, or of all.
async fn listed(call: &Call, schemes: Option<Vec<Scheme>>) -> Result<List<Term>, Problem> {
    let (paging, filter): (Paging, TermFilter) = (call.query()?, call.query()?);
    list!(call, paging, Term, term_view, {
        let query = filter.apply(Term::visible(call.caller()));
        match &schemes {
            Some(schemes) => query.filter(term_view::scheme.eq_any(schemes.clone())),
            None => query,
        }
    }, sort "updated_at" => updated_at: records::Instant)
}

/// Filter by vocabulary, where the path does not name it.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OfSchemes {
    /// Their vocabularies; repeat for several.
    scheme: Option<Vec<Scheme>>,
}

impl Listed for Term {
    async fn list(call: &Call) -> Result<List<Self>, Problem> {
        listed(call, call.query::<OfSchemes>()?.scheme).await
    }
    fn within() -> Vec<Parameter> {
        OfSchemes::into_params(|| Some(ParameterIn::Query))
    }
}

/// Add a term to a vocabulary
///
/// For administrators.
#[utoipa::path(tag = "directory", request_body = TermInput, responses((status = 201, description = "The term", body = Term)))]
#[post("/v1/vocabularies/{scheme}/terms")]
pub async fn create_term(call: Call, scheme: web::Path<String>, body: Body<TermInput>) -> Answer {
    call.create::<Term>(&body.of_path("scheme", scheme_of(&scheme)?.label())).await
}

/// Add or change a term by external id
///
/// For partner systems: makes the term that you know by this id, or brings it to what the body says.
#[utoipa::path(tag = "directory", request_body = TermInput, responses(
    (status = 200, description = "It was there; this is how it is now", body = Term),
    (status = 201, description = "It is new", body = Term)))]
#[put("/v1/vocabularies/{scheme}/terms/by-external-id/{source}/{value}")]
pub async fn upsert_term(call: Call, path: web::Path<(String, String, String)>, body: Body<TermInput>) -> Answer {
    let body = body.of_path("scheme", scheme_of(&path.0)?.label());
    call.upsert::<Term>(&path.1, &path.2, &body).await
}

/// Read a term
///
/// By code or id.
#[utoipa::path(tag = "directory", responses((status = 200, description = "The term", body = Term)))]
#[get("/v1/vocabularies/{scheme}/terms/{id}")]
pub async fn get_term(call: Call, path: web::Path<(String, String)>) -> Answer {
    let id = id_of(&mut call.connection().await?, scheme_of(&path.0)?, &path.1).await?;
    call.one::<Term>(id).await
}

/// List the changes of a term
///
/// Who changed what and when, oldest first.
#[utoipa::path(tag = "directory", params(HistoryPaging), responses((status = 200, description = "Its changes, oldest first", body = Page<Revision>)))]
#[get("/v1/vocabularies/{scheme}/terms/{id}/history")]
pub async fn list_term_history(call: Call, path: web::Path<(String, String)>) -> Answer {
    let id = id_of(&mut call.connection().await?, scheme_of(&path.0)?, &path.1).await?;
    call.history::<Term>(id).await
}

/// Change or retire a term
///
/// For administrators. A term is retired by `retired_on`; records that use it keep it.
#[utoipa::path(tag = "directory", request_body = TermChange, responses((status = 200, description = "The term", body = Term)))]
#[patch("/v1/vocabularies/{scheme}/terms/{id}")]
pub async fn update_term(call: Call, path: web::Path<(String, String)>, body: Body<TermChange>) -> Answer {
    let id = id_of(&mut call.connection().await?, scheme_of(&path.0)?, &path.1).await?;
    call.change::<Term>(id, &body).await
}
