//! Who refers to a record: asked before it is deleted, so that the client hears of all at once.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Tx;
use super::records::Record;
use crate::http::{Code, Problem};

impl Tx {
    /// Counts the records that refer to this one; asked from the catalogue, so that no table is forgotten.
    ///
    /// # Errors
    /// 409 if there are any.
    pub async fn check_references<R: Record>(&mut self, id: Uuid) -> Result<(), Problem> {
        let referring: Vec<Referring> =
            diesel::sql_query(include_str!("referring.sql")).bind::<Text, _>(R::TABLE).load(&mut self.conn).await?;
        let mut references = Map::new();
        for Referring { table_name, condition } in referring {
            let count: Count =
                diesel::sql_query(format!("SELECT count(*) AS count FROM {table_name} WHERE {condition}"))
                    .bind::<SqlUuid, _>(id)
                    .get_result(&mut self.conn)
                    .await?;
            if count.count > 0 {
                let so_far = references.get(collection_of(&table_name)).and_then(Value::as_i64).unwrap_or(0);
                references.insert(collection_of(&table_name).into(), json!(so_far + count.count));
            }
        }
        if references.is_empty() {
            return Ok(());
        }
        let names = references.keys().cloned().collect::<Vec<_>>().join(", ");
        Err(Problem::new(Code::Referenced, format!("records of {names} refer to it")).with("references", references))
    }
}

#[derive(QueryableByName)]
struct Referring {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    condition: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// The collection that a table's rows belong to, as the interface names it.
pub(super) fn collection_of(table: &str) -> &str {
    match table {
        "city" => "cities",
        "organisation" => "organisations",
        "programme" => "programmes",
        "document" => "documents",
        "term" => "terms",
        "pilot" | "pilot_area" | "pilot_provider" => "pilots",
        "need" => "needs",
        "applicability" | "applicability_score" => "applicability",
        "hosting" | "site" | "transition" => "hostings",
        "compliance" => "compliance",
        "indicator" | "indicator_area" => "indicators",
        "outcome" | "target" | "dimension" | "outcome_state" => "outcomes",
        "observation" => "observations",
        "evaluation" | "evaluation_observation" => "evaluations",
        "partnership" | "partnership_city" => "partnerships",
        "initiative" | "initiative_pilot" | "initiative_document" => "initiatives",
        "activity" | "activity_place" | "activity_initiative" | "activity_area" | "activity_participant" => {
            "activities"
        }
        "agreement" | "agreement_party" => "agreements",
        "citation" => "citations",
        "account_city" => "accounts",
        "webhook_city" => "webhooks",
        _ => "records",
    }
}
