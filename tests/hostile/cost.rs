//! Questions that would cost much, cursors that were made up, and patterns that are none here.

use super::table::{Input, World, check, get};
use crate::support::founding;

fn limits() -> Vec<Input> {
    let mut inputs = vec![];
    for path in ["/v1/pilots", "/v1/search", "/v1/changes", "/v1/observations", "/v1/hostings", "/v1/webhooks"] {
        inputs.push(get(format!("{path}?limit=501")).parameter("limit", "out_of_range"));
    }
    inputs.push(get("/v1/changes?wait=31").parameter("wait", "out_of_range"));
    inputs.push(get("/v1/changes?wait=-1").parameter("wait", "out_of_range"));
    inputs.push(get("/v1/changes?wait=1e9").parameter("wait", "wrong_type"));
    inputs.push(
        get(format!("/v1/matches?pilot_id={}&limit=501", founding::STREETLIGHTS)).parameter("limit", "out_of_range"),
    );
    inputs
}

/// `<cursor>` continues `/v1/pilots?limit=1`.
fn cursors() -> Vec<Input> {
    let mut inputs = vec![];
    for cursor in [
        "<forged>",
        "<cut>",
        "<cursor>AAAA",
        "<cursor>%3D%3D",
        "",
        "null",
        "0",
        "-1",
        "%7B%22id%22:1%7D",
        "AAAA",
        "<cursor>,<cursor>",
        "<export>",
    ] {
        inputs.push(get(format!("/v1/pilots?cursor={cursor}")).is(400, "invalid_cursor"));
    }
    for other in ["status=idea", "sort=title", "origin_city=ESBCN", "q=lights", "updated_since=2026-01-01T00:00:00Z"] {
        inputs.push(get(format!("/v1/pilots?cursor=<cursor>&{other}")).is(400, "invalid_cursor"));
    }
    for list in ["/v1/needs", "/v1/hostings", "/v1/changes", "/v1/search", "/v1/cities"] {
        inputs.push(get(format!("{list}?cursor=<cursor>")).is(400, "invalid_cursor"));
    }
    inputs.push(get(format!("/v1/pilots?cursor={}", "x".repeat(4001))).parameter("cursor", "too_long"));
    inputs.push(get("/v1/pilots?cursor=<cursor>&cursor=<cursor>").parameter("cursor", "given_twice"));
    inputs.push(get("/v1/pilots?cursor=<cursor>&limit=501").parameter("limit", "out_of_range"));
    inputs.push(get("/v1/pilots?cursor=%00").parameter("cursor", "control_character"));
    inputs
}

/// Filters in numbers that nobody needs, and in forms that mean something elsewhere.
fn filters() -> Vec<Input> {
    let repeated = |filter: &str, times: usize| vec![filter; times].join("&");
    let listed = |code: &str, times: usize| vec![code; times].join(",");
    let mut inputs = vec![
        get(format!("/v1/pilots?{}", repeated("status=idea", 1500))).parameter("status", "too_many"),
        get(format!("/v1/pilots?status={}", listed("idea", 2000))).parameter("status", "too_many"),
        get(format!("/v1/pilots?{}", repeated("tags=a", 101))).parameter("tags", "too_many"),
        get(format!("/v1/pilots?origin_city={}", listed("KRPUS", 2000))).parameter("origin_city", "too_many"),
        get(format!("/v1/hostings?pilot_id={}", listed(founding::STREETLIGHTS, 101))).parameter("pilot_id", "too_many"),
        get(format!("/v1/search?facets={}", listed("type", 101))).parameter("facets", "too_many"),
        get("/v1/hostings?expand=pilot,pilot").parameter("expand", "not_unique"),
        get("/v1/hostings?expand=pilot.origin_city").parameter("expand", "not_in_list"),
        get("/v1/hostings?expand=accounts").parameter("expand", "not_in_list"),
        get(format!("/v1/pilots?sort={}", listed("title", 100))).parameter("sort", "not_in_list"),
        get("/v1/pilots?sort=title,title").parameter("sort", "not_in_list"),
        get("/v1/pilots?sort=title;drop%20table%20pilot").parameter("sort", "not_in_list"),
        get("/v1/pilots?sort=(select%201)").parameter("sort", "not_in_list"),
        get("/v1/pilots?sort=contact_email").parameter("sort", "not_in_list"),
        get("/v1/pilots?status=idea'%20or%201=1--").parameter("status", "not_in_list"),
        get("/v1/search?types=accounts").parameter("types", "not_in_list"),
        get("/v1/hostings?pilot_id=1").parameter("pilot_id", "bad_format"),
        get("/v1/organisations?contact_email=a").parameter("contact_email", "unknown_parameter"),
    ];
    for name in
        ["q[$ne]", "filter[title]", "where", "status[]", "fields", "include", "offset", "page", "order_by", "callback"]
    {
        inputs.push(get(format!("/v1/pilots?{name}=1")).parameter(name, "unknown_parameter"));
    }
    inputs
}

/// Words that are patterns, operators or programs elsewhere find what they are: nothing.
fn searches() -> Vec<Input> {
    let mut inputs = vec![
        get(format!("/v1/pilots?q={}", "a".repeat(301))).parameter("q", "too_long"),
        get(format!("/v1/search?q={}", "a".repeat(301))).parameter("q", "too_long"),
        get("/v1/pilots?q=").parameter("q", "too_short"),
        get(format!("/v1/pilots?q={}", "%20a".repeat(301))).parameter("q", "too_long"),
    ];
    for word in [
        "%25",
        "%25%25%25",
        "_",
        "%5c",
        ".*",
        "%5e",
        "-",
        "%20",
        "%22unclosed",
        "((((((((((",
        "%27%3bdrop%20table%20pilot%3b--",
        "%f0%9f%98%80",
        "zzzzz:*",
        "!zzzzz",
        "zzzzz%26%7c",
    ] {
        inputs.push(get(format!("/v1/pilots?q={word}")).finds(0));
    }
    for filter in ["slug=%25", "slug=.*", "tags=%25", "tags=_", "tags=%5b%5d", "tags=%7b%7d"] {
        inputs.push(get(format!("/v1/pilots?{filter}")).finds(0));
    }
    inputs
}

pub fn inputs() -> Vec<Input> {
    [limits(), cursors(), filters(), searches()].into_iter().flatten().collect()
}

#[tokio::test]
async fn questions_that_would_cost_much_are_refused_and_patterns_are_words() {
    let mut world = World::start().await;
    let page = world.app.anonymous().get("/v1/pilots?limit=1").await.ok();
    let export = world.app.anonymous().get("/v1/exports/pilots.ndjson").await;
    let cursor = page["next"].as_str().unwrap().to_owned();
    let forged = if cursor.starts_with("eyJw") { cursor.replacen("eyJw", "eyJx", 1) } else { format!("x{cursor}") };
    world.name("forged", forged);
    world.name("cut", &cursor[..cursor.len() - 1]);
    world.name("export", export.header("x-change-cursor").unwrap());
    world.name("cursor", cursor);
    check(&world, inputs()).await;
}
