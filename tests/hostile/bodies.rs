//! Bodies that are no JSON, not the JSON that is wanted, or not what their headers say.

use super::table::{Input, World, check, patch, post, send};
use crate::support::founding;

const PILOTS: &str = "/v1/pilots";

/// What cannot be read as JSON.
fn no_json() -> Vec<Input> {
    let bodies: &[&[u8]] = &[
        b"",
        b" ",
        b"\0",
        b"{",
        b"{\"title\": \"a",
        b"{\"title\": \"a\",}",
        b"{\"title\": \"a\"}\0",
        b"{} {}",
        b"{}x",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\0}\0",
        b"\xfe\xff\0{\0}",
        b"{'title': 1}",
        b"{title: 1}",
        b"{\"title\": \"\xff\"}",
        b"{\"title\": \"\xc0\xaf\"}",
        b"{\"title\": \"\\ud800\"}",
        b"{\"title\": \"\\udc00\\ud800\"}",
        b"{\"title\": \"\\x41\"}",
        b"{\"title\": \"a\0b\"}",
        b"{\"title\": \"a\nb\"}",
        b"{\"title\": 1, \"title\": 2}",
        b"{\"title\": 1, \"\\u0074itle\": 2}",
        b"{\"translations\": {\"ko\": {\"title\": \"a\", \"title\": \"b\"}}}",
        b"{\"title\": \"a\" /* of Busan */}",
        b"{\"title\": undefined}",
        b"{\"title\": NaN}",
        b"{\"trl\": {\"$serde_json::private::Number\": \"5\"}}",
        b"{\"trl\": {\"a\": 1, \"$serde_json::private::Number\": \"5\"}}",
        b"{\"trl\": {\"\\u0024serde_json::private::Number\": \"5\"}}",
        b"title=a&origin_city=KRPUS",
        b"<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
        b"!!python/object/apply:os.system [id]",
    ];
    bodies.iter().map(|body| post(PILOTS, body).is(400, "malformed_json")).collect()
}

/// JSON in JSON, deeper than anybody needs.
fn deep() -> Vec<Input> {
    let nested = |begin: &str, end: &str, times: usize| format!("{}1{}", begin.repeat(times), end.repeat(times));
    vec![
        post(PILOTS, nested("[", "]", 200)).is(400, "malformed_json"),
        post(PILOTS, nested("{\"a\":", "}", 200)).is(400, "malformed_json"),
        post(PILOTS, "[".repeat(100_000)).is(400, "malformed_json"),
        post(PILOTS, nested("[", "]", 100)).fault("", "wrong_type"),
    ]
}

/// JSON of another kind.
fn other_kinds() -> Vec<Input> {
    let mut inputs = vec![post(PILOTS, "null").fault("", "required")];
    for body in ["[]", "[{}]", "\"text\"", "1", "true"] {
        inputs.push(post(PILOTS, body).fault("", "wrong_type"));
    }
    for (member, value, code) in [
        ("title", "[\"a\"]", "wrong_type"),
        ("title", "{\"en\": \"a\"}", "wrong_type"),
        ("title", "null", "required"),
        ("tags", "\"a\"", "wrong_type"),
        ("tags", "{\"0\": \"a\"}", "wrong_type"),
        ("providers", "[[]]", "wrong_type"),
        ("translations", "[]", "wrong_type"),
        ("processes_personal_data", "\"false\"", "wrong_type"),
        ("processes_personal_data", "0", "wrong_type"),
        ("status", "\"Idea\"", "not_in_list"),
        ("visibility", "\"PUBLIC\"", "not_in_list"),
    ] {
        let at = if value == "[[]]" { format!("/{member}/0") } else { format!("/{member}") };
        inputs.push(patch(&lights(), format!("{{\"{member}\": {value}}}")).fault(at, code));
    }
    let status = patch(&lights(), "{\"status\": 0}").fault("/status", "wrong_type").fault("/status", "not_in_list");
    inputs.push(status);
    inputs
}

fn lights() -> String {
    format!("{PILOTS}/{}", founding::STREETLIGHTS)
}

/// A body in another media type, or in two.
fn media_types() -> Vec<Input> {
    let mut inputs = vec![];
    for media in [
        "text/plain",
        "text/json",
        "application/vnd.api+json",
        "application/problem+json",
        "application/merge-patch+json",
        "application/json-seq",
        "application/jsonx",
        "application/json, text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/*",
        "*/*",
        "",
    ] {
        let typed = send("POST", PILOTS).body("{}").header(format!("content-type: {media}"));
        inputs.push(typed.is(415, "unsupported_media_type").with("accept-patch", "application/merge-patch+json"));
    }
    for media in ["application/json", "application/json-patch+json", "application/merge-patch+json-x"] {
        let patch = send("PATCH", lights()).body("{}").header("if-match: *");
        inputs.push(patch.header(format!("content-type: {media}")).is(415, "unsupported_media_type"));
    }
    let two = |first: &str, second: &str| {
        let typed = send("POST", PILOTS).body("{}").header(format!("content-type: {first}"));
        typed.header(format!("content-type: {second}")).is(415, "unsupported_media_type")
    };
    inputs.push(send("POST", PILOTS).body("{}").is(415, "unsupported_media_type"));
    inputs.push(two("application/json", "text/plain"));
    inputs.push(two("text/plain", "application/json"));
    inputs
}

/// Compressed bodies, whatever is in them: a kilobyte that would be a gigabyte never becomes one.
fn codings() -> Vec<Input> {
    use std::io::Write;
    let mut bomb = flate2::write::GzEncoder::new(vec![], flate2::Compression::best());
    bomb.write_all(&vec![b' '; 16 * 1024 * 1024]).unwrap();
    let bomb = bomb.finish().unwrap();
    let codings = ["gzip", "x-gzip", "deflate", "br", "zstd", "gzip, gzip", "gzip, identity", "identity, gzip", "*"];
    let mut inputs: Vec<Input> = codings
        .iter()
        .map(|coding| {
            post(PILOTS, &bomb).header(format!("content-encoding: {coding}")).is(415, "unsupported_media_type")
        })
        .collect();
    let twice = post(PILOTS, &bomb).header("content-encoding: identity").header("content-encoding: gzip");
    inputs.push(twice.is(415, "unsupported_media_type"));
    inputs.push(post(PILOTS, &bomb).header("content-encoding: identity").is(400, "malformed_json"));
    inputs.push(post(PILOTS, &bomb).is(400, "malformed_json"));
    inputs
        .push(post("/v1/imports?type=needs", &bomb).header("content-encoding: gzip").is(415, "unsupported_media_type"));
    inputs
}

/// More than a body may hold.
fn too_much() -> Vec<Input> {
    let valid = "\"title\": \"a\", \"origin_city\": \"KRPUS\", \"category\": \"waste\"";
    let list = |items: usize| (0..items).map(|item| format!("\"t{item}\"")).collect::<Vec<_>>().join(",");
    let languages = (0..30_000).map(|at| format!("\"l{at}\": {{}}")).collect::<Vec<_>>().join(",");
    vec![
        // Refused by what the header says, before any of it came.
        send("POST", PILOTS)
            .header("content-type: application/json")
            .header("content-length: 1048577")
            .is(413, "too_large"),
        send("POST", "/v1/imports?type=needs")
            .header("content-type: text/csv")
            .header("content-length: 67108865")
            .is(413, "too_large"),
        post(PILOTS, format!("{{{valid}, \"tags\": [{}]}}", list(51))).fault("/tags", "too_many"),
        post(PILOTS, format!("{{{valid}, \"tags\": [{}]}}", list(50_000))).fault("/tags", "too_many"),
        post(PILOTS, format!("{{{valid}, \"tags\": [\"a\", \"a\"]}}")).fault("/tags", "not_unique"),
        // Names that are no languages, so many that a copy of the object for each would be gigabytes.
        post(PILOTS, format!("{{{valid}, \"translations\": {{{languages}}}}}")).fault("/translations", "too_many"),
        post(PILOTS, format!("{{{valid}, \"translations\": {{\"KO\": {{}}}}}}")).fault("/translations", "bad_name"),
        post(PILOTS, format!("{{{valid}, \"translations\": {{\"../x\": {{}}}}}}")).fault("/translations", "bad_name"),
        post(PILOTS, format!("{{{valid}, \"translations\": {{\"ko\": {{\"slug\": \"x\"}}}}}}"))
            .fault("/translations/ko/slug", "unknown_member"),
        post(PILOTS, format!("{{{valid}, \"title2\": {}}}", "[".repeat(90) + &"]".repeat(90)))
            .fault("/title2", "unknown_member"),
        post("/v1/observations/batch", format!("{{\"items\": [{}]}}", list(1001))).fault("/items", "too_many"),
        post("/v1/observations/batch", "{\"items\": []}").fault("/items", "too_few"),
        post("/v1/observations/batch", "{\"items\": {}}").fault("/items", "wrong_type"),
        post("/v1/observations/batch", "[]").fault("", "wrong_type"),
    ]
}

/// Names that mean something elsewhere.
fn names() -> Vec<Input> {
    ["__proto__", "constructor", "$set", "$where", "$ref", "@type", "toString", "title ", "Title", "TITLE"]
        .into_iter()
        .map(|name| patch(&lights(), format!("{{\"{name}\": {{}}}}")).fault(format!("/{name}"), "unknown_member"))
        .chain([patch(&lights(), "{\"a/b~c\": 1}").fault("/a~1b~0c", "unknown_member")])
        .chain([patch(&lights(), "{\"\": 1}").fault("/", "unknown_member")])
        .collect()
}

pub fn inputs() -> Vec<Input> {
    [no_json(), deep(), other_kinds(), media_types(), codings(), too_much(), names()].into_iter().flatten().collect()
}

#[tokio::test]
async fn bodies_that_are_not_what_they_should_be_are_refused_and_change_nothing() {
    check(&World::start().await, inputs()).await;
}
