//! The commands beside `serve`.

use pilot_exchange::database::migrations;
use serde_json::Value;

use crate::support::process::{Ended, Folder, Server, free_port, run};
use crate::support::{Actor, App, TestDatabase, empty_database, sql};

async fn run_on(database: &TestDatabase, arguments: &[&str]) -> Ended {
    let settings = [("DATABASE_URL", database.url.clone()), ("DATABASE_MIGRATION_URL", database.owner_url.clone())];
    let arguments: Vec<String> = arguments.iter().map(|&one| one.to_owned()).collect();
    let work = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run(&Folder::new(), &arguments, &settings.each_ref().map(|(name, value)| (*name, value.as_str())))
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[test]
fn the_version_is_the_packages() {
    let version = format!("pilot-exchange {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run(&Folder::new(), &["--version"], &[]).ok(), version);
}

#[test]
fn every_command_has_its_manual_page_and_shells_complete_it() {
    let folder = Folder::new();
    run(&folder, &["man", "pages"], &[]).ok();
    let help = run(&folder, &["--help"], &[]).ok();
    let (_, commands) = help.split_once("Commands:").unwrap();
    let commands: Vec<&str> = commands
        .lines()
        .take_while(|line| !line.starts_with("Options"))
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next().filter(|name| !name.is_empty()))
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.len() >= 15, "{commands:?}");
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&folder, &["completions", shell], &[]).ok();
        for command in &commands {
            assert!(script.contains(command), "{shell} does not complete {command}");
        }
    }
    for command in &commands {
        let page = folder.0.join(format!("pages/pilot-exchange-{command}.1"));
        let text = std::fs::read_to_string(&page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        assert!(text.contains(".SH SYNOPSIS"));
    }
}

#[test]
fn openapi_says_whether_the_file_is_up_to_date() {
    let folder = Folder::new();
    std::fs::create_dir(folder.0.join("openapi")).unwrap();
    let line = run(&folder, &["openapi", "--check"], &[]).refusal(1);
    assert!(line.contains("openapi/openapi.json is not up to date"), "{line}");
    run(&folder, &["openapi"], &[]).ok();
    run(&folder, &["openapi", "--check"], &[]).ok();
    let written = std::fs::read_to_string(folder.0.join("openapi/openapi.json")).unwrap();
    let checked_in = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/openapi.json")).unwrap();
    assert!(written == checked_in, "openapi/openapi.json is not up to date; run: make openapi");
    assert!(run(&Folder::new(), &["openapi"], &[]).refusal(1).contains("no folder openapi"));
}

#[tokio::test]
async fn migrate_brings_an_empty_database_up_to_date() {
    let database = empty_database().await;
    let missing = run_on(&database, &["migrate", "--check"]).await.refusal(1);
    assert!(missing.contains(&format!("{} migrations are missing", migrations::count())), "{missing}");
    assert!(missing.contains("0001_foundation"), "{missing}");
    let untouched = "SELECT count(*) FROM pg_class WHERE relname = 'record'";
    assert_eq!(sql(&database, untouched).await[0][0].as_deref(), Some("0"));

    run_on(&database, &["migrate"]).await.ok();
    let said = run_on(&database, &["migrate", "--check"]).await.ok();
    assert_eq!(said, format!("up to date: {} migrations\n", migrations::count()));
    run_on(&database, &["migrate"]).await.ok();
    assert_eq!(sql(&database, "SELECT count(*) FROM term").await[0][0].as_deref(), Some("73"));
}

#[tokio::test]
async fn accounts_are_made_rotated_listed_and_disabled() {
    let app = App::start().await;
    let secret = |ended: Ended| {
        let account: Value = serde_json::from_str(&ended.ok()).unwrap();
        account["client_secret"].as_str().unwrap().to_owned()
    };
    let create = ["account", "create", "busan-office", "--role", "editor", "--city", "KRPUS", "--name", "The office"];
    let first = secret(run_on(&app.database, &create).await);
    let office = Actor::login(&app.base, "busan-office", &first).await;
    assert_eq!(office.get("/v1/me").await.ok()["cities"], serde_json::json!(["KRPUS"]));

    let second = secret(run_on(&app.database, &["account", "rotate", "busan-office"]).await);
    assert_ne!(first, second);
    for valid in [&first, &second] {
        Actor::login(&app.base, "busan-office", valid).await;
    }
    let list = run_on(&app.database, &["account", "list"]).await.ok();
    assert!(list.lines().any(|line| line == "busan-office\teditor\tKRPUS\tenabled\tThe office"), "{list}");
    assert!(!list.contains(&second));

    let disabled = run_on(&app.database, &["account", "disable", "busan-office"]).await.ok();
    assert!(!disabled.contains("pxs_"), "{disabled}");
    assert_eq!(office.get("/v1/me").await.status, 401);
    let list = run_on(&app.database, &["account", "list"]).await.ok();
    assert!(list.contains("busan-office\teditor\tKRPUS\tdisabled"), "{list}");
}

#[tokio::test]
async fn impossible_accounts_are_refused_in_one_line() {
    let app = App::start().await;
    for (arguments, told) in [
        (vec!["account", "create", "test-busan", "--role", "reader"], "same client_id exists"),
        (vec!["account", "create", "tokyo", "--role", "editor", "--city", "JPTYO"], "JPTYO"),
        (vec!["account", "create", "No Good Name", "--role", "reader"], "client_id"),
        (vec!["account", "rotate", "nobody"], "nobody"),
        (vec!["account", "disable", "nobody"], "nobody"),
    ] {
        let ended = run_on(&app.database, &arguments).await;
        let is_one_line = ended.stderr.lines().count() == 1 && ended.stdout.is_empty();
        assert!(ended.code == Some(1) && is_one_line && ended.stderr.contains(told), "{arguments:?}: {ended:?}");
    }
}

#[tokio::test]
async fn doctor_says_what_is_wrong() {
    let app = App::start().await;
    let report = run_on(&app.database, &["doctor"]).await.ok();
    for subject in ["configuration", "version", "encoding", "locale", "role", "extensions", "clock", "migrations"] {
        let line = report.lines().find(|line| line.starts_with(subject)).unwrap_or_else(|| panic!("no {subject}"));
        assert!(line.ends_with(" ok"), "{line}");
    }
    let ended = run_on(&empty_database().await, &["doctor"]).await;
    let missing = format!("{} are missing", migrations::count());
    assert!(ended.code == Some(1) && ended.stdout.contains(&missing), "{ended:?}");
    let unreachable = run(&Folder::new(), &["doctor"], &[("DATABASE_URL", "postgres://x@127.0.0.1:1/x")]);
    assert!(unreachable.code == Some(1) && unreachable.stdout.contains("cannot be reached"), "{unreachable:?}");
}

#[tokio::test]
async fn healthcheck_tells_a_service_that_is_ready_from_none() {
    let folder = Folder::new();
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let ask = || run(&folder, &["healthcheck"], &[("PILOT_EXCHANGE_LISTEN", &listen)]);
    assert!(ask().refusal(1).contains("cannot be reached"));
    let server = Server::start_on(port, &folder, &[]).await;
    assert_eq!(ask().ok(), "");
    drop(server);
    assert!(ask().refusal(1).contains("cannot be reached"));
}
