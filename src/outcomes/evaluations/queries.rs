//! Its SQL and the rules that are checked before it.

use super::model::*;
use crate::access::{Role, unauthorised_city};
use crate::database::Tx;
use crate::database::references::Resolved;
use crate::database::schema::{evaluation, evaluation_observation, evaluation_score, evaluation_view, lesson};
use crate::hosting::hostings::Hosting;
use crate::http::body::Rules;
use crate::http::editing::Editable;
use crate::http::{Body, Checked, Problem};
use crate::ids::{self, ObservationId};
use crate::values::{PartialDate, Visibility};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use std::collections::BTreeSet;
use uuid::Uuid;

pub(super) type Query = evaluation_view::BoxedQuery<'static, diesel::pg::Pg>;

impl EvaluationFilter {
    pub(super) fn apply(&self, mut query: Query) -> Query {
        if let Some(kinds) = &self.kind {
            query = query.filter(evaluation_view::kind.eq_any(kinds.clone()));
        }
        if let Some(decisions) = &self.decision {
            query = query.filter(evaluation_view::decision.eq_any(decisions.clone()));
        }
        query = match self.decided {
            Some(true) => query.filter(evaluation_view::decision.is_not_null()),
            Some(false) => query.filter(evaluation_view::decision.is_null()),
            None => query,
        };
        query
    }
}

impl EvaluatedHostings {
    pub(super) fn apply(&self, mut query: Query, resolved: &Resolved) -> Query {
        if let Some(hostings) = &self.hosting_id {
            query = query.filter(evaluation_view::hosting_id.eq_any(hostings.clone()));
        }
        if let Some(pilots) = &self.pilot_id {
            let pilots: Vec<Uuid> = pilots.iter().map(|id| id.0).collect();
            let of_pilots = "evaluation_view.hosting_id IN (SELECT v.id FROM hosting_view v WHERE v.pilot_id = ANY (";
            query = query.filter(sql::<Bool>(of_pilots).bind::<Array<SqlUuid>, _>(pilots).sql("))"));
        }
        if let Some(cities) = resolved.cities(self.host_city.as_ref()) {
            query = query.filter(evaluation_view::host_city_id.eq_any(cities));
        }
        query
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = evaluation, treat_none_as_null = true)]
pub(super) struct Row<'a> {
    evaluated_on: &'a PartialDate,
    summary: &'a str,
    decision: Option<Decision>,
    rationale: Option<&'a str>,
    visibility: Visibility,
}

impl<'a> Row<'a> {
    pub(super) fn of(input: &'a EvaluationChange) -> Self {
        Self {
            evaluated_on: &input.on,
            summary: &input.summary,
            decision: input.decision,
            rationale: input.rationale.as_deref(),
            visibility: input.visibility.unwrap_or(Visibility::Public),
        }
    }
}

/// `self` is the host's, `peer` any other city's, `external` a verifier's.
pub(super) fn author(tx: &mut Tx, kind: EvaluationKind, host_city_id: Uuid) -> Result<(), Problem> {
    match kind {
        EvaluationKind::SelfEvaluation => tx.act_for(&[host_city_id]),
        EvaluationKind::Peer => {
            let others: Vec<Uuid> = tx.caller.cities().iter().copied().filter(|city| *city != host_city_id).collect();
            tx.act_for(&others)
        }
        EvaluationKind::External if tx.caller.role() == Some(Role::Verifier) => Ok(()),
        EvaluationKind::External => tx.act_for(&[]).map_err(|_| unauthorised_city()),
    }
}

/// Its author's city, or a verifier where it is external.
pub(super) fn editor(tx: &mut Tx, current: &Evaluation) -> Result<(), Problem> {
    match current.kind {
        EvaluationKind::External if tx.caller.role() == Some(Role::Verifier) => Ok(()),
        _ => tx.act_for(current.author_city_id.as_slice()),
    }
}

/// Writes an evaluation of a hosting.
///
/// # Errors
/// 422.
pub async fn insert(tx: &mut Tx, hosting_id: Uuid, input: &Checked<EvaluationInput>) -> Result<Uuid, Problem> {
    let change = EvaluationChange::from(&**input);
    let id = tx.register_as::<Evaluation>(ids::fresh(), &input.common()).await?;
    diesel::insert_into(evaluation::table)
        .values((
            evaluation::id.eq(id),
            evaluation::hosting_id.eq(hosting_id),
            evaluation::kind.eq(input.kind),
            evaluation::author_city_id.eq(tx.acting.city_id),
            Row::of(&change),
        ))
        .execute(&mut tx.conn)
        .await?;
    attach(tx, id, &change).await?;
    Ok(id)
}

pub(super) async fn attach(tx: &mut Tx, id: Uuid, input: &EvaluationChange) -> Result<(), Problem> {
    let scores: Vec<_> = input
        .scores
        .by_criterion()
        .into_iter()
        .map(|(criterion, score)| {
            (
                evaluation_score::evaluation_id.eq(id),
                evaluation_score::criterion.eq(criterion),
                evaluation_score::score.eq(score.score),
                evaluation_score::reason.eq(&score.reason),
            )
        })
        .collect();
    diesel::insert_into(evaluation_score::table).values(scores).execute(&mut tx.conn).await?;
    let lessons: Vec<_> = input
        .lessons
        .iter()
        .zip(0i16..)
        .map(|(one, position)| {
            (
                lesson::evaluation_id.eq(id),
                lesson::position.eq(position),
                lesson::kind.eq(one.kind),
                lesson::text.eq(&one.text),
            )
        })
        .collect();
    diesel::insert_into(lesson::table).values(lessons).execute(&mut tx.conn).await?;
    let cited: BTreeSet<ObservationId> = input.observation_ids.iter().copied().collect();
    let cited: Vec<_> = cited
        .into_iter()
        .map(|one| (evaluation_observation::evaluation_id.eq(id), evaluation_observation::observation_id.eq(one)))
        .collect();
    diesel::insert_into(evaluation_observation::table).values(cited).execute(&mut tx.conn).await?;
    Ok(())
}

impl Editable for Evaluation {
    type Input = EvaluationInput;
    type Change = EvaluationChange;

    async fn create(tx: &mut Tx, body: &Body<EvaluationInput>) -> Result<Uuid, Problem> {
        let input = body.checked(tx).await?;
        let hosting = tx.named::<Hosting>("/hosting_id", input.hosting_id.map(|id| id.0)).await?;
        author(tx, input.kind, hosting.host_city_id)?;
        insert(tx, hosting.id, &input).await
    }

    async fn change(tx: &mut Tx, current: &Evaluation, body: &Body<EvaluationChange>) -> Result<bool, Problem> {
        editor(tx, current)?;
        tx.precondition(current)?;
        let Some(input) = body.merged(tx, current).await? else { return Ok(false) };
        tx.revise::<Evaluation>(current.id, &input.common()).await?;
        diesel::update(evaluation::table.find(current.id)).set(Row::of(&input)).execute(&mut tx.conn).await?;
        let attached =
            ["evaluation_score.evaluation_id", "lesson.evaluation_id", "evaluation_observation.evaluation_id"];
        tx.detach(current.id, &attached).await?;
        attach(tx, current.id, &input).await?;
        Ok(true)
    }

    async fn check_fixed(
        _tx: &mut Tx,
        current: &Evaluation,
        input: &Checked<EvaluationInput>,
        rules: &mut Rules,
    ) -> Result<(), Problem> {
        let same = input.hosting_id.is_none_or(|id| id == current.hosting_id);
        rules.require(same, "/hosting_id", "fixed", "stays the hosting that it evaluates");
        rules.require(input.kind == current.kind, "/kind", "fixed", "stays the kind that it is");
        Ok(())
    }
}
