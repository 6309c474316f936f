//! An actor: a client with an account, whose every answer is checked against the OpenAPI document.

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::contract;

#[derive(Clone)]
pub struct Actor {
    base: String,
    http: reqwest::Client,
    pub token: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub request: String,
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
    pub json: Value,
}

impl Actor {
    pub fn new(base: &str, http: reqwest::Client, token: Option<String>) -> Self {
        Self { base: base.to_owned(), http, token }
    }

    /// A client with a token for this account.
    pub async fn login(base: &str, client_id: &str, secret: &str) -> Self {
        Self::try_login(base, client_id, secret).await.unwrap_or_else(|answer| panic!("{client_id}: {answer}"))
    }

    /// The same, or what the service answered instead.
    pub async fn try_login(base: &str, client_id: &str, secret: &str) -> Result<Self, Value> {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let form = [("grant_type", "client_credentials"), ("client_id", client_id), ("client_secret", secret)];
        let answer = http.post(format!("{base}/oauth/token")).form(&form).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        match answer["access_token"].as_str() {
            Some(token) => Ok(Self::new(base, http, Some(token.to_owned()))),
            None => Err(answer),
        }
    }

    /// A request to finish by hand.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method: Method = method.parse().unwrap();
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends it, and checks the answer against the document.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let request = request.build().unwrap();
        let (method, path) = (request.method().to_string(), request.url().path().to_owned());
        let response = self.http.execute(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        let answer = Answer { request: format!("{method} {path}"), status, headers, text, json };
        contract::check(&method, &path, &answer);
        answer
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request("POST", path).json(&body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(self.request("PUT", path).json(&body)).await
    }

    /// PATCH of the version that the record is at now.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        let etag = self.get(path).await.etag();
        self.patch_at(path, body, &etag).await
    }

    pub async fn patch_at(&self, path: &str, body: Value, etag: &str) -> Answer {
        let request = self.request("PATCH", path).header("if-match", etag);
        self.send(request.header("content-type", "application/merge-patch+json").body(body.to_string())).await
    }

    /// DELETE of the version that the record is at now.
    pub async fn delete(&self, path: &str) -> Answer {
        let etag = self.get(path).await.etag();
        self.send(self.request("DELETE", path).header("if-match", etag)).await
    }

    /// Every item of a list, page by page.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let mut items = vec![];
        let mut page = self.get(path).await.ok();
        loop {
            items.extend(page["items"].as_array().unwrap().clone());
            match page["next"].as_str() {
                Some(next) => page = self.get(&format!("{}?cursor={next}", path.split('?').next().unwrap())).await.ok(),
                None => return items,
            }
        }
    }

    /// Moves a hosting or an observation.
    pub async fn transition(&self, path: &str, body: Value) -> Answer {
        self.post(&format!("{path}/transitions"), body).await
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn etag(&self) -> String {
        self.header("etag").unwrap_or_default().to_owned()
    }

    /// The body of a 200.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}: {}", self.request, self.text);
        self.json
    }

    /// The body of a 201.
    #[track_caller]
    pub fn created(self) -> Value {
        assert_eq!(self.status, 201, "{}: {}", self.request, self.text);
        self.json
    }

    /// The body of a problem with this status and code.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status, self.json["code"].as_str()), (status, Some(code)), "{}: {}", self.request, self.text);
        self.json
    }

    /// 422 with exactly these faults: pointer and code, in any order.
    #[track_caller]
    pub fn faults(self, expected: &[(&str, &str)]) {
        let problem = self.problem(422, "invalid");
        let mut found: Vec<(&str, &str)> = problem["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|fault| (fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap()))
            .collect();
        let mut expected = expected.to_vec();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{problem:#}");
    }

    /// 422 of a guard, with the codes of what is missing.
    #[track_caller]
    pub fn missing(self) -> Vec<String> {
        let problem = self.problem(422, "guard_failed");
        problem["missing"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
    }
}
