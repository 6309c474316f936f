//! Evaluations: what was learned from a hosting, and what was decided.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::{delete, get, patch, post, web};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::access::{Role, unauthorised_city};
use crate::database::Tx;
use crate::database::records::{self, record};
use crate::database::schema::{evaluation, evaluation_observation, evaluation_score, evaluation_view, lesson};
use crate::hosting::hostings::Hosting;
use crate::http::body::{Input, input};
use crate::http::call::path_id;
use crate::http::paging::{Page, UpdatedSort, page};
use crate::http::{Answer, Body, Call, Checked, Paging, Problem};
use crate::ids::{self, HostingId, ObservationId};
use crate::values::{Json, PartialDate, Prose, Visibility, labels};

labels! {
    /// Who evaluates.
    EvaluationKind {
        /// the host city itself
        SelfEvaluation = "self",
        /// another city of the registry
        Peer = "peer",
        /// a verifier
        External = "external",
    }
}

labels! {
    /// What was decided.
    Decision {
        /// extend it
        Scale = "scale",
        /// go on in another form
        Adapt = "adapt",
        /// go on as a pilot
        ContinuePilot = "continue_pilot",
        /// end it
        Stop = "stop",
        /// not enough is known
        Inconclusive = "inconclusive",
    }
}

labels! {
    /// What a lesson is.
    LessonKind {
        /// what helped
        Enabler = "enabler",
        /// what stood in the way
        Barrier = "barrier",
        /// advice to the next city
        Tip = "tip",
    }
}

/// How a hosting does by one criterion.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// 1 (poor) to 4 (very good); null: not assessed.
    #[schema(minimum = 1, maximum = 4)]
    pub score: Option<i16>,
    /// Why.
    #[schema(min_length = 1, max_length = 10_000)]
    pub reason: String,
}

/// Something learned.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Lesson {
    /// What it is.
    pub kind: LessonKind,
    /// In words.
    #[schema(
        min_length = 1,
        max_length = 10_000,
        example = "Agree on the maintenance window before the luminaires arrive."
    )]
    pub text: String,
}

/// The six criteria of OECD-DAC (2019).
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Scores {
    /// Does it the right things.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relevance: Option<Score>,
    /// Does it fit with what else is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coherence: Option<Score>,
    /// Does it reach its aims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effectiveness: Option<Score>,
    /// Is it worth what it costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub efficiency: Option<Score>,
    /// What difference it makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impact: Option<Score>,
    /// Will it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sustainability: Option<Score>,
}

impl Scores {
    fn by_criterion(&self) -> BTreeMap<&'static str, &Score> {
        let all = [
            ("relevance", &self.relevance),
            ("coherence", &self.coherence),
            ("effectiveness", &self.effectiveness),
            ("efficiency", &self.efficiency),
            ("impact", &self.impact),
            ("sustainability", &self.sustainability),
        ];
        all.into_iter().filter_map(|(criterion, score)| Some((criterion, score.as_ref()?))).collect()
    }
}

record! {
    /// What was learned from a hosting, and what was decided.
    Evaluation = "evaluations", "evaluation", evaluation_view {
        /// The hosting.
        hosting_id: HostingId,
        /// Who evaluates.
        kind: EvaluationKind,
        /// When.
        on: PartialDate,
        /// In a few sentences.
        summary: String,
        /// By criterion; one that is absent or without a score was not assessed.
        #[schema(value_type = Scores)]
        scores: Json<Scores>,
        /// What was learned.
        #[schema(value_type = Vec<Lesson>)]
        lessons: Json<Vec<Lesson>>,
        /// What was decided; needed to close the hosting.
        decision: Option<Decision>,
        /// Why.
        rationale: Option<String>,
        /// The observations that it cites.
        observation_ids: Vec<Uuid>,
        /// Who may see it; never wider than its hosting.
        visibility: Visibility,
    }
    kept { host_city_id: Uuid, author_city_id: Option<Uuid> }
}

input! {
    /// An evaluation to write.
    #[schema(example = json!({
        "kind": "self", "on": "2026-10-01",
        "summary": "The lights dim as intended and save energy; maintenance needs more people than planned.",
        "scores": {"effectiveness": {"score": 3, "reason": "Savings as targeted in two of three districts."}},
        "lessons": [{"kind": "tip", "text": "Agree on the maintenance window before the luminaires arrive."}],
        "decision": "scale", "rationale": "Savings pay for the maintenance within three years."
    }))]
    EvaluationInput {
        /// Who evaluates.
        kind: EvaluationKind,
        /// When.
        on: PartialDate,
        /// In a few sentences.
        summary: Prose,
        /// By criterion; one that is absent or without a score was not assessed.
        #[serde(default)]
        scores: Scores,
        /// What was learned.
        #[serde(default)]
        #[schema(max_items = 100)]
        lessons: Vec<Lesson>,
        /// What was decided; needed to close the hosting.
        decision: Option<Decision>,
        /// Why.
        rationale: Option<Prose>,
        /// The observations that it cites.
        #[serde(default)]
        #[schema(max_items = 200)]
        observation_ids: Vec<ObservationId>,
        /// Who may see it; `public` if absent.
        visibility: Option<Visibility>,
    }
}

input! {
    /// What can be changed of an evaluation.
    #[schema(example = json!({"rationale": "Savings pay for the maintenance within four years."}))]
    EvaluationChange {
        /// When.
        on: PartialDate,
        /// In a few sentences.
        summary: Prose,
        /// By criterion; one that is absent or without a score was not assessed.
        #[serde(default)]
        scores: Scores,
        /// What was learned.
        #[serde(default)]
        #[schema(max_items = 100)]
        lessons: Vec<Lesson>,
        /// What was decided; needed to close the hosting.
        decision: Option<Decision>,
        /// Why.
        rationale: Option<Prose>,
        /// The observations that it cites.
        #[serde(default)]
        #[schema(max_items = 200)]
        observation_ids: Vec<ObservationId>,
        /// Who may see it; `public` if absent.
        visibility: Option<Visibility>,
    }
}

impl From<&EvaluationInput> for EvaluationChange {
    fn from(input: &EvaluationInput) -> Self {
        let input = input.clone();
        Self {
            on: input.on,
            summary: input.summary,
            scores: input.scores,
            lessons: input.lessons,
            decision: input.decision,
            rationale: input.rationale,
            observation_ids: input.observation_ids,
            visibility: input.visibility,
            external_ids: input.external_ids,
            citations: input.citations,
            language: input.language,
            translations: input.translations,
        }
    }
}

/// Filters of evaluations.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EvaluationFilter {
    /// Who evaluates; repeat for several.
    kind: Option<Vec<EvaluationKind>>,
    /// What was decided; repeat for several.
    decision: Option<Vec<Decision>>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    sort: Option<UpdatedSort>,
}

type Query = evaluation_view::BoxedQuery<'static, diesel::pg::Pg>;

impl EvaluationFilter {
    fn apply(&self, mut query: Query) -> Query {
        if let Some(kinds) = &self.kind {
            query = query.filter(evaluation_view::kind.eq_any(kinds.clone()));
        }
        if let Some(decisions) = &self.decision {
            query = query.filter(evaluation_view::decision.eq_any(decisions.clone()));
        }
        query
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = evaluation, treat_none_as_null = true)]
struct Row<'a> {
    evaluated_on: &'a PartialDate,
    summary: &'a str,
    decision: Option<Decision>,
    rationale: Option<&'a str>,
    visibility: Visibility,
}

impl<'a> Row<'a> {
    fn of(input: &'a EvaluationChange) -> Self {
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
fn author(tx: &mut Tx, kind: EvaluationKind, host_city_id: Uuid) -> Result<(), Problem> {
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
fn editor(tx: &mut Tx, current: &Evaluation) -> Result<(), Problem> {
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
    let id = tx.register_as::<Evaluation>(ids::new(), &input.common()).await?;
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

async fn attach(tx: &mut Tx, id: Uuid, input: &EvaluationChange) -> Result<(), Problem> {
    diesel::delete(evaluation_score::table.filter(evaluation_score::evaluation_id.eq(id)))
        .execute(&mut tx.conn)
        .await?;
    diesel::delete(lesson::table.filter(lesson::evaluation_id.eq(id))).execute(&mut tx.conn).await?;
    diesel::delete(evaluation_observation::table.filter(evaluation_observation::evaluation_id.eq(id)))
        .execute(&mut tx.conn)
        .await?;
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

/// List the evaluations of a hosting
///
/// In order of writing.
#[utoipa::path(tag = "outcomes", params(Paging, EvaluationFilter), responses((status = 200, description = "A page of evaluations", body = Page<Evaluation>)))]
#[get("/v1/hostings/{id}/evaluations")]
pub async fn list_evaluations(call: Call, id: web::Path<String>) -> Answer {
    let (paging, filter): (Paging, EvaluationFilter) = (call.query()?, call.query()?);
    let hosting = records::find::<Hosting>(
        &mut call.connection().await?,
        call.caller(),
        path_id(&id)?,
        call.state().clock.today(),
    )
    .await?;
    page!(call, paging, Evaluation, evaluation_view,
        filter.apply(Evaluation::visible(call.caller()).filter(evaluation_view::hosting_id.eq(hosting.id))),
        sort "updated_at" => updated_at: records::Instant)
}

/// Evaluate a hosting
///
/// `self` by the host city, `peer` by any other city of the registry, `external` by a verifier. A decision is needed
/// to close the hosting.
#[utoipa::path(tag = "outcomes", request_body = EvaluationInput, responses((status = 201, description = "The evaluation", body = Evaluation)))]
#[post("/v1/hostings/{id}/evaluations")]
pub async fn create_evaluation(call: Call, id: web::Path<String>, body: Body<EvaluationInput>) -> Answer {
    call.write(async |tx| {
        let hosting = tx.target::<Hosting>(path_id(&id)?).await?;
        let input = body.checked(tx).await?;
        author(tx, input.kind, hosting.host_city_id)?;
        let id = insert(tx, hosting.id, &input).await?;
        tx.created::<Evaluation>(id).await
    })
    .await
}

/// Read an evaluation
///
/// By id.
#[utoipa::path(tag = "outcomes", responses((status = 200, description = "The evaluation", body = Evaluation)))]
#[get("/v1/evaluations/{id}")]
pub async fn get_evaluation(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Evaluation>(path_id(&id)?).await
}

/// Change an evaluation
///
/// By those who may write one of its kind.
#[utoipa::path(tag = "outcomes", request_body = EvaluationChange, responses((status = 200, description = "The evaluation", body = Evaluation)))]
#[patch("/v1/evaluations/{id}")]
pub async fn update_evaluation(call: Call, id: web::Path<String>, body: Body<EvaluationChange>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Evaluation>(path_id(&id)?).await?;
        editor(tx, &current)?;
        tx.precondition(&current)?;
        let Some(input) = body.merged(tx, &current).await? else {
            return Ok(tx.unchanged(current));
        };
        tx.revise::<Evaluation>(current.id, &input.common()).await?;
        diesel::update(evaluation::table.find(current.id)).set(Row::of(&input)).execute(&mut tx.conn).await?;
        attach(tx, current.id, &input).await?;
        tx.updated::<Evaluation>(current.id).await
    })
    .await
}

/// Delete an evaluation
///
/// By those who may write one of its kind.
#[utoipa::path(tag = "outcomes", responses((status = 204, description = "Deleted")))]
#[delete("/v1/evaluations/{id}")]
pub async fn delete_evaluation(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Evaluation>(path_id(&id)?).await?;
        editor(tx, &current)?;
        tx.precondition(&current)?;
        tx.deleted(current).await
    })
    .await
}
