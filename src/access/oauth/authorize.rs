//! The authorisation request [RFC 6749 4.1.1, RFC 7636 4.3]: read, kept in the login form, answered.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use url::Url;

use super::super::secrets;
use super::login;
use crate::app::State;
use crate::database::Conn;
use crate::http::Problem;

/// How long a login form can be sent, in seconds.
const FORM_SECONDS: i64 = 600;
/// A longer `state` is not carried.
const MAX_STATE: usize = 2048;

/// A request of a client that is known, with an address that is registered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// The client.
    pub client_id: String,
    /// Where the person is sent back to.
    pub redirect_uri: String,
    /// What the client gets back unchanged.
    pub state: Option<String>,
    /// SHA-256 of what the client will send with the code.
    pub code_challenge: Vec<u8>,
}

/// Why a request is not taken.
#[derive(Debug)]
pub enum Refused {
    /// Nobody knows whether the address is the client's, so nobody is sent there: what the person is told instead.
    Here(&'static str),
    /// The client is told, at its address.
    There(String),
}

impl Request {
    /// Reads the query of an authorisation request.
    ///
    /// # Errors
    /// To the client as soon as client and address are known to be good, else to the person.
    pub fn read(state: &State, query: &str) -> Result<Self, Refused> {
        let mut sent: BTreeMap<String, String> = BTreeMap::new();
        let mut twice = vec![];
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if sent.insert(name.clone().into_owned(), value.into_owned()).is_some() {
                twice.push(name.into_owned());
            }
        }
        let once = |name: &str| sent.get(name).filter(|_| !twice.iter().any(|one| one == name)).map(String::as_str);
        let client =
            state.config.public_clients.iter().find(|known| Some(known.client_id.as_str()) == once("client_id"));
        let client = client.ok_or(Refused::Here("The program that sent you here is not known to this registry."))?;
        let redirect_uri = client.redirect_uris.iter().find(|known| Some(known.as_str()) == once("redirect_uri"));
        let redirect_uri = redirect_uri.ok_or(Refused::Here(
            "The program that sent you here asked to send you on to an address that is not registered for it.",
        ))?;
        let mut request = Self {
            client_id: client.client_id.clone(),
            redirect_uri: redirect_uri.clone(),
            state: once("state").map(str::to_owned),
            code_challenge: vec![],
        };
        let is_printable =
            |text: &String| text.len() <= MAX_STATE && text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        if !request.state.as_ref().is_none_or(is_printable) {
            request.state = None;
            return Err(request.error(
                state,
                "invalid_request",
                "state must be printable ASCII, 2048 characters at most",
            ));
        }
        if !twice.is_empty() {
            return Err(request.error(state, "invalid_request", "each parameter may be given once"));
        }
        match once("response_type") {
            Some("code") => {}
            None => return Err(request.error(state, "invalid_request", "response_type must be given: code")),
            Some(_) => return Err(request.error(state, "unsupported_response_type", "response_type must be code")),
        }
        if once("code_challenge_method") != Some("S256") {
            return Err(request.error(state, "invalid_request", "PKCE is needed: code_challenge_method must be S256"));
        }
        let challenge = once("code_challenge").and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        match challenge.filter(|challenge| challenge.len() == 32) {
            Some(challenge) => Ok(Self { code_challenge: challenge, ..request }),
            None => Err(request.error(
                state,
                "invalid_request",
                "PKCE is needed: code_challenge must be the SHA-256 of the verifier in base64url, 43 characters",
            )),
        }
    }

    /// Where the client hears of an error.
    fn error(&self, state: &State, error: &str, description: &str) -> Refused {
        Refused::There(self.back(state, &[("error", error), ("error_description", description)]))
    }

    /// The client's address with an answer: what it sent as state, and who answers [RFC 9207].
    fn back(&self, state: &State, answer: &[(&str, &str)]) -> String {
        let mut url = Url::parse(&self.redirect_uri).expect("checked when it was registered");
        {
            let mut query = url.query_pairs_mut();
            query.extend_pairs(answer);
            if let Some(state) = &self.state {
                query.append_pair("state", state);
            }
            query.append_pair("iss", &state.config.public_url);
        }
        url.into()
    }

    /// What the login form carries: the request, until when, and the tag that only we can make.
    pub fn seal(&self, state: &State) -> String {
        let until = state.clock.now().timestamp() + FORM_SECONDS;
        let content = serde_json::to_vec(&(until, self)).expect("plain data");
        let tag = state.secrets.login_tag(&content);
        format!("{}.{}", URL_SAFE_NO_PAD.encode(content), URL_SAFE_NO_PAD.encode(tag))
    }

    /// The request of a form that we made not long ago; its client and address are still registered.
    pub fn open(state: &State, sealed: &str) -> Option<Self> {
        let (content, tag) = sealed.split_once('.')?;
        let (content, tag) = (URL_SAFE_NO_PAD.decode(content).ok()?, URL_SAFE_NO_PAD.decode(tag).ok()?);
        if !secrets::equal(&state.secrets.login_tag(&content), &tag) {
            return None;
        }
        let (until, request): (i64, Self) = serde_json::from_slice(&content).ok()?;
        let is_registered = state.config.public_clients.iter().any(|client| {
            client.client_id == request.client_id && client.redirect_uris.contains(&request.redirect_uri)
        });
        (state.clock.now().timestamp() < until && is_registered).then_some(request)
    }

    /// Where the person goes after logging in: back to the client, with a code.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn grant(
        &self,
        state: &State,
        conn: &mut Conn,
        account_id: uuid::Uuid,
        now: DateTime<Utc>,
    ) -> Result<String, Problem> {
        let code = login::begin(conn, self, account_id, now).await?;
        Ok(self.back(state, &[("code", &code)]))
    }
}
