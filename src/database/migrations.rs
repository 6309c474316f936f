//! Migrations: embedded, run once whichever server comes first, with the owner's role if there is one.

use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connecting;

/// All of them, in order.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// The advisory lock of whoever changes the schema; servers that start at once wait for the first of them.
pub const LOCK: i64 = 7_071_701;

/// Why a migration could not be run, in one line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct MigrationError(String);

fn failed(what: &str) -> impl Fn(Box<dyn std::error::Error + Send + Sync>) -> MigrationError + '_ {
    move |error| MigrationError(format!("{what}: {}", error.to_string().trim().replace('\n', " ")))
}

/// Runs what is missing, then grants the service's role what it needs and no more.
///
/// # Errors
/// If the database cannot be reached or a migration fails; that migration is then undone as a whole.
pub async fn run(owner_url: &str, service_role: Option<&str>) -> Result<(), MigrationError> {
    let mut conn = connect(owner_url).await?;
    // Servers that start at once wait here for the first of them.
    conn.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})")).await.map_err(|e| failed("lock")(e.into()))?;
    if let Some(role) = service_role {
        conn.batch_execute(&defaults(role)).await.map_err(|error| failed("the grants failed")(error.into()))?;
    }
    let mut harness = AsyncMigrationHarness::new(conn);
    for version in harness.run_pending_migrations(MIGRATIONS).map_err(failed("a migration failed"))? {
        tracing::info!(%version, "migrated");
    }
    let mut conn = harness.into_inner();
    if let Some(role) = service_role {
        conn.batch_execute(&grants(role)).await.map_err(|error| failed("the grants failed")(error.into()))?;
    }
    Ok(())
}

/// The migrations that the database has not seen yet.
///
/// # Errors
/// If the database cannot be reached.
pub async fn pending(url: &str) -> Result<Vec<String>, MigrationError> {
    let mut harness = AsyncMigrationHarness::new(connect(url).await?);
    let pending = harness.pending_migrations(MIGRATIONS).map_err(failed("the migrations cannot be read"))?;
    Ok(pending.iter().map(|migration| migration.name().to_string()).collect())
}

/// Goes all the way back; for tests, which prove that each migration has a way back.
///
/// # Errors
/// If a migration cannot be undone.
pub async fn revert_all(owner_url: &str) -> Result<(), MigrationError> {
    let mut harness = AsyncMigrationHarness::new(connect(owner_url).await?);
    harness.revert_all_migrations(MIGRATIONS).map_err(failed("a migration could not be undone"))?;
    Ok(())
}

/// How many there are.
pub fn count() -> usize {
    MigrationSource::<Pg>::migrations(&MIGRATIONS).map(|all| all.len()).unwrap_or_default()
}

/// The versions of all of them, in order, as the database keeps them.
pub fn versions() -> Vec<String> {
    let all = MigrationSource::<Pg>::migrations(&MIGRATIONS).unwrap_or_default();
    let mut versions: Vec<String> = all.iter().map(|migration| migration.name().version().to_string()).collect();
    versions.sort();
    versions
}

async fn connect(url: &str) -> Result<AsyncPgConnection, MigrationError> {
    let unreachable =
        |error: &dyn std::fmt::Display| MigrationError(format!("the database cannot be reached: {error}"));
    let config = url.parse().map_err(|error: tokio_postgres::Error| unreachable(&error))?;
    connecting::connect_diesel(&config).await.map_err(|error| unreachable(&error))
}

/// What a migration makes is the service's to use in the moment it is there: servers are at work beside it.
fn defaults(role: &str) -> String {
    let role = quoted(role);
    format!(
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};
         ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {role};"
    )
}

fn quoted(role: &str) -> String {
    format!("\"{}\"", role.replace('"', "\"\""))
}

/// The service may read and write rows, but neither change the schema nor rewrite history.
fn grants(role: &str) -> String {
    let role = quoted(role);
    format!(
        "GRANT USAGE ON SCHEMA public TO {role};
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
         GRANT USAGE ON SCHEMA as_of TO {role};
         GRANT SELECT ON ALL TABLES IN SCHEMA as_of TO {role};
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role};
         REVOKE UPDATE, DELETE ON revision, transition FROM {role};
         REVOKE INSERT, UPDATE, DELETE ON redaction, redaction_mark FROM {role};
         REVOKE INSERT, UPDATE, DELETE ON __diesel_schema_migrations FROM {role};"
    )
}
