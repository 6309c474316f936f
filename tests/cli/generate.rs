//! Generated worlds: the same for the same arguments, and made of records like those made through the API.

use std::collections::BTreeSet;

use pilot_exchange::demo::{self, Counts, World};
use pilot_exchange::hosting::lifecycle::MOVES;
use serde_json::{Value, json};

use crate::support::process::{Folder, run};
use crate::support::{Actor, App, Options, TestDatabase, new_database, path, sql};

fn small(seed: u64) -> World {
    World { cities: 8, pilots: 24, hostings: 90, observations: 900, seed, cities_file: None }
}

async fn generated(world: &World) -> (TestDatabase, Counts) {
    let database = new_database().await;
    let made = demo::generate(&database.url, world).await.unwrap();
    (database, made)
}

async fn text(database: &TestDatabase, statement: &str) -> String {
    sql(database, statement).await[0][0].clone().unwrap_or_default()
}

/// The content of every table, without the numbers that the database gives to rows by itself.
async fn content(database: &TestDatabase) -> Vec<(String, String)> {
    let tables = r"SELECT c.table_name, string_agg(format('%I', column_name), ', ' ORDER BY ordinal_position)
        FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
        WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name NOT LIKE '\_\_diesel%'
            AND is_identity = 'NO' AND column_name <> 'begun' GROUP BY 1 ORDER BY 1";
    let mut content = vec![];
    for row in sql(database, tables).await {
        let (table, columns) = (row[0].clone().unwrap(), row[1].clone().unwrap());
        let hash = format!(
            "SELECT md5(string_agg(r::text, ';' ORDER BY r::text COLLATE \"C\")) FROM (SELECT {columns} FROM {table}) r"
        );
        content.push((table, text(database, &hash).await));
    }
    content
}

#[tokio::test]
async fn the_same_seed_makes_the_same_world_to_the_last_row() {
    let (first, made) = generated(&small(5)).await;
    let (second, again) = generated(&small(5)).await;
    assert_eq!(made, again);
    assert_eq!(content(&first).await, content(&second).await);
    let (other, _) = generated(&small(6)).await;
    assert_ne!(content(&first).await, content(&other).await);
}

#[tokio::test]
async fn a_seed_is_taken_once_by_a_database_and_another_one_beside_it() {
    let (database, _) = generated(&small(5)).await;
    let before = content(&database).await;
    let larger = World { pilots: 30, ..small(5) };
    let refused = demo::generate(&database.url, &larger).await.unwrap_err();
    assert!(refused.contains("seed 5") && refused.contains("--seed") && !refused.contains('\n'), "{refused}");
    assert_eq!(content(&database).await, before);
    demo::generate(&database.url, &small(6)).await.unwrap();
}

#[tokio::test]
async fn there_are_as_many_as_were_asked_for() {
    let worlds = [
        small(5),
        World { cities: 1, pilots: 1, hostings: 5, observations: 1, ..small(5) },
        World { cities: 2, pilots: 3, hostings: 40, observations: 3000, ..small(5) },
        World { cities: 3, pilots: 0, hostings: 0, observations: 0, ..small(5) },
    ];
    for world in worlds {
        let (database, made) = generated(&world).await;
        let asked = (world.cities, world.pilots, world.hostings, world.observations);
        assert_eq!((made.cities, made.pilots, made.hostings, made.observations), asked);
        let counts = [
            ("cities", made.cities),
            ("organisations", made.organisations),
            ("pilots", made.pilots),
            ("needs", made.needs),
            ("applicability", made.applicability),
            ("hostings", made.hostings),
            ("compliance", made.compliance),
            ("outcomes", made.outcomes),
            ("observations", made.observations),
            ("evaluations", made.evaluations),
        ];
        for (collection, count) in counts {
            let statement = format!(
                "SELECT count(*) FROM revision JOIN account a ON a.id = account_id
                 WHERE revision.version = 1 AND type = '{collection}' AND client_id LIKE 'generated-%'"
            );
            assert_eq!(text(&database, &statement).await, count.to_string(), "{collection} of {world:?}");
        }
    }
}

/// Members that depend on the day or on other records.
const COMPUTED: &[&str] = &["gate_broken", "latest", "progress", "progress_reason", "progress_status"];

fn without_computed(record: &Value) -> Value {
    let mut record = record.clone();
    record.as_object_mut().unwrap().retain(|name, _| !COMPUTED.contains(&name.as_str()));
    record
}

#[tokio::test]
async fn the_last_revision_of_every_record_is_what_the_interface_answers() {
    let (database, made) = generated(&small(5)).await;
    let app = App::start_with(Options { database: Some(database.clone()), ..Options::default() }).await;
    let admin = app.admin().await;
    let mut answers = vec![];
    for list in ["cities", "organisations", "pilots", "needs", "applicability", "hostings", "outcomes", "observations"]
    {
        answers.extend(admin.all(&format!("/v1/{list}?limit=500")).await);
    }
    for collection in ["compliance", "evaluations"] {
        for row in sql(&database, &format!("SELECT id FROM record WHERE type = '{collection}'")).await {
            answers.push(admin.get(&format!("/v1/{collection}/{}", row[0].as_deref().unwrap())).await.ok());
        }
    }
    assert!(answers.len() > made.observations + made.hostings + made.compliance);
    let last = "SELECT DISTINCT ON (record_id) body FROM revision ORDER BY record_id, version DESC";
    let revisions: std::collections::HashMap<String, Value> = sql(&database, last)
        .await
        .into_iter()
        .map(|row| serde_json::from_str::<Value>(row[0].as_deref().unwrap()).unwrap())
        .map(|body| (body["id"].as_str().unwrap().to_owned(), body))
        .collect();
    for answer in answers {
        let revision = &revisions[answer["id"].as_str().unwrap()];
        assert_eq!(without_computed(&answer), without_computed(revision));
    }
    let broken = "SELECT count(*) FROM record r WHERE r.version <> (SELECT count(*) FROM revision v JOIN change c
        ON (c.record_id, c.version) = (v.record_id, v.version) AND NOT c.derived WHERE v.record_id = r.id)";
    assert_eq!(text(&database, broken).await, "0");
    let unsettled = "SELECT count(*) FROM revision v JOIN record r ON r.id = v.record_id AND r.version = v.version
        WHERE r.updated_at <> v.at AND v.account_id IN (SELECT id FROM account WHERE client_id LIKE 'generated-%')";
    assert_eq!(text(&database, unsettled).await, "0");
}

#[tokio::test]
async fn every_hosting_came_to_its_state_by_moves_that_there_are_and_with_what_they_ask_for() {
    let (database, _) = generated(&World { hostings: 300, ..small(5) }).await;
    let moves: BTreeSet<(String, String)> =
        MOVES.iter().map(|one| (one.from.label().to_owned(), one.to.label().to_owned())).collect();
    let made = "SELECT coalesce(t.from_status, ''), t.to_status, t.reason FROM transition t JOIN hosting h ON h.id = t.record_id
        WHERE NOT h.historical";
    let mut states = BTreeSet::new();
    for row in sql(&database, made).await {
        let (from, to) = (row[0].clone().unwrap(), row[1].clone().unwrap());
        assert!(from.is_empty() && to == "proposed" || moves.contains(&(from.clone(), to.clone())), "{from} to {to}");
        assert!(!matches!(to.as_str(), "suspended" | "cancelled") || row[2].is_some(), "{to} without a reason");
        states.insert(to);
    }
    assert_eq!(states.len(), 8, "{states:?}");
    let none = [
        ("a chain is broken", "SELECT count(*) FROM (SELECT from_status, at, lag(to_status) OVER w AS before, lag(at) OVER w AS earlier
            FROM transition JOIN hosting h ON h.id = record_id WINDOW w AS (PARTITION BY record_id ORDER BY transition.id)) t
            WHERE from_status IS DISTINCT FROM before OR at < earlier"),
        ("a state is not the last move's", "SELECT count(*) FROM hosting h WHERE status <> (SELECT to_status FROM transition t
            WHERE t.record_id = h.id ORDER BY id DESC LIMIT 1)"),
        ("a live one is without privacy assessment", "SELECT count(*) FROM hosting h JOIN pilot p ON p.id = h.pilot_id
            JOIN term t ON t.scheme = 'categories' AND t.code = p.category
            JOIN city c ON c.id = h.host_city_id JOIN country n ON n.code = c.country
            WHERE NOT historical AND actual_start IS NOT NULL AND (processes_personal_data IS NOT FALSE OR tracks_people)
            AND NOT EXISTS (SELECT FROM compliance o WHERE o.hosting_id = h.id AND o.status = 'approved'
                AND o.kind = CASE WHEN n.eea THEN 'dpia' ELSE 'pia' END AND first_day(o.decided_on) <= first_day(h.actual_start))"),
        ("a live one has open compliance", "SELECT count(*) FROM hosting h JOIN compliance o ON o.hosting_id = h.id
            WHERE actual_start IS NOT NULL AND o.status <> 'approved'"),
        ("a live one is not measured", "SELECT count(*) FROM hosting h WHERE NOT historical AND actual_start IS NOT NULL
            AND no_outcome_reason IS NULL
            AND NOT EXISTS (SELECT FROM outcome o WHERE o.hosting_id = h.id AND baseline_value IS NOT NULL)"),
        ("a closed one is without decision", "SELECT count(*) FROM hosting h WHERE status = 'closed'
            AND NOT EXISTS (SELECT FROM evaluation e WHERE e.hosting_id = h.id AND decision IS NOT NULL)"),
        ("one ended early without a reason", "SELECT count(*) FROM transition t JOIN hosting h ON h.id = t.record_id
            WHERE to_status = 'evaluating' AND last_day(actual_end) < last_day(planned_end) AND reason IS NULL"),
        ("the other city did not agree", "SELECT count(*) FROM transition t JOIN hosting h ON h.id = t.record_id
            WHERE to_status = 'agreed' AND kind = 'exchange' AND acting_city_id = proposed_by_city_id"),
        ("a later one follows none that ended", "SELECT count(*) FROM hosting h JOIN hosting f ON f.id = h.follows_id
            WHERE (f.pilot_id, f.host_city_id) <> (h.pilot_id, h.host_city_id) OR f.status NOT IN ('closed', 'cancelled')"),
        ("a record is older than its id", "SELECT count(*) FROM record r JOIN external_id e ON e.record_id = r.id
            WHERE source = 'generated' AND floor(extract(epoch FROM created_at)) <>
                ('x' || translate(left(r.id::text, 13), '-', ''))::bit(48)::bigint / 1000"),
    ];
    for (what, statement) in none {
        assert_eq!(text(&database, statement).await, "0", "{what}");
    }
}

/// An editor of this city, who is given an account now.
async fn editor_of(app: &App, city: &Value) -> Actor {
    let name = format!("editor-{}", crate::support::unique());
    let body = json!({"client_id": name, "name": "Editor", "role": "editor", "cities": [city]});
    let account = app.admin().await.post("/v1/accounts", body).await.created();
    app.actor_with(&name, account["client_secret"].as_str().unwrap()).await
}

#[tokio::test]
async fn a_generated_record_goes_on_through_the_interface() {
    let (database, _) = generated(&small(5)).await;
    let app = App::start_with(Options { database: Some(database), ..Options::default() }).await;
    let admin = app.admin().await;
    let live = admin.all("/v1/hostings?status=live&historical=false").await;
    let hosting = live.first().unwrap();
    let host = editor_of(&app, &hosting["host_city"]).await;
    let at = path("hostings", hosting);
    let ended = host.transition(&at, json!({"to": "evaluating", "on": "2026-01-31", "reason": "other"})).await.ok();
    assert_eq!(
        (&ended["status"], ended["version"].as_i64()),
        (&json!("evaluating"), hosting["version"].as_i64().map(|one| one + 1))
    );
    let moves = host.get(&format!("{at}/transitions")).await.ok();
    assert_eq!(moves["items"].as_array().unwrap().len(), ended["version"].as_u64().unwrap() as usize);

    let proposed = admin.all("/v1/hostings?status=proposed&kind=exchange").await;
    if let Some(hosting) = proposed.first() {
        let other = ["origin_city", "host_city"].map(|name| &hosting[name]);
        let other = other.into_iter().find(|city| **city != hosting["proposed_by_city"]).unwrap();
        let other = editor_of(&app, other).await;
        other.transition(&path("hostings", hosting), json!({"to": "agreed"})).await.ok();
    }

    let pilot = admin.all("/v1/pilots?status=operational").await.pop().unwrap();
    let origin = editor_of(&app, &pilot["origin_city"]).await;
    let changed = origin.patch(&path("pilots", &pilot), json!({"tags": ["changed"]})).await.ok();
    assert_eq!((&changed["tags"], &changed["title"]), (&json!(["changed"]), &pilot["title"]));
    let outcome = admin.all("/v1/outcomes?limit=500").await.into_iter().find(|one| !one["latest"].is_null()).unwrap();
    assert_eq!(outcome["progress"].is_null(), outcome["progress_reason"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_takes_the_largest_cities_of_a_file_whatever_the_order_of_its_columns() {
    let database = new_database().await;
    let folder = Folder::new();
    let file = folder.0.join("cities.csv");
    let rows = [
        "population,UN/LOCODE,timezone,name,lat,lon,country",
        "792492,ESVLC,Europe/Madrid,\"Valencia, the city\",39.46975,-0.37739,ES",
        "3678555,KRPUS,Asia/Seoul,Busan,35.10168,129.03004,KR",
        "100,FRXXX,Europe/Paris,Small,45.0,4.0,FR",
        "9000000,ESXX1,Europe/Madrid,No such code,39.0,-0.3,ES",
        "9000000,XXABC,Europe/Madrid,No such country,39.0,-0.3,XX",
        "9000000,ESABC,Europe/Nowhere,No such zone,39.0,-0.3,ES",
    ];
    std::fs::write(&file, rows.join("\n")).unwrap();
    let file = file.to_str().unwrap();
    let settings = [("DATABASE_URL", database.url.as_str()), ("DATABASE_MIGRATION_URL", database.owner_url.as_str())];
    let mut arguments = vec!["demo", "generate", "--pilots", "6", "--hostings", "10", "--observations", "60"];
    arguments.extend(["--seed", "3", "--cities-file", file, "--cities"]);
    let with = |cities: &'static str| [arguments.as_slice(), &[cities]].concat();
    let ended = run(&folder, &with("9"), &settings);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("has 3 cities that can be used, not 9"), "{}", ended.stderr);
    let ended = run(&folder, &with("2"), &settings);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stdout.starts_with("world 3: 2 cities, ") && ended.stdout.contains(" 10 hostings, "),
        "{}",
        ended.stdout
    );
    assert!(ended.stderr.contains("observations"), "a log has a line for what was done: {}", ended.stderr);
    // Busan was there before, and is not made anew.
    let cities =
        "SELECT string_agg(name || ' ' || (id = '015aca1d-6405-7000-8000-000000000005'), '; ' ORDER BY name) FROM city
        WHERE code IN ('ESVLC', 'KRPUS')";
    assert_eq!(text(&database, cities).await, "Busan true; Valencia, the city false");
    let again = run(&folder, &with("2"), &settings);
    assert_eq!(again.code, Some(1));
    let line = again.stderr.lines().last().unwrap();
    assert!(line.starts_with("pilot-exchange: a world of seed 3 was generated"), "{}", again.stderr);
}

#[tokio::test]
async fn the_past_of_a_generated_world_at_its_last_change_is_its_present() {
    let (database, _) = generated(&small(5)).await;
    let app = App::start_with(Options { database: Some(database.clone()), ..Options::default() }).await;
    let admin = app.admin().await;
    let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    for list in ["outcomes", "hostings"] {
        let present = admin.get(&format!("/v1/{list}?limit=500&count=exact")).await.ok();
        let past = admin.get(&format!("/v1/{list}?limit=500&count=exact&as_of={now}")).await.ok();
        assert_eq!((&past["items"], &past["count"]), (&present["items"], &present["count"]), "{list}");
    }
}
