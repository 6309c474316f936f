//! Its SQL and the rules that are checked before it.

use super::model::*;
use crate::database::Tx;
use crate::database::records::{self};
use crate::database::schema::{compliance, compliance_view};
use crate::hosting::hostings::Hosting;
use crate::http::body::Rules;
use crate::http::editing::Editable;
use crate::http::{Body, Checked, Problem};
use crate::ids::{self, DocumentId, OrganisationId};
use crate::values::PartialDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

pub(super) type Query = compliance_view::BoxedQuery<'static, diesel::pg::Pg>;

impl ComplianceFilter {
    pub(super) fn apply(&self, mut query: Query) -> Query {
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
pub(super) struct Row<'a> {
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
    pub(super) fn of(input: &'a ComplianceChange) -> Self {
        Self {
            status: input.status.unwrap_or(ComplianceStatus::NotStarted),
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

pub(super) async fn check(_tx: &mut Tx, input: &Checked<ComplianceInput>, rules: &mut Rules) -> Result<(), Problem> {
    check_text(&ComplianceChange::from(&**input), rules);
    Ok(())
}

pub(super) async fn check_change(
    _tx: &mut Tx,
    input: &Checked<ComplianceChange>,
    rules: &mut Rules,
) -> Result<(), Problem> {
    check_text(input, rules);
    Ok(())
}

fn check_text(input: &ComplianceChange, rules: &mut Rules) {
    let explained = input.status != Some(ComplianceStatus::NotRequired) || input.text.is_some();
    rules.require(explained, "/text", "required", "must say why it is not required");
}

/// Adds a compliance item to a hosting.
///
/// # Errors
/// 409 if the hosting has a privacy assessment of this kind, 422.
pub async fn insert(tx: &mut Tx, hosting_id: Uuid, input: &Checked<ComplianceInput>) -> Result<Uuid, Problem> {
    let change = ComplianceChange::from(&**input);
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
    let id = tx.register_as::<Compliance>(ids::fresh(), &input.common()).await?;
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

impl Editable for Compliance {
    type Input = ComplianceInput;
    type Change = ComplianceChange;

    async fn create(tx: &mut Tx, body: &Body<ComplianceInput>) -> Result<Uuid, Problem> {
        let input = body.checked(tx).await?;
        let hosting = tx.named::<Hosting>("/hosting_id", input.hosting_id.map(|id| id.0)).await?;
        tx.act_for(&[hosting.host_city_id])?;
        insert(tx, hosting.id, &input).await
    }

    async fn change(tx: &mut Tx, current: &Compliance, body: &Body<ComplianceChange>) -> Result<bool, Problem> {
        tx.act_for(&[current.host_city_id])?;
        tx.precondition(current)?;
        let Some(input) = body.merged(tx, current).await? else { return Ok(false) };
        tx.revise::<Compliance>(current.id, &input.common()).await?;
        diesel::update(compliance::table.find(current.id)).set(Row::of(&input)).execute(&mut tx.conn).await?;
        Ok(true)
    }

    async fn check_fixed(
        _tx: &mut Tx,
        current: &Compliance,
        input: &Checked<ComplianceInput>,
        rules: &mut Rules,
    ) -> Result<(), Problem> {
        let same = input.hosting_id.is_none_or(|id| id == current.hosting_id);
        rules.require(same, "/hosting_id", "fixed", "stays the hosting that it belongs to");
        rules.require(input.kind == current.kind, "/kind", "fixed", "stays the kind that it is");
        Ok(())
    }
}
