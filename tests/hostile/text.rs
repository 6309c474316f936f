//! Text that hides, breaks or never ends, in bodies, queries and paths.

use serde_json::json;

use super::table::{Input, World, check, get, post, send};
use crate::support::{new_pilot, path};

fn title(text: &str) -> Input {
    post("/v1/documents", json!({"title": text, "city": "KRPUS"}).to_string())
}

fn in_bodies() -> Vec<Input> {
    let mut inputs = vec![];
    for character in [
        '\u{0}',
        '\u{1}',
        '\u{8}',
        '\u{b}',
        '\r',
        '\u{1b}',
        '\u{7f}',
        '\u{80}',
        '\u{85}',
        '\u{9b}',
        '\u{202a}',
        '\u{202b}',
        '\u{202c}',
        '\u{202d}',
        '\u{202e}',
        '\u{fdd0}',
        '\u{fffe}',
        '\u{ffff}',
        '\u{1fffe}',
        '\u{10ffff}',
    ] {
        inputs.push(title(&format!("a{character}b")).fault("/title", "control_character"));
    }
    for text in
        ["a\nb", "a\r\nb", "a\tb", "a\u{2028}b", "a\u{2029}b", " ", "\u{3000}", "\u{a0}", "\u{2003}", "\u{feff}"]
    {
        inputs.push(title(text).fault("/title", "bad_format"));
    }
    for character in ["x", "한", "😀", "e\u{301}\u{302}"] {
        inputs.push(title(&character.repeat(301)).fault("/title", "too_long"));
    }
    // Longer than a row of anything, in one character.
    inputs.push(title(&format!("Z{}", "\u{35c}".repeat(100_000))).fault("/title", "too_long"));
    inputs.push(title("").fault("/title", "too_short").fault("/title", "bad_format"));
    let wrong = |member: &str, text: &str| json!({"title": "A", "city": "KRPUS", (member): text}).to_string();
    for address in [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "//example.org",
        "https://",
        "http:// a",
        "https://example.org/a b",
        "https://example.org/\na",
    ] {
        inputs.push(post("/v1/documents", wrong("url", address)).fault("/url", "bad_format"));
    }
    for language in ["../en", "e", "en_US", "en-", "EN", "*", "en;q=1"] {
        inputs.push(post("/v1/documents", wrong("language", language)).fault("/language", "bad_format"));
    }
    inputs.push(post("/v1/documents", wrong("sha256", "g".repeat(64).as_str())).fault("/sha256", "bad_format"));
    inputs
}

/// Codes and ids are found as they are written, and not otherwise.
fn normalised() -> Vec<Input> {
    let mut inputs = vec![];
    for code in
        ["krpus", "KRPUS ", " KRPUS", "KRPUS\u{0}", "ＫＲＰＵＳ", "КRPUS", "KR-PUS", "KRPU\u{301}S", "KRPUS;ESBCN"]
    {
        let body = json!({"title": "A", "origin_city": code, "category": "waste"}).to_string();
        let fault = if code.contains('\0') { "control_character" } else { "unknown_city" };
        inputs.push(post("/v1/pilots", body).fault("/origin_city", fault));
    }
    inputs
}

fn in_paths() -> Vec<Input> {
    let paths: &[&[u8]] = &[
        b"/v1/cities/%00",
        b"/v1/cities/KRPUS%00",
        b"/v1/cities/%0a",
        b"/v1/cities/%0d%0aX-A:%20b",
        b"/v1/cities/%1b%5b2J",
        b"/v1/cities/%7f",
        b"/v1/cities/%c2%85",
        b"/v1/cities/%ff",
        b"/v1/cities/%c0%af",
        b"/v1/cities/%ed%a0%80",
        b"/v1/cities/%",
        b"/v1/cities/%zz",
        b"/v1/cities/%u004b",
        b"/v1/cities/%e2%80%ae",
        b"/v1/cities/krpus",
        b"/v1/cities/KRPUS%20",
        b"/v1/cities/KRPUS;a=b",
        b"/v1/cities/%EF%BC%ABRPUS",
        b"/v1/pilots/015ACA1D-640D-7000-8000-00000000000D",
        b"/v1/pilots/%7b015aca1d-640d-7000-8000-00000000000d%7d",
        b"/v1/pilots/015aca1d640d70008000000000000000d",
        b"/v1/pilots/1",
        b"/v1/pilots/-1",
        b"/v1/pilots/null",
        b"/v1/pilots/1%20OR%201=1",
        b"/v1/vocabularies/%2e%2e/terms",
        b"/v1/vocabularies/areas/terms/%27",
    ];
    paths.iter().map(|path| get(path).by("").is(404, "not_found")).collect()
}

fn in_queries() -> Vec<Input> {
    let mut inputs = vec![];
    for text in ["%00", "a%00", "%07", "%1b%5b2J", "%7f", "%c2%85", "%e2%80%ae", "%ef%bf%be"] {
        inputs.push(get(format!("/v1/pilots?q={text}")).parameter("q", "control_character"));
    }
    for text in ["%ff", "%c0%af", "%ed%a0%80", "a%80", "%f5%80%80%80"] {
        inputs.push(get(format!("/v1/pilots?tags={text}")).parameter("tags", "bad_format"));
        inputs.push(get(format!("/v1/search?q={text}")).by("").parameter("q", "bad_format"));
    }
    inputs.push(get("/v1/pilots?=1").parameter("", "unknown_parameter"));
    let nul = get("/v1/pilots?%00=1").parameter("\u{0}", "unknown_parameter");
    inputs.push(nul.parameter("\u{0}", "control_character"));
    inputs.push(get("/v1/pilots?Limit=1").parameter("Limit", "unknown_parameter"));
    inputs.push(get("/v1/pilots?limit%20=1").parameter("limit ", "unknown_parameter"));
    inputs.push(get("/v1/pilots?a/b~c=1").parameter("a/b~c", "unknown_parameter"));
    inputs.push(get("/v1/pilots?lang=..%2f..%2fetc").parameter("lang", "bad_format"));
    inputs.push(get("/v1/pilots?lang=*").parameter("lang", "bad_format"));
    inputs
}

/// Ids of partners stand in the path, and are checked as in a body.
fn external_ids() -> Vec<Input> {
    let upsert = |at: &str| {
        let body = json!({"title": "A", "origin_city": "KRPUS", "category": "waste"}).to_string();
        let request = send("PUT", format!("/v1/pilots/by-external-id/{at}")).body(body);
        request.header("content-type: application/json")
    };
    vec![
        upsert("..%2f../x").fault("/external_ids/0/source", "bad_format"),
        upsert("a%20b/x").fault("/external_ids/0/source", "bad_format"),
        upsert("a'b/x").fault("/external_ids/0/source", "bad_format"),
        upsert(&format!("{}/x", "a".repeat(101))).fault("/external_ids/0/source", "too_long"),
        upsert(&format!("a/{}", "x".repeat(201))).fault("/external_ids/0/value", "too_long"),
        upsert("a/x%20y").fault("/external_ids/0/value", "bad_format"),
        upsert("a/x%00").is(404, "not_found"),
        upsert("a/%ff").is(404, "not_found"),
        upsert("a/").is(404, "not_found"),
        upsert("a/b/c").is(404, "not_found"),
    ]
}

pub fn inputs() -> Vec<Input> {
    [in_bodies(), normalised(), in_paths(), in_queries(), external_ids()].into_iter().flatten().collect()
}

#[tokio::test]
async fn text_that_hides_or_breaks_something_is_refused_and_changes_nothing() {
    check(&World::start().await, inputs()).await;
}

#[tokio::test]
async fn text_that_means_something_elsewhere_is_kept_as_it_is_and_means_nothing() {
    let world = World::start().await;
    let busan = world.app.busan().await;
    for text in
        ["'; DROP TABLE pilot; --", "<script>alert(1)</script>", "{{7*7}}", "${jndi:ldap://a}", "%s%n", "../../a"]
    {
        let pilot = new_pilot(&busan, json!({"title": text, "description": text})).await;
        assert_eq!((&pilot["title"], &pilot["description"]), (&json!(text), &json!(text)));
        let page = world.app.anonymous().get(&path("pilots", &pilot).replace("/v1", "")).await;
        assert_eq!(page.status, 200);
        assert!(!page.text.contains("<script>alert"), "{}", page.text);
    }
}
