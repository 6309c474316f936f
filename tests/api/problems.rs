//! Every error is a problem that says what would be right (api.md, convention 2).

use pilot_exchange::http::Code;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::{Actor, Answer, App, founding, new_hosting, new_pilot, path};

fn json_body(actor: &Actor, method: &str, path: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
    actor.request(method, path).header("content-type", "application/json").body(body)
}

/// The members that every problem has.
fn assert_complete(answer: &Answer, path: &str, code: &str) {
    let problem = &answer.json;
    assert_eq!(problem["type"], format!("http://registry.test/problems/{code}"), "{}", answer.text);
    assert_eq!(problem["code"], code);
    assert_eq!(problem["status"], answer.status);
    assert_eq!(problem["instance"], path);
    assert_eq!(problem["request_id"].as_str(), answer.header("x-request-id"));
    for member in ["title", "detail"] {
        assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "no {member}: {}", answer.text);
    }
}

#[tokio::test]
async fn an_unknown_path_and_an_unknown_record_are_404() {
    let app = App::start().await;
    let gone = "/v1/pilots/015aca1d-0000-7000-8000-000000000000";
    for path in ["/v1/nothing", "/nothing", "/v1/pilots/", gone, "/v1/pilots/no-id", "/v1/vocabularies/none/terms"] {
        let answer = app.anonymous().get(path).await;
        assert_complete(&answer, path, "not_found");
        answer.problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_wrong_method_is_405_and_allow_lists_the_right_ones() {
    let app = App::start().await;
    let transitions = format!("/v1/hostings/{}/transitions", founding::STREETLIGHTS_AT_HOME);
    let cases = [
        ("PUT", "/v1/pilots", "GET, HEAD, OPTIONS, POST"),
        ("DELETE", "/v1/me", "GET, HEAD, OPTIONS"),
        ("GET", "/oauth/token", "OPTIONS, POST"),
        ("DELETE", &transitions, "GET, HEAD, OPTIONS, POST"),
        ("POST", "/problems/gone", "GET, HEAD"),
    ];
    let admin = app.admin().await;
    for (method, path, allow) in cases {
        let answer = admin.send(admin.request(method, path)).await;
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
        assert_complete(&answer, path, "method_not_allowed");
        answer.problem(405, "method_not_allowed");
    }
}

#[tokio::test]
async fn what_is_not_json_is_400() {
    let app = App::start().await;
    let busan = app.busan().await;
    let bodies: &[&[u8]] = &[
        b"",
        b"{",
        b"{\"title\": \"a\",}",
        b"{} {}",
        b"{\"title\": NaN}",
        b"{\"title\": \"\xff\"}",
        b"{\"title\": \"\\ud800\"}",
        b"{\"title\": \"a\", \"title\": \"b\"}",
        b"{\"translations\": {\"ko\": {\"title\": \"a\", \"title\": \"b\"}}}",
    ];
    for body in bodies {
        let answer = busan.send(json_body(&busan, "POST", "/v1/pilots", body.to_vec())).await;
        assert_complete(&answer, "/v1/pilots", "malformed_json");
        answer.problem(400, "malformed_json");
    }
}

#[tokio::test]
async fn a_body_that_is_no_object_is_422() {
    let app = App::start().await;
    let busan = app.busan().await;
    for body in [json!([]), json!("text"), json!(1), json!([{"title": "a"}])] {
        busan.post("/v1/pilots", body).await.faults(&[("", "wrong_type")]);
    }
    let pilot = new_pilot(&busan, json!({})).await;
    busan.patch(&path("pilots", &pilot), json!([])).await.faults(&[("", "wrong_type")]);
}

#[tokio::test]
async fn unknown_and_read_only_members_are_refused() {
    let app = App::start().await;
    let (busan, barcelona) = (app.busan().await, app.barcelona().await);
    let body = json!({
        "title": "Lamps", "origin_city": "KRPUS", "category": "waste", "id": founding::CCTV, "version": 1,
        "created_at": "2026-01-01T00:00:00Z", "colour": "red",
        "providers": [{"organisation_id": founding::BUSAN_CITY_HALL, "colour": "red"}],
    });
    let expected = [
        ("/id", "read_only"),
        ("/version", "read_only"),
        ("/created_at", "read_only"),
        ("/colour", "unknown_member"),
        ("/providers/0/colour", "unknown_member"),
    ];
    busan.post("/v1/pilots", body).await.faults(&expected);
    let pilot = new_pilot(&busan, json!({})).await;
    let answer = busan.patch(&path("pilots", &pilot), json!({"version": 9, "colour": "red"})).await;
    answer.faults(&[("/version", "read_only"), ("/colour", "unknown_member")]);
    let hosting = new_hosting(&busan, &pilot, json!({})).await;
    for (member, value) in [("status", "agreed"), ("host_city", "KRPUS"), ("pilot_id", founding::CCTV)] {
        let answer = barcelona.patch(&path("hostings", &hosting), json!({member: value})).await;
        answer.faults(&[(&format!("/{member}"), "read_only")]);
    }
}

#[tokio::test]
async fn all_that_is_wrong_with_a_body_is_told_at_once() {
    let app = App::start().await;
    let busan = app.busan().await;
    busan.post("/v1/pilots", json!({})).await.faults(&[
        ("/title", "required"),
        ("/origin_city", "required"),
        ("/category", "required"),
    ]);
    let body = json!({
        "title": 5, "origin_city": "XXXXX", "category": "nothing", "areas": ["smart_cities", "nowhere"], "trl": 12,
        "colour": "red", "tags": ["a;b"], "website": "ftp://example.org", "visibility": "secret", "slug": "Not A Slug",
        "providers": [{"organisation_id": "015aca1d-0000-7000-8000-000000000000"}],
    });
    busan.post("/v1/pilots", body).await.faults(&[
        ("/title", "wrong_type"),
        ("/origin_city", "unknown_city"),
        ("/category", "unknown_term"),
        ("/areas/1", "unknown_term"),
        ("/trl", "out_of_range"),
        ("/colour", "unknown_member"),
        ("/tags/0", "bad_format"),
        ("/website", "bad_format"),
        ("/visibility", "not_in_list"),
        ("/slug", "bad_format"),
        ("/providers/0/organisation_id", "unknown_record"),
    ]);
}

#[tokio::test]
async fn a_bad_query_parameter_is_400_and_named() {
    let app = App::start().await;
    let one = format!("/v1/pilots/{}?colour=red", founding::CCTV);
    let cases = [
        ("/v1/pilots?colour=red", "colour", "unknown_parameter"),
        ("/v1/pilots?format=csv", "format", "unknown_parameter"),
        (&one, "colour", "unknown_parameter"),
        ("/v1/pilots?status=sleeping", "status", "not_in_list"),
        ("/v1/pilots?sort=colour", "sort", "not_in_list"),
        ("/v1/pilots?count=all", "count", "not_in_list"),
        ("/v1/pilots?limit=ten", "limit", "wrong_type"),
        ("/v1/pilots?limit=1.5", "limit", "wrong_type"),
        ("/v1/pilots?limit=0", "limit", "out_of_range"),
        ("/v1/pilots?limit=501", "limit", "out_of_range"),
        ("/v1/pilots?limit=-1", "limit", "out_of_range"),
        ("/v1/pilots?limit=1&limit=1", "limit", "given_twice"),
        ("/v1/pilots?trl_from=10", "trl_from", "out_of_range"),
        ("/v1/pilots?processes_personal_data=maybe", "processes_personal_data", "wrong_type"),
        ("/v1/pilots?origin_city=XXXXX", "origin_city", "unknown_city"),
        ("/v1/pilots?category=nothing", "category", "unknown_term"),
        ("/v1/pilots?updated_since=yesterday", "updated_since", "bad_format"),
        ("/v1/pilots?updated_since=2026-02-30T00:00:00Z", "updated_since", "bad_format"),
        ("/v1/hostings?pilot_id=1", "pilot_id", "bad_format"),
        ("/v1/observations?ends_on_from=2026-13", "ends_on_from", "bad_format"),
    ];
    for (path, parameter, code) in cases {
        let answer = app.anonymous().get(path).await;
        let problem = answer.problem(400, "bad_parameter");
        assert_eq!(problem["errors"][0]["parameter"], parameter, "{path}: {problem}");
        assert_eq!(problem["errors"][0]["code"], code, "{path}: {problem}");
    }
}

#[tokio::test]
async fn all_bad_parameters_are_named_at_once_and_before_a_write_has_an_effect() {
    let app = App::start().await;
    let problem = app.anonymous().get("/v1/pilots?limit=0&colour=red&statu=idea").await.problem(400, "bad_parameter");
    let mut named: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|fault| fault["parameter"].as_str().unwrap()).collect();
    named.sort_unstable();
    assert_eq!(named, ["colour", "limit", "statu"]);
    let busan = app.busan().await;
    let body = json!({"title": "Not to be", "origin_city": "KRPUS", "category": "waste"});
    busan.post("/v1/pilots?dry_run=true", body).await.problem(400, "bad_parameter");
    assert_eq!(app.anonymous().all("/v1/pilots?slug=not-to-be").await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_accept_that_cannot_be_served_is_406() {
    let app = App::start().await;
    let anyone = app.anonymous();
    for accept in ["text/csv", "application/xml, text/html", "*/*;q=0", "application/json;q=0"] {
        let answer = anyone.send(anyone.request("GET", "/v1/pilots").header("accept", accept)).await;
        assert_complete(&answer, "/v1/pilots", "not_acceptable");
        answer.problem(406, "not_acceptable");
    }
    for accept in ["*/*", "application/json", "application/*", "text/html, application/json;q=0.5"] {
        anyone.send(anyone.request("GET", "/v1/pilots").header("accept", accept)).await.ok();
    }
}

#[tokio::test]
async fn a_body_beyond_one_mebibyte_is_413() {
    let app = App::start().await;
    let busan = app.busan().await;
    let body = json!({"title": "x".repeat(1024 * 1024)}).to_string();
    let answer = busan.send(json_body(&busan, "POST", "/v1/pilots", body)).await;
    assert_complete(&answer, "/v1/pilots", "too_large");
    answer.problem(413, "too_large");
}

#[tokio::test]
async fn another_media_type_is_415_and_accept_patch_says_which() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = path("pilots", &new_pilot(&busan, json!({})).await);
    let cases = [
        ("POST", "/v1/pilots", "text/plain"),
        ("POST", "/v1/pilots", "application/vnd.api+json"),
        ("POST", "/v1/pilots", "application/x-www-form-urlencoded"),
        ("PATCH", &pilot, "application/json"),
        ("PATCH", &pilot, "application/json-patch+json"),
    ];
    for (method, path, media) in cases {
        let request = busan.request(method, path).header("if-match", "*").header("content-type", media).body("{}");
        let answer = busan.send(request).await;
        assert_eq!(answer.header("accept-patch"), Some("application/merge-patch+json"), "{method} {media}");
        assert_complete(&answer, path, "unsupported_media_type");
        answer.problem(415, "unsupported_media_type");
    }
    let request = busan.request("POST", "/v1/documents").header("content-type", "application/json; charset=utf-8");
    busan.send(request.body(json!({"title": "Plan", "city": "KRPUS"}).to_string())).await.created();
}

#[tokio::test]
async fn a_deleted_record_is_410_to_those_who_could_see_it() {
    let app = App::start().await;
    let (busan, barcelona) = (app.busan().await, app.barcelona().await);
    let public = path("pilots", &new_pilot(&busan, json!({})).await);
    let private = path("pilots", &new_pilot(&busan, json!({"visibility": "private"})).await);
    for path in [&public, &private] {
        assert_eq!(busan.delete(path).await.status, 204);
        busan.get(path).await.problem(410, "gone");
        busan.patch_at(path, json!({"trl": 3}), "*").await.problem(410, "gone");
    }
    let answer = app.anonymous().get(&public).await;
    assert_complete(&answer, &public, "gone");
    barcelona.get(&public).await.problem(410, "gone");
    barcelona.get(&private).await.problem(404, "not_found");
    app.anonymous().get(&private).await.problem(404, "not_found");
}

#[tokio::test]
async fn every_kind_of_problem_is_explained_at_its_address() {
    let app = App::start().await;
    for code in Code::ALL {
        let answer = app.anonymous().get(&format!("/problems/{}", code.label())).await;
        assert_eq!(answer.status, 200, "{}", code.label());
        for part in [code.title(), &code.status().to_string(), code.label()] {
            let text = answer.text.replace("&#39;", "'");
            assert!(text.contains(part), "{} does not say {part}", code.label());
        }
    }
    app.anonymous().get("/problems/none").await.problem(404, "not_found");
}
