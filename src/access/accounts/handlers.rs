//! The operations on accounts.

use actix_web::http::{StatusCode, header};
use actix_web::{get, patch, post, web};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::model::{AccountChange, AccountInput, AccountView, Change, New};
use super::queries::{self, all, create, find, rotate};
use super::{OVERLAP_HOURS, Role};
use crate::database::Tx;
use crate::database::schema::account;
use crate::http::call::path_id;
use crate::http::{Answer, Body, Call, Checked, Code, Problem, Reply, conditional};
use crate::values::CityRef;

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
        let new = New {
            client_id: &input.client_id,
            name: &input.name,
            role: input.role,
            cities,
            oidc_subjects: input.oidc_subjects.clone(),
            demo: false,
        };
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
        tx.if_match.check(current.version, || conditional::etag(current.version, &body_of))?;
        let input = body.merged_with(tx, json!(current)).await?;
        let Some(input) = input else {
            return Ok(answer(StatusCode::OK, &current));
        };
        let change = Change {
            name: Some(input.name.to_string()),
            role: Some(input.role),
            cities: Some(granted(&input, &input.cities)),
            oidc_subjects: Some(input.oidc_subjects.clone()),
            disabled: Some(input.disabled),
        };
        tx.changes_access();
        Ok(answer(StatusCode::OK, &queries::change(&mut tx.conn, id, change).await?))
    })
    .await
}

async fn lock(tx: &mut Tx, id: Uuid) -> QueryResult<()> {
    account::table.find(id).select(account::id).for_update().first::<Uuid>(&mut tx.conn).await.optional()?;
    Ok(())
}

/// How a secret is replaced.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Rotation {
    /// The secret before ends at once: for one that somebody else may know.
    #[serde(default)]
    #[param(default = false)]
    now: bool,
}

/// Give an account a new secret
///
/// For administrators. The answer shows the new `client_secret` this once; the one before stays valid for 24 hours,
/// so that a system can change over without a pause, or ends at once with `now=true`. Two are valid at most. Tokens
/// that were got with the old one stay valid until they end by themselves; to end those too, disable the account.
#[utoipa::path(tag = "access", params(Rotation), responses((status = 201, description = "The account, with its new secret", body = AccountView)))]
#[post("/v1/accounts/{id}/secrets")]
pub async fn rotate_account_secret(call: Call, id: web::Path<String>) -> Answer {
    let Rotation { now } = call.query()?;
    call.write(async |tx| {
        let id = path_id(&id)?;
        lock(tx, id).await?;
        find(&mut tx.conn, id).await?;
        let overlap_hours = if now { 0 } else { OVERLAP_HOURS };
        Ok(answer(StatusCode::CREATED, &rotate(&mut tx.conn, id, overlap_hours).await?))
    })
    .await
}
