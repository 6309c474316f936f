//! ETag, If-Match, If-None-Match (api.md, conventions 3 and 9).

use reqwest::Response;
use serde_json::json;

use crate::support::{Actor, App, founding, new_pilot, path};

/// The answer as it came, maybe compressed.
async fn compressed(actor: &Actor, path: &str, if_none_match: Option<&str>) -> Response {
    let mut request = actor.request("GET", path).header("accept-encoding", "gzip");
    if let Some(etag) = if_none_match {
        request = request.header("if-none-match", etag);
    }
    request.send().await.unwrap()
}

fn etag(response: &Response) -> String {
    response.headers()["etag"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_etag_holds_the_version_and_a_hash_of_the_representation() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = path("pilots", &new_pilot(&busan, json!({})).await);
    let first = busan.get(&pilot).await.etag();
    let hash = first.strip_prefix("\"v1.").and_then(|rest| rest.strip_suffix('"')).unwrap();
    assert!(hash.len() >= 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{first}");
    let answer = busan.patch(&pilot, json!({"trl": 3})).await;
    let second = answer.etag();
    assert_eq!(answer.ok()["version"], 2);
    assert!(second.starts_with("\"v2."), "{second}");
    assert_eq!(busan.get(&pilot).await.etag(), second);
    assert!(!second.ends_with(&format!("{hash}\"")));
}

#[tokio::test]
async fn a_change_needs_the_version_that_is_there() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = path("pilots", &new_pilot(&busan, json!({})).await);
    busan.patch(&pilot, json!({"trl": 2})).await.ok();
    let current = busan.get(&pilot).await.etag();
    let refused = [
        (None, 428, "precondition_required"),
        (Some("\"v1.0123456789abcdef\""), 412, "stale_version"),
        (Some("\"v3.0123456789abcdef\""), 412, "stale_version"),
        (Some("\"another\""), 412, "stale_version"),
        (Some("W/\"v2.0123456789abcdef\""), 412, "stale_version"),
        (Some("v2"), 400, "bad_header"),
    ];
    for method in ["PATCH", "DELETE"] {
        for (if_match, status, code) in refused {
            let mut request = busan.request(method, &pilot);
            if method == "PATCH" {
                request = request.header("content-type", "application/merge-patch+json").body("{\"trl\": 9}");
            }
            if let Some(value) = if_match {
                request = request.header("if-match", value);
            }
            let answer = busan.send(request).await;
            if status == 412 {
                assert_eq!(answer.etag(), current, "{method} {if_match:?}");
            }
            answer.problem(status, code);
        }
    }
    assert_eq!(busan.get(&pilot).await.ok()["trl"], 2);
}

#[tokio::test]
async fn if_match_compares_the_version_and_takes_lists_and_the_asterisk() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = path("pilots", &new_pilot(&busan, json!({})).await);
    let accepted = ["\"v1.ffffffffffffffff\"", "\"v2\"", "\"v9.a\", \"v3.b\"", "*"];
    for (version, if_match) in (2..).zip(accepted) {
        let changed = busan.patch_at(&pilot, json!({"trl": version}), if_match).await.ok();
        assert_eq!(changed["version"], version, "{if_match}");
    }
    assert_eq!(busan.send(busan.request("DELETE", &pilot).header("if-match", "*")).await.status, 204);
}

#[tokio::test]
async fn what_the_client_has_is_304_on_records_and_lists() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = path("pilots", &new_pilot(&busan, json!({"tags": ["conditional"]})).await);
    for read in [pilot.as_str(), "/v1/pilots?tags=conditional", "/v1"] {
        let etag = busan.get(read).await.etag();
        assert!(!etag.is_empty(), "{read} has no ETag");
        for value in [etag.clone(), format!("W/{etag}"), format!("\"other\", {etag}"), "*".to_owned()] {
            let answer = busan.send(busan.request("GET", read).header("if-none-match", &value)).await;
            assert_eq!((answer.status, answer.text.as_str()), (304, ""), "{read} {value}");
            assert_eq!(answer.etag(), etag);
        }
    }
    let (record, list) = (busan.get(&pilot).await.etag(), busan.get("/v1/pilots?tags=conditional").await.etag());
    busan.patch(&pilot, json!({"trl": 3})).await.ok();
    for (read, etag) in [(pilot.as_str(), record), ("/v1/pilots?tags=conditional", list)] {
        busan.send(busan.request("GET", read).header("if-none-match", etag)).await.ok();
    }
}

#[tokio::test]
async fn an_account_has_conditional_reads_too() {
    let app = App::start().await;
    let admin = app.admin().await;
    let id = admin.get("/v1/me").await.ok()["id"].as_str().unwrap().to_owned();
    for read in ["/v1/me".to_owned(), format!("/v1/accounts/{id}"), "/v1/accounts".to_owned()] {
        let etag = admin.get(&read).await.etag();
        let answer = admin.send(admin.request("GET", &read).header("if-none-match", etag)).await;
        assert_eq!(answer.status, 304, "{read}");
    }
}

#[tokio::test]
async fn a_compressed_answer_has_its_own_etag_that_is_understood_back() {
    let app = App::start().await;
    let busan = app.busan().await;
    let record = path("pilots", &new_pilot(&busan, json!({"description": "lamp ".repeat(400)})).await);
    for read in [record.as_str(), "/v1/pilots"] {
        let response = compressed(&busan, read, None).await;
        assert_eq!(response.headers()["content-encoding"], "gzip");
        let vary = response.headers().get_all("vary").iter().map(|value| value.to_str().unwrap().to_lowercase());
        assert!(vary.collect::<String>().contains("accept-encoding"), "{read}");
        let gzip = etag(&response);
        assert_ne!(gzip, busan.get(read).await.etag());
        assert_eq!(compressed(&busan, read, Some(&gzip)).await.status(), 304);
    }
    let gzip = etag(&compressed(&busan, &record, None).await);
    assert_eq!(busan.patch_at(&record, json!({"trl": 4}), &gzip).await.ok()["version"], 2);
    busan.patch_at(&record, json!({"trl": 5}), &gzip).await.problem(412, "stale_version");
}

#[tokio::test]
async fn head_answers_like_get_without_the_body() {
    let app = App::start().await;
    let anyone = app.anonymous();
    let record = format!("/v1/pilots/{}", founding::STREETLIGHTS);
    for read in [record.as_str(), "/v1/pilots?limit=2", "/v1/pilots/none", "/v1/pilots?limit=0"] {
        let (get, head) = (anyone.get(read).await, anyone.send(anyone.request("HEAD", read)).await);
        assert_eq!(head.status, get.status, "{read}");
        assert_eq!(head.text, "");
        for name in ["etag", "link", "content-type", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{read} {name}");
        }
    }
}

#[tokio::test]
async fn of_64_clients_that_change_one_version_one_wins_and_the_others_hear_of_it() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = path("pilots", &new_pilot(&busan, json!({})).await);
    for round in 0..3 {
        let etag = busan.get(&pilot).await.etag();
        let clients = (0..64).map(|client| {
            let (busan, pilot, etag) = (busan.clone(), pilot.clone(), etag.clone());
            tokio::spawn(async move {
                busan.patch_at(&pilot, json!({"summary": format!("{round} {client}")}), &etag).await.status
            })
        });
        let statuses = futures_util::future::join_all(clients).await;
        let statuses: Vec<u16> = statuses.into_iter().map(Result::unwrap).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 412).count(), 63, "{statuses:?}");
        assert_eq!(busan.get(&pilot).await.ok()["version"], round + 2);
    }
}
