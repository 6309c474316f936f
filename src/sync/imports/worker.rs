//! The work: batch by batch, each in a transaction together with its count, so that a row is brought in once whatever
//! happens to the server. What is atomic or a dry run is one transaction.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use actix_web::web;
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use super::jobs::{self, Counts, Job, MAX_ATTEMPTS, Place, Progress};
use super::model::*;
use super::reading::{Next, Reader, Row, fault};
use super::upload;
use crate::access::{Caller, accounts, table};
use crate::api::collections::{self, Collection};
use crate::app::{Clock, State};
use crate::database::{Database, Tx};
use crate::http::bringing::Brought;
use crate::http::conditional::IfMatch;
use crate::http::{Code, Problem};
use crate::ids;
use crate::sync::worker::caught;
use diesel_async::SimpleAsyncConnection;

/// How many rows are brought in together.
const ROWS: usize = 250;

/// About how many bytes they may have, so that some large ones do not fill the memory.
const BYTES: usize = 1024 * 1024;

/// How many entries a report may have.
const MAX_FAULTS: usize = 100_000;

/// How many entries a row may have in it.
const MAX_FAULTS_OF_ROW: usize = 100;

/// How long a batch goes on taking rows; short, so that cancelling does not wait.
const BATCH: Duration = Duration::from_millis(400);

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing waits.
    Idle,
    /// A job is further on.
    Advanced,
    /// A job is at its end, or is not this worker's any more.
    Ended,
}

/// One that works on imports. Several may, in one process or many.
pub struct Worker {
    database: Database,
    clock: Clock,
    id: Uuid,
    stopping: Option<watch::Receiver<bool>>,
}

/// Rows that were read, and what became of them.
struct Batch {
    counts: Counts,
    errors: Vec<ImportError>,
    at: At,
}

/// How a pass over a whole file ended.
enum Pass {
    Read(ImportStatus, Counts),
    /// The job is not this worker's any more.
    Lost,
    /// The service stops.
    Stopped,
}

/// Where the reader is after a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Middle,
    End,
    /// The file cannot be read any further.
    Broken,
}

impl Worker {
    /// One with a name of its own.
    pub fn new(database: Database, clock: Clock) -> Self {
        Self { database, clock, id: ids::fresh(), stopping: None }
    }

    /// The same, that stops between two batches once this says so.
    #[must_use]
    pub fn until(self, stopping: watch::Receiver<bool>) -> Self {
        Self { stopping: Some(stopping), ..self }
    }

    /// Takes the job that waited longest one batch further; one that is a single transaction to its end. A job that
    /// does not get on at a place fails after five attempts.
    ///
    /// # Errors
    /// 503 when the database is away, and what went wrong otherwise; the same step is then done again by whoever comes
    /// next.
    pub async fn step(&self) -> Result<Step, Problem> {
        let Some(job) = jobs::claim(&mut self.database.connection().await?, self.id).await? else {
            upload::discard_orphans(&mut self.database.connection().await?).await?;
            return Ok(Step::Idle);
        };
        // Those who tried before died.
        if job.attempts > MAX_ATTEMPTS {
            return self.give_up(&job).await;
        }
        match self.advance(&job).await {
            Err(problem) if job.attempts == MAX_ATTEMPTS => {
                tracing::error!(%problem, import = %job.id, "an import fails: it did not get on");
                self.give_up(&job).await
            }
            Err(problem) => {
                jobs::progress(&mut self.database.connection().await?, &job, self.id, Progress::PutOff).await?;
                Err(problem)
            }
            step => step,
        }
    }

    async fn advance(&self, job: &Job) -> Result<Step, Problem> {
        let caller = match self.caller(job).await? {
            Ok(caller) => caller,
            Err(why) => return self.fail(job, job.counts.clone(), why).await,
        };
        if job.total.is_none() && job.place.position == 0 {
            return self.count(job).await;
        }
        if job.atomic || job.dry_run { self.whole(job, caller).await } else { self.batch(job, caller).await }
    }

    async fn give_up(&self, job: &Job) -> Result<Step, Problem> {
        let detail = format!(
            "the service tried {MAX_ATTEMPTS} times to go on from this line and could not; send what was not written \
             once more, and report it if that fails too"
        );
        self.fail(job, job.counts.clone(), fault(job.place.line, Code::Internal.label(), &detail)).await
    }

    fn is_stopping(&self) -> bool {
        self.stopping.as_ref().is_some_and(|stopping| *stopping.borrow())
    }

    /// The account of the job as it is now, with what it may do now.
    async fn caller(&self, job: &Job) -> Result<Result<Caller, ImportError>, Problem> {
        let account = accounts::load(&mut self.database.connection().await?, job.account_id).await?;
        let Some(account) = account else {
            let detail = "the account of this import is disabled; what was not written yet is not written";
            return Ok(Err(fault(job.place.line, Code::Forbidden.label(), detail)));
        };
        let caller = Caller::account(account);
        let row = table::row_of("create_import").expect("the operation has its row");
        if table::may(row, &caller) == table::May::No {
            let detail = "the account of this import may not import any more";
            return Ok(Err(fault(job.place.line, Code::Forbidden.label(), detail)));
        }
        Ok(Ok(caller))
    }

    async fn count(&self, job: &Job) -> Result<Step, Problem> {
        let mut conn = self.database.connection().await?;
        let mut reader = self.reader(&mut conn, job).await?;
        let total = match reader.header(&mut conn, schemas(job)).await? {
            Err(why) => return self.fail(job, Counts::default(), why).await,
            Ok(()) => reader.count(&mut conn).await?,
        };
        // One that cannot be counted is read until the place where it is broken.
        let held = jobs::progress(&mut conn, job, self.id, Progress::Counted(total.or(Some(0)))).await?;
        Ok(if held { Step::Advanced } else { Step::Ended })
    }

    async fn reader(&self, conn: &mut crate::database::Conn, job: &Job) -> Result<Reader, Problem> {
        let file_id = job.file_id.ok_or_else(Problem::not_found)?;
        Reader::open(conn, file_id, job.format, schemas(job), job.place.clone()).await
    }

    async fn begin(&self, caller: Caller) -> Result<Tx, Problem> {
        // Which version is meant is never said: the row says the whole record.
        self.database.begin(caller, IfMatch::Any, self.clock.now()).await
    }

    /// One batch, committed with its count.
    async fn batch(&self, job: &Job, caller: Caller) -> Result<Step, Problem> {
        let mut tx = self.begin(caller).await?;
        let done = self.batch_in(&mut tx, job).await;
        match done {
            Ok(Some(step)) => tx.commit().await.map(|()| step),
            Ok(None) => {
                tx.roll_back().await;
                Ok(Step::Ended)
            }
            Err(problem) => {
                tx.roll_back().await;
                Err(problem)
            }
        }
    }

    /// `None` if the job is not this worker's any more.
    async fn batch_in(&self, tx: &mut Tx, job: &Job) -> Result<Option<Step>, Problem> {
        // Nobody else touches the job until the commit; whoever cancels it waits for that.
        if !jobs::progress(&mut tx.conn, job, self.id, Progress::Kept(&job.counts)).await? {
            return Ok(None);
        }
        let mut reader = self.reader(&mut tx.conn, job).await?;
        if let Err(why) = reader.header(&mut tx.conn, schemas(job)).await? {
            return self.failed(tx, job, job.counts.clone(), why).await.map(Some);
        }
        let batch = bring(tx, job, &mut reader, job.counts.clone()).await?;
        jobs::report(&mut tx.conn, job.id, job.counts.faults, &batch.errors).await?;
        let (step, progress) = match batch.at {
            At::Middle => (Step::Advanced, Progress::Paused(reader.place(), &batch.counts)),
            At::End => (Step::Ended, Progress::Ended(ImportStatus::Done, &batch.counts)),
            At::Broken => (Step::Ended, Progress::Ended(ImportStatus::Failed, &batch.counts)),
        };
        let held = jobs::progress(&mut tx.conn, job, self.id, progress).await?;
        Ok(held.then_some(step))
    }

    /// All rows in one transaction: kept if nothing was refused and it is not a dry run, else undone.
    async fn whole(&self, job: &Job, caller: Caller) -> Result<Step, Problem> {
        let mut tx = self.begin(caller).await?;
        let undone = match self.whole_in(&mut tx, job).await {
            Ok(Pass::Lost) => {
                tx.roll_back().await;
                return Ok(Step::Ended);
            }
            Ok(Pass::Read(ImportStatus::Done, counts)) if !job.dry_run => {
                // Only if it was not cancelled meanwhile; both are in this one transaction.
                let ended = Progress::Ended(ImportStatus::Done, &counts);
                match jobs::progress(&mut tx.conn, job, self.id, ended).await {
                    Ok(true) => tx.commit().await?,
                    Ok(false) => tx.roll_back().await,
                    Err(problem) => {
                        tx.roll_back().await;
                        return Err(problem);
                    }
                }
                return Ok(Step::Ended);
            }
            undone => undone,
        };
        tx.roll_back().await;
        let mut conn = self.database.connection().await?;
        match undone? {
            Pass::Read(status, counts) => {
                jobs::progress(&mut conn, job, self.id, Progress::Ended(status, &counts)).await?
            }
            Pass::Stopped | Pass::Lost => jobs::progress(&mut conn, job, self.id, Progress::Released).await?,
        };
        Ok(Step::Ended)
    }

    /// The report and how far it is are written beside the transaction, to be seen and to outlive it.
    async fn whole_in(&self, tx: &mut Tx, job: &Job) -> Result<Pass, Problem> {
        if job.dry_run {
            // It makes no change, so nobody who reads the past needs to wait for it: see settled_until().
            tx.conn.batch_execute("SET LOCAL application_name = 'pilot-exchange reading'").await?;
        }
        let mut beside = self.database.connection().await?;
        // That of a worker which died or stopped.
        jobs::report(&mut beside, job.id, 0, &[]).await?;
        let job = &Job { place: Place { line: 1, ..Place::default() }, counts: Counts::default(), ..job.clone() };
        let mut reader = self.reader(&mut tx.conn, job).await?;
        if let Err(why) = reader.header(&mut tx.conn, schemas(job)).await? {
            jobs::report(&mut beside, job.id, 0, &[why]).await?;
            return Ok(Pass::Read(ImportStatus::Failed, Counts { faults: 1, ..Counts::default() }));
        }
        let mut counts = Counts::default();
        loop {
            if self.is_stopping() {
                return Ok(Pass::Stopped);
            }
            let first = counts.faults;
            let batch = bring(tx, job, &mut reader, counts).await?;
            counts = batch.counts;
            jobs::report(&mut beside, job.id, first, &batch.errors).await?;
            if !jobs::progress(&mut beside, job, self.id, Progress::Kept(&counts)).await? {
                return Ok(Pass::Lost);
            }
            let status = match batch.at {
                At::Middle => continue,
                At::Broken => ImportStatus::Failed,
                At::End if job.atomic && counts.failed > 0 => ImportStatus::Failed,
                At::End => ImportStatus::Done,
            };
            let is_undone = job.atomic && status == ImportStatus::Failed;
            return Ok(Pass::Read(status, if is_undone { counts.of_nothing() } else { counts }));
        }
    }

    /// The job cannot go on.
    async fn fail(&self, job: &Job, counts: Counts, why: ImportError) -> Result<Step, Problem> {
        let mut tx = self.begin(Caller::registry()).await?;
        match self.failed(&mut tx, job, counts, why).await {
            Ok(step) => tx.commit().await.map(|()| step),
            Err(problem) => {
                tx.roll_back().await;
                Err(problem)
            }
        }
    }

    async fn failed(&self, tx: &mut Tx, job: &Job, counts: Counts, why: ImportError) -> Result<Step, Problem> {
        let first = counts.faults;
        let mut counts = if job.atomic { counts.of_nothing() } else { counts };
        counts.faults += 1;
        if jobs::progress(&mut tx.conn, job, self.id, Progress::Ended(ImportStatus::Failed, &counts)).await? {
            jobs::report(&mut tx.conn, job.id, first, &[why]).await?;
        }
        Ok(Step::Ended)
    }
}

fn collection(job: &Job) -> &'static Collection {
    collections::named(job.kind.label()).expect("every type of import is a collection; a test compares them")
}

fn schemas(job: &Job) -> (&'static str, &'static str) {
    let collection = collection(job);
    (&collection.schema, &collection.input)
}

/// Brings rows in until a batch is full or the file is at its end.
async fn bring(tx: &mut Tx, job: &Job, reader: &mut Reader, mut counts: Counts) -> Result<Batch, Problem> {
    let began = Instant::now();
    let mut errors = vec![];
    let mut at = At::Middle;
    while at == At::Middle && began.elapsed() < BATCH {
        let (mut rows, mut bytes, mut broken) = (vec![], 0, None);
        while rows.len() < ROWS && bytes < BYTES && at == At::Middle {
            match reader.next(&mut tx.conn).await? {
                Next::Row(row) => {
                    bytes += row.bytes;
                    rows.push(row);
                }
                Next::End => at = At::End,
                Next::Broken(why) => (at, broken) = (At::Broken, Some(why)),
            }
        }
        bring_rows(tx, job, rows, &mut counts, &mut errors).await?;
        let room = MAX_FAULTS.saturating_sub(usize::try_from(counts.faults).unwrap_or_default());
        if errors.len() > room {
            errors.truncate(room);
            let detail = format!("more than {MAX_FAULTS} things are wrong; rows from here on were not read");
            (at, broken) = (At::Broken, Some(fault(reader.place().line, "too_many_errors", &detail)));
        }
        errors.extend(broken);
    }
    counts.faults += i32::try_from(errors.len()).unwrap_or(i32::MAX);
    Ok(Batch { counts, errors, at })
}

/// Brings some rows in, and tells what became of each.
async fn bring_rows(
    tx: &mut Tx,
    job: &Job,
    rows: Vec<Row>,
    counts: &mut Counts,
    errors: &mut Vec<ImportError>,
) -> Result<(), Problem> {
    let (mut values, mut read) = (vec![], vec![]);
    for Row { line, value, .. } in rows {
        let unreadable = value.map(|value| values.push(value)).err();
        read.push((line, unreadable));
    }
    let mut outcomes = (collection(job).bring)(tx, values).await?.into_iter();
    for (line, unreadable) in read {
        counts.read += 1;
        let refused = match unreadable {
            Some(error) => vec![error],
            None => match outcomes.next().expect("an outcome for each row") {
                Ok(brought) => {
                    *match brought {
                        Brought::Created => &mut counts.created,
                        Brought::Updated => &mut counts.updated,
                        Brought::Unchanged => &mut counts.unchanged,
                    } += 1;
                    continue;
                }
                Err(problem) => refusal(line, problem),
            },
        };
        counts.failed += 1;
        errors.extend(refused);
    }
    Ok(())
}

/// What a report says of a row that was refused.
fn refusal(line: i32, problem: Problem) -> Vec<ImportError> {
    let faults = problem.into_faults();
    let more = faults.len().saturating_sub(MAX_FAULTS_OF_ROW);
    let told = faults.iter().take(MAX_FAULTS_OF_ROW).map(|one| {
        let pointer = one.pointer.as_deref().filter(|pointer| !pointer.is_empty());
        ImportError::new(line, pointer, &one.code, &one.detail)
    });
    let rest = (more > 0).then(|| fault(line, "more_errors", &format!("{more} more things are wrong with this row")));
    told.chain(rest).collect()
}

/// Works on imports until the service stops, on a thread of its own: it is busy for long, and requests are not to wait
/// for it. A batch that was begun is finished.
pub async fn keep_running(state: web::Data<State>) {
    let (ended, end) = oneshot::channel::<()>();
    let worker = Worker::new(state.database.clone(), state.clock).until(state.stopping.subscribe());
    let application = Arc::downgrade(&state);
    let started = std::thread::Builder::new().name("imports".into()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        match runtime {
            Ok(runtime) => runtime.block_on(run(&worker, &application)),
            Err(error) => tracing::error!(%error, "imports cannot run"),
        }
        drop(ended);
    });
    if let Err(error) = started {
        tracing::error!(%error, "imports cannot run");
    }
    // Told by being dropped.
    drop(end.await);
}

/// Takes one step after the other until the application has ended.
async fn run(worker: &Worker, state: &Weak<State>) {
    /// How often it looks for what other servers were sent.
    const OTHERS: Duration = Duration::from_secs(2);
    /// How long it waits when the database is away, or a step made a mistake.
    const AWAY: Duration = Duration::from_secs(1);
    while let Some(state) = state.upgrade() {
        let mut stopping = state.stopping.subscribe();
        if *stopping.borrow() {
            return;
        }
        match caught("a step of an import", worker.step()).await {
            Some(Ok(Step::Idle)) => {
                // The application may end meanwhile, so it is not held.
                let came = state.import_came.clone();
                drop(state);
                tokio::select! {
                    () = came.notified() => {}
                    _ = stopping.changed() => {}
                    () = tokio::time::sleep(OTHERS) => {}
                }
            }
            Some(Ok(Step::Advanced | Step::Ended)) => {}
            Some(Err(problem)) => {
                tracing::warn!(%problem, "an import cannot go on now");
                tokio::time::sleep(AWAY).await;
            }
            None => tokio::time::sleep(AWAY).await,
        }
    }
}
