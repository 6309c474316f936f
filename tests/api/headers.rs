//! Headers and rate limits (api.md, conventions 17 and 18).

use serde_json::json;

use crate::support::{App, Options, founding, new_pilot, path};

#[tokio::test]
async fn a_safe_request_id_comes_back_and_another_is_replaced() {
    let app = App::start().await;
    let anyone = app.anonymous();
    for (path, status) in [("/v1/pilots", 200), ("/v1/none", 404), ("/livez", 200), ("/", 200)] {
        let request = |id: &str| anyone.request("GET", path).header("x-request-id", id);
        let answer = anyone.send(request("partner-7_a.B")).await;
        assert_eq!((answer.status, answer.header("x-request-id")), (status, Some("partner-7_a.B")), "{path}");
        for unsafe_id in ["a b", "<script>", "a\"b", &"x".repeat(65), ""] {
            let made = anyone.send(request(unsafe_id)).await;
            let made = made.header("x-request-id").unwrap();
            assert!(made != unsafe_id && made.len() == 36, "{path}: {unsafe_id} became {made}");
        }
    }
    let made = [anyone.get("/v1").await, anyone.get("/v1").await]
        .map(|answer| answer.header("x-request-id").unwrap().to_owned());
    assert_ne!(made[0], made[1]);
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let app = App::start().await;
    let busan = app.busan().await;
    let missing = "/v1/pilots/none".to_owned();
    let one = format!("/v1/pilots/{}", founding::CCTV);
    for path in ["/v1/pilots", &one, &missing, "/v1/none", "/", "/docs/", "/openapi.json", "/problems/gone", "/livez"] {
        let answer = busan.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        let policy = answer.header("content-security-policy").unwrap_or_else(|| panic!("{path} has no CSP"));
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("'unsafe-eval'") && !policy.contains("http"), "{path}: {policy}");
        assert!(!policy.contains("script-src 'self' 'unsafe-inline'"), "{path}: {policy}");
        assert!(answer.header("referrer-policy").is_some(), "{path}");
    }
}

#[tokio::test]
async fn only_what_anybody_may_see_may_be_kept_by_shared_caches() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = path("pilots", &new_pilot(&busan, json!({})).await);
    for read in [pilot.as_str(), "/v1/pilots", "/v1"] {
        let control = |answer: crate::support::Answer| answer.header("cache-control").unwrap_or_default().to_owned();
        let anonymous = app.anonymous().get(read).await;
        let vary = anonymous.headers.get_all("vary").iter().map(|value| value.to_str().unwrap().to_lowercase());
        assert!(vary.collect::<String>().contains("authorization"), "{read}");
        assert!(control(anonymous).contains("public"), "{read}");
        let private = control(busan.get(read).await);
        assert!(private.contains("private") && !private.contains("public"), "{read}: {private}");
    }
    let answers = [busan.get("/v1/me").await, busan.patch(&pilot, json!({"trl": 2})).await];
    for answer in answers {
        assert!(!answer.header("cache-control").unwrap().contains("public"), "{}", answer.request);
    }
    let problem = app.anonymous().get("/v1/pilots/none").await;
    assert_eq!(problem.header("cache-control"), Some("no-store"));
}

/// Whether the page of `https://elsewhere.example` may read it: named itself, caches have to know.
fn assert_open(answer: &crate::support::Answer) {
    let allowed = answer.header("access-control-allow-origin");
    let vary = answer.headers.get_all("vary").iter().map(|value| value.to_str().unwrap().to_lowercase());
    let varies = vary.collect::<Vec<_>>().join(", ").contains("origin");
    assert!(allowed == Some("*") || (allowed == Some("https://elsewhere.example") && varies), "{allowed:?}");
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

#[tokio::test]
async fn any_page_may_read_what_is_public_but_never_with_credentials() {
    let app = App::start().await;
    let anyone = app.anonymous();
    let request = anyone.request("GET", "/v1/pilots?limit=1").header("origin", "https://elsewhere.example");
    let answer = anyone.send(request).await;
    assert_open(&answer);
    let exposed = answer.header("access-control-expose-headers").unwrap().to_lowercase();
    for name in
        ["etag", "location", "link", "ratelimit", "ratelimit-policy", "retry-after", "x-request-id", "x-as-of-position"]
    {
        assert!(exposed.split(',').any(|one| one.trim() == name), "{name} is not exposed: {exposed}");
    }
    let problem = anyone.send(anyone.request("GET", "/v1/none").header("origin", "https://elsewhere.example")).await;
    assert_open(&problem);
}

#[tokio::test]
async fn a_preflight_allows_reading_and_not_writing() {
    let app = App::start().await;
    let anyone = app.anonymous();
    for (method, allowed) in [("GET", true), ("POST", false), ("DELETE", false)] {
        let request = anyone.request("OPTIONS", "/v1/pilots").header("origin", "https://elsewhere.example");
        let response = request.header("access-control-request-method", method).send().await.unwrap();
        let methods = response.headers().get("access-control-allow-methods").map(|value| value.to_str().unwrap());
        let allows = response.status().is_success() && methods.unwrap_or_default().contains(method);
        assert_eq!(allows, allowed, "{method}: {} {methods:?}", response.status());
        assert!(response.headers().get("access-control-allow-credentials").is_none());
    }
}

#[tokio::test]
async fn reads_beyond_the_limit_are_429_and_each_account_has_its_own() {
    let app = App::start_with(Options { rate_reads: 1, rate_writes: 1, ..Options::default() }).await;
    let (anyone, busan) = (app.anonymous(), app.busan().await);
    let first = anyone.get("/v1").await;
    assert_eq!(first.header("ratelimit-policy"), Some("\"reads\";q=10;w=10"));
    assert_eq!(first.header("ratelimit"), Some("\"reads\";r=9"));
    let mut refused = None;
    for _ in 0..60 {
        let answer = anyone.get("/v1").await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("61 requests at 1 per second pass a burst of 10");
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    assert!(refused.header("ratelimit").unwrap().starts_with("\"reads\";r=0"), "{:?}", refused.headers);
    assert!(refused.header("ratelimit-policy").is_some());
    refused.problem(429, "too_many_requests");
    busan.get("/v1").await.ok();
    let health = anyone.get("/livez").await;
    assert_eq!(health.status, 200, "health is asked for more often than any limit");
}

#[tokio::test]
async fn writes_have_a_limit_apart_from_reads() {
    let app = App::start_with(Options { rate_reads: 0, rate_writes: 1, ..Options::default() }).await;
    let busan = app.busan().await;
    let body = json!({"title": "Plan", "city": "KRPUS"});
    let first = busan.post("/v1/documents", body.clone()).await;
    assert_eq!(first.header("ratelimit-policy"), Some("\"writes\";q=10;w=10"));
    let mut statuses = vec![];
    for _ in 0..60 {
        statuses.push(busan.post("/v1/documents", body.clone()).await.status);
    }
    assert!(statuses.contains(&429), "{statuses:?}");
    let made = 1 + statuses.iter().filter(|status| **status == 201).count();
    assert_eq!(busan.all("/v1/documents?city=KRPUS").await.len(), made);
    assert_eq!(busan.get("/v1/documents").await.header("ratelimit"), None);
}
