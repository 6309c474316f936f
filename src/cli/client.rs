//! The client of a running service, for commands that work over its interface: where it is, who calls, and errors as
//! one line.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use reqwest::{Method, RequestBuilder, Response, header};
use serde_json::Value;

use super::Failure;

/// Where the service is, and who calls it.
#[derive(Debug, Clone, Args)]
pub struct ClientSettings {
    /// URL of the running service
    #[arg(long, env = "PILOT_EXCHANGE_URL", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    pub url: String,
    /// Account to log in with; without one, only what is public is seen
    #[arg(long, env = "PILOT_EXCHANGE_CLIENT_ID", value_name = "NAME")]
    pub client_id: Option<String>,
    /// Its secret; better by variable or file, since other people on the machine may see command lines
    #[arg(long, env = "PILOT_EXCHANGE_CLIENT_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub client_secret: Option<String>,
    /// File with its secret
    #[arg(long, env = "PILOT_EXCHANGE_CLIENT_SECRET_FILE", value_name = "FILE", conflicts_with = "client_secret")]
    pub client_secret_file: Option<PathBuf>,
}

impl ClientSettings {
    fn secret(&self) -> Result<String, Failure> {
        if let Some(file) = &self.client_secret_file {
            let text = std::fs::read_to_string(file).map_err(|error| {
                Failure::configuration(format!(
                    "PILOT_EXCHANGE_CLIENT_SECRET_FILE: {} cannot be read: {error}",
                    file.display()
                ))
            })?;
            return Ok(text.trim().to_owned());
        }
        self.client_secret.clone().ok_or_else(|| {
            Failure::configuration("PILOT_EXCHANGE_CLIENT_SECRET: an account needs its secret, or a file with it")
        })
    }
}

/// How long a token is used; it is valid for fifteen minutes.
const FRESH: Duration = Duration::from_secs(10 * 60);

/// A client that is logged in, or anonymous.
pub struct Client {
    base: String,
    http: reqwest::Client,
    account: Option<(String, String)>,
    token: Option<(String, Instant)>,
}

impl Client {
    /// Finds the service and logs in.
    ///
    /// # Errors
    /// One line: the service cannot be reached, or does not know the account.
    pub async fn connect(settings: &ClientSettings) -> Result<Self, Failure> {
        let base = settings.url.trim_end_matches('/').to_owned();
        let is_web = url::Url::parse(&base).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !is_web {
            return Err(Failure::configuration(format!(
                "PILOT_EXCHANGE_URL: {base:?} must be an http or https address"
            )));
        }
        let http = reqwest::Client::builder()
            .user_agent(concat!("pilot-exchange/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            // Of the pause between two parts, not of the whole.
            .read_timeout(Duration::from_secs(300))
            .build()
            .map_err(Failure::other)?;
        let account = match &settings.client_id {
            Some(client_id) => Some((client_id.clone(), settings.secret()?)),
            None => None,
        };
        let mut client = Self { base, http, account, token: None };
        client.stay_logged_in().await?;
        Ok(client)
    }

    /// Logs in again before the token ends, for work that takes longer than one is valid.
    ///
    /// # Errors
    /// One line: the service cannot be reached, or does not know the account any more.
    pub async fn stay_logged_in(&mut self) -> Result<(), Failure> {
        let is_fresh = self.token.as_ref().is_some_and(|(_, since)| since.elapsed() < FRESH);
        if let Some((client_id, secret)) = self.account.as_ref().filter(|_| !is_fresh) {
            self.token = Some((self.log_in(client_id, secret).await?, Instant::now()));
        }
        Ok(())
    }

    async fn log_in(&self, client_id: &str, secret: &str) -> Result<String, Failure> {
        let form = [("grant_type", "client_credentials"), ("client_id", client_id), ("client_secret", secret)];
        let request = self.http.post(format!("{}/oauth/token", self.base)).form(&form);
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let answer: Value = response.json().await.map_err(|error| self.unreachable(&error))?;
        answer["access_token"].as_str().map(str::to_owned).ok_or_else(|| {
            let why = answer["error_description"].as_str().or(answer["error"].as_str()).unwrap_or("no token");
            Failure::other(format!("{client_id} cannot log in: {why}"))
        })
    }

    /// A request to finish by hand.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some((token, _)) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request; an answer other than 2xx is a failure that says what the service said.
    ///
    /// # Errors
    /// One line.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let is_problem =
            response.headers().get(header::CONTENT_TYPE).is_some_and(|one| one == "application/problem+json");
        let text = response.text().await.unwrap_or_default();
        let problem: Value = serde_json::from_str(&text).unwrap_or_default();
        Err(Failure::other(match problem["detail"].as_str().filter(|_| is_problem) {
            Some(detail) => format!("{status}: {detail}"),
            None => format!("{} answered {status}", self.base),
        }))
    }

    /// The transfer ended before its end.
    pub fn cut_off(&self, error: &reqwest::Error) -> Failure {
        Failure::other(format!("the transfer was cut off: {}", cause(error)))
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        Failure::other(format!("the service cannot be reached at {}: {}", self.base, cause(error)))
    }
}

/// The innermost reason, which says most.
fn cause(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
