//! What is sent never becomes a line of the log, nor a command of the terminal that shows it.

use serde_json::Value;

use super::table::exchange;
use crate::support::process::{Folder, Server};

/// Requests that would write FORGED into a line of its own.
pub const LINES: &[&[u8]] = &[
    b"GET /v1/cities/%0d%0aFORGED HTTP/1.1\r\nhost: x\r\n",
    b"GET /v1/%0a%7b%22level%22%3a%22ERROR%22,%22message%22%3a%22FORGED%22%7d HTTP/1.1\r\nhost: x\r\n",
    b"GET /v1/%1b%5b2J%1b%5b31mFORGED HTTP/1.1\r\nhost: x\r\n",
    b"GET /v1/%e2%80%a8FORGED HTTP/1.1\r\nhost: x\r\n",
    b"GET /v1/%c2%85FORGED HTTP/1.1\r\nhost: x\r\n",
    b"GET /v1/\",\"level\":\"ERROR\",\"message\":\"FORGED HTTP/1.1\r\nhost: x\r\n",
    b"GET /v1/pilots?%0aFORGED=1 HTTP/1.1\r\nhost: x\r\n",
    b"GET /v1/pilots?q=%0a%1b%5b2JFORGED HTTP/1.1\r\nhost: x\r\n",
    b"GET /v1/pilots HTTP/1.1\r\nhost: x\r\nx-request-id: a\",\"message\":\"FORGED\r\n",
    b"GET /v1/pilots HTTP/1.1\r\nhost: x\r\nx-request-id: a FORGED\r\n",
    b"GET /v1/pilots HTTP/1.1\r\nhost: x\r\nx-request-id: \x1b[2JFORGED\r\n",
    b"GET /v1/pilots HTTP/1.1\r\nhost: x\r\nx-request-id: \xe2\x80\xa8FORGED\r\n",
    b"GET /v1/pilots HTTP/1.1\r\nhost: x\r\nuser-agent: \xc2\x9b2JFORGED\r\n",
    b"GET /v1/pilots HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 1.2.3.4\",\"FORGED\":\"\r\n",
    b"GET /v1/me HTTP/1.1\r\nhost: x\r\nauthorization: Bearer a\",\"FORGED\":\"\r\n",
    b"GET /v1/me HTTP/1.1\r\nhost: x\r\nauthorization: Bearer eyJhbGciOiJub25lIiwia2lkIjoiXG5GT1JHRUQifQ.e30.\r\n",
    b"GET /v1/pilots HTTP/1.1\r\nhost: FORGED\",\"a\":\"\r\n",
    b"GET /pilots/%0aFORGED HTTP/1.1\r\nhost: x\r\naccept: text/html\r\n",
    b"FORGED /v1/pilots HTTP/1.1\r\nhost: x\r\n",
    b"GET /v1/pilots HTTP/1.1\nFORGED\r\nhost: x\r\n",
    b"POST /oauth/token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 73\r\n\r\n\
      grant_type=client_credentials&client_id=%0aFORGED%1b%5b2J&client_secret=a",
];

/// Everything that a server logs of them in this form.
async fn logged(form: &str) -> String {
    let folder = Folder::new();
    let server = Server::start(&folder, &["--demo", "--log", form]).await;
    for line in LINES {
        let what = String::from_utf8_lossy(line).into_owned();
        let bytes = match what.split_once("\r\n\r\n") {
            Some((head, body)) => format!("{head}\r\nconnection: close\r\n\r\n{body}").into_bytes(),
            None => [line, b"connection: close\r\n\r\n".as_slice()].concat(),
        };
        let answer = exchange(&server.base, &what, &bytes).await;
        assert!(answer.status < 500, "{what}: {}", answer.text);
    }
    let log = server.log.clone();
    assert!(server.stop().success());
    std::fs::read_to_string(log).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_json_has_the_lines_and_members_of_the_service_alone() {
    let log = logged("json").await;
    let mut of_requests = 0;
    for line in log.lines() {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(entry["timestamp"].is_string() && entry["level"].is_string(), "{line}");
        assert!(entry["message"] != "FORGED" && entry["FORGED"].is_null(), "{line}");
        assert!(entry["level"] != "ERROR" || !line.contains("FORGED"), "{line}");
        of_requests += usize::from(entry["message"] == "request" && line.contains("FORGED"));
    }
    assert!(of_requests >= 5, "the paths are in the log: {of_requests}");
    assert!(!log.chars().any(|character| character.is_control() && character != '\n'));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_text_has_the_lines_of_the_service_alone_and_commands_no_terminal() {
    let log = logged("text").await;
    let forged: Vec<&str> = log.lines().filter(|line| line.contains("FORGED")).collect();
    assert!(forged.len() >= 5, "the paths are in the log");
    for line in forged {
        assert!(line.starts_with("20"), "a line that begins with no instant: {line}");
    }
    assert!(!log.chars().any(|character| character.is_control() && character != '\n'), "{log:?}");
}
