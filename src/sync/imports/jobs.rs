//! The rows of jobs. A worker leases a job for one batch; the lease ends with the commit that counts the batch's rows, or
//! by itself when the worker died. Whoever no longer has the lease cannot commit, so each row is brought in once.

use diesel::prelude::*;
use diesel::sql_types::{Integer, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::model::*;
use crate::access::Caller;
use crate::database::schema::{import, import_error, import_file, import_shown};
use crate::database::{Conn, Tx};
use crate::http::{Code, Problem};
use crate::ids;
use crate::sync::RecordType;

/// How many jobs of an account may wait or run.
const MAX_OPEN: i64 = 20;

/// Seconds after which another worker takes over; a batch takes about one.
const LEASE_SECONDS: i32 = 10;

/// How often a job is taken up at one place before it fails.
pub const MAX_ATTEMPTS: i32 = 5;

/// Where in its file a job is: the first row that was not committed.
#[derive(Debug, Clone, Default, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = import, check_for_backend(diesel::pg::Pg))]
pub struct Place {
    /// Byte of the file.
    pub position: i64,
    /// Line, or element of an array.
    pub line: i32,
    /// The columns of a CSV file, once they were read.
    pub header: Option<Vec<String>>,
}

/// What became of the rows that were read.
#[derive(Debug, Clone, Default, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = import, check_for_backend(diesel::pg::Pg))]
pub struct Counts {
    /// Rows.
    pub read: i32,
    /// Records.
    pub created: i32,
    /// Records.
    pub updated: i32,
    /// Rows.
    pub unchanged: i32,
    /// Rows.
    pub failed: i32,
    /// Entries of the report.
    pub faults: i32,
}

impl Counts {
    /// The same where all was undone: nothing is written.
    pub fn of_nothing(self) -> Self {
        Self { created: 0, updated: 0, unchanged: 0, ..self }
    }
}

/// A job that this worker has leased.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = import, check_for_backend(diesel::pg::Pg))]
pub struct Job {
    /// Its id.
    pub id: Uuid,
    /// Which kind of record.
    #[diesel(column_name = type_)]
    pub kind: RecordType,
    /// How the file has its rows.
    pub format: Format,
    /// Whether nothing is changed.
    pub dry_run: bool,
    /// Whether all or nothing is written.
    pub atomic: bool,
    /// In whose name.
    pub account_id: Uuid,
    /// The file.
    pub file_id: Option<Uuid>,
    /// How many rows it has, once they were counted.
    pub total: Option<i32>,
    /// How often it was taken up where it is, this time included.
    pub attempts: i32,
    /// Where it is.
    #[diesel(embed)]
    pub place: Place,
    /// What became of the rows so far.
    #[diesel(embed)]
    pub counts: Counts,
}

/// Makes a job.
///
/// # Errors
/// 409 if the account has too many already.
pub async fn insert(tx: &mut Tx, wanted: Wanted, format: Format, file_id: Uuid) -> Result<Import, Problem> {
    let account_id = tx.caller.account_id().ok_or_else(Problem::not_found)?;
    let open = import::table.filter(import::account_id.eq(account_id).and(import::ended_at.is_null()));
    if open.count().get_result::<i64>(&mut tx.conn).await? >= MAX_OPEN {
        let detail = format!("{MAX_OPEN} imports of this account wait or run; wait for one to end, or cancel one");
        return Err(Problem::new(Code::Conflict, detail));
    }
    let id = ids::fresh();
    diesel::insert_into(import::table)
        .values((
            import::id.eq(id),
            import::type_.eq(wanted.kind),
            import::format.eq(format),
            import::dry_run.eq(wanted.dry_run),
            import::atomic.eq(wanted.atomic),
            import::account_id.eq(account_id),
            import::file_id.eq(file_id),
        ))
        .execute(&mut tx.conn)
        .await?;
    let caller = tx.caller.clone();
    find(&mut tx.conn, &caller, id).await
}

type Query = import_shown::BoxedQuery<'static, diesel::pg::Pg>;

/// Those that a caller may see: their own, administrators all.
pub fn visible(caller: &Caller) -> Query {
    let all = import_shown::table.into_boxed();
    match caller.account_id() {
        _ if caller.is_administrator() => all,
        Some(id) => all.filter(import_shown::account_id.eq(id)),
        None => all.filter(import_shown::account_id.is_null()),
    }
}

/// One of them.
///
/// # Errors
/// 404.
pub async fn find(conn: &mut Conn, caller: &Caller, id: Uuid) -> Result<Import, Problem> {
    let found = visible(caller).filter(import_shown::id.eq(id)).select(Import::as_select()).first(conn).await;
    found.optional()?.ok_or_else(Problem::not_found)
}

/// Entries of a report after this one, in order.
///
/// # Errors
/// Those of the database.
pub async fn errors(conn: &mut Conn, id: Uuid, after: i32, limit: i64) -> Result<Vec<ImportError>, Problem> {
    let of_job = import_error::table.filter(import_error::import_id.eq(id).and(import_error::number.gt(after)));
    Ok(of_job.order(import_error::number).limit(limit).select(ImportError::as_select()).load(conn).await?)
}

/// How many entries a report has.
///
/// # Errors
/// Those of the database.
pub async fn count_errors(conn: &mut Conn, id: Uuid) -> Result<i64, Problem> {
    Ok(import_error::table.filter(import_error::import_id.eq(id)).count().get_result(conn).await?)
}

/// Leases the job that waited longest, if there is one. That is an attempt, whatever comes of it: a worker may die.
///
/// # Errors
/// Those of the database.
pub async fn claim(conn: &mut Conn, worker: Uuid) -> Result<Option<Job>, Problem> {
    let claimed: Option<Leased> = diesel::sql_query(
        "UPDATE import SET status = 'running', started_at = coalesce(started_at, now()), updated_at = clock_timestamp(),
                attempts = attempts + 1, lease_owner = $1, lease_until = clock_timestamp() + make_interval(secs => $2)
         WHERE id = (SELECT id FROM import WHERE ended_at IS NULL AND (lease_until IS NULL OR lease_until < now())
                     ORDER BY updated_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING id",
    )
    .bind::<SqlUuid, _>(worker)
    .bind::<Integer, _>(LEASE_SECONDS)
    .get_result(conn)
    .await
    .optional()?;
    let Some(Leased { id }) = claimed else { return Ok(None) };
    Ok(import::table.find(id).select(Job::as_select()).first(conn).await.optional()?)
}

#[derive(QueryableByName)]
struct Leased {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// What a worker writes of a job.
pub enum Progress<'a> {
    /// It goes on, with or without this worker.
    Paused(&'a Place, &'a Counts),
    /// The worker goes on with it.
    Kept(&'a Counts),
    /// It was counted.
    Counted(Option<i32>),
    /// The worker stops; what it did was undone.
    Released,
    /// The worker failed, and leaves it alone for a while.
    PutOff,
    /// It is at its end.
    Ended(ImportStatus, &'a Counts),
}

/// Writes what became of a job. False if it is not this worker's any more: it was cancelled, or another took over.
///
/// # Errors
/// Those of the database.
pub async fn progress(conn: &mut Conn, job: &Job, worker: Uuid, progress: Progress<'_>) -> Result<bool, Problem> {
    let held = import::table.filter(
        import::id.eq(job.id).and(import::lease_owner.eq(worker)).and(import::status.eq(ImportStatus::Running)),
    );
    let now = diesel::dsl::now;
    let nobody: (Option<Uuid>, Option<chrono::DateTime<chrono::Utc>>) = (None, None);
    let released = (import::lease_owner.eq(nobody.0), import::lease_until.eq(nobody.1));
    let leased = |seconds: i32| {
        diesel::dsl::sql::<Nullable<Timestamptz>>(&format!("clock_timestamp() + interval '{seconds} seconds'"))
    };
    let touched = match progress {
        Progress::Paused(place, counts) => {
            let paused = (place, counts, import::attempts.eq(0), import::updated_at.eq(now), released);
            diesel::update(held).set(paused).execute(conn).await?
        }
        Progress::Kept(counts) => {
            let kept = (counts, import::updated_at.eq(now), import::lease_until.eq(leased(LEASE_SECONDS)));
            diesel::update(held).set(kept).execute(conn).await?
        }
        Progress::Counted(total) => {
            let counted = (import::total.eq(total), import::attempts.eq(0), released);
            diesel::update(held).set(counted).execute(conn).await?
        }
        Progress::Released => {
            let undone = (&Counts::default(), import::attempts.eq(import::attempts - 1), released);
            diesel::update(held).set(undone).execute(conn).await?
        }
        Progress::PutOff => {
            // Twice as long each time.
            let pause = LEASE_SECONDS << (job.attempts - 1).clamp(0, MAX_ATTEMPTS);
            diesel::update(held).set(import::lease_until.eq(leased(pause))).execute(conn).await?
        }
        Progress::Ended(status, counts) => {
            let no_file: Option<Uuid> = None;
            let ended = (
                counts,
                import::status.eq(status),
                import::file_id.eq(no_file),
                import::updated_at.eq(now),
                import::ended_at.eq(now),
                released,
            );
            let touched = diesel::update(held).set(ended).execute(conn).await?;
            if let Some(file_id) = job.file_id.filter(|_| touched == 1) {
                diesel::delete(import_file::table.find(file_id)).execute(conn).await?;
            }
            touched
        }
    };
    Ok(touched == 1)
}

/// Adds to a report; the first new entry has this number. What a worker that died wrote from there on goes.
///
/// # Errors
/// Those of the database.
pub async fn report(conn: &mut Conn, id: Uuid, first: i32, errors: &[ImportError]) -> Result<(), Problem> {
    let stale = import_error::table.filter(import_error::import_id.eq(id).and(import_error::number.ge(first)));
    diesel::delete(stale).execute(conn).await?;
    for (chunk, first) in errors.chunks(1000).zip((first..).step_by(1000)) {
        let row = |(one, number): (&ImportError, i32)| {
            (
                import_error::import_id.eq(id),
                import_error::number.eq(number),
                import_error::line.eq(one.line),
                import_error::pointer.eq(one.pointer.clone()),
                import_error::code.eq(one.code.clone()),
                import_error::detail.eq(one.detail.clone()),
            )
        };
        let rows: Vec<_> = chunk.iter().zip(first..).map(row).collect();
        diesel::insert_into(import_error::table).values(rows).execute(conn).await?;
    }
    Ok(())
}

/// Stops a job between two batches; of an atomic one nothing is written. False if it had ended.
///
/// # Errors
/// Those of the database.
pub async fn cancel(tx: &mut Tx, id: Uuid) -> Result<bool, Problem> {
    let open: Option<(Option<Uuid>, bool, Counts)> = import::table
        .find(id)
        .filter(import::ended_at.is_null())
        .select((import::file_id, import::atomic, Counts::as_select()))
        .for_update()
        .first(&mut tx.conn)
        .await
        .optional()?;
    let Some((file_id, is_atomic, counts)) = open else { return Ok(false) };
    let nothing: (Option<Uuid>, Option<chrono::DateTime<chrono::Utc>>) = (None, None);
    let now = diesel::dsl::now;
    diesel::update(import::table.find(id))
        .set((
            if is_atomic { counts.of_nothing() } else { counts },
            import::status.eq(ImportStatus::Cancelled),
            import::file_id.eq(nothing.0),
            import::updated_at.eq(now),
            import::ended_at.eq(now),
            import::lease_owner.eq(nothing.0),
            import::lease_until.eq(nothing.1),
        ))
        .execute(&mut tx.conn)
        .await?;
    if let Some(file_id) = file_id {
        diesel::delete(import_file::table.find(file_id)).execute(&mut tx.conn).await?;
    }
    Ok(true)
}
