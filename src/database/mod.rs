//! PostgreSQL: the pool, the one transaction of a request, migrations, and the private cluster.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use deadpool::Runtime;
use diesel::ConnectionError;
use diesel_async::pooled_connection::deadpool::{Object, Pool, PoolError};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection, TransactionManager};
use futures_util::FutureExt;
use serde::Serialize;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use utoipa::ToSchema;
use uuid::Uuid;

use self::news::{Changed, News};
use self::replica::Replica;
use crate::access::{Caller, unauthorised_city};
use crate::http::Problem;
use crate::http::conditional::IfMatch;

pub mod batches;
pub mod cluster;
pub mod connecting;
pub mod external_ids;
pub mod history;
pub mod listening;
pub mod migrations;
pub mod news;
pub mod positions;
pub mod records;
pub mod redaction;
pub mod references;
mod referring;
pub mod replica;
pub mod rows;
#[expect(missing_docs, reason = "generated")]
pub mod schema;
pub mod search;
pub mod shipped;
pub mod transitions;

diesel::define_sql_function! {
    /// The last day that a date can mean, if there is one.
    fn last_day(partial: diesel::sql_types::Nullable<diesel::sql_types::Text>) -> diesel::sql_types::Nullable<diesel::sql_types::Date>;
}

/// A connection of the pool.
pub type Conn = Object<AsyncPgConnection>;

/// What every connection is told: nothing waits without bound, and no plan is compiled, since none runs that long.
const SESSION: &str =
    "-c statement_timeout=15s -c lock_timeout=3s -c idle_in_transaction_session_timeout=30s -c timezone=UTC -c jit=off";

/// How long a request waits for a connection.
const WAIT: Duration = Duration::from_secs(1);

/// How long a connection whose other side is gone, without a word, is held for alive.
const SILENCE: Duration = Duration::from_secs(15);

/// The database as the service uses it.
#[derive(Clone)]
pub struct Database {
    pool: Pool<AsyncPgConnection>,
    url: Arc<str>,
    /// For what takes long, so that it cannot take the connections of requests; none where there are too few.
    apart: Option<Pool<AsyncPgConnection>>,
    /// A copy that follows.
    replica: Option<Arc<Replica>>,
    /// Told of each commit.
    committed: Arc<Notify>,
    /// The last number that a change got, as far as this server heard.
    pub sequenced: watch::Sender<i64>,
    /// What this server has heard of changes.
    pub news: Arc<News>,
}

impl Database {
    /// Pools of at most `connections` together; none is opened yet. A fifth of them, four at most, is kept for what
    /// takes long; where there are less than five, all use the same.
    ///
    /// # Errors
    /// If `url` is not a connection string.
    ///
    /// # Panics
    /// Outside a runtime, on which its connections are to live.
    pub fn new(url: &str, connections: usize) -> Result<Self, String> {
        let _: tokio_postgres::Config =
            url.parse().map_err(|error| format!("DATABASE_URL is not a connection string: {error}"))?;
        let apart = (connections / 5).min(4);
        // A ping per checkout costs more than most statements; a dead connection shows itself at first use.
        let pool = pool(url, connections - apart, RecyclingMethod::Fast)?;
        let apart = (apart > 0).then(|| self::pool(url, apart, RecyclingMethod::Fast)).transpose()?;
        Ok(Self {
            pool,
            apart,
            replica: None,
            url: url.into(),
            committed: Arc::default(),
            sequenced: watch::Sender::new(0),
            news: Arc::default(),
        })
    }

    /// The same, with a copy that reads of the present may go to, by as many connections as to it itself.
    ///
    /// # Errors
    /// If `url` is not a connection string.
    pub fn with_replica(self, url: &str, connections: usize) -> Result<Self, String> {
        Ok(Self { replica: Some(Arc::new(Replica::new(url, connections)?)), ..self })
    }

    /// The copy, if there is one.
    pub fn replica(&self) -> Option<&Replica> {
        self.replica.as_deref()
    }

    /// A connection.
    ///
    /// # Errors
    /// 503 if there is none within a second.
    pub async fn connection(&self) -> Result<Conn, Problem> {
        self.pool.get().await.map_err(|error| {
            let detail = match &error {
                PoolError::Timeout(_) => "no connection to the database was free within a second",
                _ => "the database cannot be reached",
            };
            tracing::warn!(%error, "no database connection");
            Problem::unavailable(detail)
        })
    }

    /// A connection for what is only read: while the database is away, one to the copy that has this change, if one is
    /// named. So the registry can still be read, by whoever it knows.
    ///
    /// # Errors
    /// 503 if neither answers within a second.
    pub async fn readable(&self, change: Option<i64>) -> Result<Conn, Problem> {
        let Some(replica) = self.replica() else { return self.connection().await };
        let refused = match self.answering().await {
            Ok(conn) => return Ok(conn),
            Err(refused) => refused,
        };
        replica.connection(change).await.ok_or(refused)
    }

    /// A connection to the database that answers: without a question, if it was heard of just now.
    async fn answering(&self) -> Result<Conn, Problem> {
        if self.news.is_current() {
            return self.connection().await;
        }
        let asking = async {
            let mut conn = self.connection().await?;
            conn.batch_execute("SELECT 1").await?;
            Ok(conn)
        };
        let late = || Problem::unavailable("the database does not answer");
        tokio::time::timeout(WAIT, asking).await.map_err(|_| late())?
    }

    /// Whether the database answers, or if not, a copy of it does.
    ///
    /// # Errors
    /// 503 if neither does.
    pub async fn standing(&self) -> Result<Standing, Problem> {
        let asking = async {
            self.connection().await?.batch_execute("SELECT 1").await?;
            Ok(Standing::Ok)
        };
        // A database that hangs closes no connection: who asks would wait as long as it does.
        let late = |_| Err(Problem::unavailable("the database does not answer"));
        match (tokio::time::timeout(2 * WAIT, asking).await.unwrap_or_else(late), self.replica()) {
            (Err(away), Some(replica)) => replica.connection(None).await.map(|_| Standing::ReadOnly).ok_or(away),
            (standing, _) => standing,
        }
    }

    /// How many connections are in use.
    pub fn connections_in_use(&self) -> u64 {
        let used = |pool: &Pool<AsyncPgConnection>| {
            let status = pool.status();
            u64::try_from(status.size.saturating_sub(status.available)).unwrap_or_default()
        };
        used(&self.pool) + self.apart.as_ref().map_or(0, used)
    }

    /// A connection for what takes long: an export, say.
    ///
    /// # Errors
    /// 503 if there is none within a second.
    pub async fn connection_apart(&self) -> Result<Conn, Problem> {
        self.apart.as_ref().unwrap_or(&self.pool).get().await.map_err(|error| match &error {
            PoolError::Timeout(_) => {
                Problem::unavailable("as many exports as this server has connections for are running; ask again later")
            }
            _ => Problem::unavailable("the database cannot be reached"),
        })
    }

    /// Begins the transaction of a request.
    ///
    /// # Errors
    /// 503 if the database is away.
    pub async fn begin(&self, caller: Caller, if_match: IfMatch, now: DateTime<Utc>) -> Result<Tx, Problem> {
        let mut conn = self.connection().await?;
        <AsyncPgConnection as AsyncConnection>::TransactionManager::begin_transaction(&mut *conn).await?;
        Ok(Tx {
            conn,
            committed: self.committed.clone(),
            news: self.news.clone(),
            changed: Changed::default(),
            caller,
            if_match,
            now,
            acting: Acting::default(),
            known: None,
        })
    }
}

/// What of the registry can be had now: ok, all of it; read_only, it can be read but not changed, while the database is away
/// and a copy of it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// All of it.
    Ok,
    /// It can be read: the database is away, a copy of it answers.
    ReadOnly,
}

/// How connections are opened: with bounds on statements and locks, and on silence.
fn session(url: &str, name: &str) -> Result<tokio_postgres::Config, tokio_postgres::Error> {
    let mut config: tokio_postgres::Config = url.parse()?;
    let options = format!("{} {SESSION}", config.get_options().unwrap_or_default());
    config.options(options.trim()).application_name(name);
    // RFC 5482 for what was sent, RFC 9293 3.8.4 for who only waits.
    config.tcp_user_timeout(SILENCE).keepalives_idle(SILENCE).keepalives_interval(SILENCE / 3).keepalives_retries(3);
    Ok(config)
}

fn pool(
    url: &str,
    connections: usize,
    recycling: RecyclingMethod<AsyncPgConnection>,
) -> Result<Pool<AsyncPgConnection>, String> {
    let mut config = ManagerConfig::default();
    config.recycling_method = recycling;
    // Each worker of the server has a runtime of its own, which ends before the others have finished their requests; a
    // connection lives on the runtime that made it, so all are made on the one that outlives them.
    let runtime = Handle::current();
    config.custom_setup = Box::new(move |url| {
        let (runtime, url) = (runtime.clone(), url.to_owned());
        async move {
            let connecting = runtime.spawn(async move { connect(&url).await });
            connecting.await.unwrap_or_else(|error| Err(ConnectionError::BadConnection(error.to_string())))
        }
        .boxed()
    });
    let manager = AsyncDieselConnectionManager::<AsyncPgConnection>::new_with_config(url, config);
    Pool::builder(manager)
        .max_size(connections)
        .wait_timeout(Some(WAIT))
        .create_timeout(Some(WAIT))
        .recycle_timeout(Some(WAIT))
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| error.to_string())
}

/// One transaction on a connection that is not of a request: what `work` did is kept if it answers, and undone if not.
///
/// # Errors
/// Those of `work` and of the database.
pub async fn in_transaction<R>(
    conn: &mut Conn,
    work: impl AsyncFnOnce(&mut Conn) -> Result<R, Problem>,
) -> Result<R, Problem> {
    type Manager = <AsyncPgConnection as AsyncConnection>::TransactionManager;
    Manager::begin_transaction(&mut **conn).await?;
    match work(conn).await {
        Ok(result) => {
            Manager::commit_transaction(&mut **conn).await?;
            Ok(result)
        }
        Err(problem) => {
            Manager::rollback_transaction(&mut **conn).await?;
            Err(problem)
        }
    }
}

/// Opens a connection whose statements and locks have bounds.
async fn connect(url: &str) -> diesel::ConnectionResult<AsyncPgConnection> {
    let bad = |error: tokio_postgres::Error| ConnectionError::BadConnection(error.to_string());
    connecting::connect_diesel(&session(url, "pilot-exchange").map_err(bad)?).await
}

/// In whose name a change is made.
#[derive(Debug, Clone, Copy, Default)]
pub struct Acting {
    /// The city, where the account acts for one that is involved.
    pub city_id: Option<Uuid>,
    /// Whether it could do so only as administrator; marked in history.
    pub as_administrator: bool,
}

/// The transaction of one request.
pub struct Tx {
    /// Its connection.
    pub conn: Conn,
    committed: Arc<Notify>,
    news: Arc<News>,
    /// What it changes, for those who remember.
    changed: Changed,
    /// Who asked.
    pub caller: Caller,
    /// The header If-Match.
    pub if_match: IfMatch,
    /// When the request began.
    pub now: DateTime<Utc>,
    /// In whose name.
    pub acting: Acting,
    /// What bodies named so far, where many are checked in it.
    pub known: Option<references::Known>,
}

impl Tx {
    /// The day in UTC.
    pub fn today(&self) -> NaiveDate {
        self.now.date_naive()
    }

    /// The id of the last change that it made so far.
    pub fn last_change(&self) -> Option<i64> {
        self.changed.last
    }

    /// An account, a login or a key is changed: what this server remembers of tokens ends with the commit, before anybody
    /// is answered.
    pub fn changes_access(&mut self) {
        self.changed.access = true;
    }

    /// Asserts that the caller acts for one of these cities, or is an administrator; remembers which for history.
    ///
    /// # Errors
    /// 403.
    pub fn act_for(&mut self, cities: &[Uuid]) -> Result<(), Problem> {
        let city_id = self.caller.city_among(cities);
        if city_id.is_none() && !self.caller.is_administrator() {
            return Err(unauthorised_city());
        }
        self.acting = Acting { city_id, as_administrator: city_id.is_none() };
        Ok(())
    }

    /// Does work that is undone by itself if it fails, and leaves the rest of the transaction as it was. Constraints
    /// that are checked at the end are checked at the end of it.
    ///
    /// # Errors
    /// Those of `work`, and 503 if the connection was lost.
    pub async fn apart<T>(&mut self, work: impl AsyncFnOnce(&mut Tx) -> Result<T, Problem>) -> Result<T, Problem> {
        <AsyncPgConnection as AsyncConnection>::TransactionManager::begin_transaction(&mut *self.conn).await?;
        let result = match work(self).await {
            Ok(done) => {
                let settle = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED";
                self.conn.batch_execute(settle).await.map(|()| done).map_err(Problem::from)
            }
            Err(problem) => Err(problem),
        };
        match result {
            Ok(done) => {
                <AsyncPgConnection as AsyncConnection>::TransactionManager::commit_transaction(&mut *self.conn).await?;
                Ok(done)
            }
            Err(problem) => {
                <AsyncPgConnection as AsyncConnection>::TransactionManager::rollback_transaction(&mut *self.conn)
                    .await?;
                Err(problem)
            }
        }
    }

    /// Keeps what was done.
    ///
    /// # Errors
    /// Constraints that are checked at the end, and 503 if the connection was lost.
    pub async fn commit(mut self) -> Result<(), Problem> {
        let done =
            <AsyncPgConnection as AsyncConnection>::TransactionManager::commit_transaction(&mut *self.conn).await;
        // Also when it failed: a connection may be lost after the commit.
        self.news.changed(&self.changed);
        done?;
        self.committed.notify_one();
        Ok(())
    }

    /// Undoes what was done; a connection on which that fails is closed by the pool.
    pub async fn roll_back(mut self) {
        if let Err(error) =
            <AsyncPgConnection as AsyncConnection>::TransactionManager::rollback_transaction(&mut *self.conn).await
        {
            tracing::warn!(%error, "a rollback failed; its connection is dropped");
        }
    }
}
