//! A table of inputs: each is sent byte for byte, as no client library would send it, and has one answer that is right.

use std::collections::HashMap;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{ACCOUNTS, Answer, App, Options, TestDatabase, contract, position, sql};

/// One input, and what must be answered.
pub struct Input {
    pub what: String,
    by: &'static str,
    bytes: Bytes,
    expected: Expected,
}

enum Bytes {
    /// Method, target, headers, body.
    Request(String, Vec<u8>, Vec<Vec<u8>>, Option<Vec<u8>>),
    /// The whole request as it stands.
    Raw(Vec<u8>),
}

#[derive(Default)]
struct Expected {
    status: u16,
    /// Of a problem, or `error` of the token endpoint.
    code: Option<&'static str>,
    /// Pointer or parameter, and code; all of them, in any order.
    faults: Vec<(String, String)>,
    headers: Vec<(&'static str, String)>,
    /// How many items a list has.
    items: Option<usize>,
    /// Refused by the server before there is a request that the application could answer.
    is_bare: bool,
    /// The connection may end without an answer.
    may_be_cut: bool,
}

pub fn send(method: &str, target: impl AsRef<[u8]>) -> Input {
    let target = target.as_ref().to_vec();
    let what = format!("{method} {}", String::from_utf8_lossy(&target));
    let bytes = Bytes::Request(method.to_owned(), target, vec![], None);
    Input { what, by: "test-busan", bytes, expected: Expected::default() }
}

pub fn get(target: impl AsRef<[u8]>) -> Input {
    send("GET", target)
}

pub fn post(target: &str, body: impl AsRef<[u8]>) -> Input {
    send("POST", target).body(body).header("content-type: application/json")
}

pub fn patch(target: &str, body: impl AsRef<[u8]>) -> Input {
    send("PATCH", target).body(body).header("content-type: application/merge-patch+json").header("if-match: *")
}

/// A whole request as it stands.
pub fn raw(what: &str, bytes: impl AsRef<[u8]>) -> Input {
    let bytes = Bytes::Raw(bytes.as_ref().to_vec());
    Input { what: what.to_owned(), by: "test-busan", bytes, expected: Expected::default() }
}

impl Input {
    /// By another account than Busan's editor; nobody if empty.
    pub fn by(mut self, account: &'static str) -> Self {
        self.by = account;
        self
    }

    pub fn header(mut self, line: impl AsRef<[u8]>) -> Self {
        self.what = format!("{} [{:.60}]", self.what, String::from_utf8_lossy(line.as_ref()));
        if let Bytes::Request(_, _, headers, _) = &mut self.bytes {
            headers.push(line.as_ref().to_vec());
        }
        self
    }

    /// With no other headers than those that follow.
    pub fn bare(mut self) -> Self {
        if let Bytes::Request(_, _, headers, _) = &mut self.bytes {
            headers.clear();
        }
        self
    }

    pub fn body(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.what = format!("{} {:.80}", self.what, String::from_utf8_lossy(bytes.as_ref()));
        if let Bytes::Request(_, _, _, body) = &mut self.bytes {
            *body = Some(bytes.as_ref().to_vec());
        }
        self
    }

    pub fn is(mut self, status: u16, code: &'static str) -> Self {
        self.expected.status = status;
        self.expected.code = Some(code);
        self
    }

    fn is_head(&self) -> bool {
        matches!(&self.bytes, Bytes::Request(method, ..) if method == "HEAD")
    }

    /// 422 with this fault, or one more.
    pub fn fault(mut self, pointer: impl Into<String>, code: &str) -> Self {
        self.expected.faults.push((pointer.into(), code.to_owned()));
        self.is(422, "invalid")
    }

    /// 400 with this fault, or one more.
    pub fn parameter(mut self, name: &str, code: &str) -> Self {
        self.expected.faults.push((name.to_owned(), code.to_owned()));
        self.is(400, "bad_parameter")
    }

    /// An answer that is no problem.
    pub fn answers(mut self, status: u16) -> Self {
        self.expected.status = status;
        self
    }

    /// 200 with a list of so many.
    pub fn finds(mut self, items: usize) -> Self {
        self.expected.items = Some(items);
        self.answers(200)
    }

    pub fn with(mut self, header: &'static str, value: &str) -> Self {
        self.expected.headers.push((header, value.to_owned()));
        self
    }

    /// What is no request at all: the server ends the connection with a bare status.
    pub fn no_request(mut self, status: u16) -> Self {
        self.expected.is_bare = true;
        self.answers(status)
    }

    /// A body that breaks off: the server ends the connection, and who was fast got the answer before.
    pub fn breaks_off(mut self) -> Self {
        self.expected.may_be_cut = true;
        self.is(400, "malformed_json")
    }
}

/// The application that the tables are sent to, without background work, so that nothing but they changes a row.
pub struct World {
    pub app: App,
    tokens: HashMap<&'static str, String>,
    /// What stands for `<name>` in targets and bodies.
    names: Vec<(&'static str, String)>,
}

impl World {
    pub async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    pub async fn start_with(options: Options) -> Self {
        let app = App::start_with(Options { no_worker: true, ..options }).await;
        let mut tokens = HashMap::from([("", String::new())]);
        for (client_id, ..) in ACCOUNTS {
            tokens.insert(client_id, app.actor(client_id).await.token.unwrap());
        }
        Self { app, tokens, names: vec![] }
    }

    pub fn name(&mut self, name: &'static str, value: impl Into<String>) {
        self.names.push((name, value.into()));
    }

    fn filled(&self, bytes: &[u8]) -> Vec<u8> {
        let Ok(text) = std::str::from_utf8(bytes) else { return bytes.to_vec() };
        let mut text = text.to_owned();
        for (name, value) in &self.names {
            text = text.replace(&format!("<{name}>"), value);
        }
        text.into_bytes()
    }

    fn bytes_of(&self, input: &Input) -> Vec<u8> {
        let (method, target, headers, body) = match &input.bytes {
            Bytes::Raw(bytes) => {
                let marked = String::from_utf8_lossy(bytes).contains("<token>");
                return if marked { replace_token(bytes, &self.tokens[input.by]) } else { bytes.clone() };
            }
            Bytes::Request(method, target, headers, body) => (method, target, headers, body),
        };
        let mut bytes = [method.as_bytes(), b" ", &self.filled(target), b" HTTP/1.1\r\n"].concat();
        if !headers.iter().any(|line| line.to_ascii_lowercase().starts_with(b"host:")) {
            bytes.extend(b"host: registry.test\r\n");
        }
        bytes.extend(b"connection: close\r\n");
        if !input.by.is_empty() {
            bytes.extend(format!("authorization: Bearer {}\r\n", self.tokens[input.by]).bytes());
        }
        let body = body.as_ref().map(|body| self.filled(body));
        if let Some(body) = &body {
            bytes.extend(format!("content-length: {}\r\n", body.len()).bytes());
        }
        for line in headers {
            bytes.extend([self.filled(line).as_slice(), b"\r\n"].concat());
        }
        [bytes.as_slice(), b"\r\n", &body.unwrap_or_default()].concat()
    }

    /// The whole answer to these bytes.
    pub async fn answer(&self, input: &Input) -> Answer {
        exchange(&self.app.base, &input.what, &self.bytes_of(input)).await
    }
}

/// Sends these bytes, and reads the answer until the connection ends.
pub async fn exchange(base: &str, what: &str, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(base.strip_prefix("http://").unwrap()).await.unwrap();
    // Who is refused early may find the connection closed while it still sends.
    let _ = stream.write_all(bytes).await;
    let mut answer = vec![];
    let _ = stream.read_to_end(&mut answer).await;
    parsed(what, &answer)
}

fn replace_token(bytes: &[u8], token: &str) -> Vec<u8> {
    let mark = b"<token>";
    let at = bytes.windows(mark.len()).position(|part| part == mark).unwrap();
    [&bytes[..at], token.as_bytes(), &bytes[at + mark.len()..]].concat()
}

fn split_at<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(mark.len()).position(|part| part == mark)?;
    Some((&bytes[..at], &bytes[at + mark.len()..]))
}

/// An answer of HTTP/1.1 as it came; one of 100 before it is passed over. Without one the status is 0.
fn parsed(what: &str, bytes: &[u8]) -> Answer {
    if bytes.is_empty() {
        let headers = HeaderMap::new();
        return Answer { request: what.to_owned(), status: 0, headers, text: String::new(), json: Value::Null };
    }
    let (head, mut body) = split_at(bytes, b"\r\n\r\n").unwrap_or_else(|| panic!("{what}: half an answer"));
    let head = String::from_utf8_lossy(head).into_owned();
    let mut lines = head.split("\r\n");
    let status: u16 = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    if status == 100 {
        return parsed(what, body);
    }
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let value = HeaderValue::from_str(value).unwrap();
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
    }
    let mut whole = vec![];
    if headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        while let Some((size, rest)) = split_at(body, b"\r\n") {
            let size = usize::from_str_radix(std::str::from_utf8(size).unwrap(), 16).unwrap();
            whole.extend(&rest[..size]);
            body = rest.get(size + 2..).unwrap_or_default();
        }
    } else {
        whole.extend(body);
    }
    let text = String::from_utf8_lossy(&whole).into_owned();
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer { request: what.to_owned(), status, headers, text, json }
}

/// What is wrong with an answer.
fn faults_of(world: &World, input: &Input, answer: &Answer) -> Vec<String> {
    let (expected, json) = (&input.expected, &answer.json);
    let mut wrong = vec![];
    if expected.may_be_cut && answer.status == 0 {
        return wrong;
    }
    let mut differ = |what: &str, found: String, wanted: String| {
        if found != wanted {
            wrong.push(format!("{what} is {found} instead of {wanted}"));
        }
    };
    differ("status", answer.status.to_string(), expected.status.to_string());
    let code = json["code"].as_str().or(json["error"].as_str()).filter(|_| answer.status >= 400);
    differ("code", format!("{code:?}"), format!("{:?}", expected.code));
    let mut found: Vec<(String, String)> = json["errors"].as_array().into_iter().flatten().map(named).collect();
    let mut wanted = expected.faults.clone();
    found.sort();
    wanted.sort();
    differ("errors", format!("{found:?}"), format!("{wanted:?}"));
    for (name, value) in &expected.headers {
        let value = String::from_utf8(world.filled(value.as_bytes())).unwrap();
        differ(name, format!("{:?}", answer.header(name)), format!("{:?}", Some(value)));
    }
    if let Some(items) = expected.items {
        differ(
            "number of items",
            format!("{:?}", json["items"].as_array().map(Vec::len)),
            format!("{:?}", Some(items)),
        );
    }
    if expected.is_bare {
        differ("body", answer.text.clone(), String::new());
    } else if answer.status >= 400 && json["error"].is_null() && !input.is_head() {
        wrong.extend(what_no_problem_says(answer));
    }
    wrong
}

fn named(fault: &Value) -> (String, String) {
    let at = fault["pointer"].as_str().or(fault["parameter"].as_str()).unwrap_or("nowhere");
    (at.to_owned(), fault["code"].as_str().unwrap_or_default().to_owned())
}

/// A problem is complete, and speaks of the interface rather than of what it is made of.
fn what_no_problem_says(answer: &Answer) -> Vec<String> {
    const INSIDE: &[&str] =
        &["serde", "diesel", "::", "Some(", "None", "panicked", "SELECT ", "INSERT ", "src/", "_fk"];
    let problem = &answer.json;
    let mut wrong = vec![];
    let code = problem["code"].as_str().unwrap_or_default();
    if problem["type"] != format!("http://registry.test/problems/{code}") {
        wrong.push(format!("type is {}", problem["type"]));
    }
    if problem["detail"].as_str().is_none_or(str::is_empty) || answer.header("x-request-id").is_none() {
        wrong.push("it has no detail or no request id".to_owned());
    }
    // What was sent may be told again; the rest is ours.
    let ours: Vec<&&str> = INSIDE.iter().filter(|word| answer.text.contains(**word)).collect();
    let own = ours.into_iter().filter(|word| !answer.request.contains(**word));
    wrong.extend(own.map(|word| format!("it says {word}: {}", answer.text)));
    wrong
}

/// Every row of every table, as a digest for each table.
pub async fn everything(database: &TestDatabase) -> Vec<Vec<Option<String>>> {
    let each = "SELECT string_agg(format('SELECT %L, count(*), md5(string_agg(t::text, '','' ORDER BY t::text)) FROM %I t', \
        tablename, tablename), ' UNION ALL ' ORDER BY tablename) FROM pg_tables WHERE schemaname = 'public'";
    let statement = sql(database, each).await[0][0].clone().unwrap();
    sql(database, &statement).await
}

/// Sends a table. Every answer is the expected one, and afterwards not one row is another.
pub async fn check(world: &World, table: Vec<Input>) {
    // Changes that have no number yet may get one by being read.
    position(&world.app.anonymous()).await;
    let before = everything(&world.app.database).await;
    let mut wrong = vec![];
    for input in &table {
        let answer = world.answer(input).await;
        let found = faults_of(world, input, &answer);
        // No operation answers 405, and no document describes the errors of another standard as problems.
        let is_described =
            !matches!(answer.status, 0 | 405) && !input.expected.is_bare && answer.json["error"].is_null();
        if found.is_empty() && is_described {
            let (method, path) = of_document(input);
            contract::check(&method, &path, &answer);
        }
        wrong.extend(found.into_iter().map(|one| format!("{}: {one}", input.what)));
    }
    assert!(wrong.is_empty(), "{} of {} inputs:\n{}", wrong.len(), table.len(), wrong.join("\n"));
    let after = everything(&world.app.database).await;
    let changed: Vec<_> = after.iter().filter(|row| !before.contains(row)).collect();
    assert!(changed.is_empty(), "changed: {changed:?}");
}

/// Method and path as the OpenAPI document knows them; nothing for what it cannot know.
fn of_document(input: &Input) -> (String, String) {
    match &input.bytes {
        Bytes::Request(method, target, ..) => {
            let target = String::from_utf8_lossy(target).into_owned();
            (method.clone(), target.split('?').next().unwrap_or_default().to_owned())
        }
        Bytes::Raw(_) => ("RAW".to_owned(), String::new()),
    }
}
