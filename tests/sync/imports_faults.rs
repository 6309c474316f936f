//! What must not stop an import or make it endless: odd names, mistakes that come again, a stop in the middle.

use pilot_exchange::sync::imports::Step;
use pilot_exchange::sync::worker::{IMPORTS_KEPT_DAYS, clean};
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::imports::{drain, errors, import, import_file, need, outcome, send, traces, without_worker, worker};
use crate::support::{App, Options, new_outcome, new_pilot, path, sql, state};

const NDJSON: &str = "application/x-ndjson";

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

#[tokio::test]
async fn characters_that_the_database_does_not_take_are_told_of_their_row() {
    let app = without_worker().await;
    let busan = app.busan().await;
    let mut odd = need("1", "A");
    odd["ti\u{0}tle"] = json!("A");
    let nul = json!([{"source": "wi\u{0}shes", "value": "1"}]);
    let mut named = need("2", "B");
    named["external_ids"] = nul.clone();
    let job = import(&app, &busan, "type=needs", &[odd, named, need("3", "C")]).await;
    assert_eq!(outcome(&job), ("done", [1, 0, 0, 2]), "{job}");
    assert!(errors(&job).contains(&(1, "/ti\\u0000tle", "unknown_member")), "{job}");
    assert!(errors(&job).contains(&(2, "/external_ids/0/source", "control_character")), "{job}");
    let job = import(&app, &busan, "type=observations", &[json!({"external_ids": nul})]).await;
    assert_eq!(outcome(&job), ("done", [0, 0, 0, 1]), "{job}");
}

#[tokio::test]
async fn a_row_with_very_many_faults_is_told_of_with_the_first_of_them() {
    let app = without_worker().await;
    let busan = app.busan().await;
    let many: Map<String, Value> = (0..150).map(|n| (format!("colour_{n}"), json!("red"))).collect();
    let mut twice = need("1", "A");
    twice["external_ids"] = json!(vec![json!({"source": "wishes", "value": "1"}); 10_000]);
    let job = import(&app, &busan, "type=needs", &[json!(many), twice, need("2", "B")]).await;
    assert_eq!(outcome(&job), ("done", [1, 0, 0, 2]), "{}", job["status"]);
    let report = busan.all(&format!("{}/errors", path("imports", &job))).await;
    let of_line = |line: u64| report.iter().filter(|one| one["line"] == line).collect::<Vec<_>>();
    assert_eq!(of_line(1).len(), 101);
    assert_eq!(of_line(1)[100]["code"], "more_errors");
    assert!(of_line(2).iter().any(|one| one["pointer"] == "/external_ids" && one["code"] == "too_many"), "{report:?}");
}

#[tokio::test]
async fn a_job_that_never_gets_on_fails_in_the_end() {
    let app = without_worker().await;
    let busan = app.busan().await;
    let before = traces(&app).await;
    // Nothing can be done any more, whoever tries.
    let broken = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken'; END $$;
        CREATE TRIGGER refuse BEFORE UPDATE ON import FOR EACH ROW WHEN (NEW.status = 'done') EXECUTE FUNCTION refuse()";
    sql(&app.database, broken).await;
    let free = "UPDATE import SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL";
    for query in ["type=needs", "type=needs&atomic=true", "type=needs&dry_run=true"] {
        let job = send(&busan, query, NDJSON, need("1", "A").to_string()).await.json;
        let worker = worker(&app.database);
        assert_eq!(worker.step().await.unwrap(), Step::Advanced, "it is counted");
        for attempt in 1..=5 {
            let step = worker.step().await;
            assert_eq!(step.is_ok(), attempt == 5, "{query}, attempt {attempt}: {step:?}");
            if attempt < 5 {
                assert_eq!(worker.step().await.unwrap(), Step::Idle, "it is left alone for a while");
            }
            sql(&app.database, free).await;
        }
        let job = busan.get(&path("imports", &job)).await.ok();
        assert_eq!((outcome(&job).0, errors(&job)), ("failed", vec![(1, "", "internal")]), "{query}: {job}");
        // A dry run counts what would be.
        assert_eq!(job["created"], u64::from(query.contains("dry_run")), "{query}: {job}");
    }
    // One whose workers die.
    let job = send(&busan, "type=needs", NDJSON, need("1", "A").to_string()).await.json;
    sql(&app.database, "UPDATE import SET attempts = 5 WHERE ended_at IS NULL").await;
    drain(&app).await;
    assert_eq!(errors(&busan.get(&path("imports", &job)).await.ok()), [(1, "", "internal")]);
    assert_eq!(traces(&app).await, before);
}

#[tokio::test]
async fn a_stop_gives_back_what_is_one_transaction() {
    let app = without_worker().await;
    let busan = app.busan().await;
    for query in ["type=needs&atomic=true", "type=needs&dry_run=true"] {
        let job = send(&busan, query, NDJSON, need(query, "A").to_string()).await.json;
        let (stop, stopping) = watch::channel(false);
        let worker = worker(&app.database).until(stopping);
        assert_eq!(worker.step().await.unwrap(), Step::Advanced, "it is counted");
        stop.send(true).unwrap();
        assert_eq!(worker.step().await.unwrap(), Step::Ended);
        let left = "SELECT concat_ws(' ', status, read, attempts, lease_owner, lease_until) FROM import WHERE ended_at IS NULL";
        assert_eq!(column(&app, left).await, [Some("running 0 0".into())], "anybody may go on at once");
        drain(&app).await;
        let job = busan.get(&path("imports", &job)).await.ok();
        assert_eq!(outcome(&job), ("done", [1, 0, 0, 0]), "{job}");
    }
}

#[tokio::test]
async fn an_atomic_import_that_is_cancelled_has_written_nothing() {
    let app = without_worker().await;
    let busan = app.busan().await;
    for (query, created) in [("type=needs&atomic=true", 0), ("type=needs", 5)] {
        let job = send(&busan, query, NDJSON, need("1", "A").to_string()).await.json;
        // As if a worker were in the middle of it.
        sql(&app.database, "UPDATE import SET read = 7, created = 5, updated = 1, failed = 1 WHERE ended_at IS NULL")
            .await;
        let cancelled = busan.send(busan.request("POST", &format!("{}/cancel", path("imports", &job)))).await.ok();
        assert_eq!((&cancelled["created"], &cancelled["read"]), (&json!(created), &json!(7)), "{query}");
    }
}

#[tokio::test]
async fn a_long_first_row_behind_a_mark_is_followed_by_whole_rows() {
    let app = without_worker().await;
    let busan = app.busan().await;
    // Longer than a part of a file, and more rows than go into one batch.
    let rows: String = (0..500).map(|n| format!("{}\n", need(&n.to_string(), "N"))).collect();
    let file = format!("\u{feff}{{\"text\": \"{}\"}}\n{rows}", "x".repeat(300_000));
    let job = import_file(&app, &busan, "type=needs", NDJSON, &file).await;
    assert_eq!(outcome(&job), ("done", [500, 0, 0, 1]), "{job}");
}

#[tokio::test]
async fn imports_that_ended_long_ago_are_removed_with_their_reports() {
    let app = without_worker().await;
    let busan = app.busan().await;
    import(&app, &busan, "type=needs", &[json!({}), need("1", "A")]).await;
    let kept = import(&app, &busan, "type=needs", &[json!({})]).await;
    send(&busan, "type=needs", NDJSON, need("2", "B").to_string()).await;
    let age = format!("interval '{} days'", IMPORTS_KEPT_DAYS + 1);
    sql(
        &app.database,
        &format!(
            "UPDATE import SET created_at = created_at - {age}, ended_at = ended_at - {age} WHERE id <> '{}'",
            kept["id"].as_str().unwrap()
        ),
    )
    .await;
    clean(&state(&app.database, "127.0.0.1:0".parse().unwrap(), &Options::default())).await.unwrap();
    let left: Vec<String> =
        busan.all("/v1/imports").await.iter().map(|one| one["status"].as_str().unwrap().to_owned()).collect();
    assert_eq!(left, ["done", "queued"]);
    let reports = column(&app, "SELECT DISTINCT import_id::text FROM import_error").await;
    assert_eq!(reports, [kept["id"].as_str().map(str::to_owned)]);
}
