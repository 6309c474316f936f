//! What must not stop an import or make it endless: odd names, mistakes that come again, a stop in the middle.

use serde_json::{Value, json};

use super::imports::{import, outcome, without_worker};
use crate::support::{App, new_outcome, new_pilot, path, sql};

async fn column(app: &App, statement: &str) -> Vec<Option<String>> {
    sql(&app.database, statement).await.into_iter().map(|row| row[0].clone()).collect()
}

#[tokio::test]
async fn an_external_id_is_a_source_and_a_value_together() {
    let app = without_worker().await;
    let busan = app.busan().await;
    let named = |title: &str, ids: [(&str, &str); 2]| {
        let ids: Vec<Value> = ids.iter().map(|(source, value)| json!({"source": source, "value": value})).collect();
        json!({"city": "KRPUS", "area": "smart_cities", "title": title, "external_ids": ids})
    };
    busan.post("/v1/needs", named("A", [("one", "1"), ("two", "2")])).await.created();
    // Both sources and both values are there, but no such pair.
    busan.post("/v1/needs", named("B", [("one", "2"), ("two", "1")])).await.created();
    busan.post("/v1/needs", named("C", [("one", "3"), ("two", "1")])).await.problem(409, "duplicate");
}

#[tokio::test]
async fn a_new_source_is_that_of_the_city_whose_row_names_it() {
    let app = without_worker().await;
    let (admin, seoul) = (app.admin().await, app.seoul().await);
    let accounts = admin.all("/v1/accounts").await;
    let account = accounts.iter().find(|one| one["client_id"] == "test-seoul").unwrap();
    admin.patch(&path("accounts", account), json!({"cities": ["KRPUS", "ESBCN"]})).await.ok();
    let mut rows = vec![];
    for city in ["KRPUS", "ESBCN"] {
        let pilot = new_pilot(&admin, json!({"origin_city": city})).await;
        let of = new_outcome(&admin, "pilot", &pilot["id"], json!({})).await;
        rows.push(json!({"outcome_id": of["id"], "starts_on": "2025", "ends_on": "2025", "value": "1",
            "external_ids": [{"source": format!("meters-{city}"), "value": "1"}]}));
    }
    let job = import(&app, &seoul, "type=observations", &rows).await;
    assert_eq!(outcome(&job), ("done", [2, 0, 0, 0]), "{job}");
    let owners = "SELECT s.source || ' ' || c.code FROM external_source s JOIN city c ON c.id = s.city_id
        WHERE s.source LIKE 'meters-%' ORDER BY 1";
    assert_eq!(column(&app, owners).await, [Some("meters-ESBCN ESBCN".into()), Some("meters-KRPUS KRPUS".into())]);
}
