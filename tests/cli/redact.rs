//! `redact`: what is erased is nowhere in the database any more, running servers say so at once, followers and history are
//! told; and nobody but the owner can do it.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::life::{Exchange, evaluation, submitted};
use crate::support::process::{Ended, Folder, run};
use crate::support::{
    Actor, App, TestDatabase, binaries, ended, founding, new_outcome, new_pilot, path, position, sql, try_sql, unique,
};

/// A person, as people write her: with what JSON and SQL have to escape.
const NAME: &str = r#"Jané "JD" O'Doe\Smith"#;
const EMAIL: &str = "jane.doe@city.example";
const BY: [&str; 4] = ["--by", "the data protection officer", "--reason", "Request 7 under Article 17"];

/// Runs it on the database of an application.
async fn redact(database: &TestDatabase, arguments: &[&str]) -> Ended {
    let arguments: Vec<String> = arguments.iter().map(|&one| one.to_owned()).collect();
    let (url, owner_url) = (database.url.clone(), database.owner_url.clone());
    let work = move || {
        let arguments: Vec<&str> = ["redact"].into_iter().chain(arguments.iter().map(String::as_str)).collect();
        run(&Folder::new(), &arguments, &[("DATABASE_URL", &url), ("DATABASE_MIGRATION_URL", &owner_url)])
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// Everything in the database, as pg_dump writes it: as COPY and as INSERT, which escape in different ways.
fn dumped(database: &TestDatabase) -> String {
    let dump = |form: &[&str]| {
        let mut command = Command::new(binaries().join("pg_dump"));
        let output = command.args(form).arg("--dbname").arg(&database.owner_url).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    dump(&[]) + &dump(&["--inserts"])
}

/// Spellings of a text in a dump: as it is, in SQL, in JSON, in JSON in COPY, and in the hexadecimal digits of bytes.
fn spellings(text: &str) -> Vec<String> {
    let json = json!(text).to_string();
    let json = json.trim_matches('"').to_owned();
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let doubled = |text: &str| [text.replace('\\', r"\\"), text.replace('\'', "''")];
    let mut all = vec![text.to_owned(), json.clone(), hex(text), hex(&json)];
    all.extend(doubled(text));
    all.extend(doubled(&json));
    all
}

#[track_caller]
fn assert_gone(database: &TestDatabase, texts: &[&str]) {
    let dump = dumped(database);
    for spelling in texts.iter().flat_map(|text| spellings(text)) {
        let at = dump.find(&spelling).map(|at| dump[..at].rfind('\n').unwrap_or(0)..at + spelling.len());
        assert!(at.is_none(), "{spelling} is still there: {}", &dump[at.unwrap()]);
    }
}

/// An organisation of Busan with an address.
async fn organisation(busan: &Actor, email: &str) -> Value {
    let body = json!({"name": format!("Organisation {}", unique()), "city": "KRPUS", "contact_email": email});
    busan.post("/v1/organisations", body).await.created()
}

/// What a record is in its newest version, by history, is what it is in the present.
async fn assert_settled(actor: &Actor, path: &str) {
    let now = actor.get(path).await.ok();
    let last = actor.get(&format!("{path}?as_of={}", position(actor).await)).await.ok();
    assert_eq!(now, last, "{path}");
}

/// Records of many kinds that all name her, and their paths.
async fn named_everywhere(exchange: &Exchange) -> Vec<String> {
    let (busan, barcelona) = (&exchange.busan, &exchange.barcelona);
    let said = format!("Ask {NAME} at {EMAIL}.");
    let pilot = json!({
        "summary": NAME, "description": said, "tags": [format!("led-by-{EMAIL}"), "lamps"], "cost_note": EMAIL,
        "translations": {"ko": {"summary": said}},
        "citations": [{"document_id": founding::DOCUMENT, "locator": "p. 1", "quote": said}],
    });
    let pilot = new_pilot(busan, pilot).await;
    let hosting = exchange.hosting_of(&pilot, "live").await;
    let change = json!({"sites": [{"name": format!("Home of {NAME}")}], "scale_note": said});
    barcelona.patch(&path("hostings", &hosting), change).await.ok();
    let suspended = json!({"to": "suspended", "reason": "funding", "note": said});
    barcelona.transition(&path("hostings", &hosting), suspended).await.ok();
    let lessons = json!({"summary": NAME, "lessons": [{"kind": "barrier", "text": said}]});
    let evaluations = format!("{}/evaluations", path("hostings", &hosting));
    let evaluation = barcelona.post(&evaluations, evaluation(lessons)).await.created();
    let outcome = new_outcome(busan, "pilot", &pilot["id"], json!({})).await;
    let observation = submitted(busan, &outcome, ("2026-01", "2026-01"), json!({"value": "5", "source": said})).await;
    let organisation = organisation(busan, EMAIL).await;
    vec![
        path("pilots", &pilot),
        path("hostings", &hosting),
        path("evaluations", &evaluation),
        path("observations", &observation),
        path("organisations", &organisation),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_erased_from_every_record_its_history_and_all_that_was_made_of_it() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let (busan, anyone) = (exchange.busan.clone(), app.anonymous());
    let paths = named_everywhere(&exchange).await;
    let before = position(&busan).await;
    // In history only: an older version, and a record that was deleted.
    let moved = path("organisations", &organisation(&busan, EMAIL).await);
    busan.patch(&moved, json!({"contact_email": "office@city.example"})).await.ok();
    let deleted = path("organisations", &organisation(&busan, EMAIL).await);
    assert_eq!(busan.delete(&deleted).await.status, 204);
    // In stored answers and in the report of an import.
    let body = json!({"name": format!("Keyed {NAME}"), "city": "KRPUS", "contact_email": EMAIL});
    let keyed = || busan.request("POST", "/v1/organisations").header("idempotency-key", "of-jane").json(&body);
    let kept = busan.send(keyed()).await.created();
    let row = json!({"name": "Imported", "city": "KRPUS", NAME: EMAIL});
    let job = busan.request("POST", "/v1/imports?type=organisations").header("content-type", "application/x-ndjson");
    let job = ended(&busan, busan.send(job.body(row.to_string())).await.json).await;
    assert!(job["errors"].to_string().contains("JD"), "{job}");
    let mut cursor = busan.get("/v1/changes?limit=500").await.ok();
    while cursor["has_more"] == true {
        cursor = busan.get(&format!("/v1/changes?cursor={}", cursor["next"].as_str().unwrap())).await.ok();
    }
    for _ in 0..2 {
        assert_eq!(anyone.get(&paths[0]).await.ok()["summary"], NAME, "and it is remembered");
    }
    let found = anyone.get("/v1/search?q=jane.doe@city.example").await.ok();
    assert!(!found["items"].as_array().unwrap().is_empty(), "{found}");

    let listed = redact(&app.database, &["--text", NAME, "--text", EMAIL, "--dry-run"]).await.ok();
    for place in [
        "pilot.description",
        "revision.body",
        "idempotency_key.body",
        "import_error",
        "record.translations",
        "citation.quote",
        "site.name",
        "lesson.text",
        "transition.note",
        "observation.source",
        "organisation.contact_email",
    ] {
        assert!(listed.contains(place), "{place}: {listed}");
    }
    assert_eq!(anyone.get(&paths[0]).await.ok()["summary"], NAME, "a dry run changes nothing");
    let arguments = [&["--text", NAME, "--text", EMAIL, "--yes"], BY.as_slice()].concat();
    let said = redact(&app.database, &arguments).await.ok();
    assert!(said.contains("7 records have a new version") && said.contains("of 1 deleted ones"), "{said}");

    // A server that runs says it from now on.
    let pilot = anyone.get(&paths[0]).await.ok();
    assert_eq!(
        (&pilot["summary"], &pilot["cost_note"], &pilot["tags"]),
        (&Value::Null, &Value::Null, &json!(["lamps"]))
    );
    assert_eq!(pilot["description"], "Ask [redacted] at [redacted].");
    assert_eq!(pilot["translations"]["ko"]["summary"], "Ask [redacted] at [redacted].");
    assert_eq!(busan.get(&paths[4]).await.ok()["contact_email"], Value::Null);
    assert_eq!(anyone.get("/v1/search?q=jane.doe@city.example").await.ok()["items"], json!([]));
    assert_gone(&app.database, &[NAME, EMAIL]);
    for path in paths.iter().chain([&moved]) {
        assert_settled(&exchange.barcelona, path).await;
        let past = exchange.barcelona.get(&format!("{path}?as_of={before}")).await;
        assert!(!past.text.contains("Jan") && !past.text.contains(EMAIL), "{}", past.text);
    }
    let again = busan.send(keyed()).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!((&again.json["id"], &again.json["contact_email"]), (&kept["id"], &Value::Null));

    // Followers fetch them anew, and history says why.
    let told = busan.get(&format!("/v1/changes?cursor={}", cursor["next"].as_str().unwrap())).await.ok();
    let told = told["items"].as_array().unwrap().clone();
    let changed =
        |path: &String| told.iter().any(|one| path.contains(one["id"].as_str().unwrap()) && one["op"] == "update");
    assert!(paths.iter().chain([&moved]).all(changed) && !changed(&deleted), "{told:?}");
    let history = busan.get(&format!("{}/history", paths[0])).await.ok();
    let last = history["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["redacted"], &last["by"]), (&json!("Request 7 under Article 17"), &Value::Null));
    assert_eq!(history["items"][0]["redacted"], Value::Null);
    let row = &sql(&app.database, "SELECT by, (SELECT count(*) FROM redaction_mark) FROM redaction").await[0];
    assert_eq!((row[0].as_deref(), row[1].as_deref()), (Some("the data protection officer"), Some("8")));
    // Records go on as ever.
    busan.patch(&paths[0], json!({"summary": "Lamps"})).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_a_member_ever_held_is_erased_wherever_else_it_is() {
    let app = App::start().await;
    let busan = app.busan().await;
    let one = organisation(&busan, "first@city.example").await;
    let at = path("organisations", &one);
    busan.patch(&at, json!({"contact_email": "second@city.example"})).await.ok();
    let pilot = new_pilot(&busan, json!({"description": "Ask first@city.example, or second@city.example."})).await;
    let id = one["id"].as_str().unwrap();
    let arguments = [&["--record", id, "--member", "/contact_email", "--yes"], BY.as_slice()].concat();
    redact(&app.database, &arguments).await.ok();
    assert_gone(&app.database, &["first@city.example", "second@city.example"]);
    let now = busan.get(&at).await.ok();
    assert_eq!((&now["contact_email"], &now["name"], &now["version"]), (&Value::Null, &one["name"], &json!(3)));
    assert_eq!(busan.get(&path("pilots", &pilot)).await.ok()["description"], "Ask [redacted], or [redacted].");
    let nothing = redact(&app.database, &arguments).await.refusal(1);
    assert!(nothing.contains("no version of") && nothing.contains("/contact_email"), "{nothing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_audience_stays_what_it_was() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let pilot = new_pilot(&exchange.busan, json!({})).await;
    let hosting = exchange.hosting_of(&pilot, "live").await;
    exchange.barcelona.patch(&path("hostings", &hosting), json!({"scale_note": NAME})).await.ok();
    exchange.busan.patch(&path("pilots", &pilot), json!({"visibility": "private"})).await.ok();
    let anyone = app.anonymous();
    redact(&app.database, &[&["--text", NAME, "--yes"], BY.as_slice()].concat()).await.ok();
    anyone.get(&path("hostings", &hosting)).await.problem(404, "not_found");
    let told = anyone.get("/v1/changes?limit=500&types=hostings").await.ok();
    let of_it: Vec<&Value> =
        told["items"].as_array().unwrap().iter().filter(|change| change["id"] == hosting["id"]).collect();
    assert!(of_it.last().is_none_or(|last| last["op"] == "delete"), "nobody hears of what is hidden: {of_it:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_or_must_not_be_erased_is_refused_and_changes_nothing() {
    let app = App::start().await;
    let busan = app.busan().await;
    organisation(&busan, EMAIL).await;
    let before = dumped(&app.database).lines().count();
    let refused = async |arguments: &[&str], code: i32, expected: &str| {
        let ended = redact(&app.database, arguments).await;
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.trim().lines().last().unwrap().contains(expected), "{expected}: {ended:?}");
    };
    let with_by = |arguments: &[&'static str]| [arguments, BY.as_slice()].concat();
    refused(&with_by(&["--text", EMAIL]), 1, "nobody is there to be asked").await;
    refused(&with_by(&["--text", "ab", "--yes"]), 1, "is too short").await;
    refused(&with_by(&["--text", "nowhere to be found", "--yes"]), 1, "it is nowhere in the database").await;
    refused(&with_by(&["--text", "KRPUS", "--yes"]), 1, "the registry cannot be without it").await;
    refused(&with_by(&["--record", founding::BUSAN, "--yes"]), 2, "--member").await;
    refused(&["--text", EMAIL, "--yes"], 2, "--reason").await;
    let own = ["--text", EMAIL, "--by", "me", "--reason", "jane.doe@city.example asked", "--yes"];
    refused(&own, 1, "must not hold what is to be erased").await;
    sql(&app.database, "INSERT INTO import_file (id) VALUES (gen_random_uuid())").await;
    refused(&with_by(&["--text", EMAIL, "--yes"]), 1, "an import is waiting or under way").await;
    assert_eq!(dumped(&app.database).lines().count(), before + 2, "but for the file, twice dumped");

    let of_service = "SET pilot_exchange.redacting = 'revision'; UPDATE revision SET body = '{}'";
    let error = try_sql(&app.database.url, of_service).await.unwrap_err().to_string();
    assert!(error.contains("db error"), "{error}");
    let by_accident = try_sql(&app.database.owner_url, "UPDATE revision SET body = '{}'").await.unwrap_err();
    assert!(by_accident.as_db_error().unwrap().message().contains("only ever added"));
    try_sql(&app.database.url, "INSERT INTO redaction (id, by, reason) VALUES (gen_random_uuid(), 'a', 'b')")
        .await
        .unwrap_err();
}
