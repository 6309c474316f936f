//! `doctor`: what is wrong with configuration, database and clock.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Bool, Integer, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use super::Failure;
use super::serve::Home;
use crate::access::secrets::Secrets;
use crate::config::{Config, DatabaseSettings, ServiceSettings};
use crate::database::connecting::connect_diesel;
use crate::database::migrations;

#[derive(QueryableByName)]
struct Facts {
    #[diesel(sql_type = Integer)]
    version: i32,
    #[diesel(sql_type = Text)]
    encoding: String,
    #[diesel(sql_type = Text)]
    collation: String,
    #[diesel(sql_type = Bool)]
    can_create: bool,
    #[diesel(sql_type = Bool)]
    has_trigrams: bool,
    #[diesel(sql_type = Timestamptz)]
    now: DateTime<Utc>,
}

const QUESTION: &str = "SELECT current_setting('server_version_num')::int / 10000 AS version,
    pg_encoding_to_char(encoding)::text AS encoding, datcollate::text AS collation,
    has_schema_privilege('public', 'CREATE') AS can_create,
    EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') AS has_trigrams,
    now() AS now
    FROM pg_database WHERE datname = current_database()";

/// Prints what was found, a line each; fails if something is wrong.
pub async fn run(database: &DatabaseSettings, service: &ServiceSettings) -> Result<(), Failure> {
    let mut wrong = 0;
    let mut say = |what: &str, problem: Option<String>| {
        wrong += usize::from(problem.is_some());
        println!("{:<14} {}", what, problem.unwrap_or_else(|| "ok".into()));
    };
    say("configuration", Config::of(service).err());
    if let Some(path) = &service.master_key_file {
        say("master key", Secrets::read(path).err());
    }
    let is_open = service.webhook_allow_private;
    say(
        "webhooks",
        is_open.then(|| "they may go to private addresses; unset PILOT_EXCHANGE_WEBHOOK_ALLOW_PRIVATE".into()),
    );
    let home = Home::reach(database).await?;
    match ask(&home.url).await {
        Err(problem) => say("database", Some(problem)),
        Ok(facts) => {
            say(
                "version",
                (facts.version < 15).then(|| format!("PostgreSQL {} is too old; 15 or newer is needed", facts.version)),
            );
            say(
                "encoding",
                (facts.encoding != "UTF8").then(|| format!("the database is in {}; make it with UTF8", facts.encoding)),
            );
            let plain = matches!(facts.collation.as_str(), "C" | "POSIX");
            say(
                "locale",
                plain
                    .then(|| "the database's locale is C; C.UTF-8 or another UTF-8 locale is needed for search".into()),
            );
            let owns = facts.can_create && home.url != home.owner_url;
            say("role", owns.then(|| "the service's role can change the schema; give it a role of its own".into()));
            say(
                "extensions",
                (!facts.has_trigrams).then(|| "pg_trgm is not available; install PostgreSQL's contrib package".into()),
            );
            let drift = (facts.now - Utc::now()).num_seconds().abs();
            say("clock", (drift > 5).then(|| format!("the clocks of service and database differ by {drift} s")));
            match migrations::pending(&home.owner_url).await {
                Ok(pending) => say(
                    "migrations",
                    (!pending.is_empty())
                        .then(|| format!("{} are missing; run: pilot-exchange migrate", pending.len())),
                ),
                Err(error) => say("migrations", Some(error.to_string())),
            }
        }
    }
    home.close().await;
    if wrong == 0 { Ok(()) } else { Err(Failure::other(format!("{wrong} things are wrong"))) }
}

async fn ask(url: &str) -> Result<Facts, String> {
    let config = url.parse().map_err(|error| format!("not a connection string: {error}"))?;
    let mut conn = connect_diesel(&config).await.map_err(|error| format!("the database cannot be reached: {error}"))?;
    diesel::sql_query(QUESTION).get_result(&mut conn).await.map_err(|error| error.to_string())
}
