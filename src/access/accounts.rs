//! Accounts: persons or systems. They are administered by API and command line, never deleted, only disabled.

use actix_web::http::{StatusCode, header};
use actix_web::{get, patch, post, web};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::{Account, Role, secrets};
use crate::database::schema::{account, account_city, account_secret, city};
use crate::database::{Conn, Tx};
use crate::http::body::Input;
use crate::http::call::path_id;
use crate::http::{Answer, Body, Call, Checked, Code, Problem, Reply, conditional};
use crate::ids;
use crate::values::{CityRef, Line};

/// How long the old secret stays valid after a rotation, in hours.
pub const OVERLAP_HOURS: i64 = 24;

/// An account as administrators see it, and as it sees itself at `/v1/me`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AccountView {
    /// Its id.
    pub id: Uuid,
    /// From 1; the first part of the ETag.
    pub version: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
    /// The name it logs in with.
    #[schema(example = "demo-busan")]
    pub client_id: String,
    /// What it is for.
    #[schema(example = "Busan's pilot office")]
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The cities it acts for.
    #[schema(example = json!(["KRPUS"]))]
    pub cities: Vec<String>,
    /// A disabled account can do nothing.
    pub disabled: bool,
    /// Shown once: when the account is made and when its secret is rotated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
}

/// A new account.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"client_id": "barcelona-reports", "name": "Nightly reports of Barcelona", "role": "reader", "cities": ["ESBCN"]}))]
pub struct AccountInput {
    /// The name it logs in with; stays the same.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]*$", min_length = 3, max_length = 60, example = "barcelona-reports")]
    pub client_id: String,
    /// What it is for. One account per person or system.
    pub name: Line,
    /// What it may do.
    pub role: Role,
    /// The cities it acts for.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub cities: Vec<CityRef>,
}

/// What can be changed of an account.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    /// What it is for.
    pub name: Line,
    /// What it may do.
    pub role: Role,
    /// The cities it acts for.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub cities: Vec<CityRef>,
    /// A disabled account can do nothing.
    #[serde(default)]
    pub disabled: bool,
}

impl Input for AccountInput {}
impl Input for AccountChange {}

/// The account of a token, with its cities; `None` if it is disabled or gone.
///
/// # Errors
/// Those of the database.
pub async fn load(conn: &mut Conn, id: Uuid) -> Result<Option<Account>, Problem> {
    let rows: Vec<(String, Role, Option<Uuid>)> = account::table
        .left_join(account_city::table)
        .filter(account::id.eq(id).and(account::disabled.eq(false)))
        .order(account_city::city_id)
        .select((account::client_id, account::role, account_city::city_id.nullable()))
        .load(conn)
        .await?;
    let [(client_id, role, _), ..] = rows.as_slice() else {
        return Ok(None);
    };
    let (client_id, role) = (client_id.clone(), *role);
    Ok(Some(Account { id, client_id, role, cities: rows.into_iter().filter_map(|(.., city)| city).collect() }))
}

/// The account that has this secret.
///
/// # Errors
/// Those of the database.
pub async fn authenticate(conn: &mut Conn, client_id: &str, secret: &str) -> Result<Option<Uuid>, Problem> {
    let stored: Vec<(Uuid, Vec<u8>)> = account::table
        .inner_join(account_secret::table)
        .filter(account::client_id.eq(client_id).and(account::disabled.eq(false)))
        .filter(account_secret::expires_at.is_null().or(account_secret::expires_at.gt(diesel::dsl::now)))
        .select((account::id, account_secret::hash))
        .load(conn)
        .await?;
    let hash = secrets::hash(secret);
    // All of them are compared, so that the time taken tells nothing.
    Ok(stored.iter().fold(None, |found, (id, stored)| if secrets::equal(stored, &hash) { Some(*id) } else { found }))
}

type Row = (Uuid, i32, DateTime<Utc>, DateTime<Utc>, String, String, Role, bool);

const COLUMNS: (
    account::id,
    account::version,
    account::created_at,
    account::updated_at,
    account::client_id,
    account::name,
    account::role,
    account::disabled,
) = (
    account::id,
    account::version,
    account::created_at,
    account::updated_at,
    account::client_id,
    account::name,
    account::role,
    account::disabled,
);

async fn with_cities(conn: &mut Conn, rows: Vec<Row>) -> QueryResult<Vec<AccountView>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.0).collect();
    let grants: Vec<(Uuid, Uuid, Option<String>)> = account_city::table
        .inner_join(city::table)
        .filter(account_city::account_id.eq_any(ids))
        .order((city::code, city::id))
        .select((account_city::account_id, city::id, city::code))
        .load(conn)
        .await?;
    let cities_of = |id: Uuid| {
        let own = grants.iter().filter(|(account, ..)| *account == id);
        own.map(|(_, city, code)| code.clone().unwrap_or_else(|| city.to_string())).collect()
    };
    Ok(rows
        .into_iter()
        .map(|(id, version, created_at, updated_at, client_id, name, role, disabled)| AccountView {
            id,
            version,
            created_at,
            updated_at,
            client_id,
            name,
            role,
            cities: cities_of(id),
            disabled,
            client_secret: None,
        })
        .collect())
}

/// An account as administrators see it.
///
/// # Errors
/// 404.
pub async fn find(conn: &mut Conn, id: Uuid) -> Result<AccountView, Problem> {
    let row: Vec<Row> = account::table.find(id).select(COLUMNS).load(conn).await?;
    with_cities(conn, row).await?.pop().ok_or_else(Problem::not_found)
}

/// All accounts, by client_id.
///
/// # Errors
/// Those of the database.
pub async fn all(conn: &mut Conn) -> QueryResult<Vec<AccountView>> {
    let rows: Vec<Row> = account::table.order(account::client_id).select(COLUMNS).load(conn).await?;
    with_cities(conn, rows).await
}

/// What a new account is made of.
pub struct New<'a> {
    /// The name it logs in with.
    pub client_id: &'a str,
    /// What it is for.
    pub name: &'a str,
    /// What it may do.
    pub role: Role,
    /// The cities it acts for.
    pub cities: Vec<Uuid>,
    /// Whether it is one of `serve --demo`.
    pub demo: bool,
}

/// Makes an account; its secret is in the answer and nowhere else.
///
/// # Errors
/// 409 if the client_id is taken.
pub async fn create(conn: &mut Conn, new: New<'_>) -> Result<AccountView, Problem> {
    let id = ids::fresh();
    diesel::insert_into(account::table)
        .values((
            account::id.eq(id),
            account::client_id.eq(new.client_id),
            account::name.eq(new.name),
            account::role.eq(new.role),
            account::demo.eq(new.demo),
        ))
        .execute(conn)
        .await?;
    grant(conn, id, &new.cities).await?;
    let secret = add_secret(conn, id).await?;
    Ok(AccountView { client_secret: Some(secret), ..find(conn, id).await? })
}

async fn grant(conn: &mut Conn, id: Uuid, cities: &[Uuid]) -> QueryResult<()> {
    diesel::delete(account_city::table.filter(account_city::account_id.eq(id))).execute(conn).await?;
    let rows: Vec<_> =
        cities.iter().map(|city| (account_city::account_id.eq(id), account_city::city_id.eq(*city))).collect();
    diesel::insert_into(account_city::table).values(rows).on_conflict_do_nothing().execute(conn).await?;
    Ok(())
}

async fn add_secret(conn: &mut Conn, id: Uuid) -> QueryResult<String> {
    let secret = secrets::new_client_secret();
    diesel::insert_into(account_secret::table)
        .values((account_secret::account_id.eq(id), account_secret::hash.eq(secrets::hash(&secret))))
        .execute(conn)
        .await?;
    Ok(secret)
}

/// Gives an account a new secret; the one before stays valid for `overlap_hours`, older ones end now.
///
/// # Errors
/// 404.
pub async fn rotate(conn: &mut Conn, id: Uuid, overlap_hours: i64) -> Result<AccountView, Problem> {
    let last: Option<Vec<u8>> = account_secret::table
        .filter(account_secret::account_id.eq(id).and(account_secret::expires_at.is_null()))
        .order(account_secret::created_at.desc())
        .select(account_secret::hash)
        .first(conn)
        .await
        .optional()?;
    let others = account_secret::table
        .filter(account_secret::account_id.eq(id).and(account_secret::hash.ne(last.clone().unwrap_or_default())));
    diesel::delete(others).execute(conn).await?;
    if let Some(hash) = last {
        diesel::update(account_secret::table.find((id, hash)))
            .set(account_secret::expires_at.eq(Utc::now() + chrono::TimeDelta::hours(overlap_hours)))
            .execute(conn)
            .await?;
    }
    let secret = add_secret(conn, id).await?;
    touch(conn, id).await?;
    Ok(AccountView { client_secret: Some(secret), ..find(conn, id).await? })
}

async fn touch(conn: &mut Conn, id: Uuid) -> QueryResult<usize> {
    diesel::update(account::table.find(id))
        .set((account::version.eq(account::version + 1), account::updated_at.eq(diesel::dsl::now)))
        .execute(conn)
        .await
}

/// Disables or enables an account, from this moment.
///
/// # Errors
/// Those of the database.
pub async fn set_disabled(conn: &mut Conn, id: Uuid, disabled: bool) -> Result<(), Problem> {
    diesel::update(account::table.find(id)).set(account::disabled.eq(disabled)).execute(conn).await?;
    touch(conn, id).await?;
    Ok(())
}

fn answer(status: StatusCode, view: &AccountView) -> Reply {
    let mut reply = Reply::json(status, view);
    let etag = conditional::etag(view.version, &reply.body);
    if view.client_secret.is_some() {
        let without = AccountView { client_secret: None, ..view.clone() };
        reply.kept = Some(serde_json::to_vec(&without).expect("plain data").into());
        reply = reply.header(header::CACHE_CONTROL, "no-store");
    }
    reply.header(header::ETAG, &etag)
}

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(get_me)
        .service(list_accounts)
        .service(create_account)
        .service(get_account)
        .service(update_account)
        .service(rotate_account_secret);
}

/// Who am I
///
/// The account of the token: its role and the cities it acts for.
#[utoipa::path(tag = "access", responses((status = 200, description = "This account", body = AccountView)))]
#[get("/v1/me")]
pub async fn get_me(call: Call) -> Answer {
    let id = call.caller().account_id().ok_or_else(Problem::not_found)?;
    Ok(call.known(answer(StatusCode::OK, &find(&mut call.connection().await?, id).await?)))
}

/// Accounts, one page.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountPage {
    /// All accounts, by client_id.
    items: Vec<AccountView>,
    /// Always null: there is one page.
    next: Option<String>,
}

/// Filters of the accounts.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AccountFilter {
    /// Only those with this role.
    role: Option<Role>,
}

/// List accounts
///
/// For administrators. All accounts in order of their client_id, without secrets.
#[utoipa::path(tag = "access", params(AccountFilter), responses((status = 200, description = "The accounts", body = AccountPage)))]
#[get("/v1/accounts")]
pub async fn list_accounts(call: Call) -> Answer {
    let filter: AccountFilter = call.query()?;
    let mut items = all(&mut call.connection().await?).await?;
    items.retain(|account| filter.role.is_none_or(|role| account.role == role));
    Ok(call.list(&AccountPage { items, next: None }, None))
}

/// Make an account
///
/// For administrators. One account per person or system. The answer shows `client_secret` this once.
#[utoipa::path(tag = "access", request_body = AccountInput, responses((status = 201, description = "The account, with its secret", body = AccountView)))]
#[post("/v1/accounts")]
pub async fn create_account(call: Call, body: Body<AccountInput>) -> Answer {
    call.write(async |tx| {
        let input = body.checked(tx).await?;
        let existing: Option<Uuid> = account::table
            .filter(account::client_id.eq(&input.client_id))
            .select(account::id)
            .first(&mut tx.conn)
            .await
            .optional()?;
        if let Some(id) = existing {
            let problem = Problem::new(Code::Duplicate, "there is an account with this client_id already");
            return Err(problem.with("existing_id", id));
        }
        let cities = granted(&input, &input.cities);
        let new = New { client_id: &input.client_id, name: &input.name, role: input.role, cities, demo: false };
        let view = create(&mut tx.conn, new).await?;
        Ok(answer(StatusCode::CREATED, &view).header(header::LOCATION, &format!("/v1/accounts/{}", view.id)))
    })
    .await
}

fn granted<T>(input: &Checked<T>, cities: &[CityRef]) -> Vec<Uuid> {
    cities.iter().map(|city| input.city(city)).collect()
}

/// Read an account
///
/// For administrators.
#[utoipa::path(tag = "access", responses((status = 200, description = "The account", body = AccountView)))]
#[get("/v1/accounts/{id}")]
pub async fn get_account(call: Call, id: web::Path<String>) -> Answer {
    let view = find(&mut call.connection().await?, path_id(&id)?).await?;
    Ok(call.known(answer(StatusCode::OK, &view)))
}

/// Change an account
///
/// For administrators. A changed or disabled account is changed or disabled from that moment, whatever tokens it has.
#[utoipa::path(tag = "access", request_body = AccountChange, responses((status = 200, description = "The account", body = AccountView)))]
#[patch("/v1/accounts/{id}")]
pub async fn update_account(call: Call, id: web::Path<String>, body: Body<AccountChange>) -> Answer {
    call.write(async |tx| {
        let id = path_id(&id)?;
        lock(tx, id).await?;
        let current = find(&mut tx.conn, id).await?;
        let body_of = serde_json::to_vec(&current).unwrap_or_default();
        tx.if_match.check(current.version, &conditional::etag(current.version, &body_of))?;
        let input = body.merged_with(tx, json!(current)).await?;
        let Some(input) = input else {
            return Ok(answer(StatusCode::OK, &current));
        };
        diesel::update(account::table.find(id))
            .set((account::name.eq(&input.name), account::role.eq(input.role), account::disabled.eq(input.disabled)))
            .execute(&mut tx.conn)
            .await?;
        grant(&mut tx.conn, id, &granted(&input, &input.cities)).await?;
        touch(&mut tx.conn, id).await?;
        Ok(answer(StatusCode::OK, &find(&mut tx.conn, id).await?))
    })
    .await
}

async fn lock(tx: &mut Tx, id: Uuid) -> QueryResult<()> {
    account::table.find(id).select(account::id).for_update().first::<Uuid>(&mut tx.conn).await.optional()?;
    Ok(())
}

/// Give an account a new secret
///
/// For administrators. The answer shows the new `client_secret` this once; the one before stays valid for 24 hours,
/// so that a system can change over without a pause.
#[utoipa::path(tag = "access", responses((status = 201, description = "The account, with its new secret", body = AccountView)))]
#[post("/v1/accounts/{id}/secrets")]
pub async fn rotate_account_secret(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let id = path_id(&id)?;
        lock(tx, id).await?;
        find(&mut tx.conn, id).await?;
        Ok(answer(StatusCode::CREATED, &rotate(&mut tx.conn, id, OVERLAP_HOURS).await?))
    })
    .await
}
