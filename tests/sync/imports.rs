//! Imports: rows become records under the rules of single calls (api.md, convention 14).

use pilot_exchange::api::collections;
use pilot_exchange::app::Clock;
use pilot_exchange::database::Database;
use pilot_exchange::sync::RecordType;
use pilot_exchange::sync::imports::{Step, Worker};
use serde_json::{Value, json};

use crate::support::{Actor, Answer, App, Options, TestDatabase, founding, new_outcome, new_pilot, path, sql, unique};

/// An application whose imports wait until the test works on them.
pub async fn without_worker() -> App {
    App::start_with(Options { no_worker: true, ..Options::default() }).await
}

pub fn worker(database: &TestDatabase) -> Worker {
    Worker::new(Database::new(&database.url, 4).unwrap(), Clock::System)
}

/// Works until nothing waits.
pub async fn drain(app: &App) {
    let worker = worker(&app.database);
    while worker.step().await.unwrap() != Step::Idle {}
}

pub async fn send(actor: &Actor, query: &str, media: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = actor.request("POST", &format!("/v1/imports?{query}")).header("content-type", media);
    actor.send(request.body(body)).await
}

/// Imports rows and gives the job as it ended.
pub async fn import(app: &App, actor: &Actor, query: &str, rows: &[Value]) -> Value {
    let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
    import_file(app, actor, query, "application/x-ndjson", &lines).await
}

pub async fn import_file(app: &App, actor: &Actor, query: &str, media: &str, file: &str) -> Value {
    let answer = send(actor, query, media, file.to_owned()).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let location = answer.header("location").unwrap().to_owned();
    assert_eq!(location, path("imports", &answer.json));
    assert_eq!(answer.json["status"], "queued");
    drain(app).await;
    actor.get(&location).await.ok()
}

/// Status, then created, updated, unchanged and failed.
pub fn outcome(job: &Value) -> (&str, [u64; 4]) {
    let counts = ["created", "updated", "unchanged", "failed"].map(|name| job[name].as_u64().unwrap());
    assert!(job["status"] == "failed" || job["read"] == counts.iter().sum::<u64>(), "{job}");
    (job["status"].as_str().unwrap(), counts)
}

/// Line, pointer and code of each entry of the report.
pub fn errors(job: &Value) -> Vec<(u64, &str, &str)> {
    let entry = |one: &'_ Value| {
        assert!(!one["detail"].as_str().unwrap().is_empty());
    };
    let all = job["errors"].as_array().unwrap();
    all.iter().for_each(entry);
    all.iter()
        .map(|one| {
            (one["line"].as_u64().unwrap(), one["pointer"].as_str().unwrap_or(""), one["code"].as_str().unwrap())
        })
        .collect()
}

pub fn need(value: &str, title: &str) -> Value {
    json!({"city": "KRPUS", "area": "smart_cities", "title": title, "external_ids": [{"source": "wishes", "value": value}]})
}

/// Everything that an import could have changed.
pub async fn traces(app: &App) -> String {
    let statement =
        "SELECT (SELECT count(*) FROM record), (SELECT count(*) FROM revision), (SELECT count(*) FROM change),
        (SELECT count(*) FROM external_id), (SELECT count(*) FROM external_source), (SELECT count(*) FROM transition),
        (SELECT sum(version) FROM record), (SELECT count(*) FROM search_entry)";
    format!("{:?}", sql(&app.database, statement).await)
}

#[test]
fn every_kind_of_record_can_be_imported() {
    let kinds: Vec<&str> = RecordType::ALL.iter().map(|kind| kind.label()).collect();
    let collections: Vec<&str> = collections::ALL.iter().map(|one| one.name).collect();
    assert_eq!(kinds, collections);
}

#[tokio::test]
async fn rows_are_new_or_change_what_their_id_or_external_id_names() {
    let app = without_worker().await;
    let busan = app.busan().await;
    let rows = [need("1", "Quieter streets"), need("2", "Cleaner air"), need("1", "Quiet streets")];
    let job = import(&app, &busan, "type=needs", &rows).await;
    // The third line is the first record again, in the order of the file.
    assert_eq!(outcome(&job), ("done", [2, 1, 0, 0]), "{job}");
    assert_eq!((&job["total"], &job["dry_run"], &job["atomic"]), (&json!(3), &json!(false), &json!(false)));
    let needs = busan.all("/v1/needs?city=KRPUS").await;
    let found = |title: &str| needs.iter().find(|one| one["title"] == title).unwrap_or_else(|| panic!("no {title}"));
    assert_eq!(found("Quiet streets")["version"], 2);
    let by_id =
        json!({"id": found("Cleaner air")["id"], "city": "KRPUS", "area": "smart_cities", "title": "Clean air"});
    let job = import(&app, &busan, "type=needs", &[by_id, need("1", "Quiet streets")]).await;
    assert_eq!(outcome(&job), ("done", [0, 1, 1, 0]), "{job}");
    let need = busan.get(&path("needs", found("Cleaner air"))).await.ok();
    assert_eq!((&need["title"], &need["version"]), (&json!("Clean air"), &json!(2)));
    // What was written has its history, by the account that imported it.
    let history = busan.get(&format!("{}/history", path("needs", &need))).await.ok();
    assert_eq!((&history["items"][1]["by"], &history["items"][1]["city"]), (&json!("test-busan"), &json!("KRPUS")));
    let hits = app.anonymous().get("/v1/search?q=clean%20air&types=needs").await.ok();
    assert_eq!(hits["items"][0]["id"], need["id"], "{hits}");
}

#[tokio::test]
async fn a_row_is_refused_as_the_single_call_would_be_with_all_its_faults() {
    let app = without_worker().await;
    let busan = app.busan().await;
    let unknown = json!({"id": founding::CCTV, "city": "KRPUS", "area": "smart_cities", "title": "A"});
    let rows = [
        json!({"city": "KRPUS", "area": "nowhere", "colour": "red"}),
        need("1", "Good"),
        json!({"city": "ESBCN", "area": "smart_cities", "title": "Not ours"}),
        unknown,
        json!(["no", "object"]),
    ];
    let job = import(&app, &busan, "type=needs", &rows).await;
    assert_eq!(outcome(&job), ("done", [1, 0, 0, 4]), "{job}");
    let mut found = errors(&job);
    found.sort_unstable();
    let expected = [
        (1, "/area", "unknown_term"),
        (1, "/colour", "unknown_member"),
        (1, "/title", "required"),
        (3, "", "forbidden"),
        (4, "/id", "unknown_record"),
        (5, "", "wrong_type"),
    ];
    assert_eq!(found, expected);
    let at = format!("{}/errors", path("imports", &job));
    let paged = busan.all(&format!("{at}?limit=2")).await;
    assert_eq!(json!(paged), job["errors"]);
    assert_eq!(busan.get(&format!("{at}?limit=1&count=exact")).await.ok()["count"], 6);
    let report = busan.get(&format!("{at}.csv")).await;
    assert_eq!(report.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    let mut rows = csv::Reader::from_reader(report.text.as_bytes());
    assert_eq!(rows.headers().unwrap(), vec!["line", "pointer", "code", "detail"]);
    assert_eq!(rows.records().count(), 6);
    let etag = report.etag();
    let again = busan.send(busan.request("GET", &format!("{at}.csv")).header("if-none-match", etag)).await;
    assert_eq!(again.status, 304);
}

#[tokio::test]
async fn an_editor_imports_what_they_may_write_and_nothing_else() {
    let app = without_worker().await;
    let (busan, barcelona) = (app.busan().await, app.barcelona().await);
    let pilot = new_pilot(&busan, json!({"title": "Lamps"})).await;
    let hidden = new_pilot(&busan, json!({"visibility": "private"})).await;
    let mut changed = pilot.clone();
    changed["title"] = json!("Lanterns");
    let job = import(&app, &barcelona, "type=pilots", &[pilot.clone(), changed.clone(), hidden]).await;
    assert_eq!(errors(&job), [(1, "", "forbidden"), (2, "", "forbidden"), (3, "/id", "unknown_record")]);
    let job = import(&app, &busan, "type=pilots", &[changed]).await;
    assert_eq!(outcome(&job), ("done", [0, 1, 0, 0]), "{job}");
    // Historical hostings are for administrators, here as there.
    let hosting = json!({"pilot_id": pilot["id"], "host_city": "ESBCN", "status": "live", "historical": true});
    let job = import(&app, &busan, "type=hostings", std::slice::from_ref(&hosting)).await;
    assert_eq!(errors(&job), [(1, "", "forbidden")]);
    let job = import(&app, &app.admin().await, "type=hostings", &[hosting]).await;
    assert_eq!(outcome(&job), ("done", [1, 0, 0, 0]), "{job}");
    // Nobody else sees the jobs.
    barcelona.get(&path("imports", &job)).await.problem(404, "not_found");
    assert_eq!(barcelona.all("/v1/imports").await.len(), 1);
    assert_eq!(app.admin().await.all("/v1/imports?limit=2").await.len(), 4);
}

#[tokio::test]
async fn a_dry_run_checks_everything_and_changes_nothing() {
    let app = without_worker().await;
    let busan = app.busan().await;
    let before = traces(&app).await;
    // The third row is refused, the fourth changes what the first would have made.
    let rows = [need("1", "A"), need("2", "B"), json!({"city": "KRPUS"}), need("1", "C")];
    let job = import(&app, &busan, "type=needs&dry_run=true", &rows).await;
    assert_eq!(outcome(&job), ("done", [2, 1, 0, 1]), "{job}");
    assert_eq!(job["dry_run"], true);
    assert_eq!(errors(&job).len(), 2);
    assert_eq!(traces(&app).await, before);
}

#[tokio::test]
async fn an_atomic_import_writes_all_rows_or_none() {
    let app = without_worker().await;
    let busan = app.busan().await;
    let before = traces(&app).await;
    let job = import(&app, &busan, "type=needs&atomic=true", &[need("1", "A"), json!({}), need("2", "B")]).await;
    assert_eq!(outcome(&job), ("failed", [0, 0, 0, 1]), "{job}");
    assert_eq!((&job["read"], errors(&job).len()), (&json!(3), 3));
    assert_eq!(traces(&app).await, before);
    let job = import(&app, &busan, "type=needs&atomic=true", &[need("1", "A"), need("2", "B")]).await;
    assert_eq!(outcome(&job), ("done", [2, 0, 0, 0]), "{job}");
    assert_ne!(traces(&app).await, before);
}

#[tokio::test]
async fn an_import_can_be_cancelled_until_it_has_ended() {
    let app = without_worker().await;
    let busan = app.busan().await;
    let job = send(&busan, "type=needs", "application/json", json!([need("1", "A")]).to_string()).await.json;
    let cancel = format!("{}/cancel", path("imports", &job));
    app.seoul().await.send(app.seoul().await.request("POST", &cancel)).await.problem(404, "not_found");
    for _ in 0..2 {
        let cancelled = busan.send(busan.request("POST", &cancel)).await.ok();
        assert_eq!((&cancelled["status"], &cancelled["read"]), (&json!("cancelled"), &json!(0)));
    }
    assert_eq!(worker(&app.database).step().await.unwrap(), Step::Idle);
    let job = import(&app, &busan, "type=needs", &[need("1", "A")]).await;
    busan.send(busan.request("POST", &format!("{}/cancel", path("imports", &job)))).await.problem(409, "conflict");
    assert_eq!(sql(&app.database, "SELECT count(*) FROM import_file").await[0][0].as_deref(), Some("0"));
}

#[tokio::test]
async fn the_import_of_an_account_that_is_disabled_meanwhile_fails() {
    let app = without_worker().await;
    let busan = app.busan().await;
    let before = traces(&app).await;
    let job = send(&busan, "type=needs", "application/json", json!([need("1", "A")]).to_string()).await.json;
    sql(&app.database, "UPDATE account SET disabled = true WHERE client_id = 'test-busan'").await;
    drain(&app).await;
    let job = app.admin().await.get(&path("imports", &job)).await.ok();
    assert_eq!((&job["status"], errors(&job)), (&json!("failed"), vec![(1, "", "forbidden")]));
    assert_eq!(traces(&app).await, before);
}

#[tokio::test]
async fn a_key_makes_one_job_and_leaves_one_file() {
    let app = without_worker().await;
    let busan = app.busan().await;
    let post = async |key: &str, body: &str| {
        let request = busan.request("POST", "/v1/imports?type=needs").header("content-type", "application/json");
        busan.send(request.header("idempotency-key", key).body(body.to_owned())).await
    };
    let first = post("one", "[]").await;
    let again = post("one", "[]").await;
    assert_eq!((again.status, &again.text), (202, &first.text));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    post("one", "[ ]").await.problem(422, "idempotency_key_reused");
    assert_eq!(sql(&app.database, "SELECT count(*) FROM import").await[0][0].as_deref(), Some("1"));
    assert_eq!(sql(&app.database, "SELECT count(*) FROM import_file").await[0][0].as_deref(), Some("1"));
}

/// What somebody with an administrator's eyes reads in the lists, sent again as it is.
#[tokio::test]
async fn what_was_read_of_every_kind_can_be_imported_again_and_is_unchanged() {
    let app = without_worker().await;
    let (admin, busan) = (app.admin().await, app.busan().await);
    let at = format!("/v1/hostings/{}", founding::STREETLIGHTS_AT_HOME);
    busan.post(&format!("{at}/compliance"), json!({"kind": "permit"})).await.created();
    let evaluation =
        json!({"kind": "self", "on": "2026", "summary": "It works.", "lessons": [{"kind": "success", "text": "Ask."}]});
    let evaluation = busan.post(&format!("{at}/evaluations"), evaluation).await;
    assert!(matches!(evaluation.status, 201 | 422), "{}", evaluation.text);
    busan.post("/v1/needs", need("1", "A")).await.created();
    let pilot = new_pilot(&busan, json!({})).await;
    let outcome_of_pilot = new_outcome(&busan, "pilot", &pilot["id"], json!({})).await;
    let of_outcome = format!("/v1/outcomes/{}/observations", outcome_of_pilot["id"].as_str().unwrap());
    let quotient = json!({"starts_on": "2026-02", "ends_on": "2026-02", "numerator": "1", "denominator": "4", "status": "submitted"});
    let submitted = busan.post(&of_outcome, quotient).await.created();
    let verified = path("observations", &submitted);
    app.verifier().await.transition(&verified, json!({"to": "verified"})).await.ok();
    let before = traces(&app).await;
    for kind in RecordType::ALL {
        let list = match kind {
            RecordType::Terms => "/v1/vocabularies/areas/terms".to_owned(),
            RecordType::Compliance | RecordType::Evaluations => format!("{at}/{kind}"),
            _ => format!("/v1/{kind}"),
        };
        let rows = admin.all(&list).await;
        assert!(!rows.is_empty() || *kind == RecordType::Evaluations, "no {kind}");
        let job = import(&app, &admin, &format!("type={kind}"), &rows).await;
        let all = u64::try_from(rows.len()).unwrap();
        assert_eq!(outcome(&job), ("done", [0, 0, all, 0]), "{kind}: {:#}", job["errors"]);
    }
    assert_eq!(traces(&app).await, before);
}

#[tokio::test]
async fn two_servers_on_one_database_bring_each_row_in_once() {
    let app = without_worker().await;
    let busan = app.busan().await;
    let rows: Vec<Value> =
        (0..400).map(|n| json!({"city": "KRPUS", "area": "smart_cities", "title": format!("N{n}")})).collect();
    let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
    let job = send(&busan, "type=needs", "application/x-ndjson", lines).await.json;
    let (one, other) = (worker(&app.database), worker(&app.database));
    let work = async |worker: &Worker| while worker.step().await.unwrap() != Step::Idle {};
    tokio::join!(work(&one), work(&other));
    drain(&app).await;
    let job = busan.get(&path("imports", &job)).await.ok();
    assert_eq!(outcome(&job), ("done", [400, 0, 0, 0]), "{job}");
    assert_eq!(busan.get("/v1/needs?city=KRPUS&count=exact&limit=1").await.ok()["count"], 400);
}

#[tokio::test]
async fn an_application_works_on_its_imports_by_itself() {
    let app = App::start().await;
    let busan = app.busan().await;
    let title = unique();
    let job = send(&busan, "type=needs", "application/json", json!([need("1", &title)]).to_string()).await.json;
    let job = crate::support::ended(&busan, job).await;
    assert_eq!(outcome(&job), ("done", [1, 0, 0, 0]), "{job}");
}
