//! A copy of the database that follows it (streaming replication), for reads of the present. It may lag behind: whoever
//! sends the consistency token of a write is given it only when it has that write.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::dsl::{exists, select};
use diesel::prelude::*;
use diesel_async::pooled_connection::RecyclingMethod;
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::schema::change;
use super::{Conn, pool};

/// How long a request waits until the copy has the write that it names.
const PATIENCE: Duration = Duration::from_millis(500);

/// How often it looks.
const PAUSE: Duration = Duration::from_millis(10);

/// How long a copy that could not be reached is not asked again.
const AWAY: Duration = Duration::from_secs(1);

/// The copy.
pub struct Replica {
    pool: Pool<AsyncPgConnection>,
    away_since: Mutex<Option<Instant>>,
}

impl Replica {
    /// A pool of at most `connections`; none is opened yet.
    ///
    /// # Errors
    /// If `url` is not a connection string.
    pub(super) fn new(url: &str, connections: usize) -> Result<Self, String> {
        let _: tokio_postgres::Config =
            url.parse().map_err(|error| format!("DATABASE_REPLICA_URL is not a connection string: {error}"))?;
        // Its connections are tried before each use: a copy may be away, and then another database answers.
        let pool = pool(url, connections, RecyclingMethod::Verified)?;
        Ok(Self { pool, away_since: Mutex::default() })
    }

    /// A connection that sees this change, if one is named; none if the copy is away, or does not have the change soon.
    pub async fn connection(&self, change: Option<i64>) -> Option<Conn> {
        let since = *self.away_since.lock().unwrap_or_else(PoisonError::into_inner);
        if since.is_some_and(|since| since.elapsed() < AWAY) {
            return None;
        }
        let mut conn = match self.pool.get().await {
            Ok(conn) => conn,
            Err(error) => {
                self.is_away(&error);
                return None;
            }
        };
        let Some(change) = change else { return Some(conn) };
        let until = Instant::now() + PATIENCE;
        loop {
            match select(exists(change::table.find(change))).get_result(&mut conn).await {
                Ok(true) => return Some(conn),
                Ok(false) if Instant::now() < until => tokio::time::sleep(PAUSE).await,
                Ok(false) => return None,
                Err(error) => {
                    self.is_away(&error);
                    return None;
                }
            }
        }
    }

    fn is_away(&self, error: &dyn std::fmt::Display) {
        tracing::warn!(%error, "the replica cannot be read now; the primary is");
        *self.away_since.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}
