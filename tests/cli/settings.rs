//! Settings that cannot work are refused at start: one line that names the variable, exit code 2.

use std::net::TcpListener;

use crate::support::process::{Folder, free_port, run};

/// Variable, a value that cannot be, and what else must be set to get there.
/// The variable that is named, the arguments, and the variables that are set.
type Wrong = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const WRONG: &[Wrong] = &[
    ("PILOT_EXCHANGE_LISTEN", "nonsense", &[]),
    ("PILOT_EXCHANGE_LISTEN", "127.0.0.1", &[]),
    ("PILOT_EXCHANGE_LISTEN", "127.0.0.1:99999", &[]),
    ("PILOT_EXCHANGE_PUBLIC_URL", "pilots.example.org", &[]),
    ("PILOT_EXCHANGE_PUBLIC_URL", "ftp://pilots.example.org", &[]),
    ("PILOT_EXCHANGE_PUBLIC_URL", "https://pilots.example.org/", &[]),
    ("PILOT_EXCHANGE_PUBLIC_URL", "https://pilots.example.org?a=b", &[]),
    ("PILOT_EXCHANGE_DRAIN_SECONDS", "soon", &[]),
    ("PILOT_EXCHANGE_DRAIN_SECONDS", "-1", &[]),
    ("PILOT_EXCHANGE_RATE_READS", "many", &[]),
    ("PILOT_EXCHANGE_RATE_WRITES", "-1", &[]),
    ("PILOT_EXCHANGE_WEBHOOK_ALLOW_PRIVATE", "perhaps", &[]),
    ("PILOT_EXCHANGE_TRUSTED_PROXIES", "10.0.0.0/99", &[]),
    ("PILOT_EXCHANGE_TRUSTED_PROXIES", "the proxy", &[]),
    ("PILOT_EXCHANGE_DATABASE_CONNECTIONS", "0", &[]),
    ("PILOT_EXCHANGE_DATABASE_CONNECTIONS", "1", &[]),
    ("PILOT_EXCHANGE_DATABASE_CONNECTIONS", "lots", &[]),
    ("PILOT_EXCHANGE_LOG", "loud", &[]),
    ("PILOT_EXCHANGE_PUBLIC_CLIENTS", "app", &[]),
    ("PILOT_EXCHANGE_PUBLIC_CLIENTS", r#"[{"client_id": "app", "redirect_uris": ["http://app.example"]}]"#, &[]),
    ("PILOT_EXCHANGE_OIDC_ISSUERS", "https://login.example", &[]),
    ("PILOT_EXCHANGE_OIDC_ISSUERS", r#"[{"issuer": "https://login.example"}]"#, &[]),
    (
        "PILOT_EXCHANGE_OIDC_ISSUERS",
        r#"[{"issuer": "http://login.example", "audience": "a", "jwks_uri": "https://login.example/k", "algorithms": ["RS256"]}]"#,
        &[],
    ),
    (
        "PILOT_EXCHANGE_OIDC_ISSUERS",
        r#"[{"issuer": "https://login.example", "audience": "", "jwks_uri": "https://login.example/k", "algorithms": ["RS256"]}]"#,
        &[],
    ),
    (
        "PILOT_EXCHANGE_OIDC_ISSUERS",
        r#"[{"issuer": "https://login.example", "audience": "a", "jwks_uri": "http://login.example/k", "algorithms": ["RS256"]}]"#,
        &[],
    ),
    (
        "PILOT_EXCHANGE_OIDC_ISSUERS",
        r#"[{"issuer": "https://login.example", "audience": "a", "jwks_uri": "https://login.example/k", "algorithms": []}]"#,
        &[],
    ),
    (
        "PILOT_EXCHANGE_OIDC_ISSUERS",
        r#"[{"issuer": "https://login.example", "audience": "a", "jwks_uri": "https://login.example/k", "algorithms": ["HS256"]}]"#,
        &[],
    ),
    (
        "PILOT_EXCHANGE_OIDC_ISSUERS",
        r#"[{"issuer": "https://login.example", "audience": "a", "jwks_uri": "https://login.example/k", "algorithms": ["none"]}]"#,
        &[],
    ),
    (
        "PILOT_EXCHANGE_OIDC_ISSUERS",
        r#"[{"issuer": "https://login.example", "audience": "a", "jwks_uri": "https://login.example/k", "algorithms": ["RS256", "ES256"]}]"#,
        &[],
    ),
    ("PILOT_EXCHANGE_DATA_DIR", "/dev/null/var", &[]),
    ("PILOT_EXCHANGE_MASTER_KEY_FILE", "/nowhere/master.key", &[("DATABASE_URL", "postgres://x@127.0.0.1:1/x")]),
    ("PILOT_EXCHANGE_MASTER_KEY_FILE", "/dev/null", &[("DATABASE_URL", "postgres://x@127.0.0.1:1/x")]),
    ("DATABASE_URL", "nonsense", &[("PILOT_EXCHANGE_MASTER_KEY_FILE", "master.key")]),
    ("DATABASE_URL", "mysql://x@127.0.0.1/x", &[("PILOT_EXCHANGE_MASTER_KEY_FILE", "master.key")]),
    (
        "DATABASE_MIGRATION_URL",
        "nonsense",
        &[("DATABASE_URL", "postgres://x@127.0.0.1:1/x"), ("PILOT_EXCHANGE_MASTER_KEY_FILE", "master.key")],
    ),
];

#[test]
fn a_wrong_setting_is_refused_in_one_line_that_names_it() {
    let folder = Folder::new();
    std::fs::write(folder.0.join("master.key"), "7".repeat(64)).unwrap();
    let mut wrong = vec![];
    for (name, value, others) in WRONG {
        let listen = format!("127.0.0.1:{}", free_port());
        let mut settings = vec![("PILOT_EXCHANGE_LISTEN", listen.as_str())];
        settings.extend(*others);
        settings.push((name, value));
        let ended = run(&folder, &["serve"], &settings);
        let is_one_line = ended.stderr.lines().count() == 1 && ended.stdout.is_empty();
        if ended.code != Some(2) || !is_one_line || !ended.stderr.contains(name) {
            wrong.push(format!("{name}={value}: {:?} {}", ended.code, ended.stderr));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), WRONG.len(), wrong.join("\n"));
}

#[test]
fn a_database_without_a_master_key_is_refused() {
    let folder = Folder::new();
    let line = run(&folder, &["serve"], &[("DATABASE_URL", "postgres://x@127.0.0.1:1/x")]).refusal(2);
    assert!(line.contains("PILOT_EXCHANGE_MASTER_KEY_FILE"), "{line}");
}

#[test]
fn a_listener_in_use_is_refused() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let line = run(&folder, &["serve"], &[("PILOT_EXCHANGE_LISTEN", &listen)]).refusal(2);
    assert!(line.contains("PILOT_EXCHANGE_LISTEN") && line.contains(&listen), "{line}");
    assert!(!folder.data().exists(), "nothing was started for it");
}
