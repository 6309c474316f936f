//! Exports are the lists as a whole, from one snapshot, for those who may see them.

use aws_lc_rs::digest;
use serde_json::{Value, json};

use super::{collections, exported, filled, listed, records_of};
use crate::support::{App, founding, new_pilot, path};

#[tokio::test]
async fn ndjson_is_the_list_line_by_line_and_its_end_says_that_it_is_whole() {
    let app = filled().await;
    let admin = app.admin().await;
    assert_eq!(collections().count(), 18);
    for collection in collections() {
        let bytes = exported(&admin, &format!("{collection}.ndjson")).await;
        let (records, end) = records_of(&bytes);
        assert_eq!(records, listed(&admin, collection).await, "{collection}");
        assert!(!records.is_empty(), "{collection}");
        let before_end = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
        let hash = digest::digest(&digest::SHA256, &bytes[..before_end]);
        let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((&end["rows"], &end["sha256"]), (&json!(records.len()), &json!(hash)), "{collection}");
    }
}

#[tokio::test]
async fn everybody_exports_what_their_lists_show() {
    let app = filled().await;
    let busan = app.busan().await;
    new_pilot(&busan, json!({"visibility": "private", "title": "Not yet"})).await;
    new_pilot(&busan, json!({"visibility": "partners"})).await;
    busan
        .post("/v1/organisations", json!({"name": "Lamps", "city": "KRPUS", "contact_email": "a@example.org"}))
        .await
        .created();
    let callers = [app.anonymous(), app.reader().await, busan, app.seoul().await, app.verifier().await];
    let mut exports = vec![];
    for caller in &callers {
        for collection in collections().filter(|one| !["terms", "compliance", "evaluations"].contains(one)) {
            let (records, _) = records_of(&exported(caller, &format!("{collection}.ndjson")).await);
            assert_eq!(records, listed(caller, collection).await, "{collection}");
            exports.push(json!(records).to_string());
        }
    }
    let anonymous = exports[..15].concat();
    assert!(!anonymous.contains("a@example.org") && !anonymous.contains("Not yet"));
    assert!(exports[30..45].concat().contains("Not yet"));
    callers[0].get("/v1/exports/compliance.csv").await.problem(401, "unauthenticated");
    callers[1].get("/v1/exports/compliance.csv").await.problem(403, "forbidden");
    assert_eq!(records_of(&exported(&callers[3], "compliance.ndjson").await).0, Vec::<Value>::new());
}

#[tokio::test]
async fn filters_order_and_language_are_those_of_the_list() {
    let app = filled().await;
    let busan = app.busan().await;
    let title = json!({"title": "Lamps that listen", "translations": {"ko": {"title": "듣는 가로등"}}});
    new_pilot(&busan, title).await;
    for query in [
        "origin_city=KRPUS&sort=-updated_at",
        "sort=title,-updated_at",
        "q=lamps&lang=ko",
        "status=operational,in_test&trl_from=5",
        "near=35.1,129.03&radius_km=100",
        "updated_since=2026-01-01T00:00:00Z",
    ] {
        let (records, _) = records_of(&exported(&busan, &format!("pilots.ndjson?{query}")).await);
        assert_eq!(records, busan.all(&format!("/v1/pilots?{query}&limit=500")).await, "{query}");
    }
    let evaluations = format!("evaluations.ndjson?hosting_id={}", founding::STREETLIGHTS_AT_HOME);
    assert!(records_of(&exported(&busan, &evaluations).await).0.is_empty());
    let (terms, _) = records_of(&exported(&busan, "terms.ndjson?scheme=areas,units").await);
    assert!(terms.iter().all(|term| term["scheme"] == "areas" || term["scheme"] == "units") && terms.len() > 10);
    let csv = String::from_utf8(exported(&busan, "pilots.csv?q=lamps&lang=ko").await).unwrap();
    assert!(csv.lines().next().unwrap().ends_with(",served_language") && csv.contains("듣는 가로등"));
}

#[tokio::test]
async fn what_a_list_refuses_an_export_refuses_before_its_first_byte() {
    let app = App::start().await;
    let busan = app.busan().await;
    for query in [
        "statu=idea",
        "status=ideal",
        "limit=5",
        "cursor=x",
        "count=exact",
        "expand=pilot",
        "origin_city=XXXXX",
        "sort=colour",
        "near=1",
    ] {
        busan.get(&format!("/v1/exports/pilots.csv?{query}")).await.problem(400, "bad_parameter");
    }
    busan.get("/v1/exports/pilots.ndjson?raw=true").await.problem(400, "bad_parameter");
    busan.get("/v1/exports/pilots.ndjson?as_of=9999999").await.problem(400, "as_of_not_settled");
    for path in ["pilots.pdf", "pilots", "nothing.csv", "needs.geojson", "pilots.csv.csv"] {
        busan.get(&format!("/v1/exports/{path}")).await.problem(404, "not_found");
    }
    let request = busan.request("GET", "/v1/exports/pilots.ndjson").header("accept", "text/csv");
    busan.send(request).await.problem(406, "not_acceptable");
    busan.get("/v1/pilots?format=csv").await.problem(400, "bad_parameter");
}

#[tokio::test]
async fn an_export_names_its_snapshot_and_its_file() {
    let app = App::start().await;
    let (anonymous, busan) = (app.anonymous(), app.busan().await);
    let head = anonymous.send(anonymous.request("HEAD", "/v1/exports/pilots.ndjson")).await;
    let answer = anonymous.get("/v1/exports/pilots.ndjson").await;
    for answer in [&head, &answer] {
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
        assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"pilots.ndjson\""));
        assert!(answer.header("cache-control").unwrap().contains("public"));
        assert!(answer.header("vary").unwrap().contains("Authorization"));
        assert!(answer.header("x-as-of-position").unwrap().parse::<u64>().unwrap() > 0);
    }
    assert_eq!(head.text, "");
    let (_, end) = records_of(answer.text.as_bytes());
    assert_eq!(end["as_of"].as_str(), answer.header("x-as-of"));
    assert_eq!(end["change_cursor"].as_str(), answer.header("x-change-cursor"));
    assert!(busan.get("/v1/exports/pilots.ndjson").await.header("cache-control").unwrap().contains("private"));
}

#[tokio::test]
async fn whoever_loads_an_export_and_follows_from_its_cursor_has_everything() {
    let app = filled().await;
    let (busan, reader) = (app.busan().await, app.reader().await);
    let first = new_pilot(&busan, json!({})).await;
    let answer = reader.get("/v1/exports/pilots.ndjson").await;
    let cursor = answer.header("x-change-cursor").unwrap().to_owned();
    let (mut loaded, _) = records_of(answer.text.as_bytes());
    let second = new_pilot(&busan, json!({})).await;
    busan.patch(&path("pilots", &first), json!({"title": "Otherwise"})).await.ok();
    busan.delete(&path("pilots", &second)).await;
    new_pilot(&busan, json!({"visibility": "private"})).await;
    new_pilot(&busan, json!({"visibility": "partners"})).await;
    let mut next = cursor;
    loop {
        let page = reader.get(&format!("/v1/changes?cursor={next}&types=pilots&include=record")).await.ok();
        for change in page["items"].as_array().unwrap() {
            loaded.retain(|pilot| pilot["id"] != change["id"]);
            loaded.extend(Some(change["record"].clone()).filter(Value::is_object));
        }
        next = page["next"].as_str().unwrap().to_owned();
        if page["has_more"] == false {
            break;
        }
    }
    loaded.sort_by_key(|pilot| pilot["id"].as_str().unwrap().to_owned());
    assert_eq!(loaded, listed(&reader, "pilots").await);
}

#[tokio::test]
async fn what_has_not_changed_is_304() {
    let app = App::start().await;
    let (busan, reader) = (app.busan().await, app.reader().await);
    let export = "/v1/exports/pilots.csv?status=idea";
    let etag = busan.get(export).await.etag();
    let again = async |actor: &crate::support::Actor, path: &str| {
        actor.send(actor.request("GET", path).header("if-none-match", &etag)).await
    };
    let unchanged = again(&busan, export).await;
    assert_eq!((unchanged.status, unchanged.text.as_str(), unchanged.etag()), (304, "", etag.clone()));
    assert_eq!(again(&reader, export).await.status, 200);
    assert_eq!(again(&busan, "/v1/exports/pilots.csv?status=in_test").await.status, 200);
    assert_eq!(again(&busan, "/v1/exports/pilots.ndjson?status=idea").await.status, 200);
    new_pilot(&busan, json!({})).await;
    let changed = again(&busan, export).await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.etag(), etag);
}

#[tokio::test]
async fn a_past_export_comes_again_byte_for_byte_whatever_happened_since() {
    let app = filled().await;
    let (admin, busan) = (app.admin().await, app.busan().await);
    let pilot = new_pilot(&busan, json!({})).await;
    let mut before = vec![];
    for collection in collections() {
        before.push(exported(&admin, &format!("{collection}.csv")).await);
    }
    let position = admin.get("/v1/exports/pilots.csv").await.header("x-as-of-position").unwrap().to_owned();
    busan.patch(&path("pilots", &pilot), json!({"title": "Otherwise"})).await.ok();
    new_pilot(&busan, json!({})).await;
    busan.delete(&path("pilots", &pilot)).await;
    busan.patch("/v1/cities/KRPUS", json!({"population": 1})).await.ok();
    for (collection, before) in collections().zip(before) {
        let past = exported(&admin, &format!("{collection}.csv?as_of={position}")).await;
        let same = past == before;
        assert!(same, "{collection}\n{}\n{}", String::from_utf8_lossy(&before), String::from_utf8_lossy(&past));
    }
    let ndjson = format!("cities.ndjson?as_of={position}");
    assert_eq!(exported(&admin, &ndjson).await, exported(&admin, &ndjson).await);
    assert_ne!(exported(&admin, "cities.csv").await, exported(&admin, &format!("cities.csv?as_of={position}")).await);
}
