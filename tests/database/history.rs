//! Every change leaves exactly one revision and one change, written with it; nothing else does, and both stay.

use serde_json::{Value, json};

use crate::support::{
    Actor, App, Options, TestDatabase, founding, new_hosting, new_outcome, new_pilot, path, sql, try_sql, unique,
};

/// One revision: version, op, account, acting city, as administrator.
type Row = (i32, String, String, Option<String>, bool);

/// An application that leaves changes as they were committed, so that it shows in which transaction they were.
async fn start() -> App {
    App::start_with(Options { no_worker: true, ..Options::default() }).await
}

/// The revisions of a record, each with exactly one change of the same transaction.
async fn history(database: &TestDatabase, id: &str) -> Vec<Row> {
    let statement = format!(
        "SELECT r.version, r.op, coalesce(a.client_id, '-'), c.code, r.as_administrator,
            (SELECT count(*) FROM change h WHERE h.record_id = r.record_id AND h.version = r.version),
            (SELECT bool_and(h.xmin = r.xmin) FROM change h WHERE h.record_id = r.record_id AND h.version = r.version)
         FROM revision r LEFT JOIN account a ON a.id = r.account_id LEFT JOIN city c ON c.id = r.acting_city_id
         WHERE r.record_id = '{id}' ORDER BY r.version"
    );
    let rows = sql(database, &statement).await;
    rows.into_iter()
        .map(|row| {
            let [version, op, account, city, administrator, changes, together] = row.try_into().unwrap();
            assert_eq!((changes.as_deref(), together.as_deref()), (Some("1"), Some("t")), "{id} version {version:?}");
            (version.unwrap().parse().unwrap(), op.unwrap(), account.unwrap(), city, administrator.unwrap() == "t")
        })
        .collect()
}

fn row(version: i32, op: &str, account: &str, city: Option<&str>, administrator: bool) -> Row {
    (version, op.into(), account.into(), city.map(str::to_owned), administrator)
}

/// How many records, revisions and changes there are.
async fn size(database: &TestDatabase) -> Vec<Option<String>> {
    let statement = "SELECT (SELECT count(*) FROM record), (SELECT count(*) FROM revision),
        (SELECT count(*) FROM change), (SELECT sum(version) FROM record)";
    sql(database, statement).await.remove(0)
}

/// One kind of record: who writes it, where it is made, with what, what is changed, and where it is then.
struct Kind<'a> {
    actor: &'a Actor,
    account: &'a str,
    /// None where only an administrator may write, which is marked.
    city: Option<&'a str>,
    made_at: String,
    body: Value,
    change: Value,
    collection: &'a str,
}

/// Creates, changes and deletes it, and compares what is answered with what is stored.
async fn live_through(app: &App, kind: Kind<'_>) {
    let before = size(&app.database).await;
    let created = kind.actor.post(&kind.made_at, kind.body).await.created();
    let id = created["id"].as_str().unwrap();
    let at = match kind.collection {
        collection if collection.starts_with("vocabularies/") => format!("/v1/{collection}/{id}"),
        _ => path(kind.collection, &created),
    };
    let patched = kind.actor.patch(&at, kind.change).await.ok();
    assert_eq!((&created["version"], &patched["version"]), (&json!(1), &json!(2)), "{at}");
    let stored = format!("SELECT version FROM record WHERE id = '{id}'");
    assert_eq!(sql(&app.database, &stored).await[0][0].as_deref(), Some("2"), "{at}");
    let bodies = format!("SELECT body FROM revision WHERE record_id = '{id}' ORDER BY version");
    for (stored, answered) in sql(&app.database, &bodies).await.iter().zip([&created, &patched]) {
        let stored: Value = serde_json::from_str(stored[0].as_deref().unwrap()).unwrap();
        assert_eq!(&stored, answered, "{at}");
    }
    let marked = kind.city.is_none();
    let mut expected =
        vec![row(1, "create", kind.account, kind.city, marked), row(2, "update", kind.account, kind.city, marked)];
    // Terms are retired, never deleted.
    if !kind.collection.starts_with("vocabularies/") {
        let deleted = kind.actor.delete(&at).await;
        assert_eq!(deleted.status, 204, "{at}: {}", deleted.text);
        expected.push(row(3, "delete", kind.account, kind.city, marked));
        kind.actor.get(&at).await.problem(410, "gone");
    }
    assert_eq!(history(&app.database, id).await, expected, "{at}");
    let after = size(&app.database).await;
    let grown = |at: usize| {
        after[at].as_deref().unwrap().parse::<usize>().unwrap()
            - before[at].as_deref().unwrap().parse::<usize>().unwrap()
    };
    assert_eq!((grown(1), grown(2)), (expected.len(), expected.len()), "{at}: nothing else was written");
}

#[tokio::test]
async fn every_record_of_the_directory_leaves_one_revision_and_one_change_per_change() {
    let app = start().await;
    let (admin, busan) = (app.admin().await, app.busan().await);
    let by_admin = |collection: &'static str, body: Value, change: Value| Kind {
        actor: &admin,
        account: "test-admin",
        city: None,
        made_at: format!("/v1/{collection}"),
        body,
        change,
        collection,
    };
    let by_busan = |collection: &'static str, body: Value, change: Value| Kind {
        actor: &busan,
        account: "test-busan",
        city: Some("KRPUS"),
        ..by_admin(collection, body, change)
    };
    let city = json!({"code": "JPTYO", "name": "Tokyo", "country": "JP", "latitude": 35.68, "longitude": 139.69,
        "timezone": "Asia/Tokyo"});
    let indicator = json!({"vocabulary": "own", "city": "KRPUS", "code": "X-1", "name": "Lamps", "definition": "Lamps.",
        "unit": "n", "measure": "number", "direction": "up", "aggregation": "latest"});
    let term = json!({"code": "benches", "label": "Benches"});
    for kind in [
        by_admin("cities", city, json!({"population": 14_000_000})),
        by_admin("programmes", json!({"name": "Twins"}), json!({"funder": "Both"})),
        by_admin("vocabularies/categories/terms", term, json!({"label": "Smart benches"})),
        by_busan("organisations", json!({"name": "Lamps Ltd", "city": "KRPUS"}), json!({"kind": "company"})),
        by_busan("documents", json!({"title": "Report", "city": "KRPUS"}), json!({"title": "Report 2"})),
        by_busan("indicators", indicator, json!({"name": "Lamps that light"})),
    ] {
        live_through(&app, kind).await;
    }
}

#[tokio::test]
async fn every_record_of_the_exchange_leaves_one_revision_and_one_change_per_change() {
    let app = start().await;
    let (busan, barcelona) = (app.busan().await, app.barcelona().await);
    let pilot = new_pilot(&busan, json!({})).await;
    let hosting = new_hosting(&busan, &pilot, json!({})).await;
    let outcome = new_outcome(&busan, "hosting", &hosting["id"], json!({})).await;
    let at = |of: &str, record: &Value, items: &str| format!("{}/{items}", path(of, record));
    let of = |actor, account, city, made_at: String, collection, body, change| Kind {
        actor,
        account,
        city: Some(city),
        made_at,
        body,
        change,
        collection,
    };
    let busans = |collection: &'static str, body: Value, change: Value| {
        of(&busan, "test-busan", "KRPUS", format!("/v1/{collection}"), collection, body, change)
    };
    let barcelonas = |made_at: String, collection: &'static str, body: Value, change: Value| {
        of(&barcelona, "test-barcelona", "ESBCN", made_at, collection, body, change)
    };
    let other = new_pilot(&busan, json!({})).await;
    let new_pilot = json!({"title": "Lamps", "origin_city": "KRPUS", "category": "other"});
    let new_outcome = json!({"indicator": {"vocabulary": "own", "code": "SL-01"},
        "subject": {"type": "pilot", "id": pilot["id"]}, "level": "output"});
    let observation = json!({"starts_on": "2026-01", "ends_on": "2026-06", "value": "300"});
    let evaluation = json!({"kind": "self", "on": "2026-10-01", "summary": "It works."});
    for kind in [
        busans("pilots", new_pilot, json!({"summary": "They light."})),
        busans("hostings", json!({"pilot_id": other["id"], "host_city": "ESBCN"}), json!({"planned_start": "2027-03"})),
        busans("outcomes", new_outcome, json!({"frequency": "monthly"})),
        barcelonas(
            at("hostings", &hosting, "compliance"),
            "compliance",
            json!({"kind": "permit"}),
            json!({"text": "a"}),
        ),
        barcelonas(at("outcomes", &outcome, "observations"), "observations", observation, json!({"method": "counted"})),
        barcelonas(at("hostings", &hosting, "evaluations"), "evaluations", evaluation, json!({"summary": "Well."})),
    ] {
        live_through(&app, kind).await;
    }
}

#[tokio::test]
async fn moves_are_versions_too_and_an_administrators_are_marked() {
    let app = start().await;
    let (admin, busan, barcelona) = (app.admin().await, app.busan().await, app.barcelona().await);
    let pilot = new_pilot(&busan, json!({})).await;
    let hosting = new_hosting(&busan, &pilot, json!({})).await;
    let at = path("hostings", &hosting);
    barcelona.transition(&at, json!({"to": "agreed"})).await.ok();
    let moved = admin.transition(&at, json!({"to": "cancelled", "reason": "funding"})).await.ok();
    assert_eq!(moved["version"], 3);
    let expected = [
        row(1, "create", "test-busan", Some("KRPUS"), false),
        row(2, "update", "test-barcelona", Some("ESBCN"), false),
        row(3, "update", "test-admin", None, true),
    ];
    assert_eq!(history(&app.database, hosting["id"].as_str().unwrap()).await, expected);

    let observations = format!("/v1/outcomes/{}/observations", founding::SERVICES_UNDER_TEST);
    let body = json!({"starts_on": "2026-01", "ends_on": "2026-06", "value": "27"});
    let observation = busan.post(&observations, body).await.created();
    let at = path("observations", &observation);
    busan.transition(&at, json!({"to": "submitted"})).await.ok();
    app.verifier().await.transition(&at, json!({"to": "verified"})).await.ok();
    let expected = [
        row(1, "create", "test-busan", Some("KRPUS"), false),
        row(2, "update", "test-busan", Some("KRPUS"), false),
        row(3, "update", "test-verifier", None, false),
    ];
    assert_eq!(history(&app.database, observation["id"].as_str().unwrap()).await, expected);
}

#[tokio::test]
async fn a_change_that_changes_nothing_is_no_version() {
    let app = start().await;
    let busan = app.busan().await;
    let pilot = new_pilot(&busan, json!({"summary": "same"})).await;
    let before = size(&app.database).await;
    assert_eq!(busan.patch(&path("pilots", &pilot), json!({"summary": "same"})).await.ok()["version"], 1);
    assert_eq!(size(&app.database).await, before);
}

#[tokio::test]
async fn versions_have_no_gaps_whoever_writes_at_the_same_time() {
    let app = start().await;
    let busan = app.busan().await;
    let pilot = new_pilot(&busan, json!({})).await;
    let at = path("pilots", &pilot);
    let patch = async |number: u32| loop {
        let answer = busan.patch(&at, json!({"summary": format!("summary {number}")})).await;
        if answer.status != 412 {
            return answer.ok();
        }
    };
    tokio::join!(patch(1), patch(2), patch(3), patch(4), patch(5));
    let history = history(&app.database, pilot["id"].as_str().unwrap()).await;
    assert_eq!(history.iter().map(|row| row.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn refused_requests_leave_no_row() {
    let app = start().await;
    let (busan, seoul) = (app.busan().await, app.seoul().await);
    let pilot = new_pilot(&busan, json!({})).await;
    let hosting = new_hosting(&busan, &pilot, json!({})).await;
    let (pilot_at, hosting_at) = (path("pilots", &pilot), path("hostings", &hosting));
    let body = json!({"title": unique(), "origin_city": "KRPUS", "category": "other"});
    let before = size(&app.database).await;

    busan
        .post("/v1/pilots", json!({"title": "Lamps", "origin_city": "KRPUS", "category": "none"}))
        .await
        .problem(422, "invalid");
    seoul.post("/v1/pilots", body.clone()).await.problem(403, "forbidden");
    app.anonymous().post("/v1/pilots", body).await.problem(401, "unauthenticated");
    seoul.patch(&pilot_at, json!({"summary": "mine"})).await.problem(403, "forbidden");
    busan.patch_at(&pilot_at, json!({"summary": "late"}), "\"v9.0\"").await.problem(412, "stale_version");
    busan.delete(&pilot_at).await.problem(409, "referenced");
    busan.transition(&hosting_at, json!({"to": "closed"})).await.problem(409, "illegal_transition");
    busan.transition(&hosting_at, json!({"to": "agreed"})).await.problem(422, "guard_failed");
    let again = json!({"pilot_id": pilot["id"], "host_city": "ESBCN"});
    busan.post("/v1/hostings", again).await.problem(409, "duplicate");
    assert_eq!(size(&app.database).await, before);
}

#[tokio::test]
async fn nobody_rewrites_history() {
    let app = start().await;
    let statements = ["UPDATE revision SET op = 'update'", "DELETE FROM revision"];
    for statement in statements {
        let by_service = try_sql(&app.database.url, statement).await.unwrap_err();
        assert_eq!(by_service.code().unwrap().code(), "42501", "{statement}: {by_service}");
        let by_owner = try_sql(&app.database.owner_url, statement).await.unwrap_err();
        assert_eq!(by_owner.code().unwrap().code(), "23001", "{statement}: {by_owner}");
    }
    for statement in ["UPDATE transition SET note = ''", "DELETE FROM transition", "TRUNCATE revision CASCADE"] {
        let by_service = try_sql(&app.database.url, statement).await.unwrap_err();
        assert_eq!(by_service.code().unwrap().code(), "42501", "{statement}: {by_service}");
    }
}

#[tokio::test]
async fn the_services_role_cannot_change_the_schema() {
    let app = start().await;
    for statement in [
        "CREATE TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE VIEW mine AS SELECT 1",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE pilot ADD COLUMN mine int",
        "ALTER TABLE revision DISABLE TRIGGER revision_append_only",
        "DROP TABLE pilot",
        "DROP TRIGGER revision_append_only ON revision",
        "CREATE INDEX mine ON pilot (title)",
        "INSERT INTO __diesel_schema_migrations VALUES ('9999')",
        "SET ROLE pilot_exchange_owner",
    ] {
        let refused = try_sql(&app.database.url, statement).await.unwrap_err();
        assert_eq!(refused.code().unwrap().code(), "42501", "{statement}: {refused}");
    }
}
