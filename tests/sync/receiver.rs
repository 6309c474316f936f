//! A receiver of webhooks: a real server that answers as it is told, and keeps what it got.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What to do with a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Manner {
    /// Answer this status.
    Status(u16),
    /// Answer this status with a header.
    With(u16, &'static str),
    /// Answer 200 with a longer body than is sent, and break off.
    CutAfter200,
    /// Close without an answer.
    HangUp,
    /// Answer after this many milliseconds.
    Slow(u64),
    /// Answer this status, after this many milliseconds.
    Late(u64, u16),
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Received {
    pub fn event(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }
    pub fn seq(&self) -> i64 {
        self.event()["data"]["seq"].as_i64().unwrap()
    }
    /// Checks the signature by the public library.
    #[track_caller]
    pub fn verify(&self, secret: &str) {
        self.try_verify(secret).unwrap_or_else(|error| panic!("{error}: {:?}", self.headers));
    }
    pub fn try_verify(&self, secret: &str) -> Result<(), standardwebhooks::WebhookError> {
        standardwebhooks::Webhook::new(secret).unwrap().verify(&self.body, &self.headers)
    }
}

#[derive(Default)]
struct Shared {
    received: Vec<Received>,
    connections: usize,
    /// For the next requests; then 204.
    manners: VecDeque<Manner>,
    always: Option<Manner>,
}

/// The server, until it is dropped.
pub struct Receiver {
    shared: Arc<Mutex<Shared>>,
    port: u16,
    task: tokio::task::JoinHandle<()>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared: Arc<Mutex<Shared>> = Arc::default();
        let of_task = shared.clone();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                of_task.lock().unwrap().connections += 1;
                tokio::spawn(serve(stream, of_task.clone()));
            }
        });
        Self { shared, port, task }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// What the next requests get, one each; those after them 204.
    pub fn next(&self, manners: &[Manner]) {
        self.shared.lock().unwrap().manners.extend(manners);
    }

    /// What every request gets from now on; `None`: 204.
    pub fn always(&self, manner: Option<Manner>) {
        self.shared.lock().unwrap().always = manner;
    }

    /// All that came.
    pub fn received(&self) -> Vec<Received> {
        self.shared.lock().unwrap().received.clone()
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.shared.lock().unwrap().connections
    }

    /// Forgets what came.
    pub fn forget(&self) {
        self.shared.lock().unwrap().received.clear();
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Mutex<Shared>>) {
    let Some(received) = read(&mut stream).await else { return };
    let manner = {
        let mut shared = shared.lock().unwrap();
        shared.received.push(received);
        shared.always.or_else(|| shared.manners.pop_front()).unwrap_or(Manner::Status(204))
    };
    let answer = match manner {
        Manner::Status(status) => format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n"),
        Manner::With(status, header) => format!("HTTP/1.1 {status} X\r\n{header}\r\nContent-Length: 0\r\n\r\n"),
        Manner::CutAfter200 => "HTTP/1.1 200 X\r\nContent-Length: 100000\r\n\r\nbeginning".into(),
        Manner::HangUp => return,
        Manner::Slow(milliseconds) => {
            tokio::time::sleep(std::time::Duration::from_millis(milliseconds)).await;
            "HTTP/1.1 200 X\r\nContent-Length: 0\r\n\r\n".into()
        }
        Manner::Late(milliseconds, status) => {
            tokio::time::sleep(std::time::Duration::from_millis(milliseconds)).await;
            format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n")
        }
    };
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = vec![];
    let head = loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
    let mut lines = text.split("\r\n");
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers: HeaderMap = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap()))
        .collect();
    let length: usize = headers["content-length"].to_str().unwrap().parse().unwrap();
    let mut body = bytes.split_off(head + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Received { path, headers, body })
}
