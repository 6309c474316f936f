//! Its SQL.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::events::EventFilter;
use super::model::*;
use crate::access::Caller;
use crate::access::accounts::OVERLAP_HOURS;
use crate::access::secrets::{self, Secrets};
use crate::database::schema::{account, change_number, city, webhook, webhook_city, webhook_delivery, webhook_secret};
use crate::database::{Conn, Tx};
use crate::http::{Checked, Code, Problem};
use crate::ids;

/// How many webhooks an account may have.
const MAX_WEBHOOKS: i64 = 20;

#[derive(Queryable, Selectable)]
#[diesel(table_name = webhook)]
struct Row {
    id: Uuid,
    version: i32,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    url: String,
    types: Vec<String>,
    enabled: bool,
}

/// The webhooks of a caller; an administrator's are all.
pub(super) fn own(caller: &Caller) -> webhook::BoxedQuery<'static, diesel::pg::Pg> {
    let all = webhook::table.into_boxed();
    if caller.is_administrator() {
        return all;
    }
    // An id that no account has, so that nobody without one has any.
    all.filter(webhook::account_id.eq(caller.account_id().unwrap_or_default()))
}

/// Webhooks of a caller in order of id, after this one.
pub(super) async fn page(
    conn: &mut Conn,
    caller: &Caller,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Webhook>, Problem> {
    let mut query = own(caller);
    if let Some(after) = after {
        query = query.filter(webhook::id.gt(after));
    }
    let rows = query.order(webhook::id).limit(limit).select(Row::as_select()).load(conn).await?;
    with_cities(conn, rows).await
}

/// One of a caller's webhooks.
///
/// # Errors
/// 404.
pub(super) async fn find(conn: &mut Conn, caller: &Caller, id: Uuid) -> Result<Webhook, Problem> {
    let rows = own(caller).filter(webhook::id.eq(id)).select(Row::as_select()).load(conn).await?;
    with_cities(conn, rows).await?.pop().ok_or_else(Problem::not_found)
}

/// The same, kept from being changed by others until the end of the transaction.
///
/// # Errors
/// 404.
pub(super) async fn lock(tx: &mut Tx, id: Uuid) -> Result<Webhook, Problem> {
    webhook::table.find(id).select(webhook::id).for_update().first::<Uuid>(&mut tx.conn).await.optional()?;
    let caller = tx.caller.clone();
    find(&mut tx.conn, &caller, id).await
}

async fn with_cities(conn: &mut Conn, rows: Vec<Row>) -> Result<Vec<Webhook>, Problem> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let named: Vec<(Uuid, Uuid, Option<String>)> = webhook_city::table
        .inner_join(city::table)
        .filter(webhook_city::webhook_id.eq_any(ids))
        .order((city::code, city::id))
        .select((webhook_city::webhook_id, city::id, city::code))
        .load(conn)
        .await?;
    let mut cities: HashMap<Uuid, Vec<String>> = HashMap::new();
    for (webhook, city, code) in named {
        cities.entry(webhook).or_default().push(code.unwrap_or_else(|| city.to_string()));
    }
    let webhook = |row: Row| {
        let Row { id, version, created_at, updated_at, url, types, enabled } = row;
        let cities = cities.remove(&id).unwrap_or_default();
        Webhook { id, version, created_at, updated_at, url, types, cities, enabled, secret: None }
    };
    Ok(rows.into_iter().map(webhook).collect())
}

fn names(types: &[EventFilter]) -> Vec<&str> {
    types.iter().map(|one| one.0.as_str()).collect()
}

/// Makes a webhook that follows the changes from here on; its secret is in the answer and nowhere else.
pub(super) async fn create(tx: &mut Tx, input: &Checked<WebhookInput>, secrets: &Secrets) -> Result<Webhook, Problem> {
    let account_id = tx.caller.account_id().ok_or_else(Problem::not_found)?;
    // Two that are made at once are counted one after the other.
    account::table.find(account_id).select(account::id).for_no_key_update().first::<Uuid>(&mut tx.conn).await?;
    let has: i64 = webhook::table.filter(webhook::account_id.eq(account_id)).count().get_result(&mut tx.conn).await?;
    if has >= MAX_WEBHOOKS {
        let detail =
            format!("this account has {MAX_WEBHOOKS} webhooks; delete one, or let one take more types and cities");
        return Err(Problem::new(Code::Conflict, detail));
    }
    let id = ids::fresh();
    let position: i64 = change_number::table.select(change_number::seq).first(&mut tx.conn).await?;
    diesel::insert_into(webhook::table)
        .values((
            webhook::id.eq(id),
            webhook::account_id.eq(account_id),
            webhook::url.eq(&input.url),
            webhook::types.eq(names(&input.types)),
            webhook::enabled.eq(input.enabled),
            webhook::position.eq(position),
        ))
        .execute(&mut tx.conn)
        .await?;
    set_cities(tx, id, input).await?;
    let secret = add_secret(&mut tx.conn, id, secrets).await?;
    let caller = tx.caller.clone();
    Ok(Webhook { secret: Some(secret), ..find(&mut tx.conn, &caller, id).await? })
}

/// Changes a webhook. What waits for another try is tried at once: the new address may be the right one.
pub(super) async fn update(tx: &mut Tx, id: Uuid, input: &Checked<WebhookInput>) -> Result<Webhook, Problem> {
    diesel::update(webhook::table.find(id))
        .set((
            webhook::url.eq(&input.url),
            webhook::types.eq(names(&input.types)),
            webhook::enabled.eq(input.enabled),
            webhook::version.eq(webhook::version + 1),
            webhook::updated_at.eq(diesel::dsl::now),
        ))
        .execute(&mut tx.conn)
        .await?;
    set_cities(tx, id, input).await?;
    let waiting = webhook_delivery::table
        .filter(webhook_delivery::webhook_id.eq(id))
        .filter(webhook_delivery::next_attempt_at.gt(tx.now));
    diesel::update(waiting).set(webhook_delivery::next_attempt_at.eq(tx.now)).execute(&mut tx.conn).await?;
    let caller = tx.caller.clone();
    find(&mut tx.conn, &caller, id).await
}

async fn set_cities(tx: &mut Tx, id: Uuid, input: &Checked<WebhookInput>) -> QueryResult<()> {
    let of_this = webhook_city::table.filter(webhook_city::webhook_id.eq(id));
    diesel::delete(of_this).execute(&mut tx.conn).await?;
    let rows: Vec<_> = input
        .cities
        .iter()
        .map(|city| (webhook_city::webhook_id.eq(id), webhook_city::city_id.eq(input.city(city))))
        .collect();
    diesel::insert_into(webhook_city::table).values(rows).on_conflict_do_nothing().execute(&mut tx.conn).await?;
    Ok(())
}

/// Adds a secret of 256 random bits, and gives its text [Standard Webhooks 1.0].
async fn add_secret(conn: &mut Conn, webhook: Uuid, secrets: &Secrets) -> QueryResult<String> {
    let secret = secrets::random::<32>();
    diesel::insert_into(webhook_secret::table)
        .values((
            webhook_secret::id.eq(ids::fresh()),
            webhook_secret::webhook_id.eq(webhook),
            webhook_secret::secret.eq(secrets.seal(&secret)),
        ))
        .execute(conn)
        .await?;
    Ok(format!("whsec_{}", STANDARD.encode(secret)))
}

/// Gives a webhook a new secret; the one before signs beside it for [`OVERLAP_HOURS`], older ones end now.
pub(super) async fn rotate(tx: &mut Tx, id: Uuid, secrets: &Secrets) -> Result<Webhook, Problem> {
    let of_this = webhook_secret::webhook_id.eq(id);
    diesel::delete(webhook_secret::table.filter(of_this).filter(webhook_secret::expires_at.is_not_null()))
        .execute(&mut tx.conn)
        .await?;
    diesel::update(webhook_secret::table.filter(of_this))
        .set(webhook_secret::expires_at.eq(tx.now + TimeDelta::hours(OVERLAP_HOURS)))
        .execute(&mut tx.conn)
        .await?;
    let secret = add_secret(&mut tx.conn, id, secrets).await?;
    diesel::update(webhook::table.find(id))
        .set((webhook::version.eq(webhook::version + 1), webhook::updated_at.eq(diesel::dsl::now)))
        .execute(&mut tx.conn)
        .await?;
    let caller = tx.caller.clone();
    Ok(Webhook { secret: Some(secret), ..find(&mut tx.conn, &caller, id).await? })
}

/// The secrets that sign at this moment, the newest first.
///
/// # Errors
/// 500 if they were encrypted under another master key.
pub(super) async fn signing(
    conn: &mut Conn,
    webhook: Uuid,
    secrets: &Secrets,
    now: DateTime<Utc>,
) -> Result<Vec<Vec<u8>>, Problem> {
    let sealed: Vec<Vec<u8>> = webhook_secret::table
        .filter(webhook_secret::webhook_id.eq(webhook))
        .filter(webhook_secret::expires_at.is_null().or(webhook_secret::expires_at.gt(now)))
        .order(webhook_secret::created_at.desc())
        .select(webhook_secret::secret)
        .load(conn)
        .await?;
    sealed.iter().map(|sealed| secrets.open(sealed)).collect::<Option<_>>().ok_or_else(|| {
        tracing::error!("the secrets of a webhook were encrypted under another master key");
        Problem::new(Code::Internal, Code::Internal.meaning())
    })
}
