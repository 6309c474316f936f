//! What is private shows on no path: every read of the OpenAPI document is made for hidden records of every kind.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::api::openapi::operations;
use crate::support::cooperation::new_agreement;
use crate::support::life::{Exchange, evaluation, submitted};
use crate::support::{Actor, App, new_assessment, new_outcome, new_pilot, path};

/// A word that stands in every hidden record.
const SECRET: &str = "quetzalcoatl";

/// Reads that answer nothing without a query: each with the queries it is asked with.
const QUERIES: &[(&str, &[&str])] = &[
    ("search_records", &["q=quetzalcoatl", "q=quetzalcotl", "limit=100"]),
    ("list_matches", &["city=ESBCN&limit=100", "pilot_id={id}", "need_id={id}"]),
];

/// Reads that are not of records.
const NOT_OF_RECORDS: &[&str] = &[
    "get_service",
    "get_liveness",
    "get_readiness",
    "get_keys",
    "get_authorization_server",
    "get_protected_resource",
    "get_me",
    "list_accounts",
    "get_account",
];

/// Records by their collection.
type Records = Vec<(&'static str, Value)>;

/// Hidden records, each private itself, and the public ones around them.
async fn hidden(exchange: &Exchange) -> (Records, Records) {
    let secret = |more: Value| {
        let mut body = json!({"visibility": "private"});
        crate::support::merge(&mut body, more);
        body
    };
    let pilot = new_pilot(&exchange.busan, secret(json!({"title": SECRET, "summary": SECRET}))).await;
    let document = json!({"title": SECRET, "city": "KRPUS", "visibility": "private"});
    let document = exchange.busan.post("/v1/documents", document).await.created();
    let assessed = new_pilot(&exchange.busan, json!({})).await;
    let assessment = new_assessment(&exchange.barcelona, &assessed, secret(json!({"text": SECRET}))).await;
    let agreement = new_agreement(&exchange.busan, secret(json!({"title": SECRET}))).await;
    let live = exchange.hosting_at("live").await;
    let hosting = exchange.hosting_at("live").await;
    let change = secret(json!({"scale_note": SECRET}));
    let hosting = exchange.barcelona.patch(&path("hostings", &hosting), change).await.ok();
    let list = format!("{}/evaluations", path("hostings", &live));
    let evaluation = exchange.barcelona.post(&list, evaluation(secret(json!({"summary": SECRET})))).await.created();
    let outcome = new_outcome(&exchange.barcelona, "hosting", &live["id"], secret(json!({}))).await;
    let told = json!({"value": "300", "method": SECRET});
    let observation = submitted(&exchange.barcelona, &outcome, ("2026", "2026"), told).await;
    let item = json!({"kind": "permit", "text": SECRET});
    let item = exchange.barcelona.post(&format!("{}/compliance", path("hostings", &live)), item).await.created();
    // Public records that name hidden ones, by links and citations.
    let cited = json!({"citations": [{"document_id": document["id"], "quote": SECRET}]});
    let citing = new_pilot(&exchange.busan, cited).await;
    let public = vec![("hostings", live), ("pilots", assessed), ("pilots", citing)];
    let hidden = vec![
        ("pilots", pilot),
        ("documents", document),
        ("applicability", assessment),
        ("agreements", agreement),
        ("hostings", hosting),
        ("evaluations", evaluation),
        ("outcomes", outcome),
        ("observations", observation),
        ("compliance", item),
    ];
    (hidden, public)
}

/// The ways to ask by one operation: as it is, of the past, with everything that records name.
fn ways(operation: &Value) -> Vec<String> {
    let mut ways = vec![String::new()];
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        match parameter["name"].as_str() {
            Some("expand") => {
                let all = parameter["schema"]["items"]["enum"].as_array().unwrap().iter();
                let all: Vec<String> = all.map(|one| format!("expand={}", one.as_str().unwrap())).collect();
                ways.push(all.join("&"));
            }
            Some("q") => ways.push(format!("q={SECRET}")),
            Some("as_of") => {
                ways.push(format!("as_of={}", chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true)));
            }
            Some("count") => ways.push("count=exact&limit=500".into()),
            _ => {}
        }
    }
    ways
}

async fn shows_nothing(actor: &Actor, who: &str, address: &str, ids: &BTreeSet<String>) {
    let answer = actor.get(address).await;
    if answer.status != 200 {
        assert!(
            matches!(answer.status, 400 | 401 | 403 | 404),
            "{who} at {address}: {} {}",
            answer.status,
            answer.text
        );
        return;
    }
    assert!(!answer.text.contains(SECRET), "{who} reads a hidden text at {address}: {}", answer.text);
    for id in ids {
        assert!(!answer.text.contains(id.as_str()), "{who} reads a hidden id at {address}: {}", answer.text);
    }
}

#[tokio::test]
async fn what_is_private_shows_on_no_path() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let (hidden, public) = hidden(&exchange).await;
    let ids: BTreeSet<String> = hidden.iter().map(|(_, record)| record["id"].as_str().unwrap().to_owned()).collect();
    let actors =
        [("anonymous", app.anonymous()), ("a reader", app.reader().await), ("another city", app.seoul().await)];
    let mut asked = 0;
    for (method, template, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap();
        if method != "get" || NOT_OF_RECORDS.contains(&id) {
            continue;
        }
        let own: Vec<String> = match QUERIES.iter().find(|(name, _)| *name == id) {
            Some((_, queries)) => queries
                .iter()
                .flat_map(|query| ids.iter().map(|id| query.replace("{id}", id)))
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
            None => ways(operation),
        };
        let template = template.replace("{format}", "ndjson");
        let collection = template.split('/').nth(2).unwrap_or_default();
        let of_this = |(name, _): &&(&str, Value)| template.contains("{id}") && *name == collection;
        let mut paths: Vec<String> = hidden
            .iter()
            .chain(&public)
            .filter(of_this)
            .map(|(_, record)| template.replace("{id}", record["id"].as_str().unwrap()))
            .collect();
        if !template.contains('{') {
            paths.push(template.clone());
        }
        for (who, actor) in &actors {
            for path in &paths {
                for query in &own {
                    shows_nothing(actor, who, format!("{path}?{query}").trim_end_matches('?'), &ids).await;
                    asked += 1;
                }
            }
        }
    }
    assert!(asked > 200, "{asked}");
    // The cities involved do see them: the words are there to be found.
    let answer = exchange.busan.get(&format!("/v1/search?q={SECRET}&limit=100")).await.ok();
    assert!(answer["items"].as_array().unwrap().len() > 4, "{answer}");
}
