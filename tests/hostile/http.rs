//! Requests that are bent: methods, targets, headers and framing.

use super::table::{Input, World, check, get, patch, post, raw, send};
use crate::support::founding;

const PILOTS: &str = "/v1/pilots";

fn lights() -> String {
    format!("{PILOTS}/{}", founding::STREETLIGHTS)
}

fn methods() -> Vec<Input> {
    let (list, one) = ("GET, HEAD, OPTIONS, POST", "DELETE, GET, HEAD, OPTIONS, PATCH");
    let transitions = format!("/v1/hostings/{}/transitions", founding::STREETLIGHTS_AT_HOME);
    let wrong = [
        ("PUT", PILOTS, list),
        ("DELETE", PILOTS, list),
        ("PATCH", PILOTS, list),
        ("TRACE", PILOTS, list),
        ("CONNECT", PILOTS, list),
        ("PROPFIND", PILOTS, list),
        ("get", PILOTS, list),
        ("POST", &lights(), one),
        ("PUT", &lights(), one),
        ("DELETE", &transitions, list),
        ("PATCH", "/v1/me", "GET, HEAD, OPTIONS"),
        ("POST", "/v1/exports/pilots.csv", "GET, HEAD, OPTIONS"),
        ("DELETE", "/v1/changes", "GET, HEAD, OPTIONS"),
        ("POST", "/livez", "GET, HEAD, OPTIONS"),
        ("GET", "/oauth/token", "OPTIONS, POST"),
        ("PUT", "/oauth/token", "OPTIONS, POST"),
        ("PUT", "/oauth/authorize", "GET, HEAD, POST"),
        ("POST", "/", "GET, HEAD"),
        ("TRACE", "/", "GET, HEAD"),
        ("POST", "/openapi.json", "GET, HEAD"),
        ("DELETE", "/docs/", "GET, HEAD"),
    ];
    let wrong =
        wrong.map(|(method, path, allow)| send(method, path).is(405, "method_not_allowed").with("allow", allow));
    let mut inputs = Vec::from(wrong);
    // A header or a parameter does not make another method of it.
    for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
        inputs.push(post(&lights(), "{}").header(format!("{name}: DELETE")).is(405, "method_not_allowed"));
        inputs.push(get(lights()).header(format!("{name}: DELETE")).answers(200));
    }
    inputs.push(post("/v1/pilots?_method=DELETE", "{}").parameter("_method", "unknown_parameter"));
    inputs.push(send("OPTIONS", PILOTS).answers(204).with("allow", list));
    inputs.push(send("OPTIONS", "*").is(404, "not_found"));
    inputs.push(send("OPTIONS", "/v1/nothing").is(404, "not_found"));
    inputs.push(send("HEAD", PILOTS).answers(200));
    inputs.push(send("HEAD", "/v1/nothing").answers(404));
    inputs.push(send("HEAD", "/oauth/token").answers(405).with("allow", "OPTIONS, POST"));
    inputs
}

/// Paths that lead elsewhere in other servers.
fn targets() -> Vec<Input> {
    let paths = [
        "//v1/cities",
        "/v1//cities",
        "/v1/cities/",
        "/v1/cities/KRPUS/",
        "/v1/./cities",
        "/v1/x/../cities",
        "/v1/cities/../accounts",
        "/v1/cities/..%2faccounts",
        "/v1/cities/%2e%2e/accounts",
        "/v1/cities/%2e%2e%2faccounts",
        "/v1/cities/..;/accounts",
        "/v1/cities\\..\\accounts",
        "/v1/cities%2fKRPUS",
        "/v1/cities%3flimit=1",
        "/v1/cities%23",
        "/v1/cities.json",
        "/V1/cities",
        "/v1/CITIES",
        "/v2/cities",
        "/docs/../Cargo.toml",
        "/docs/..%2f..%2fCargo.toml",
        "/docs/%2e%2e/%2e%2e/etc/passwd",
        "/docs/nothing.js",
        "/problems/..%2f..%2fetc%2fpasswd",
        "/.env",
        "/.git/config",
        "/metrics",
        "/actuator/health",
        "/wp-login.php",
        "/server-status",
    ];
    let mut inputs = Vec::from(paths.map(|path| get(path).by("").is(404, "not_found")));
    // A proxy's words are not ours [RFC 9112 3.2.2]: the path counts.
    inputs.push(get("http://evil.example/v1/accounts").is(403, "forbidden"));
    for name in ["x-original-url", "x-rewrite-url", "x-forwarded-prefix"] {
        inputs.push(get("/v1/accounts").header(format!("{name}: /v1/cities")).is(403, "forbidden"));
    }
    inputs
}

/// Headers of the wrong form or size.
fn headers() -> Vec<Input> {
    let key = |value: &[u8]| post(PILOTS, "{}").header([b"idempotency-key: ", value].concat()).is(400, "bad_header");
    let large = format!("x-a: {}", "x".repeat(20_000));
    let mut inputs = vec![
        get(PILOTS).header(&large).is(400, "bad_header"),
        get("/").header(&large).is(400, "bad_header"),
        get(PILOTS).header(format!("cookie: {}", "a=b; ".repeat(5000))).is(400, "bad_header"),
        get(PILOTS).header(format!("accept: {}", "a/b,".repeat(2000))).is(406, "not_acceptable"),
        get(PILOTS).header("accept: garbage").is(406, "not_acceptable"),
        get(PILOTS).header("accept: application/json;q=0").is(406, "not_acceptable"),
        get(PILOTS).header("accept-encoding: *;q=0").is(406, "not_acceptable"),
        get(PILOTS).header("accept-encoding: gzip;q=0, identity;q=0").is(406, "not_acceptable"),
        get(PILOTS).header("x-consistency-token: garbage").is(400, "bad_header"),
        get(PILOTS).header(b"x-consistency-token: \xff").is(400, "bad_header"),
        key(b""),
        key(b"a b"),
        key(b"\xe9"),
        key("x".repeat(256).as_bytes()),
        post(PILOTS, "{}").header("idempotency-key: a").header("idempotency-key: b").is(400, "bad_header"),
        get(PILOTS).header("x-request-id: a b").answers(200),
        get(PILOTS).header(b"x-request-id: \xff").answers(200),
    ];
    for host in ["a b", "x@y", "evil.example/path", "[::1", "a:b:c", "%zz", "<script>"] {
        inputs.push(get(PILOTS).header(format!("host: {host}")).is(400, "bad_header"));
    }
    inputs.push(get(PILOTS).header(b"host: \xff").is(400, "bad_header"));
    // Another name is no fault, but nothing in the answer is made of it.
    let link = "</v1/pilots?cursor=<next>&limit=1>; rel=\"next\"";
    inputs.push(get("/v1/pilots?limit=1").header("host: evil.example").answers(200).with("link", link));
    inputs.push(get("/v1/pilots?limit=1").header("x-forwarded-host: evil.example").answers(200).with("link", link));
    inputs
}

/// If-Match that names no version, and conditions that are ignored.
fn conditions() -> Vec<Input> {
    let change = |value: &[u8]| {
        let request = patch(&lights(), "{\"nonsense\": 1}").bare().header("content-type: application/merge-patch+json");
        request.header([b"if-match: ", value].concat())
    };
    let mut inputs = vec![];
    let garbage: &[&[u8]] =
        &[b"x", b"v1", b"\"v1", b"v1\"", b"'v1'", b"*,\"v1\"", b"\"v1\", x", b"\"v1.\xe9\"", b"\xff"];
    for value in garbage {
        inputs.push(change(value).is(400, "bad_header"));
    }
    for value in [
        "\"\"",
        "\"a,b\"",
        "W/\"v1\"",
        "\"v0\"",
        "\"v-1\"",
        "\"v999\"",
        "\"v2147483648\"",
        "\"v 1\"",
        "\"1\"",
        ",",
        "\"v1\" \"v2\"",
    ] {
        inputs.push(change(value.as_bytes()).is(412, "stale_version"));
    }
    inputs.push(
        patch(&lights(), "{}")
            .bare()
            .header("content-type: application/merge-patch+json")
            .is(428, "precondition_required"),
    );
    inputs.push(send("DELETE", lights()).is(428, "precondition_required"));
    inputs.push(send("DELETE", lights()).header(b"if-match: \xff").is(400, "bad_header"));
    let agreed = post(&format!("/v1/hostings/{}/transitions", founding::STREETLIGHTS_AT_HOME), "{\"to\": \"agreed\"}");
    inputs.push(agreed.header(b"if-match: \xff").is(400, "bad_header"));
    for line in
        ["range: bytes=0-10", "range: bytes=9999999-", "range: garbage", "if-none-match: garbage", "if-none-match: \""]
    {
        inputs.push(get(lights()).header(line).answers(200));
    }
    for line in
        ["if-modified-since: garbage", "expect: 200-ok", "te: garbage", "upgrade: websocket", "via: x", "prefer: a=b"]
    {
        inputs.push(get(lights()).header(line).answers(200));
    }
    inputs
}

/// How a body is delimited: whoever reads it otherwise than a proxy does reads the next request out of it.
fn framing() -> Vec<Input> {
    let framed = |lines: &str, body: &str| {
        let head = "POST /v1/pilots HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer <token>\r\n\
                    content-type: application/json\r\n";
        raw(&format!("{lines:?} {body:?}"), format!("{head}{lines}\r\n\r\n{body}"))
    };
    let chunked = "2\r\n{}\r\n0\r\n\r\n";
    let mut inputs = vec![];
    for lines in [
        "content-length: 2\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 2",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity",
        "transfer-encoding: gzip, chunked",
        "transfer-encoding: xchunked",
        "transfer-encoding: identity",
        "transfer-encoding : chunked",
    ] {
        inputs.push(framed(lines, chunked).no_request(400));
    }
    for length in [
        "2, 2",
        "+2",
        "-1",
        "0x2",
        "2 2",
        "",
        "99999999999999999999",
        "2\r\ncontent-length: 3",
        "2\r\ncontent-length: 2",
    ] {
        inputs.push(framed(&format!("content-length: {length}"), "{}").no_request(400));
    }
    for chunks in [
        "zz\r\n{}\r\n0\r\n\r\n",
        "-2\r\n{}\r\n0\r\n\r\n",
        "ffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        "2\r\n{}x\r\n0\r\n\r\n",
    ] {
        inputs.push(framed("transfer-encoding: chunked", chunks).breaks_off());
    }
    inputs
}

/// What is no HTTP/1.1.
fn lines() -> Vec<Input> {
    let head = "host: x\r\nconnection: close";
    let get = |what: &str, line: &str, headers: &str| raw(what, format!("{line}\r\n{headers}\r\n\r\n"));
    let good = "GET /v1/cities?limit=1 HTTP/1.1";
    let long = format!("GET /v1/cities?q={} HTTP/1.1", "x".repeat(70_000));
    let many = (0..120).map(|at| format!("x-{at}: a")).collect::<Vec<_>>().join("\r\n");
    vec![
        get("no host", good, "connection: close").no_request(400),
        get("two hosts", good, "host: a\r\nhost: b\r\nconnection: close").no_request(400),
        get("a folded header", good, &format!("{head}\r\nx-a: a\r\n b")).no_request(400),
        get("CR in a header", good, &format!("{head}\r\nx-a: a\rb")).no_request(400),
        get("NUL in a header", good, &format!("{head}\r\nx-a: a\0b")).no_request(400),
        get("a header without a name", good, &format!("{head}\r\n: a")).no_request(400),
        get("a header without a colon", good, &format!("{head}\r\nx-a")).no_request(400),
        get("HTTP/2.0", "GET /v1/cities HTTP/2.0", head).no_request(400),
        get("HTTP/9.9", "GET /v1/cities HTTP/9.9", head).no_request(400),
        get("no version", "GET /v1/cities", head).no_request(400),
        get("a space in the target", "GET /v1/cities ?limit=1 HTTP/1.1", head).no_request(400),
        get("a target of 70 kB", &long, head).no_request(400),
        get("120 headers", good, &format!("{head}\r\n{many}")).no_request(431),
        raw(
            "a byte that is no ASCII in the target",
            b"GET /v1/cities/\xff HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        )
        .no_request(400),
        raw("the beginning of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").no_request(400),
        raw("the beginning of TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n").no_request(400),
        raw(
            "HTTP/1.0 with chunks",
            format!("POST /v1/pilots HTTP/1.0\r\n{head}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        )
        .no_request(400),
    ]
}

pub fn inputs() -> Vec<Input> {
    [methods(), targets(), headers(), conditions(), framing(), lines()].into_iter().flatten().collect()
}

#[tokio::test]
async fn bent_requests_are_refused_or_taken_for_what_they_are_and_change_nothing() {
    let mut world = World::start().await;
    let next = world.app.anonymous().get("/v1/pilots?limit=1").await.ok()["next"].as_str().unwrap().to_owned();
    world.name("next", next);
    check(&world, inputs()).await;
}
