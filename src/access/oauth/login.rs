//! Logins of people, in the database: the code that is exchanged once, and whether its tokens are still good.

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::super::secrets;
use super::super::tokens::PERSON_SECONDS;
use super::authorize::Request;
use crate::database::Conn;
use crate::database::schema::login;
use crate::http::Problem;
use crate::ids;

/// How long a code can be exchanged, in seconds.
pub const CODE_SECONDS: i64 = 60;
/// Logins are kept until their tokens have ended for certain.
const KEPT_SECONDS: i64 = CODE_SECONDS + 2 * PERSON_SECONDS;

/// A login whose code was good.
#[derive(Debug)]
pub struct Login {
    /// Its id.
    pub id: Uuid,
    /// Who logged in.
    pub account_id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
}

/// What became of a code that was sent.
#[derive(Debug)]
pub enum Exchanged {
    /// It was good.
    Login(Login),
    /// It was not.
    Refused,
    /// It came a second time: its login is ended, and so are the tokens of it.
    Ended,
}

/// What a client sends to exchange a code.
#[derive(Debug)]
pub struct Exchange<'a> {
    /// The code.
    pub code: &'a str,
    /// The client that has it.
    pub client_id: &'a str,
    /// Where it got the code.
    pub redirect_uri: &'a str,
    /// What the challenge of its request was made of.
    pub code_verifier: &'a str,
}

/// Keeps a login, and gives the code for it; the code itself is not stored.
///
/// # Errors
/// Those of the database.
pub async fn begin(
    conn: &mut Conn,
    request: &Request,
    account_id: Uuid,
    now: DateTime<Utc>,
) -> Result<String, Problem> {
    let old = login::table.filter(login::logged_in_at.lt(now - TimeDelta::seconds(KEPT_SECONDS)));
    diesel::delete(old).execute(conn).await?;
    let code = URL_SAFE_NO_PAD.encode(secrets::random::<32>());
    diesel::insert_into(login::table)
        .values((
            login::id.eq(ids::fresh()),
            login::account_id.eq(account_id),
            login::client_id.eq(&request.client_id),
            login::redirect_uri.eq(&request.redirect_uri),
            login::code_hash.eq(secrets::hash(&code)),
            login::code_challenge.eq(&request.code_challenge),
            login::logged_in_at.eq(now),
            login::code_expires_at.eq(now + TimeDelta::seconds(CODE_SECONDS)),
        ))
        .execute(conn)
        .await?;
    Ok(code)
}

/// Uses a code up, whatever comes of it: a code that somebody sends with the wrong client, address or verifier is in
/// the wrong hands. A second time ends the login [RFC 6749 4.1.2].
///
/// # Errors
/// Those of the database.
pub async fn exchange(conn: &mut Conn, sent: &Exchange<'_>, now: DateTime<Utc>) -> Result<Exchanged, Problem> {
    let hash = secrets::hash(sent.code);
    let of_code = login::table.filter(login::code_hash.eq(&hash));
    let used = diesel::update(of_code.filter(login::code_used_at.is_null()))
        .set(login::code_used_at.eq(now))
        .returning((
            login::id,
            login::account_id,
            login::logged_in_at,
            login::code_expires_at,
            login::client_id,
            login::redirect_uri,
            login::code_challenge,
        ))
        .get_result::<(Uuid, Uuid, DateTime<Utc>, DateTime<Utc>, String, String, Vec<u8>)>(conn)
        .await
        .optional()?;
    let Some((id, account_id, at, expires_at, client_id, redirect_uri, challenge)) = used else {
        // Asked before: even an UPDATE of no row is told to every server as a change of access, by whom it may be.
        let open: Option<Uuid> =
            of_code.filter(login::ended_at.is_null()).select(login::id).first(conn).await.optional()?;
        if let Some(id) = open {
            diesel::update(login::table.find(id)).set(login::ended_at.eq(now)).execute(conn).await?;
            tracing::warn!("a code was sent a second time: its login is ended");
            return Ok(Exchanged::Ended);
        }
        return Ok(Exchanged::Refused);
    };
    let verifier = digest::digest(&digest::SHA256, sent.code_verifier.as_bytes());
    let is_good = client_id == sent.client_id
        && redirect_uri == sent.redirect_uri
        && secrets::equal(&challenge, verifier.as_ref())
        && now < expires_at;
    Ok(if is_good { Exchanged::Login(Login { id, account_id, at }) } else { Exchanged::Refused })
}

/// Whether the tokens of a login are good no more.
///
/// # Errors
/// Those of the database.
pub async fn is_ended(conn: &mut Conn, id: Uuid) -> Result<bool, Problem> {
    let ended: Option<Option<DateTime<Utc>>> =
        login::table.find(id).select(login::ended_at).first(conn).await.optional()?;
    Ok(!matches!(ended, Some(None)))
}
