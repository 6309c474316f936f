//! `backup` and `restore`: what was there is there again, to the byte; followers know of it; what is not a whole backup, or
//! would go over something, is refused and changes nothing.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::process::{Ended, Folder, Server, free_port, run, until};
use crate::support::{
    Actor, Answer, App, Options, TestDatabase, empty_database, new_database, new_pilot, path, sql, try_sql,
};
use crate::sync::receiver::Receiver;

const PATIENCE: Duration = Duration::from_secs(30);

/// What a restore makes anew, or what the background moves on: beside these, every table is compared.
const NOT_COMPARED: &str = "('search_entry', 'setting', 'webhook', 'webhook_delivery', 'change_number', 'change')";

/// Runs a command on the private cluster of a folder.
async fn run_in(folder: &Folder, arguments: &[&str]) -> Ended {
    let arguments: Vec<String> = arguments.iter().map(|&one| one.to_owned()).collect();
    let folder = Folder(folder.0.clone());
    let work = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let ended = run(&folder, &arguments, &[]);
        // It is the caller's to remove.
        std::mem::forget(folder);
        ended
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// Runs a command on a database of the tests, in a folder with their master key.
async fn run_on(database: &TestDatabase, arguments: &[&str]) -> Ended {
    let arguments: Vec<String> = arguments.iter().map(|&one| one.to_owned()).collect();
    let (url, owner_url) = (database.url.clone(), database.owner_url.clone());
    let work = move || {
        let folder = Folder::new();
        fs::write(folder.0.join("master.key"), "07".repeat(32)).unwrap();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let settings = [
            ("DATABASE_URL", url.as_str()),
            ("DATABASE_MIGRATION_URL", owner_url.as_str()),
            ("PILOT_EXCHANGE_MASTER_KEY_FILE", "master.key"),
        ];
        run(&folder, &arguments, &settings)
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// A hash of every row of every table that is compared, and of the changes without their numbers.
async fn hashes(url: &str) -> Vec<(String, String)> {
    let tables = format!(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
         AND relname NOT IN {NOT_COMPARED} ORDER BY 1"
    );
    let of = async |what: &str| {
        let hash = format!("SELECT md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '')) FROM {what} t");
        try_sql(url, &hash).await.unwrap()[0][0].clone().unwrap()
    };
    let mut hashes = vec![];
    for row in try_sql(url, &tables).await.unwrap() {
        let table = row[0].clone().unwrap();
        hashes.push((table.clone(), of(&table).await));
    }
    let changes = "(SELECT id, record_id, version, derived, visibility, city_ids, visibility_before FROM change)";
    hashes.push(("change".into(), of(changes).await));
    assert!(hashes.iter().any(|(table, _)| table == "revision") && hashes.len() > 40, "{hashes:?}");
    hashes
}

/// A pilot made under this Idempotency-Key.
async fn keyed(actor: &Actor, key: &str) -> Answer {
    let body = json!({"title": format!("Under the key {key}"), "origin_city": "KRPUS",
        "category": "smart_street_lighting", "areas": ["smart_cities"]});
    actor.send(actor.request("POST", "/v1/pilots").header("idempotency-key", key).json(&body)).await
}

/// Every id in the feed, and the cursor at its end.
async fn followed(actor: &Actor, cursor: Option<&str>) -> (Vec<Value>, String) {
    let (mut items, mut query) = (vec![], cursor.map_or("limit=500".into(), |cursor| format!("cursor={cursor}")));
    loop {
        let page = actor.get(&format!("/v1/changes?{query}")).await.ok();
        items.extend(page["items"].as_array().unwrap().clone());
        let next = page["next"].as_str().unwrap().to_owned();
        if page["has_more"] == false {
            return (items, next);
        }
        query = format!("cursor={next}");
    }
}

/// What somebody holds who used the service before the backup.
struct Before {
    busan: Actor,
    /// The answer to a POST under the key `before`.
    kept: Answer,
    webhook: Value,
    cursor: String,
    receiver: Receiver,
}

impl Before {
    async fn at(server: &Server) -> Self {
        let busan = server.demo("demo-busan").await;
        let kept = keyed(&busan, "before").await;
        assert_eq!(kept.status, 201, "{}", kept.text);
        let receiver = Receiver::start().await;
        let webhook = busan.post("/v1/webhooks", json!({"url": receiver.url(), "types": ["registry.pilots.*"]})).await;
        let (_, cursor) = followed(&busan, None).await;
        Self { busan, kept, webhook: webhook.created(), cursor, receiver }
    }

    /// Everything that was given out goes on being good, but for the cursor, which is refused.
    async fn is_good_at(&self, gone: &[Value]) {
        let busan = &self.busan;
        assert_eq!(busan.get("/v1/me").await.ok()["client_id"], "demo-busan");
        let again = keyed(busan, "before").await;
        assert_eq!((again.status, &again.text), (201, &self.kept.text));
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        for record in gone {
            busan.get(&path("pilots", record)).await.problem(404, "not_found");
        }
        let refused = busan.get(&format!("/v1/changes?cursor={}", self.cursor)).await.problem(410, "resync_required");
        assert!(refused["detail"].as_str().unwrap().contains("restored"), "{refused}");
        let (told, cursor) = followed(busan, None).await;
        assert!(told.iter().any(|change| change["id"] == self.kept.json["id"]));
        assert!(!told.iter().any(|change| gone.iter().any(|record| record["id"] == change["id"])));

        let new = new_pilot(busan, json!({})).await;
        assert_eq!(followed(busan, Some(&cursor)).await.0[0]["id"], new["id"]);
        assert_eq!(busan.get(&path("webhooks", &self.webhook)).await.ok()["enabled"], true);
        until("the webhook goes on", PATIENCE, async || {
            self.receiver.received().iter().any(|one| one.event()["data"]["id"] == new["id"])
        })
        .await;
        let found = busan.get("/v1/search?q=Under+the+key+before").await.ok();
        assert_eq!(found["items"][0]["id"], self.kept.json["id"], "{found}");
    }
}

const SERVE: &[&str] = &["--demo", "--webhook-allow-private"];

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_restored_in_its_place_and_elsewhere_and_all_that_was_given_out_stays_good() {
    let (folder, port) = (Folder::new(), free_port());
    let server = Server::start_on(port, &folder, SERVE).await;
    let world = ["demo", "generate", "--cities", "4", "--pilots", "10", "--hostings", "20", "--observations", "60"];
    run_in(&folder, &world).await.ok();
    let before = Before::at(&server).await;
    let content = hashes(&folder.postgres_url()).await;
    let said = run_in(&folder, &["backup", "b.dump"]).await.ok();
    assert!(said.contains("b.dump: ") && said.contains("master.key") && said.contains("apart"), "{said}");
    assert_eq!(hashes(&folder.postgres_url()).await, content, "something was written meanwhile");

    let later = [keyed(&before.busan, "after").await.created(), new_pilot(&before.busan, json!({})).await];
    before.busan.patch(&path("pilots", &before.kept.json), json!({"title": "Changed later"})).await.ok();
    let running = run_in(&folder, &["restore", "--replace", "b.dump"]).await.refusal(1);
    assert!(running.contains("a service is running on the database"), "{running}");
    assert!(server.stop().success());

    let said = run_in(&folder, &["restore", "--replace", "b.dump"]).await.ok();
    assert!(said.contains("restored from b.dump") && said.contains("410 resync_required"), "{said}");
    let server = Server::start_on(port, &folder, SERVE).await;
    assert_eq!(hashes(&folder.postgres_url()).await, content);
    before.is_good_at(&later).await;
    assert_ne!(keyed(&before.busan, "after").await.created()["id"], later[0]["id"], "made anew");
    assert!(server.stop().success());

    let elsewhere = Folder::new();
    fs::copy(folder.0.join("b.dump"), elsewhere.0.join("b.dump")).unwrap();
    let no_key = run_in(&elsewhere, &["restore", "b.dump"]).await;
    assert_eq!(no_key.code, Some(1));
    assert!(no_key.stderr.contains("put the master key that belongs to the backup there"), "{no_key:?}");
    for name in ["master.key", "demo-accounts.json"] {
        fs::copy(folder.data().join(name), elsewhere.data().join(name)).unwrap();
    }
    run_in(&elsewhere, &["restore", "b.dump"]).await.ok();
    let _server = Server::start_on(port, &elsewhere, SERVE).await;
    assert_eq!(hashes(&elsewhere.postgres_url()).await, content);
    before.is_good_at(&later).await;
}

/// A backup of a filled database in a folder of its own.
async fn backed_up(database: &TestDatabase) -> (Folder, PathBuf) {
    let folder = Folder::new();
    let said = run_on(database, &["backup", folder.0.to_str().unwrap()]).await.ok();
    let files: Vec<PathBuf> = fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "one whole file: {files:?}");
    let name = files[0].file_name().unwrap().to_str().unwrap().to_owned();
    assert!(name.starts_with("pilot-exchange-") && name.ends_with(".dump") && said.contains(&name), "{name}: {said}");
    (folder, files[0].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_somebody_else_is_backed_up_and_restored_by_its_owner() {
    let database = new_database().await;
    let content = hashes(&database.owner_url).await;
    let (folder, file) = backed_up(&database).await;
    let file = file.to_str().unwrap();
    let empty = empty_database().await;
    let nothing = run_on(&empty, &["backup", "/tmp"]).await.refusal(1);
    assert!(nothing.contains("the database is empty"), "{nothing}");
    run_on(&empty, &["restore", file]).await.ok();
    assert_eq!(hashes(&empty.owner_url).await, content);
    let bytes = fs::read(file).unwrap();
    let end = bytes.windows(8).rposition(|window| window == b"\npilot-e").unwrap();
    let plain = folder.0.join("plain.dump");
    fs::write(&plain, &bytes[..end]).unwrap();
    let plain = plain.to_str().unwrap();
    let of_pg_dump = run_on(&empty, &["restore", "--replace", plain]).await.refusal(1);
    assert!(of_pg_dump.contains("--from-pg-dump"), "{of_pg_dump}");
    sql(&empty, "CREATE TABLE of_a_later_version (id integer)").await;
    run_on(&empty, &["restore", "--replace", "--from-pg-dump", plain]).await.ok();
    assert_eq!(hashes(&empty.owner_url).await, content, "and nothing else is left");
    run_on(&empty, &["restore", "--replace", file]).await.ok();
    assert_eq!(hashes(&empty.owner_url).await, content, "and nothing else is left");
    // The service's role has its rights again, and no more than before.
    let app = App::start_with(Options { database: Some(empty.clone()), ..Options::default() }).await;
    let busan = app.busan().await;
    new_pilot(&busan, json!({})).await;
    try_sql(&empty.url, "DELETE FROM revision").await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_whole_backup_or_would_go_over_something_is_refused_and_changes_nothing() {
    let database = new_database().await;
    let app = App::start_with(Options { database: Some(database.clone()), ..Options::default() }).await;
    app.busan().await;
    app.stop().await;
    drop(app);
    let (folder, file) = backed_up(&database).await;
    let target = new_database().await;
    let content = hashes(&target.owner_url).await;
    let refused = async |arguments: &[&str], expected: &str| {
        let line = run_on(&target, &[&["restore"], arguments].concat()).await;
        assert_eq!((line.code, line.stdout.as_str()), (Some(1), ""), "{line:?}");
        let last = line.stderr.lines().last().unwrap();
        assert!(last.contains(expected), "{expected}: {line:?}");
        assert_eq!(hashes(&target.owner_url).await, content, "{expected}");
    };
    let whole = file.to_str().unwrap();
    refused(&[whole], "the database is not empty: give --replace").await;
    let bytes = fs::read(&file).unwrap();
    let part = folder.0.join("part.dump");
    let part = part.to_str().unwrap();
    for length in [0, 100, bytes.len() / 2, bytes.len() - 1] {
        fs::write(part, &bytes[..length]).unwrap();
        refused(&["--replace", part], "is not a whole backup").await;
    }
    refused(&["--replace", "no-such-file"], "cannot be read").await;
    let mut altered = bytes.clone();
    altered[bytes.len() / 3] ^= 0x55;
    fs::write(part, &altered).unwrap();
    refused(&["--replace", part], "its hash differs").await;
    // What pg_dump wrote itself has no hash, and is read through all the same.
    fs::write(part, &bytes[..bytes.len() - 1000]).unwrap();
    refused(&["--replace", "--from-pg-dump", part], "is not a whole backup").await;

    let other_key = folder.0.join("other.key");
    fs::write(&other_key, "08".repeat(32)).unwrap();
    let other_key = other_key.to_str().unwrap();
    refused(&["--replace", "--master-key-file", other_key, whole], "is not the master key of this backup").await;

    sql(&database, "INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')").await;
    let (_newer, file) = backed_up(&database).await;
    refused(&["--replace", file.to_str().unwrap()], "made by a newer pilot-exchange").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_master_key_records_are_restored_and_secrets_made_anew() {
    let database = new_database().await;
    let app = App::start_with(Options { database: Some(database.clone()), ..Options::default() }).await;
    let token = app.busan().await.token;
    let webhook = json!({"url": "http://127.0.0.1:1029/hook", "types": ["*"]});
    app.busan().await.post("/v1/webhooks", webhook).await.created();
    let (_folder, file) = backed_up(&database).await;
    let empty = empty_database().await;
    let said = run_on(&empty, &["restore", "--without-master-key", file.to_str().unwrap()]).await.ok();
    assert!(said.contains("every webhook is disabled"), "{said}");

    let app = App::start_with(Options { database: Some(empty), ..Options::default() }).await;
    let mut before = app.busan().await;
    before.token = token;
    before.get("/v1/me").await.problem(401, "unauthenticated");
    let busan = app.busan().await;
    let webhook = busan.get("/v1/webhooks").await.ok()["items"][0].clone();
    assert_eq!(webhook["enabled"], false);
    busan.post(&format!("{}/secrets", path("webhooks", &webhook)), json!({})).await.created();
    busan.patch(&path("webhooks", &webhook), json!({"enabled": true})).await.ok();
}
