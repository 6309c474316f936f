//! An export is whole, or whoever receives it can tell that it is not.

use std::time::Duration;

use serde_json::json;

use super::{exported, filled_with, listed, records_of};
use crate::support::process::{Folder, run, until};
use crate::support::{Actor, App, Options, new_pilot, secret_of, sql, try_sql};

/// An export of 30 MB: more than waits between the database and a client that does not read.
async fn large(options: Options) -> App {
    let app = filled_with(options, 3000).await;
    sql(&app.database, "UPDATE observation SET method = repeat('m', 10000)").await;
    app
}

async fn readers(app: &App) -> usize {
    let running = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() \
        AND application_name = 'pilot-exchange reading'";
    sql(&app.database, running).await.len()
}

#[tokio::test]
async fn a_backend_that_is_killed_on_the_way_leaves_no_file_that_looks_whole() {
    let app = large(Options::default()).await;
    let admin = app.admin().await;
    for format in ["csv", "ndjson"] {
        let export = admin.request("GET", &format!("/v1/exports/observations.{format}"));
        let mut response = export.send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.chunk().await.unwrap().unwrap();
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() \
            AND application_name = 'pilot-exchange reading'";
        assert_eq!(try_sql(&app.database.url, kill).await.unwrap().len(), 1);
        assert!(response.bytes().await.is_err(), "{format} looks whole");
    }
    // The next one is none the worse for it.
    let whole = exported(&admin, "observations.ndjson").await;
    assert_eq!(records_of(&whole).0.len(), 3000 + listed(&admin, "observations").await.len() - 3000);
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_the_snapshot_for_a_bounded_time_only() {
    let app = large(Options { export_stall_seconds: Some(1), ..Options::default() }).await;
    let admin = app.admin().await;
    let response = admin.request("GET", "/v1/exports/observations.csv").send().await.unwrap();
    assert_eq!(readers(&app).await, 1);
    until("the snapshot is let go", Duration::from_secs(20), async || readers(&app).await == 0).await;
    assert!(response.bytes().await.is_err(), "what was cut off looks whole");
}

#[tokio::test]
async fn an_export_is_one_snapshot_whatever_is_written_meanwhile() {
    let app = large(Options::default()).await;
    let admin = app.admin().await;
    let before = listed(&admin, "observations").await;
    let response = admin.request("GET", "/v1/exports/observations.ndjson").send().await.unwrap();
    sql(&app.database, "UPDATE observation SET method = 'changed'").await;
    let (records, end) = records_of(&response.bytes().await.unwrap());
    assert!(records == before);
    assert_eq!(end["rows"], before.len());
    let (after, _) = records_of(&exported(&admin, "observations.ndjson").await);
    assert!(after.iter().all(|record| record["method"] == "changed"));
}

#[tokio::test]
async fn exports_have_connections_of_their_own_and_say_so_when_all_are_busy() {
    let app = large(Options::default()).await;
    let (admin, busan, barcelona) = (app.admin().await, app.busan().await, app.barcelona().await);
    let export = |actor: &Actor| actor.request("GET", "/v1/exports/observations.csv");
    // There are two: a fifth of ten.
    let running = (export(&admin).send().await.unwrap(), export(&busan).send().await.unwrap());
    let refused = barcelona.send(export(&barcelona)).await;
    assert!(refused.header("retry-after").is_some());
    let problem = refused.problem(503, "unavailable");
    assert!(problem["detail"].as_str().unwrap().contains("connections"), "{problem}");
    for _ in 0..20 {
        admin.get("/v1/pilots").await.ok();
    }
    drop(running);
    until("they are free again", Duration::from_secs(20), async || {
        admin.get("/v1/exports/cities.csv").await.status == 200
    })
    .await;
}

#[tokio::test]
async fn a_client_has_two_exports_at_once() {
    let app = large(Options::default()).await;
    let admin = app.admin().await;
    let export = || admin.request("GET", "/v1/exports/observations.csv");
    let running = (export().send().await.unwrap(), export().send().await.unwrap());
    let refused = admin.send(export()).await;
    assert!(refused.header("retry-after").is_some());
    let problem = refused.problem(503, "unavailable");
    assert!(problem["detail"].as_str().unwrap().contains("this account"), "{problem}");
    drop(running);
    until("it may have others", Duration::from_secs(20), async || admin.send(export()).await.status == 200).await;
}

#[tokio::test]
async fn a_compressed_export_is_the_same() {
    let app = App::start().await;
    let admin = app.admin().await;
    let request = admin.request("GET", "/v1/exports/terms.csv").header("accept-encoding", "gzip");
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert!(response.headers()["etag"].to_str().unwrap().ends_with("-gzip\""));
    let packed = response.bytes().await.unwrap();
    let plain = exported(&admin, "terms.csv").await;
    assert!(packed.len() < plain.len() / 2 && packed.starts_with(&[0x1f, 0x8b]));
}

#[tokio::test]
async fn the_command_writes_a_whole_file_or_none() {
    let app = App::start().await;
    let busan = app.busan().await;
    new_pilot(&busan, json!({"visibility": "private"})).await;
    let folder = Folder::new();
    let file = folder.0.join("pilots.ndjson");
    let secret = secret_of("test-busan");
    let (base, output) = (app.base.clone(), file.display().to_string());
    let export = async |arguments: Vec<String>, settings: Vec<(&'static str, String)>| {
        let (base, output) = (base.clone(), output.clone());
        tokio::task::spawn_blocking(move || {
            let folder = Folder::new();
            let mut all = vec!["export", "--url", &base, "--output", &output, "--collection"];
            all.extend(arguments.iter().map(String::as_str));
            let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
            run(&folder, &all, &settings)
        })
        .await
        .unwrap()
    };
    let account = || {
        vec![("PILOT_EXCHANGE_CLIENT_ID", "test-busan".to_owned()), ("PILOT_EXCHANGE_CLIENT_SECRET", secret.clone())]
    };
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let told = export(words("pilots --query origin_city=KRPUS"), account()).await.ok();
    let (records, _) = records_of(&std::fs::read(&file).unwrap());
    assert_eq!(records, busan.all("/v1/pilots?origin_city=KRPUS").await);
    assert!(told.contains(&format!("{} records, as of ", records.len())), "{told}");
    for format in ["csv", "xlsx", "parquet", "geojson"] {
        export(words(&format!("cities --format {format}")), vec![]).await.ok();
        assert!(std::fs::metadata(&file).unwrap().len() > 100, "{format}");
    }
    std::fs::remove_file(&file).unwrap();
    for (arguments, says) in
        [("pilots --query colour=red", "colour"), ("nothing", "404"), ("compliance", "access token is needed")]
    {
        let ended = export(words(arguments), vec![]).await;
        assert!(ended.code == Some(1) && ended.stderr.contains(says), "{arguments}: {ended:?}");
    }
    let wrong = vec![("PILOT_EXCHANGE_CLIENT_ID", "test-busan".into()), ("PILOT_EXCHANGE_CLIENT_SECRET", "no".into())];
    let refused = export(words("pilots"), wrong).await;
    assert!(refused.code == Some(1) && refused.stderr.contains("test-busan cannot log in"), "{refused:?}");
    assert!(!file.exists() && !folder.0.join("pilots.ndjson.part").exists());
}
