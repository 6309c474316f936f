//! Followers with a leased cursor: a worker takes a subscription that is due for a turn, under a lease, and sends one
//! event after the other. No transaction is open while a receiver is called. A worker that dies loses its lease, and
//! another goes on from what was kept: at least once, in order.

use std::time::Duration;

use actix_web::web;
use aws_lc_rs::digest;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::events::{Event, chooses, collections_of, type_of};
use super::model::{Attempt, DeliveryState};
use super::{queries, sending};
use crate::access::{Caller, accounts, secrets};
use crate::app::State;
use crate::database::Conn;
use crate::database::rows::Prepared;
use crate::database::schema::{webhook, webhook_delivery};
use crate::http::Problem;
use crate::ids;
use crate::sync::changes::{Change, Wanted, changes_after};
use crate::values::Json;

/// How many subscriptions have their turn at once in a worker: a slow receiver holds one of them.
const AT_ONCE: usize = 32;

/// How long a turn goes on if there is more to send: then it is somebody else's.
const TURN: Duration = Duration::from_secs(10);

/// How often a worker looks for what is due by itself.
const LOOK: Duration = Duration::from_secs(1);

/// Changes read at once.
const BATCH: i64 = 100;

/// Tries that are kept of a delivery.
const KEPT: usize = 50;

/// Takes a subscription that is due, and nobody is at. The lease is longer than a try can take.
const TAKE: &str = "
    UPDATE webhook SET lease_owner = $1, lease_until = clock_timestamp() + interval '60 seconds', served_at = clock_timestamp()
    WHERE id = (
        SELECT w.id FROM webhook w
        JOIN account a ON a.id = w.account_id AND NOT a.disabled
        LEFT JOIN LATERAL (
            SELECT d.next_attempt_at FROM webhook_delivery d
            WHERE d.webhook_id = w.id AND d.next_attempt_at IS NOT NULL ORDER BY d.seq NULLS FIRST, d.id LIMIT 1
        ) first ON true
        WHERE w.enabled AND (w.lease_until IS NULL OR w.lease_until < clock_timestamp())
            AND CASE WHEN first.next_attempt_at IS NOT NULL THEN first.next_attempt_at <= $2
                     ELSE w.replay_to IS NOT NULL OR w.position < (SELECT seq FROM change_number) END
        ORDER BY w.served_at NULLS FIRST LIMIT 1
        FOR UPDATE OF w SKIP LOCKED)
    RETURNING id";

/// Keeps the lease, and says what the subscription is now: no row if it is somebody else's, or is not to be served.
const KEEP: &str = "
    UPDATE webhook w SET lease_until = clock_timestamp() + interval '60 seconds'
    FROM account a
    WHERE w.id = $1 AND w.lease_owner = $2 AND w.enabled AND a.id = w.account_id AND NOT a.disabled
    RETURNING w.account_id, w.version, w.url, w.types, w.position, w.replay_position, w.replay_to,
        ARRAY(SELECT c.city_id FROM webhook_city c WHERE c.webhook_id = w.id) AS city_ids,
        change_epoch() AS epoch";

/// Puts events into the queue and moves the position, both or neither: neither, if the webhook was changed meanwhile or
/// another replay was asked for. What was sent before is sent again.
const QUEUE: &str = "
    WITH moved AS (
        UPDATE webhook SET
            position = CASE WHEN $3 THEN position ELSE $4 END,
            replay_position = CASE WHEN $3 AND $4 < replay_to THEN $4 WHEN NOT $3 THEN replay_position END,
            replay_to = CASE WHEN $3 AND $4 >= replay_to THEN NULL ELSE replay_to END
        WHERE id = $1 AND lease_owner = $2 AND version = $9
            AND replay_position IS NOT DISTINCT FROM $10 AND replay_to IS NOT DISTINCT FROM $11
        RETURNING id
    )
    INSERT INTO webhook_delivery (id, webhook_id, seq, event_type, state, next_attempt_at)
    SELECT e.id, m.id, e.seq, e.event_type, 'pending', $8
    FROM moved m CROSS JOIN unnest($5, $6, $7) e (id, seq, event_type)
    ON CONFLICT (webhook_id, seq) DO UPDATE
        SET state = 'pending', tries = 0, next_attempt_at = excluded.next_attempt_at, updated_at = clock_timestamp()";

/// Keeps what came of a try. If the delivery was put into the queue again meanwhile, it stays there; if the webhook was
/// changed, what was not delivered is tried again at once: the new address may be the right one.
const KEEP_TRY: &str = "
    UPDATE webhook_delivery d SET
        attempts = $3, event_type = $4,
        state = CASE WHEN d.updated_at <> $2 THEN d.state WHEN $5 = 'dead' AND w.version <> $8 THEN 'failed' ELSE $5 END,
        tries = CASE WHEN d.updated_at <> $2 THEN d.tries ELSE d.tries + 1 END,
        next_attempt_at = CASE WHEN d.updated_at <> $2 THEN d.next_attempt_at
            WHEN $5 <> 'delivered' AND w.version <> $8 THEN $7 ELSE $6 END,
        updated_at = clock_timestamp()
    FROM webhook w WHERE d.id = $1 AND w.id = d.webhook_id";

/// Leaves a subscription alone for a while when its turn failed; its lease stays.
const PAUSE: &str = "
    UPDATE webhook SET lease_until = clock_timestamp() + interval '10 seconds' WHERE id = $1 AND lease_owner = $2";

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

#[derive(QueryableByName)]
struct Subscription {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Integer)]
    version: i32,
    #[diesel(sql_type = Text)]
    url: String,
    #[diesel(sql_type = Array<Text>)]
    types: Vec<String>,
    #[diesel(sql_type = BigInt)]
    position: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    replay_position: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    replay_to: Option<i64>,
    #[diesel(sql_type = Array<SqlUuid>)]
    city_ids: Vec<Uuid>,
    #[diesel(sql_type = Text)]
    epoch: String,
}

/// A delivery in the queue.
#[derive(Queryable, Selectable)]
#[diesel(table_name = webhook_delivery)]
struct Queued {
    id: Uuid,
    seq: Option<i64>,
    event_type: String,
    attempts: Json<Vec<Attempt>>,
    tries: i32,
    next_attempt_at: Option<DateTime<Utc>>,
    updated_at: DateTime<Utc>,
}

/// One turn of a subscription.
struct Turn<'a> {
    state: &'a State,
    worker: Uuid,
    webhook: Uuid,
}

/// Gives the subscription that is due its turn; says whether there was one. For tests, which let time pass themselves.
///
/// # Errors
/// Those of the database.
pub async fn step(state: &State, worker: Uuid) -> Result<bool, Problem> {
    let Some(webhook) = take(state, worker).await? else { return Ok(false) };
    Turn { state, worker, webhook }.run().await.map(|()| true)
}

/// Delivers until the service stops: woken by new numbers of changes, and looking by itself for what is due again.
pub async fn keep_delivering(state: web::Data<State>) {
    let worker = ids::fresh();
    let (mut told, mut stopping) = (state.database.sequenced.subscribe(), state.stopping.subscribe());
    let mut turns = JoinSet::new();
    while !*stopping.borrow() {
        told.mark_unchanged();
        while turns.len() < AT_ONCE {
            match take(&state, worker).await {
                Ok(Some(webhook)) => drop(turns.spawn(serve(state.clone(), worker, webhook))),
                Ok(None) => break,
                Err(problem) => {
                    tracing::warn!(%problem, "webhooks cannot be served now");
                    break;
                }
            }
        }
        tokio::select! {
            _ = stopping.changed() => {}
            _ = told.changed() => {}
            Some(ended) = turns.join_next(), if !turns.is_empty() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a turn of a webhook panicked, which is a mistake of ours; it comes again");
                }
            }
            () = sleep(LOOK) => {}
        }
    }
    // What is on its way may end; what does not is sent again by the next worker.
    let all = async { while turns.join_next().await.is_some() {} };
    let is_done = timeout(Duration::from_secs(state.config.drain_seconds), all).await.is_ok();
    if !is_done {
        turns.shutdown().await;
    }
    if let Err(problem) = give_back(&state, worker).await {
        tracing::warn!(%problem, "leases of webhooks were not given back; they end by themselves");
    }
}

async fn serve(state: web::Data<State>, worker: Uuid, webhook: Uuid) {
    if let Err(problem) = (Turn { state: &state, worker, webhook }).run().await {
        tracing::warn!(%problem, %webhook, "a webhook could not be served now");
    }
}

async fn take(state: &State, worker: Uuid) -> Result<Option<Uuid>, Problem> {
    let mut conn = state.database.connection().await?;
    let statement = diesel::sql_query(TAKE).bind::<SqlUuid, _>(worker).bind::<Timestamptz, _>(state.clock.now());
    let taken: Option<Taken> = Prepared(statement).get_result(&mut conn).await.optional()?;
    Ok(taken.map(|taken| taken.id))
}

/// Gives back all leases of a worker that stops.
async fn give_back(state: &State, worker: Uuid) -> Result<(), Problem> {
    let held = webhook::table.filter(webhook::lease_owner.eq(worker));
    release(&mut state.database.connection().await?, held).await
}

async fn release<T>(conn: &mut Conn, which: T) -> Result<(), Problem>
where
    T: diesel::query_builder::IntoUpdateTarget<Table = webhook::table>,
    T::WhereClause: diesel::query_builder::QueryFragment<diesel::pg::Pg> + diesel::query_builder::QueryId + Send,
{
    let nobody = (webhook::lease_owner.eq(None::<Uuid>), webhook::lease_until.eq(None::<DateTime<Utc>>));
    diesel::update(which).set(nobody).execute(conn).await?;
    Ok(())
}

impl Turn<'_> {
    async fn run(&self) -> Result<(), Problem> {
        let sent = self.send_queue().await;
        if sent.is_err() {
            let pause = diesel::sql_query(PAUSE).bind::<SqlUuid, _>(self.webhook).bind::<SqlUuid, _>(self.worker);
            pause.execute(&mut self.state.database.connection().await?).await?;
            return sent;
        }
        let held = webhook::table.filter(webhook::id.eq(self.webhook)).filter(webhook::lease_owner.eq(self.worker));
        release(&mut self.state.database.connection().await?, held).await?;
        sent
    }

    async fn send_queue(&self) -> Result<(), Problem> {
        let until = Instant::now() + TURN;
        while Instant::now() < until && !*self.state.stopping.borrow() {
            let mut conn = self.state.database.connection().await?;
            let Some(subscription) = self.keep(&mut conn).await? else { return Ok(()) };
            let Some(account) = accounts::load(&mut conn, subscription.account_id).await? else { return Ok(()) };
            let caller = Caller::account(account);
            match self.first(&mut conn).await? {
                Some(queued) if queued.next_attempt_at > Some(self.state.clock.now()) => return Ok(()),
                Some(queued) => self.deliver(conn, &subscription, &caller, queued).await?,
                None if !self.fill(&mut conn, &subscription, &caller).await? => return Ok(()),
                None => {}
            }
        }
        Ok(())
    }

    async fn keep(&self, conn: &mut Conn) -> Result<Option<Subscription>, Problem> {
        let statement = diesel::sql_query(KEEP).bind::<SqlUuid, _>(self.webhook).bind::<SqlUuid, _>(self.worker);
        Ok(statement.get_result(conn).await.optional()?)
    }

    async fn first(&self, conn: &mut Conn) -> Result<Option<Queued>, Problem> {
        let queue = webhook_delivery::table
            .filter(webhook_delivery::webhook_id.eq(self.webhook))
            .filter(webhook_delivery::next_attempt_at.is_not_null())
            .order((webhook_delivery::seq.asc().nulls_first(), webhook_delivery::id))
            .select(Queued::as_select());
        Ok(queue.first(conn).await.optional()?)
    }

    /// Puts the next events into the queue, first those of a replay; says whether it is worth going on.
    async fn fill(&self, conn: &mut Conn, subscription: &Subscription, caller: &Caller) -> Result<bool, Problem> {
        let wanted = Wanted {
            types: collections_of(&subscription.types),
            cities: subscription.city_ids.clone(),
            limit: BATCH,
            with_records: false,
        };
        let after = subscription.replay_position.unwrap_or(subscription.position);
        let batch = changes_after(conn, caller, after, &wanted, self.state.clock.today()).await?;
        let until = subscription.replay_to.unwrap_or(i64::MAX);
        let chosen = |change: &&Change| change.seq <= until && chooses(&subscription.types, &type_of(change));
        let events: Vec<&Change> = batch.changes.iter().filter(chosen).collect();
        let is_replay = subscription.replay_to.is_some();
        if batch.read_to == after && !is_replay {
            return Ok(false);
        }
        // A replay that finds nothing more has come to its end, too.
        let read_to = if batch.has_more { batch.read_to } else { batch.read_to.max(until.min(subscription.position)) };
        diesel::sql_query(QUEUE)
            .bind::<SqlUuid, _>(self.webhook)
            .bind::<SqlUuid, _>(self.worker)
            .bind::<diesel::sql_types::Bool, _>(is_replay)
            .bind::<BigInt, _>(read_to)
            .bind::<Array<SqlUuid>, _>(events.iter().map(|change| self.id_of(subscription, change)).collect::<Vec<_>>())
            .bind::<Array<BigInt>, _>(events.iter().map(|change| change.seq).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(events.iter().map(|change| type_of(change)).collect::<Vec<_>>())
            .bind::<Timestamptz, _>(self.state.clock.now())
            .bind::<Integer, _>(subscription.version)
            .bind::<Nullable<BigInt>, _>(subscription.replay_position)
            .bind::<Nullable<BigInt>, _>(subscription.replay_to)
            .execute(conn)
            .await?;
        Ok(true)
    }

    /// The id of an event for this subscription. It follows from the change, so that a replay has it again even if the
    /// delivery is forgotten; after a restore, numbers may be given to other changes, and the epoch is another.
    fn id_of(&self, subscription: &Subscription, change: &Change) -> Uuid {
        let text = format!("{} {} {}", subscription.epoch, self.webhook, change.seq);
        let hash = digest::digest(&digest::SHA256, text.as_bytes());
        let random = hash.as_ref()[..10].try_into().expect("SHA-256 has 32 bytes");
        ids::made_of(change.at.timestamp_millis().try_into().unwrap_or(0), random)
    }

    /// Sends one event, as the account may see it now, and keeps what came of it.
    async fn deliver(
        &self,
        mut conn: Conn,
        subscription: &Subscription,
        caller: &Caller,
        queued: Queued,
    ) -> Result<(), Problem> {
        let now = self.state.clock.now();
        let source = self.state.config.public_url.as_str();
        let event = match queued.seq {
            None => Some(Event::test(queued.id, source, self.webhook, now)),
            Some(seq) => {
                let which = (seq, queued.event_type.as_str());
                Event::of_change(&mut conn, caller, (queued.id, source), which, now.date_naive()).await?
            }
        };
        let Some(event) = event else {
            let error = Some("the account may not know of this change any more".to_owned());
            let attempt = Attempt { at: now, status: None, error };
            let event_type = queued.event_type.clone();
            return self
                .keep_try(&mut conn, subscription, queued, event_type, attempt, (DeliveryState::Dead, None))
                .await;
        };
        let signing = queries::signing(&mut conn, self.webhook, &self.state.secrets, now).await?;
        drop(conn);
        let tried = sending::send(&self.state.outgoing, &subscription.url, queued.id, &event, &signing, now).await;
        let mut conn = self.state.database.connection().await?;
        let luck = f64::from(secrets::random::<1>()[0]) / 255.0;
        let next = match sending::pause(queued.tries + 1, luck, tried.asked) {
            _ if tried.is_delivered => (DeliveryState::Delivered, None),
            Some(pause) => {
                let pause = TimeDelta::from_std(pause).unwrap_or(TimeDelta::days(1));
                (DeliveryState::Failed, Some(self.state.clock.now() + pause))
            }
            None => (DeliveryState::Dead, None),
        };
        self.keep_try(&mut conn, subscription, queued, event.type_, tried.attempt, next).await?;
        if tried.is_gone {
            self.disable(&mut conn, subscription).await?;
        }
        Ok(())
    }

    /// Sends nothing more, unless the webhook was changed since: then it is another receiver that is meant.
    async fn disable(&self, conn: &mut Conn, subscription: &Subscription) -> Result<(), Problem> {
        diesel::update(webhook::table.find(self.webhook).filter(webhook::version.eq(subscription.version)))
            .set((
                webhook::enabled.eq(false),
                webhook::version.eq(webhook::version + 1),
                webhook::updated_at.eq(diesel::dsl::now),
            ))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Keeps what came of a try.
    async fn keep_try(
        &self,
        conn: &mut Conn,
        subscription: &Subscription,
        queued: Queued,
        event_type: String,
        attempt: Attempt,
        (state, next_attempt_at): (DeliveryState, Option<DateTime<Utc>>),
    ) -> Result<(), Problem> {
        let mut attempts = queued.attempts.0;
        attempts.push(attempt);
        let kept = attempts.split_off(attempts.len().saturating_sub(KEPT));
        diesel::sql_query(KEEP_TRY)
            .bind::<SqlUuid, _>(queued.id)
            .bind::<Timestamptz, _>(queued.updated_at)
            .bind::<Jsonb, _>(json!(kept))
            .bind::<Text, _>(event_type)
            .bind::<Text, _>(state.label())
            .bind::<Nullable<Timestamptz>, _>(next_attempt_at)
            .bind::<Timestamptz, _>(self.state.clock.now())
            .bind::<Integer, _>(subscription.version)
            .execute(conn)
            .await?;
        Ok(())
    }
}
