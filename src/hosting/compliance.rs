//! Compliance: what the law and procurement ask of a hosting. Seen by the cities involved and by verifiers only.

use actix_web::{delete, get, patch, post, web};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::hostings::Hosting;
use crate::access::{Role, unauthorised_city};
use crate::database::Tx;
use crate::database::records::{self, record};
use crate::database::schema::{compliance, compliance_view};
use crate::http::body::{Input, Rules, input};
use crate::http::call::path_id;
use crate::http::paging::{Page, UpdatedSort, page};
use crate::http::{Answer, Body, Call, Checked, Paging, Problem};
use crate::ids::{self, DocumentId, HostingId, OrganisationId};
use crate::values::{Line, PartialDate, Prose, labels};

labels! {
    /// What is asked for.
    ComplianceKind {
        /// data protection impact assessment (GDPR Art. 35), for hosts in the EEA
        Dpia = "dpia",
        /// privacy impact assessment, elsewhere
        Pia = "pia",
        /// legal basis of the processing
        LegalBasis = "legal_basis",
        /// procurement
        Procurement = "procurement",
        /// permit
        Permit = "permit",
        /// information security
        Security = "security",
        /// ethics
        Ethics = "ethics",
    }
}

labels! {
    /// How far it is.
    ComplianceStatus {
        /// not started
        NotStarted = "not_started",
        /// in progress
        InProgress = "in_progress",
        /// approved
        Approved = "approved",
        /// rejected
        Rejected = "rejected",
        /// not required, with a text that says why; does not satisfy the privacy rule
        NotRequired = "not_required",
    }
}

record! {
    /// One thing that the law or procurement asks of a hosting.
    Compliance = "compliance", "compliance", compliance_view {
        /// The hosting.
        hosting_id: HostingId,
        /// What is asked for.
        kind: ComplianceKind,
        /// How far it is.
        status: ComplianceStatus,
        /// When it was decided.
        decided_on: Option<PartialDate>,
        /// The legal basis.
        legal_basis: Option<String>,
        /// The class of the data.
        data_class: Option<String>,
        /// For how many days data are kept.
        retention_days: Option<i32>,
        /// The controller of the data.
        controller_id: Option<OrganisationId>,
        /// The document of the decision.
        document_id: Option<DocumentId>,
        /// Anything else; why it is not required.
        text: Option<String>,
    }
    kept { host_city_id: Uuid }
}

input! {
    /// A compliance item to add.
    #[schema(example = json!({"kind": "permit", "status": "in_progress", "text": "Works on the public way, district 2."}))]
    ComplianceInput {
        /// What is asked for.
        kind: ComplianceKind,
        /// How far it is; `not_started` if absent.
        status: Option<ComplianceStatus>,
        /// When it was decided.
        decided_on: Option<PartialDate>,
        /// The legal basis.
        legal_basis: Option<Line>,
        /// The class of the data.
        data_class: Option<Line>,
        /// For how many days data are kept.
        #[schema(minimum = 0, maximum = 100_000)]
        retention_days: Option<i32>,
        /// The controller of the data.
        controller_id: Option<OrganisationId>,
        /// The document of the decision.
        document_id: Option<DocumentId>,
        /// Anything else; why it is not required.
        text: Option<Prose>,
    }
}

input! {
    /// What can be changed of a compliance item.
    #[schema(example = json!({"status": "in_progress"}))]
    ComplianceChange {
        /// How far it is.
        status: ComplianceStatus,
        /// When it was decided.
        decided_on: Option<PartialDate>,
        /// The legal basis.
        legal_basis: Option<Line>,
        /// The class of the data.
        data_class: Option<Line>,
        /// For how many days data are kept.
        #[schema(minimum = 0, maximum = 100_000)]
        retention_days: Option<i32>,
        /// The controller of the data.
        controller_id: Option<OrganisationId>,
        /// The document of the decision.
        document_id: Option<DocumentId>,
        /// Anything else; why it is not required.
        text: Option<Prose>,
    }
}

/// Filters of compliance items.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ComplianceFilter {
    /// What is asked for; repeat for several.
    kind: Option<Vec<ComplianceKind>>,
    /// How far they are; repeat for several.
    status: Option<Vec<ComplianceStatus>>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    sort: Option<UpdatedSort>,
}

type Query = compliance_view::BoxedQuery<'static, diesel::pg::Pg>;

impl ComplianceFilter {
    fn apply(&self, mut query: Query) -> Query {
        if let Some(kinds) = &self.kind {
            query = query.filter(compliance_view::kind.eq_any(kinds.clone()));
        }
        if let Some(statuses) = &self.status {
            query = query.filter(compliance_view::status.eq_any(statuses.clone()));
        }
        query
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = compliance, treat_none_as_null = true)]
struct Row<'a> {
    status: ComplianceStatus,
    decided_on: Option<&'a PartialDate>,
    legal_basis: Option<&'a str>,
    data_class: Option<&'a str>,
    retention_days: Option<i32>,
    controller_id: Option<OrganisationId>,
    document_id: Option<DocumentId>,
    text: Option<&'a str>,
}

impl<'a> Row<'a> {
    fn of(input: &'a ComplianceChange) -> Self {
        Self {
            status: input.status,
            decided_on: input.decided_on.as_ref(),
            legal_basis: input.legal_basis.as_deref(),
            data_class: input.data_class.as_deref(),
            retention_days: input.retention_days,
            controller_id: input.controller_id,
            document_id: input.document_id,
            text: input.text.as_deref(),
        }
    }
}

impl From<&ComplianceInput> for ComplianceChange {
    fn from(input: &ComplianceInput) -> Self {
        let input = input.clone();
        Self {
            status: input.status.unwrap_or(ComplianceStatus::NotStarted),
            decided_on: input.decided_on,
            legal_basis: input.legal_basis,
            data_class: input.data_class,
            retention_days: input.retention_days,
            controller_id: input.controller_id,
            document_id: input.document_id,
            text: input.text,
            external_ids: input.external_ids,
            citations: input.citations,
            language: input.language,
            translations: input.translations,
        }
    }
}

fn check(input: &ComplianceChange) -> Result<(), Problem> {
    let mut rules = Rules::new();
    let explained = input.status != ComplianceStatus::NotRequired || input.text.is_some();
    rules.require(explained, "/text", "required", "must say why it is not required");
    rules.done()
}

/// Adds a compliance item to a hosting.
///
/// # Errors
/// 409 if the hosting has a privacy assessment of this kind, 422.
pub async fn insert(tx: &mut Tx, hosting_id: Uuid, input: &Checked<ComplianceInput>) -> Result<Uuid, Problem> {
    let change = ComplianceChange::from(&**input);
    check(&change)?;
    if matches!(input.kind, ComplianceKind::Dpia | ComplianceKind::Pia) {
        let existing: Option<Uuid> = compliance::table
            .filter(compliance::hosting_id.eq(hosting_id).and(compliance::kind.eq(input.kind)))
            .select(compliance::id)
            .first(&mut tx.conn)
            .await
            .optional()?;
        if existing.is_some() {
            return Err(records::duplicate::<Compliance>(tx, "hosting and kind", existing).await?);
        }
    }
    let id = tx.register_as::<Compliance>(ids::new(), &input.common()).await?;
    diesel::insert_into(compliance::table)
        .values((
            compliance::id.eq(id),
            compliance::hosting_id.eq(hosting_id),
            compliance::kind.eq(input.kind),
            Row::of(&change),
        ))
        .execute(&mut tx.conn)
        .await?;
    Ok(id)
}

/// List the compliance of a hosting
///
/// Seen by the cities involved and by verifiers only.
#[utoipa::path(tag = "hosting", params(Paging, ComplianceFilter), responses((status = 200, description = "A page of compliance items", body = Page<Compliance>)))]
#[get("/v1/hostings/{id}/compliance")]
pub async fn list_compliance(call: Call, id: web::Path<String>) -> Answer {
    let (paging, filter): (Paging, ComplianceFilter) = (call.query()?, call.query()?);
    let hosting = records::find::<Hosting>(
        &mut call.connection().await?,
        call.caller(),
        path_id(&id)?,
        call.state().clock.today(),
    )
    .await?;
    let caller = call.caller();
    if caller.role() == Some(Role::Editor) && caller.city_among(&hosting.cities()).is_none() {
        return Err(unauthorised_city());
    }
    page!(call, paging, Compliance, compliance_view,
        filter.apply(Compliance::visible(caller).filter(compliance_view::hosting_id.eq(hosting.id))),
        sort "updated_at" => updated_at: records::Instant)
}

/// Add a compliance item to a hosting
///
/// Editors of the host city. A DPIA (host in the EEA) or PIA (elsewhere) must be approved before a hosting that may
/// process personal data goes live.
#[utoipa::path(tag = "hosting", request_body = ComplianceInput, responses((status = 201, description = "The compliance item", body = Compliance)))]
#[post("/v1/hostings/{id}/compliance")]
pub async fn create_compliance(call: Call, id: web::Path<String>, body: Body<ComplianceInput>) -> Answer {
    call.write(async |tx| {
        let hosting = tx.target::<Hosting>(path_id(&id)?).await?;
        tx.act_for(&[hosting.host_city_id])?;
        let input = body.checked(tx).await?;
        let id = insert(tx, hosting.id, &input).await?;
        tx.created::<Compliance>(id).await
    })
    .await
}

/// Read a compliance item
///
/// Seen by the cities involved and by verifiers only.
#[utoipa::path(tag = "hosting", responses((status = 200, description = "The compliance item", body = Compliance)))]
#[get("/v1/compliance/{id}")]
pub async fn get_compliance(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Compliance>(path_id(&id)?).await
}

/// Change a compliance item
///
/// Editors of the host city. Its history keeps every status it had.
#[utoipa::path(tag = "hosting", request_body = ComplianceChange, responses((status = 200, description = "The compliance item", body = Compliance)))]
#[patch("/v1/compliance/{id}")]
pub async fn update_compliance(call: Call, id: web::Path<String>, body: Body<ComplianceChange>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Compliance>(path_id(&id)?).await?;
        tx.act_for(&[current.host_city_id])?;
        tx.precondition(&current)?;
        let Some(input) = body.merged(tx, &current).await? else {
            return Ok(tx.unchanged(current));
        };
        check(&input)?;
        tx.revise::<Compliance>(current.id, &input.common()).await?;
        diesel::update(compliance::table.find(current.id)).set(Row::of(&input)).execute(&mut tx.conn).await?;
        tx.updated::<Compliance>(current.id).await
    })
    .await
}

/// Delete a compliance item
///
/// Editors of the host city.
#[utoipa::path(tag = "hosting", responses((status = 204, description = "Deleted")))]
#[delete("/v1/compliance/{id}")]
pub async fn delete_compliance(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Compliance>(path_id(&id)?).await?;
        tx.act_for(&[current.host_city_id])?;
        tx.precondition(&current)?;
        tx.deleted(current).await
    })
    .await
}
