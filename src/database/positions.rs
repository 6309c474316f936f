//! Positions in the order of changes: numbers given after commit, and every view of a record as it was at one.

use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Timestamptz};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection, TransactionManager};

use super::rows::Prepared;
use super::schema::change;
use super::{Conn, Database};
use crate::http::{Code, Problem};

/// Changes numbered in one statement.
const BATCH: i32 = 5_000;

/// How long a request waits for transactions that may still make a change of its instant.
const PATIENCE: Duration = Duration::from_millis(500);

/// How often it looks.
const PAUSE: Duration = Duration::from_millis(10);

/// The past that a client asks for: a position, or an instant that is resolved to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// The number of the last change that counts.
    Position(i64),
    /// The last moment that counts.
    Instant(DateTime<Utc>),
}

impl FromStr for AsOf {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().map(Self::Position).map_err(|_| "is not a position of this registry");
        }
        let instant = DateTime::parse_from_rfc3339(text);
        let detail = "must be an instant such as 2026-01-01T00:00:00Z, or a position from X-As-Of-Position";
        instant.map(|instant| Self::Instant(instant.to_utc())).map_err(|_| detail)
    }
}

/// Where in the order of changes something is read, and which day that was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The number of the last change that counts; 0 is before all of them.
    pub seq: i64,
    /// The day for members that depend on it.
    pub day: NaiveDate,
}

/// A connection that reads: the registry as it is, or as it was at a position.
pub struct Reader {
    /// The connection.
    pub conn: Conn,
    /// Where in the past, if not now.
    pub position: Option<Position>,
    in_transaction: bool,
}

/// The moment that a snapshot is of.
#[derive(Debug, Clone, QueryableByName)]
pub struct Moment {
    /// When.
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    /// The number of the last change before it.
    #[diesel(sql_type = BigInt)]
    pub seq: i64,
    /// The last change that it holds already though it has no number yet.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub unnumbered: Option<i64>,
}

impl Reader {
    /// Reads the present.
    pub fn present(conn: Conn) -> Self {
        Self { conn, position: None, in_transaction: false }
    }

    /// Reads the past: every statement until [`Reader::finish`] sees the views as they were.
    ///
    /// # Errors
    /// 400 `as_of_not_settled`.
    pub async fn past(mut conn: Conn, as_of: AsOf, now: DateTime<Utc>) -> Result<Self, Problem> {
        let position = resolve(&mut conn, as_of, now).await?;
        Self::at(conn, position).await
    }

    /// Reads the past at a position that is known.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn at(conn: Conn, position: Position) -> Result<Self, Problem> {
        Self::begin(conn, "SET TRANSACTION READ ONLY", Some(position)).await
    }

    /// Reads the present as it is at one moment, for an answer that is made of several statements.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn moment(conn: Conn) -> Result<Self, Problem> {
        Self::begin(conn, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY", None).await
    }

    async fn begin(mut conn: Conn, settings: &str, position: Option<Position>) -> Result<Self, Problem> {
        <AsyncPgConnection as AsyncConnection>::TransactionManager::begin_transaction(&mut *conn).await?;
        // Its own name, so that long reading does not count as a change to come: see settled_until().
        let mut begin = format!("{settings}; SET LOCAL application_name = 'pilot-exchange reading'");
        if let Some(Position { seq, .. }) = position {
            let past = "SET LOCAL search_path = as_of, public; SET LOCAL pilot_exchange.position";
            begin.push_str(&format!("; {past} = '{seq}'"));
        }
        conn.batch_execute(&begin).await?;
        Ok(Self { conn, position, in_transaction: true })
    }

    /// Reads one moment of the registry, the present or a past one, as long as it takes. Between two statements whoever
    /// reads it may wait for `pause`; a snapshot that was forgotten ends soon after that.
    ///
    /// # Errors
    /// 400 `as_of_not_settled`.
    pub async fn snapshot(
        mut conn: Conn,
        as_of: Option<AsOf>,
        now: DateTime<Utc>,
        pause: Duration,
    ) -> Result<(Self, Moment), Problem> {
        let position = match as_of {
            Some(as_of) => Some(resolve(&mut conn, as_of, now).await?),
            None => {
                number_changes(&mut conn).await?;
                None
            }
        };
        Self::long(conn, as_of, position, pause).await
    }

    /// The same of the present as a copy of the database has it, which numbers no changes.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn snapshot_of_copy(conn: Conn, pause: Duration) -> Result<(Self, Moment), Problem> {
        Self::long(conn, None, None, pause).await
    }

    async fn long(
        conn: Conn,
        as_of: Option<AsOf>,
        position: Option<Position>,
        pause: Duration,
    ) -> Result<(Self, Moment), Problem> {
        // A statement may have to sort a whole collection, which is not to go by way of the disk.
        let settings = format!(
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL statement_timeout = '10min';
             SET LOCAL work_mem = '32MB';
             SET LOCAL idle_in_transaction_session_timeout = '{}s'",
            pause.as_secs() + 30
        );
        let mut reader = Self::begin(conn, &settings, position).await?;
        let moment = match (as_of, position) {
            (Some(AsOf::Instant(at)), Some(Position { seq, .. })) => Moment { at, seq, unnumbered: None },
            (_, Some(Position { seq, .. })) => {
                let of = "SELECT coalesce((SELECT at FROM change WHERE seq = $1), now()) AS at, $1 AS seq, \
                    NULL::bigint AS unnumbered";
                diesel::sql_query(of).bind::<BigInt, _>(seq).get_result(&mut reader.conn).await?
            }
            (_, None) => {
                let of = "SELECT now() AS at, seq, (SELECT max(id) FROM change WHERE change.seq IS NULL) AS unnumbered \
                    FROM change_number";
                diesel::sql_query(of).get_result(&mut reader.conn).await?
            }
        };
        Ok((reader, moment))
    }

    /// Goes to another position of the past.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn move_to(&mut self, position: Position) -> Result<(), Problem> {
        self.conn.batch_execute(&format!("SET LOCAL pilot_exchange.position = '{}'", position.seq)).await?;
        self.position = Some(position);
        Ok(())
    }

    /// The day for members that depend on it.
    pub fn day(&self, today: NaiveDate) -> NaiveDate {
        self.position.map_or(today, |position| position.day)
    }

    /// Ends the reading; a reader that is dropped instead costs its connection.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn finish(mut self) -> Result<(), Problem> {
        if self.in_transaction {
            <AsyncPgConnection as AsyncConnection>::TransactionManager::commit_transaction(&mut *self.conn).await?;
        }
        Ok(())
    }
}

#[derive(QueryableByName)]
struct Numbered {
    #[diesel(sql_type = Integer)]
    count: i32,
}

#[derive(QueryableByName)]
struct Settled {
    #[diesel(sql_type = Timestamptz)]
    until: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    now: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Nullable<BigInt>)]
    seq: Option<i64>,
}

/// Numbers all committed changes that have no number yet.
///
/// # Errors
/// Those of the database.
pub async fn number_changes(conn: &mut Conn) -> Result<(), Problem> {
    loop {
        let statement = diesel::sql_query("SELECT number_changes($1) AS count").bind::<Integer, _>(BATCH);
        let numbered: Numbered = Prepared(statement).get_result(conn).await?;
        if numbered.count < BATCH {
            return Ok(());
        }
    }
}

/// Numbers changes as they are committed: woken by each commit of this server, and now and then for what others left.
pub async fn keep_numbering(database: Database) {
    const OTHERS: Duration = Duration::from_secs(1);
    loop {
        let woken = database.committed.notified();
        drop(tokio::time::timeout(OTHERS, woken).await);
        match database.connection().await {
            Ok(mut conn) => {
                if let Err(problem) = number_changes(&mut conn).await {
                    tracing::warn!(%problem, "changes could not be numbered now");
                }
            }
            Err(problem) => tracing::warn!(%problem, "changes could not be numbered now"),
        }
    }
}

async fn resolve(conn: &mut Conn, as_of: AsOf, now: DateTime<Utc>) -> Result<Position, Problem> {
    match as_of {
        AsOf::Position(seq) => {
            number_changes(conn).await?;
            let at: Option<Option<DateTime<Utc>>> =
                change::table.filter(change::seq.eq(seq)).select(change::at).first(conn).await.optional()?;
            match at.flatten() {
                Some(at) => Ok(Position { seq, day: at.date_naive() }),
                None if seq == 0 => Ok(Position { seq, day: now.date_naive() }),
                None => Err(not_settled("the registry has not come to this position yet")),
            }
        }
        AsOf::Instant(instant) => {
            settle(conn, instant).await?;
            number_changes(conn).await?;
            let last = "SELECT (SELECT seq FROM change WHERE at <= $1 ORDER BY at DESC, seq DESC LIMIT 1) AS seq";
            let found: Found = diesel::sql_query(last).bind::<Timestamptz, _>(instant).get_result(conn).await?;
            Ok(Position { seq: found.seq.unwrap_or(0), day: instant.date_naive() })
        }
    }
}

/// Waits until no change of this instant can come any more.
async fn settle(conn: &mut Conn, instant: DateTime<Utc>) -> Result<(), Problem> {
    let started = tokio::time::Instant::now();
    loop {
        let statement = "SELECT settled_until() AS until, clock_timestamp() AS now";
        let settled: Settled = diesel::sql_query(statement).get_result(conn).await?;
        if instant <= settled.until {
            return Ok(());
        }
        if instant > settled.now {
            return Err(not_settled("the instant is still to come"));
        }
        if started.elapsed() > PATIENCE {
            return Err(not_settled(
                "changes of this instant are still being written; ask again, or for an earlier one",
            ));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn not_settled(detail: &str) -> Problem {
    Problem::new(Code::AsOfNotSettled, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_or_a_position_is_asked_for() {
        assert_eq!("17".parse(), Ok(AsOf::Position(17)));
        assert!(matches!("2026-01-01T00:00:00+09:00".parse(), Ok(AsOf::Instant(_))));
        for text in ["", "-1", "2026-01-01", "99999999999999999999", "now"] {
            assert!(text.parse::<AsOf>().is_err(), "{text}");
        }
    }
}
