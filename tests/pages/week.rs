//! A program manager's working week: ten tasks in Swagger UI and the pages, by two cities, in real Chromium.

use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::life::CITY_OF_BARCELONA;
use crate::support::{App, Options, secret_of};

/// Somebody at a browser, logged in to Swagger UI.
struct Manager {
    browser: Browser,
    base: String,
}

impl Manager {
    async fn log_in(app: &App, account: &str) -> Self {
        let mut browser = Browser::open().await;
        browser.goto(&format!("{}/docs/", app.base)).await;
        browser.click(".btn.authorize").await;
        browser.click(".auth-container .auth-btn-wrapper .authorize").await;
        browser.switch_window(true).await;
        browser.fill("#client_id", account).await;
        browser.fill("#client_secret", &secret_of(account)).await;
        browser.click("button[type=submit]").await;
        browser.switch_window(false).await;
        assert!(browser.text(".auth-container h6").await.contains("Authorized"));
        Self { browser, base: app.base.clone() }
    }

    /// Opens an operation by its link, fills in its form, executes it, and reads the answer off the page.
    async fn execute(&mut self, operation: &str, filled: &[(&str, &str)], body: Option<Value>, status: &str) -> Value {
        self.browser.goto("about:blank").await;
        self.browser.goto(&format!("{}/docs/#/{operation}", self.base)).await;
        let form = format!("#operations-{}", operation.replace('/', "-"));
        for (name, value) in filled {
            self.browser.fill(&format!("{form} [data-param-name=\"{name}\"] input"), value).await;
        }
        if let Some(body) = body {
            self.browser.fill(&format!("{form} textarea.body-param__text"), &body.to_string()).await;
        }
        self.browser.click(&format!("{form} .btn.execute")).await;
        let answer = format!("{form} .live-responses-table tbody");
        let said = self.browser.text(&format!("{answer} .response-col_status")).await;
        let text = self.browser.text(&format!("{answer} .response-col_description .highlight-code code")).await;
        self.browser.show(&format!("{form} .live-responses-table")).await;
        self.browser.screenshot(&format!("week-{}.png", operation.replace('/', "-"))).await;
        assert!(said.contains(status), "{operation}: {said} {text}");
        assert_eq!(self.browser.complaints().await, Vec::<String>::new(), "{operation}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{operation}: {error} in {text}"))
    }

    async fn moves(&mut self, hosting: &str, body: Value) -> Value {
        self.execute("hosting/create_transition", &[("id", hosting)], Some(body), "200").await
    }

    /// Reads a page, as it is printed too.
    async fn reads(&self, path: &str, heading: &str, name: &str) -> String {
        self.browser.goto(&format!("{}{path}", self.base)).await;
        let text = self.browser.text("main").await;
        assert!(text.contains(heading), "{path}: {text}");
        self.browser.screenshot(&format!("week-{name}.png")).await;
        assert_eq!(self.browser.complaints().await, Vec::<String>::new(), "{path}");
        text
    }
}

fn id(record: &Value) -> &str {
    record["id"].as_str().unwrap()
}

/// Offers a pilot to Barcelona, which agrees, plans and assesses it; the hosting as it is then.
async fn prepare(busan: &mut Manager, barcelona: &mut Manager) -> Value {
    let pilot = json!({
        "title": "Crowd counting at the harbour", "origin_city": "KRPUS", "category": "video_analysis",
        "summary": "Cameras count people at the harbour.", "areas": ["smart_cities"], "processes_personal_data": true
    });
    let pilot = busan.execute("catalogue/create_pilot", &[], Some(pilot), "201").await;
    let offer = json!({"pilot_id": pilot["id"], "host_city": "ESBCN"});
    let hosting = busan.execute("hosting/create_hosting", &[], Some(offer), "201").await;
    let hosting_id = id(&hosting);

    let waiting = barcelona.execute("access/list_inbox", &[], None, "200").await;
    let waiting = waiting["items"].as_array().unwrap();
    assert!(waiting.iter().any(|one| one["kind"] == "proposal" && one["id"] == hosting["id"]), "{waiting:?}");
    let agreed = barcelona.moves(hosting_id, json!({"to": "agreed"})).await;
    let plan = json!({
        "lead_organisation_id": CITY_OF_BARCELONA, "planned_start": "2026-02", "planned_end": "2026-10"
    });
    let version = format!("\"v{}.0000000000000000\"", agreed["version"]);
    barcelona.execute("hosting/update_hosting", &[("id", hosting_id), ("If-Match", &version)], Some(plan), "200").await;
    barcelona.moves(hosting_id, json!({"to": "preparing"})).await;
    let assessment = json!({
        "kind": "dpia", "status": "approved", "decided_on": "2026-01-20", "data_class": "personal"
    });
    barcelona.execute("hosting/create_compliance", &[("id", hosting_id)], Some(assessment), "201").await;
    hosting
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ten_tasks_of_a_working_week_are_done_without_a_stumble() {
    let app = App::start_with(Options { own_url: true, ..Options::default() }).await;
    let mut busan = Manager::log_in(&app, "test-busan").await;
    let mut barcelona = Manager::log_in(&app, "test-barcelona").await;
    let hosting = prepare(&mut busan, &mut barcelona).await;
    let hosting_id = id(&hosting);

    let outcome = json!({
        "indicator": {"vocabulary": "own", "code": "SL-01"}, "subject": {"type": "hosting", "id": hosting_id},
        "level": "outcome", "baseline": {"value": "400", "on": "2025-12"},
        "targets": [{"value": "300", "due_on": "2026-10"}]
    });
    let outcome = barcelona.execute("outcomes/create_outcome", &[], Some(outcome), "201").await;
    barcelona.moves(hosting_id, json!({"to": "live", "on": "2026-02-01"})).await;

    let observed = json!({"starts_on": "2026-03", "ends_on": "2026-03", "value": "340", "status": "submitted"});
    let measured = &[("id", id(&outcome))];
    let observation = barcelona.execute("outcomes/create_observation", measured, Some(observed), "201").await;
    let check = Some(json!({"to": "verified"}));
    busan.execute("outcomes/create_observation_transition", &[("id", id(&observation))], check, "200").await;

    barcelona.moves(hosting_id, json!({"to": "evaluating", "on": "2026-10-31"})).await;
    let evaluation = json!({
        "kind": "self", "on": "2026-11", "summary": "It counts well and people accept it.", "decision": "scale",
        "rationale": "The harbour wants it on every quay.",
        "lessons": [{"kind": "tip", "text": "Put the sign before the camera."}]
    });
    barcelona.execute("outcomes/create_evaluation", &[("id", hosting_id)], Some(evaluation), "201").await;
    let closed = barcelona.moves(hosting_id, json!({"to": "closed"})).await;
    assert_eq!(closed["status"], "closed");

    let need = json!({
        "city": "ESBCN", "title": "To know how full a place is", "description": "Counting people without a gate.",
        "area": "smart_cities", "category": "video_analysis"
    });
    let need = barcelona.execute("catalogue/create_need", &[], Some(need), "201").await;
    let matches = barcelona.execute("catalogue/list_matches", &[("need_id", id(&need))], None, "200").await;
    let found: Vec<&str> =
        matches["items"].as_array().unwrap().iter().map(|one| one["pilot_id"].as_str().unwrap()).collect();
    assert!(found.contains(&hosting["pilot_id"].as_str().unwrap()), "{matches}");

    let page = barcelona.reads(&format!("/hostings/{hosting_id}"), "Crowd counting", "hosting").await;
    for shown in ["Barcelona", "Busan", "340"] {
        assert!(page.contains(shown), "{shown} is not on the page of the hosting: {page}");
    }
    barcelona.reads("/cities/ESBCN", "Crowd counting", "city").await;
    barcelona.reads("/reports/city-profile?city=ESBCN", "Barcelona", "city-report").await;
}
