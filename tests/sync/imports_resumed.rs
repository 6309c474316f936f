//! Large imports: each bad row is told, and a server that is killed in the middle leaves nothing to do twice.

use std::time::Duration;

use serde_json::{Value, json};

use super::imports::{drain, errors, import, outcome, send, without_worker, worker};
use crate::support::process::{Folder, Server, run, until};
use crate::support::setting;
use crate::support::{Actor, App, founding, new_outcome, new_pilot, path, sql};

fn observations(outcome_id: &Value, count: usize) -> Vec<Value> {
    let row = |n: usize| {
        // One in a hundred has no value.
        let value = if n % 100 == 50 { Value::Null } else { json!(n.to_string()) };
        let (year, month) = (1900 + n / 12 % 250, n % 12 + 1);
        json!({"outcome_id": outcome_id, "starts_on": format!("{year}-{month:02}"), "ends_on": format!("{year}-{month:02}"),
               "value": value, "external_ids": [{"source": "meters", "value": format!("M-{n}")}]})
    };
    (0..count).map(row).collect()
}

fn file(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

async fn recorded(app: &App) -> Vec<Vec<Option<String>>> {
    let statement = "SELECT count(*), count(DISTINCT record_id), count(*) FILTER (WHERE version > 1) FROM revision
        JOIN external_id e USING (record_id) WHERE e.source = 'meters'";
    sql(&app.database, statement).await
}

#[tokio::test]
async fn ten_thousand_rows_of_which_one_in_a_hundred_is_bad() {
    let app = without_worker().await;
    let busan = app.busan().await;
    let pilot = new_pilot(&busan, json!({})).await;
    let of = new_outcome(&busan, "pilot", &pilot["id"], json!({})).await;
    let rows = observations(&of["id"], 10_000);
    let job = import(&app, &busan, "type=observations", &rows).await;
    assert_eq!(outcome(&job), ("done", [9_900, 0, 0, 100]), "{}", job["errors"][0]);
    let expected: Vec<(u64, &str, &str)> = (0..100).map(|n| (n * 100 + 51, "/value", "one_value")).collect();
    assert_eq!(errors(&job), expected);
    let row = |texts: [&str; 3]| vec![texts.map(|text| Some(text.to_owned())).to_vec()];
    assert_eq!(recorded(&app).await, row(["9900", "9900", "0"]));
    // Again, the beginning of it or with ROWS=10000 all of it: it is there.
    let again = setting("ROWS", 1_000);
    let job = import(&app, &busan, "type=observations", &rows[..again]).await;
    let bad = again as u64 / 100;
    assert_eq!(outcome(&job), ("done", [0, 0, again as u64 - bad, bad]), "{}", job["errors"][0]);
    assert_eq!(recorded(&app).await, row(["9900", "9900", "0"]));
}

#[tokio::test]
async fn what_a_worker_that_died_had_not_committed_is_brought_in_by_another_once() {
    let app = without_worker().await;
    let busan = app.busan().await;
    let pilot = new_pilot(&busan, json!({})).await;
    let of = new_outcome(&busan, "pilot", &pilot["id"], json!({})).await;
    let rows = observations(&of["id"], 600);
    let job = send(&busan, "type=observations", "application/x-ndjson", file(&rows)).await.json;
    // One counts the rows; then it claims and is never heard of again.
    worker(&app.database).step().await.unwrap();
    let lost = "UPDATE import SET lease_owner = gen_random_uuid(), lease_until = now() + interval '1 hour'";
    sql(&app.database, lost).await;
    drain(&app).await;
    assert_eq!(busan.get(&path("imports", &job)).await.ok()["read"], 0);
    sql(&app.database, "UPDATE import SET lease_until = now() - interval '1 second'").await;
    drain(&app).await;
    let job = busan.get(&path("imports", &job)).await.ok();
    assert_eq!(outcome(&job), ("done", [594, 0, 0, 6]), "{job}");
}

/// The id of an outcome of the founding data that Busan's editors observe.
async fn upload(busan: &Actor, rows: &[Value]) -> Value {
    let answer = send(busan, "type=observations", "application/x-ndjson", file(rows)).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    answer.json
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_another_server_goes_on_and_the_command_line_tells_the_same() {
    let folder = Folder::new();
    let server = Server::start(&folder, &["--demo"]).await;
    let busan = server.demo("demo-busan").await;
    let (count, bad) = (setting("ROWS", 3_000) as u64, setting("ROWS", 3_000) as u64 / 100);
    let rows = observations(&json!(founding::SERVICES_UNDER_TEST), count as usize);
    let job = upload(&busan, &rows).await;
    let at = path("imports", &job);
    let has_begun = async || busan.get(&at).await.ok()["read"].as_u64().unwrap() > 0;
    until("the import begins", Duration::from_secs(30), has_begun).await;
    let port = server.port();
    server.kill();

    let server = Server::start_on(port, &folder, &["--demo"]).await;
    let busan = server.demo("demo-busan").await;
    let job = crate::support::ended(&busan, job).await;
    assert_eq!(outcome(&job), ("done", [count - bad, 0, 0, bad]), "{}", job["errors"][0]);
    assert_eq!(
        errors(&job).iter().map(|one| one.0).collect::<Vec<_>>(),
        (0..bad).map(|n| n * 100 + 51).collect::<Vec<_>>()
    );
    let list =
        format!("/v1/observations?outcome_id={}&status=draft&count=exact&limit=1", founding::SERVICES_UNDER_TEST);
    assert_eq!(busan.get(&list).await.ok()["count"], count - bad);

    // The same by the command line: what is there is unchanged, the bad rows are told, and the exit code says so.
    let name = folder.0.join("rows.ndjson");
    std::fs::write(&name, file(&rows[..200])).unwrap();
    let accounts = server.demo_accounts();
    let secret = accounts.iter().find(|one| one["client_id"] == "demo-busan").unwrap()["client_secret"].clone();
    let settings = [
        ("PILOT_EXCHANGE_URL", server.base.as_str()),
        ("PILOT_EXCHANGE_CLIENT_ID", "demo-busan"),
        ("PILOT_EXCHANGE_CLIENT_SECRET", secret.as_str().unwrap()),
    ];
    let name = name.to_str().unwrap();
    let ended = run(&folder, &["import", "--type", "observations", name], &settings);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("line 51\t/value\tone_value\t"), "{ended:?}");
    assert!(ended.stdout.contains("done: 200 read, 0 created, 0 updated, 198 unchanged, 2 failed"), "{ended:?}");
    std::fs::write(name, file(&rows[..20])).unwrap();
    let ended = run(&folder, &["import", "--type", "observations", name, "--dry-run", "--atomic"], &settings);
    assert!(ended.ok().contains("20 unchanged, 0 failed; nothing was changed"));
    let ended = run(&folder, &["import", "--type", "observations", "no-such-file.csv"], &settings);
    assert!(ended.refusal(1).contains("no-such-file.csv"));
}
