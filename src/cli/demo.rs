//! `serve --demo`: the founding data set, and accounts to try it with.

use std::path::Path;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Failure;
use super::serve::write_private;
use crate::access::{Role, accounts};
use crate::database::schema::{account, city};
use crate::database::{Conn, Database, shipped};

/// The accounts: client_id, what for, role, city.
const ACCOUNTS: &[(&str, &str, Role, Option<&str>)] = &[
    ("demo-admin", "Demo: administrator", Role::Administrator, None),
    ("demo-busan", "Demo: editor of Busan", Role::Editor, Some("KRPUS")),
    ("demo-barcelona", "Demo: editor of Barcelona", Role::Editor, Some("ESBCN")),
    ("demo-verifier", "Demo: verifier", Role::Verifier, None),
    ("demo-partner", "Demo: partner system", Role::Reader, None),
    ("demo-reporter", "Demo: reporting job", Role::Reader, None),
];

#[derive(Debug, Serialize, Deserialize)]
struct DemoFile {
    accounts: Vec<DemoAccount>,
}

#[derive(Debug, Serialize, Deserialize)]
struct DemoAccount {
    client_id: String,
    client_secret: String,
    role: Role,
    cities: Vec<String>,
}

/// Loads the data once and opens the accounts; their secrets are in `demo-accounts.json` of the data directory.
pub async fn open(database: &Database, data_dir: &Path) -> Result<(), Failure> {
    shipped::load_founding(database).await.map_err(Failure::other)?;
    let mut conn = database.connection().await.map_err(Failure::other)?;
    let path = data_dir.join("demo-accounts.json");
    let kept: Vec<DemoAccount> = std::fs::read_to_string(&path)
        .ok()
        .and_then(|text| serde_json::from_str::<DemoFile>(&text).ok())
        .map_or_else(Vec::new, |file| file.accounts);
    let mut accounts = vec![];
    for (client_id, name, role, code) in ACCOUNTS {
        let kept = kept.iter().find(|account| account.client_id == *client_id);
        let client_secret = open_account(&mut conn, client_id, name, *role, *code, kept).await?;
        accounts.push(DemoAccount {
            client_id: (*client_id).into(),
            client_secret,
            role: *role,
            cities: code.iter().map(|code| (*code).to_owned()).collect(),
        });
    }
    let text = serde_json::to_string_pretty(&DemoFile { accounts }).expect("plain data");
    write_private(&path, &text)?;
    tracing::info!(file = %path.display(), "demo accounts");
    Ok(())
}

/// The account's secret: the one in the file as long as it is valid, a new one otherwise.
async fn open_account(
    conn: &mut Conn,
    client_id: &str,
    name: &str,
    role: Role,
    code: Option<&str>,
    kept: Option<&DemoAccount>,
) -> Result<String, Failure> {
    let existing: Option<(Uuid, bool, bool)> = account::table
        .filter(account::client_id.eq(client_id))
        .select((account::id, account::disabled, account::demo))
        .first(conn)
        .await
        .optional()
        .map_err(Failure::other)?;
    let Some((id, disabled, demo)) = existing else {
        let cities: Vec<Uuid> =
            city::table.filter(city::code.eq_any(code)).select(city::id).load(conn).await.map_err(Failure::other)?;
        let new = accounts::New { client_id, name, role, cities, oidc_subjects: vec![], demo: true };
        let view = accounts::create(conn, new).await.map_err(Failure::other)?;
        return Ok(view.client_secret.unwrap_or_default());
    };
    if !demo {
        return Err(Failure::other(format!(
            "there is an account {client_id} that is not a demo account; rename it first"
        )));
    }
    if disabled {
        set_disabled(conn, id, false).await?;
    }
    if let Some(kept) = kept
        && accounts::authenticate(conn, client_id, &kept.client_secret).await.map_err(Failure::other)?.is_some()
    {
        return Ok(kept.client_secret.clone());
    }
    let view = accounts::rotate(conn, id, 0).await.map_err(Failure::other)?;
    Ok(view.client_secret.unwrap_or_default())
}

/// A start without `--demo` disables the demo accounts.
pub async fn close(database: &Database) -> Result<(), Failure> {
    let mut conn = database.connection().await.map_err(Failure::other)?;
    let open: Vec<Uuid> = account::table
        .filter(account::demo.eq(true).and(account::disabled.eq(false)))
        .select(account::id)
        .load(&mut conn)
        .await
        .map_err(Failure::other)?;
    for id in open {
        set_disabled(&mut conn, id, true).await?;
    }
    Ok(())
}

async fn set_disabled(conn: &mut Conn, id: Uuid, disabled: bool) -> Result<(), Failure> {
    accounts::set_disabled(conn, id, disabled).await.map_err(Failure::other)
}
