//! The inbox: what waits for the cities of an account.

use std::sync::LazyLock;

use actix_web::get;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::{Caller, Role};
use crate::http::paging::{Page, Steps};
use crate::http::{Answer, Call, Problem};
use crate::values::{PartialDate, labels};

labels! {
    /// What is waited for.
    InboxKind {
        /// a hosting is proposed, and the city has to agree or decline
        Proposal = "proposal",
        /// an observation was submitted, and may be verified
        Verification = "verification",
        /// a hosting ended, and there is no evaluation with a decision
        EvaluationDue = "evaluation_due",
        /// an outcome's next observation is overdue
        ObservationDue = "observation_due",
        /// a hosting is live and its privacy rule is not met any more
        BrokenGate = "broken_gate",
    }
}

/// Something that waits for a city.
#[derive(Debug, Serialize, ToSchema, QueryableByName)]
pub struct InboxItem {
    /// What is waited for.
    #[diesel(sql_type = Text)]
    kind: InboxKind,
    /// The city that it waits for; of a verification that anybody may do, the city that measured.
    #[diesel(sql_type = Text)]
    #[schema(example = "KRPUS")]
    city: String,
    /// The collection of the record it is about.
    #[serde(rename = "type")]
    #[diesel(sql_type = Text)]
    #[schema(example = "hostings")]
    collection: String,
    /// The record.
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    /// Since or until when, where there is such a day.
    #[diesel(sql_type = Nullable<Text>)]
    due_on: Option<PartialDate>,
    /// In words.
    #[diesel(sql_type = Text)]
    #[schema(example = "Smart streetlights, proposed by KRPUS: agree, or decline")]
    detail: String,
}

/// Filter of the inbox.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InboxFilter {
    /// Only these kinds; repeat for several.
    kind: Option<Vec<InboxKind>>,
}

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_inbox);
}

/// What waits for me
///
/// For editors: what waits for their cities. For verifiers: observations to verify. For administrators: all of it. In
/// order of due day; what has none comes last.
#[utoipa::path(tag = "access", params(Steps, InboxFilter), responses((status = 200, description = "A page of what waits", body = Page<InboxItem>)))]
#[get("/v1/inbox")]
pub async fn list_inbox(call: Call) -> Answer {
    let (steps, filter): (Steps, InboxFilter) = (call.query()?, call.query()?);
    let mut conn = call.connection().await?;
    let whose = Whose { caller: call.caller(), today: call.state().clock.today(), kinds: filter.kind };
    let count = match steps.count {
        Some(_) => Some(whose.count(&mut conn).await?),
        None => None,
    };
    let after = call.cursor().map(|cursor| Ok::<_, Problem>((cursor.key()?, cursor.id))).transpose()?;
    let items = whose.page(&mut conn, after, steps.limit() + 1).await?;
    call.page_of(items, steps.limit(), count, |last| (json!(last.due_on.as_ref().map(PartialDate::last_day)), last.id))
}

/// The query; what is due is said once, for the inbox and for the report `overdue`.
static WAITING: LazyLock<String> = LazyLock::new(|| {
    include_str!("inbox.sql").replace("{evaluation_due}", EVALUATION_DUE).replace("{observation_due}", OBSERVATION_DUE)
});

/// Whether a hosting `h` waits for one of `evaluations`: a condition of SQL.
pub const EVALUATION_DUE: &str = include_str!("evaluation_due.sql");

/// When the next observation of an outcome `o` is due: joins of SQL that give `due.day`.
pub const OBSERVATION_DUE: &str = include_str!("observation_due.sql");

/// Whose inbox, on which day, and which part of it.
struct Whose<'a> {
    caller: &'a Caller,
    today: chrono::NaiveDate,
    kinds: Option<Vec<InboxKind>>,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// The query of the inbox with its first six parameters, so that it can be asked for a page and for its size.
macro_rules! ask {
    ($whose:ident, $rest:literal) => {{
        let caller = $whose.caller;
        let editor = caller.role() == Some(Role::Editor);
        let everywhere = caller.is_administrator();
        diesel::sql_query(format!("{}{}", *WAITING, $rest))
            .bind::<Array<SqlUuid>, _>(if editor { caller.cities().to_vec() } else { vec![] })
            .bind::<Bool, _>(everywhere)
            .bind::<Bool, _>(everywhere || caller.role() == Some(Role::Verifier))
            .bind::<Nullable<SqlUuid>, _>(caller.account_id())
            .bind::<Date, _>($whose.today)
            .bind::<Nullable<Array<Text>>, _>($whose.kinds.clone())
    }};
}

impl Whose<'_> {
    async fn count(&self, conn: &mut crate::database::Conn) -> Result<i64, Problem> {
        let found: Count = ask!(self, "SELECT count(*) AS count FROM ordered").get_result(conn).await?;
        Ok(found.count)
    }

    async fn page(
        &self,
        conn: &mut crate::database::Conn,
        after: Option<(Option<chrono::NaiveDate>, Uuid)>,
        limit: i64,
    ) -> Result<Vec<InboxItem>, Problem> {
        let items = ask!(
            self,
            "SELECT * FROM ordered WHERE $8::uuid IS NULL OR (day, id) > (coalesce($7, 'infinity'), $8)
             ORDER BY day, id LIMIT $9"
        )
        .bind::<Nullable<Date>, _>(after.and_then(|(day, _)| day))
        .bind::<Nullable<SqlUuid>, _>(after.map(|(_, id)| id))
        .bind::<BigInt, _>(limit)
        .load(conn)
        .await?;
        Ok(items)
    }
}
