//! The table of permissions, operation by operation of the OpenAPI document, for every kind of caller.

use pilot_exchange::access::table::{self, May, Row};
use pilot_exchange::api;
use serde_json::{Value, json};

use crate::support::cooperation::{
    activity, agreement, initiative, new_activity, new_agreement, new_initiative, new_partnership,
};
use crate::support::{Actor, Answer, App, founding, new_assessment, new_hosting, new_outcome, new_pilot, unique};

/// Records of Busan that every operation finds something to work on.
struct World {
    app: App,
    pilot: Value,
    need: Value,
    assessment: Value,
    hosting: Value,
    compliance: Value,
    outcome: Value,
    observation: Value,
    own_evaluation: Value,
    external_evaluation: Value,
    indicator: Value,
    document: Value,
    organisation: Value,
    account: Value,
    import: Value,
    partnership: Value,
    initiative: Value,
    activity: Value,
    agreement: Value,
    /// By caller, each with a delivery: nobody sees those of others.
    webhooks: Vec<(&'static str, Value, Value)>,
}

/// A caller: how it is called, and what the table says of it.
struct Caller {
    name: &'static str,
    actor: Actor,
    may: fn(&Row) -> May,
}

fn evaluation(kind: &str) -> Value {
    json!({"kind": kind, "on": "2026-10-01", "summary": "It works."})
}

fn need() -> Value {
    json!({"city": "KRPUS", "area": "smart_cities", "title": unique()})
}

fn indicator() -> Value {
    json!({"vocabulary": "own", "city": "KRPUS", "code": format!("SL-{}", unique()), "name": "Glare", "unit": "n",
           "definition": "Complaints about glare.", "measure": "number", "direction": "down", "aggregation": "sum"})
}

/// A webhook of each caller who may have one, with a delivery.
async fn webhooks(app: &App) -> Vec<(&'static str, Value, Value)> {
    let owners = [
        ("reader", app.reader().await),
        ("editor of the city", app.busan().await),
        ("editor of another city", app.seoul().await),
        ("verifier", app.verifier().await),
        ("administrator", app.admin().await),
    ];
    let mut made = vec![];
    for (name, owner) in owners {
        let body = json!({"url": "http://127.0.0.1:9999/", "types": ["*"]});
        let webhook = owner.post("/v1/webhooks", body).await.created();
        let test = format!("/v1/webhooks/{}/test", webhook["id"].as_str().unwrap());
        let delivery = owner.send(owner.request("POST", &test)).await.ok();
        made.push((name, webhook, delivery));
    }
    made
}

impl World {
    async fn start() -> Self {
        let app = App::start().await;
        let (admin, busan, verifier) = (app.admin().await, app.busan().await, app.verifier().await);
        let pilot = new_pilot(&busan, json!({})).await;
        let hosting = new_hosting(&busan, &pilot, json!({"host_city": "KRPUS"})).await;
        let at = format!("/v1/hostings/{}", hosting["id"].as_str().unwrap());
        // While it is only proposed, nobody without an account sees it.
        busan.transition(&at, json!({"to": "agreed"})).await.ok();
        let outcome = new_outcome(&busan, "hosting", &hosting["id"], json!({})).await;
        let of_outcome = format!("/v1/outcomes/{}/observations", outcome["id"].as_str().unwrap());
        let observed = json!({"starts_on": "2026-01", "ends_on": "2026-01", "value": "1", "status": "submitted"});
        Self {
            need: busan.post("/v1/needs", need()).await.created(),
            assessment: new_assessment(&busan, &pilot, json!({})).await,
            compliance: busan.post(&format!("{at}/compliance"), json!({"kind": "permit"})).await.created(),
            observation: app.actor("test-busan-2").await.post(&of_outcome, observed).await.created(),
            own_evaluation: busan.post(&format!("{at}/evaluations"), evaluation("self")).await.created(),
            external_evaluation: verifier.post(&format!("{at}/evaluations"), evaluation("external")).await.created(),
            indicator: busan.post("/v1/indicators", indicator()).await.created(),
            document: busan.post("/v1/documents", json!({"title": "Plan", "city": "KRPUS"})).await.created(),
            organisation: busan.post("/v1/organisations", json!({"name": "Lamps", "city": "KRPUS"})).await.created(),
            account: admin
                .post("/v1/accounts", json!({"client_id": "another", "name": "Another", "role": "reader"}))
                .await
                .created(),
            import: busan.post("/v1/imports?type=needs", json!([])).await.json,
            partnership: new_partnership(&busan, json!({"programme_id": null, "cities": ["KRPUS", "ESBCN"]})).await,
            initiative: new_initiative(&busan, json!({})).await,
            activity: new_activity(&busan, json!({})).await,
            agreement: new_agreement(&busan, json!({})).await,
            webhooks: webhooks(&app).await,
            app,
            pilot,
            hosting,
            outcome,
        }
    }
}

impl World {
    async fn callers(&self) -> Vec<Caller> {
        let caller = |name, actor, may| Caller { name, actor, may };
        vec![
            caller("anonymous", self.app.anonymous(), |row| row.anonymous),
            caller("reader", self.app.reader().await, |row| row.reader),
            caller("editor of the city", self.app.busan().await, |row| row.editor),
            caller("editor of another city", self.app.seoul().await, |row| row.editor),
            caller("verifier", self.app.verifier().await, |row| row.verifier),
            caller("administrator", self.app.admin().await, |_| May::Yes),
        ]
    }

    /// The path of an operation with a record of Busan in it.
    fn path(&self, template: &str, caller: &str) -> String {
        if template.ends_with("/by-external-id/{source}/{value}") {
            let scheme = template.replace("{scheme}", "areas");
            return scheme
                .replace("{source}", &format!("test-{}", caller.replace(' ', "-")))
                .replace("{value}", &unique());
        }
        let collection = template.split('/').nth(2).unwrap_or_default();
        let template = template.replace("{source}", "busan-open-data").replace("{value}", &unique());
        let id = match collection {
            "cities" => return template.replace("{id}", "KRPUS"),
            "vocabularies" => return template.replace("{scheme}", "areas").replace("{id}", "smart_cities"),
            "exports" => return template.replace("{format}", "csv"),
            "programmes" => return template.replace("{id}", "015aca1d-6407-7000-8000-000000000007"),
            "organisations" => &self.organisation,
            "documents" => &self.document,
            "pilots" => &self.pilot,
            "partnerships" => &self.partnership,
            "initiatives" => &self.initiative,
            "activities" => &self.activity,
            "agreements" => &self.agreement,
            "needs" => &self.need,
            "applicability" => &self.assessment,
            "hostings" => &self.hosting,
            "compliance" => &self.compliance,
            "indicators" => &self.indicator,
            "outcomes" => &self.outcome,
            "observations" => &self.observation,
            "evaluations" if caller == "verifier" => &self.external_evaluation,
            "evaluations" => &self.own_evaluation,
            "accounts" => &self.account,
            "webhooks" => {
                let own = self.webhooks.iter().find(|(owner, ..)| *owner == caller);
                let (_, webhook, delivery) = own.unwrap_or(&self.webhooks[0]);
                let template = template.replace("{delivery_id}", delivery["id"].as_str().unwrap());
                return template.replace("{id}", webhook["id"].as_str().unwrap());
            }
            "imports" if !template.contains('{') => return format!("{template}?type=needs"),
            "imports" => &self.import,
            _ => return template,
        };
        template.replace("{id}", id["id"].as_str().unwrap())
    }

    /// A body that is acceptable, so that only permission can be in the way.
    fn body(&self, id: &str, caller: &str) -> Value {
        if let Some(noun) = id.strip_prefix("upsert_") {
            let mut body = self.body(&format!("create_{noun}"), caller);
            let (member, parent) = match noun {
                "compliance" | "evaluation" => ("hosting_id", &self.hosting),
                "observation" => ("outcome_id", &self.outcome),
                _ => return body,
            };
            body[member] = parent["id"].clone();
            return body;
        }
        match id {
            "create_webhook" => json!({"url": "http://127.0.0.1:9999/", "types": ["*"]}),
            "replay_webhook" => json!({"from": 1}),
            "create_account" => json!({"client_id": unique(), "name": "One more", "role": "reader"}),
            "create_city" => {
                json!({"name": "Lyon", "country": "FR", "latitude": 45.7, "longitude": 4.8, "timezone": "Europe/Paris"})
            }
            "create_organisation" => json!({"name": unique(), "city": "KRPUS"}),
            "create_programme" => json!({"name": unique()}),
            "create_document" => json!({"title": "Plan", "city": "KRPUS"}),
            "create_term" => json!({"code": format!("t{}", unique().replace('-', "_")), "label": "Term"}),
            "create_pilot" => json!({"title": unique(), "origin_city": "KRPUS", "category": "waste"}),
            "create_partnership" => {
                json!({"title": unique(), "cities": ["KRPUS", "ESBCN"]})
            }
            "create_initiative" => initiative(json!({})),
            "create_initiative_transition" => json!({"to": "negotiating"}),
            "create_activity" => activity(json!({})),
            "create_agreement" => agreement(json!({})),
            "create_need" => need(),
            "create_applicability" => {
                json!({"pilot_id": self.pilot["id"], "city": "ESBCN", "verdict": "unknown"})
            }
            "create_hosting" => json!({"pilot_id": founding::HYDROGEN, "host_city": "KRPUS"}),
            "create_transition" => json!({"to": "agreed"}),
            "create_compliance" => json!({"kind": "permit"}),
            "create_indicator" => indicator(),
            "create_outcome" => {
                json!({"indicator_id": self.indicator["id"], "subject": {"type": "pilot", "id": self.pilot["id"]}, "level": "output"})
            }
            "create_import" => json!([]),
            "create_observations" => {
                json!({"items": [{"outcome_id": self.outcome["id"], "starts_on": "2026", "ends_on": "2026", "value": "1"}]})
            }
            "create_observation" => json!({"starts_on": "2026", "ends_on": "2026", "value": "1"}),
            "create_observation_transition" => json!({"to": "verified"}),
            // Into itself: who is let in hears that this cannot be, and nothing changes.
            "merge_organisation" => json!({"into_id": self.organisation["id"]}),
            "merge_pilot" => json!({"into_id": self.pilot["id"]}),
            "create_evaluation" => evaluation(if caller == "verifier" { "external" } else { "self" }),
            _ => json!({}),
        }
    }

    async fn call(&self, method: &str, template: &str, id: &str, caller: &Caller) -> Answer {
        let actor = &caller.actor;
        // Everything that changes a record names a version that it never had: who is let in gets 412, and nothing changes.
        let request = actor.request(method, &self.path(template, caller.name));
        let request = match method {
            "PUT" => return actor.send(request.json(&self.body(id, caller.name))).await,
            _ => request.header("if-match", "\"v999\""),
        };
        let request = match method {
            "PATCH" => request.header("content-type", "application/merge-patch+json").body("{}"),
            "POST" if WITHOUT_BODY.contains(&id) => request,
            "POST" if id == "create_token" => request.form(&[("grant_type", "password")]),
            "POST" => request.json(&self.body(id, caller.name)),
            _ => request,
        };
        if id == "create_token" {
            // Its errors are no problems, which every other answer is checked for.
            let response = request.send().await.unwrap();
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            return Answer { request: "token".into(), status, headers, text: String::new(), json: Value::Null };
        }
        actor.send(request).await
    }
}

/// What is posted without a body.
pub const WITHOUT_BODY: &[&str] =
    &["rotate_account_secret", "rotate_webhook_secret", "test_webhook", "replay_webhook_delivery", "cancel_import"];

/// What is private to the cities involved is not there for others, rather than forbidden.
const HIDDEN: &[&str] = &[
    "get_compliance",
    "list_compliance_history",
    "update_compliance",
    "delete_compliance",
    "get_import",
    "list_import_errors",
    "get_import_report",
    "cancel_import",
];

fn assert_as_the_table_says(id: &str, row: &Row, caller: &Caller, answer: &Answer) {
    let may = (caller.may)(row);
    let at = format!("{id} by {} ({may:?}): {} {}", caller.name, answer.status, answer.text);
    match (may, caller.name) {
        (May::No, "anonymous") => assert_eq!(answer.status, 401, "{at}"),
        (May::No, _) => assert_eq!((answer.status, answer.json["code"].as_str()), (403, Some("forbidden")), "{at}"),
        (May::Own, "editor of another city") if HIDDEN.contains(&id) => assert_eq!(answer.status, 404, "{at}"),
        (May::Own, "editor of another city") => {
            assert_eq!((answer.status, answer.json["code"].as_str()), (403, Some("forbidden")), "{at}");
        }
        (May::Own | May::Yes, _) => {
            assert!(!matches!(answer.status, 401 | 403 | 404 | 405 | 406 | 415), "{at}");
            // These need a parameter, of which this sends none.
            let needs_more = matches!(id, "create_token" | "list_matches" | "report_indicator_comparison");
            assert!(answer.status != 400 || needs_more, "{at}");
        }
    }
}

#[tokio::test]
async fn every_operation_lets_in_whom_the_table_says_and_nobody_else() {
    let world = World::start().await;
    let callers = world.callers().await;
    for (template, item) in api::document()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            let row = table::row_of(id).unwrap_or_else(|| panic!("{id} has no row in the table of permissions"));
            for caller in &callers {
                let answer = world.call(&method.to_uppercase(), template, id, caller).await;
                assert_as_the_table_says(id, row, caller, &answer);
            }
        }
    }
}

#[test]
fn the_table_has_one_row_for_each_operation_and_none_besides() {
    let mut rows: Vec<&str> = table::TABLE.iter().map(|row| row.operation).collect();
    let items = api::document()["paths"].as_object().unwrap().values();
    let mut operations: Vec<&str> = items
        .flat_map(|item| item.as_object().unwrap().values())
        .map(|one| one["operationId"].as_str().unwrap())
        .collect();
    rows.sort_unstable();
    operations.sort_unstable();
    assert_eq!(rows, operations);
}

#[test]
fn the_table_is_printed_in_the_document() {
    let description = api::document()["info"]["description"].as_str().unwrap();
    for row in table::TABLE {
        let word = |may: May| match may {
            May::No => "–",
            May::Yes => "yes",
            May::Own => "own",
        };
        let cells = [row.anonymous, row.reader, row.editor, row.verifier].map(word).join(" | ");
        let line = format!("| `{}` | {cells} |", row.operation);
        assert!(description.contains(&line), "{line}");
    }
}

#[tokio::test]
async fn a_city_cannot_be_given_away_to_another_city() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = new_pilot(&busan, json!({})).await;
    let path = format!("/v1/pilots/{}", pilot["id"].as_str().unwrap());
    busan.patch(&path, json!({"origin_city": "ESBCN"})).await.problem(403, "forbidden");
    let document = busan.post("/v1/documents", json!({"title": "Plan", "city": "KRPUS"})).await.created();
    let path = format!("/v1/documents/{}", document["id"].as_str().unwrap());
    busan.patch(&path, json!({"city": "ESBCN"})).await.problem(403, "forbidden");
    busan.patch(&path, json!({"city": null})).await.problem(403, "forbidden");
}

#[tokio::test]
async fn an_editor_changes_of_a_city_its_website_and_population_only() {
    let app = App::start().await;
    let busan = app.busan().await;
    busan.patch("/v1/cities/KRPUS", json!({"website": "https://example.org", "population": 3_300_000})).await.ok();
    for change in [json!({"name": "Pusan"}), json!({"population": 1, "timezone": "UTC"}), json!({"code": null})] {
        busan.patch("/v1/cities/KRPUS", change).await.problem(403, "forbidden");
    }
    assert_eq!(busan.get("/v1/cities/KRPUS").await.ok()["population"], 3_300_000);
}
