//! Accounts and their secrets in the database.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::model::{AccountView, Change, New, OidcSubject};
use crate::access::{Account, Role, secrets};
use crate::database::Conn;
use crate::database::schema::{account, account_city, account_secret, city, oidc_subject};
use crate::http::{Code, Problem};
use crate::ids;

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

/// The account that stands for a subject of an outside issuer; `None` if there is none or it is disabled.
///
/// # Errors
/// Those of the database.
pub async fn of_subject(conn: &mut Conn, issuer: &str, subject: &str) -> Result<Option<Account>, Problem> {
    let id: Option<Uuid> =
        oidc_subject::table.find((issuer, subject)).select(oidc_subject::account_id).first(conn).await.optional()?;
    match id {
        Some(id) => load(conn, id).await,
        None => Ok(None),
    }
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
    // All of them are compared, and something where there are none, so that the time taken tells nothing.
    let nobody = [(Uuid::nil(), vec![0; hash.len()])];
    let compared = if stored.is_empty() { nobody.as_slice() } else { &stored };
    Ok(compared.iter().fold(None, |found, (id, stored)| if secrets::equal(stored, &hash) { Some(*id) } else { found }))
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
        .filter(account_city::account_id.eq_any(&ids))
        .order((city::code, city::id))
        .select((account_city::account_id, city::id, city::code))
        .load(conn)
        .await?;
    let subjects: Vec<(Uuid, String, String)> = oidc_subject::table
        .filter(oidc_subject::account_id.eq_any(&ids))
        .order((oidc_subject::issuer, oidc_subject::subject))
        .select((oidc_subject::account_id, oidc_subject::issuer, oidc_subject::subject))
        .load(conn)
        .await?;
    let subjects_of = |id: Uuid| {
        let own = subjects.iter().filter(|(account, ..)| *account == id);
        own.map(|(_, issuer, subject)| OidcSubject { issuer: issuer.clone(), subject: subject.clone() }).collect()
    };
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
            oidc_subjects: subjects_of(id),
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
    stand_for(conn, id, &new.oidc_subjects).await?;
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

/// Sets whom an account stands for at outside issuers.
async fn stand_for(conn: &mut Conn, id: Uuid, subjects: &[OidcSubject]) -> Result<(), Problem> {
    diesel::delete(oidc_subject::table.filter(oidc_subject::account_id.eq(id))).execute(conn).await?;
    let mut subjects: Vec<&OidcSubject> = subjects.iter().collect();
    subjects.sort();
    subjects.dedup();
    for OidcSubject { issuer, subject } in subjects {
        let taken: Option<Uuid> = oidc_subject::table
            .find((issuer, subject))
            .select(oidc_subject::account_id)
            .first(conn)
            .await
            .optional()?;
        if let Some(other) = taken {
            let detail = format!("the subject {subject:?} of {issuer} has an account already");
            return Err(Problem::new(Code::Duplicate, detail).with("existing_id", other));
        }
        let row = (oidc_subject::issuer.eq(issuer), oidc_subject::subject.eq(subject), oidc_subject::account_id.eq(id));
        diesel::insert_into(oidc_subject::table).values(row).execute(conn).await?;
    }
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
    let of_account = account_secret::table.filter(account_secret::account_id.eq(id));
    let last: Option<Vec<u8>> = of_account
        .filter(account_secret::expires_at.is_null())
        .order(account_secret::created_at.desc())
        .select(account_secret::hash)
        .first(conn)
        .await
        .optional()?;
    let kept = last.filter(|_| overlap_hours > 0).unwrap_or_default();
    diesel::delete(of_account.filter(account_secret::hash.ne(&kept))).execute(conn).await?;
    diesel::update(of_account.filter(account_secret::hash.eq(&kept)))
        .set(account_secret::expires_at.eq(Utc::now() + TimeDelta::hours(overlap_hours)))
        .execute(conn)
        .await?;
    let secret = add_secret(conn, id).await?;
    touch(conn, id).await?;
    Ok(AccountView { client_secret: Some(secret), ..find(conn, id).await? })
}

/// Changes an account, from this moment, and takes the next version.
///
/// # Errors
/// 404, and 409 if a subject of an issuer has another account.
pub async fn change(conn: &mut Conn, id: Uuid, change: Change) -> Result<AccountView, Problem> {
    // The first statement locks the account: changes of one come one after the other.
    touch(conn, id).await?;
    let of_account = account::table.find(id);
    if let Some(name) = change.name {
        diesel::update(of_account).set(account::name.eq(name)).execute(conn).await?;
    }
    if let Some(role) = change.role {
        diesel::update(of_account).set(account::role.eq(role)).execute(conn).await?;
    }
    if let Some(disabled) = change.disabled {
        diesel::update(of_account).set(account::disabled.eq(disabled)).execute(conn).await?;
    }
    if let Some(cities) = change.cities {
        grant(conn, id, &cities).await?;
    }
    if let Some(subjects) = change.oidc_subjects {
        stand_for(conn, id, &subjects).await?;
    }
    find(conn, id).await
}

/// Disables or enables an account, from this moment.
///
/// # Errors
/// Those of the database.
pub async fn set_disabled(conn: &mut Conn, id: Uuid, disabled: bool) -> Result<(), Problem> {
    change(conn, id, Change { disabled: Some(disabled), ..Change::default() }).await?;
    Ok(())
}

async fn touch(conn: &mut Conn, id: Uuid) -> QueryResult<usize> {
    diesel::update(account::table.find(id))
        .set((account::version.eq(account::version + 1), account::updated_at.eq(diesel::dsl::now)))
        .execute(conn)
        .await
}
