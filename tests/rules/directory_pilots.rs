//! Pilots, and what every record has: external ids, languages.

use serde_json::{Value, json};

use crate::support::{App, founding, merge, new_outcome, new_pilot, path};

fn pilot(title: &str, change: Value) -> Value {
    let mut body = json!({"title": title, "origin_city": "KRPUS", "category": "parking"});
    merge(&mut body, change);
    body
}

#[tokio::test]
async fn a_slug_is_made_from_the_title_in_any_script() {
    let app = App::start().await;
    let busan = app.busan().await;
    for (title, slug) in [
        ("Smart Parking!", Some("smart-parking")),
        ("  Ça & là – 2.0 ", Some("ca-la-2-0")),
        ("스마트 주차장", None),
        ("智慧停车", None),
        (&"long ".repeat(59), None),
    ] {
        let made = busan.post("/v1/pilots", pilot(title, json!({}))).await.created();
        let found = made["slug"].as_str().unwrap();
        let well_formed = found.split('-').all(|word| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        });
        assert!(well_formed && found.len() <= 80, "{title}: {found}");
        if let Some(slug) = slug {
            assert_eq!(found, slug);
        }
    }
    busan.post("/v1/pilots", pilot("!!!", json!({}))).await.faults(&[("/slug", "required")]);
    let wrong = pilot("Fine", json!({"slug": "Not Fine"}));
    busan.post("/v1/pilots", wrong).await.faults(&[("/slug", "bad_format")]);
}

#[tokio::test]
async fn a_slug_is_unique_per_city_of_origin_and_stays_when_the_title_changes() {
    let app = App::start().await;
    let (busan, seoul) = (app.busan().await, app.seoul().await);
    let first = busan.post("/v1/pilots", pilot("Quiet Roads", json!({}))).await.created();
    for again in [pilot("Quiet roads", json!({})), pilot("Other", json!({"slug": "quiet-roads"}))] {
        let problem = busan.post("/v1/pilots", again).await.problem(409, "duplicate");
        assert_eq!(problem["existing_id"], first["id"]);
    }
    let elsewhere = pilot("Quiet Roads", json!({"origin_city": "KRSEL"}));
    assert_eq!(seoul.post("/v1/pilots", elsewhere).await.created()["slug"], "quiet-roads");
    let item = path("pilots", &first);
    assert_eq!(busan.patch(&item, json!({"title": "Silent Roads"})).await.ok()["slug"], "quiet-roads");
    assert_eq!(busan.patch(&item, json!({"slug": null})).await.ok()["slug"], "silent-roads");
    let other = new_pilot(&busan, json!({})).await;
    let problem = busan.patch(&path("pilots", &other), json!({"slug": "silent-roads"})).await.problem(409, "duplicate");
    assert_eq!(problem["existing_id"], first["id"]);
}

#[tokio::test]
async fn a_pilot_is_written_by_its_city_of_origin() {
    let app = App::start().await;
    let (busan, barcelona) = (app.busan().await, app.barcelona().await);
    let made = busan.post("/v1/pilots", pilot("Ours", json!({}))).await.created();
    assert_eq!([&made["status"], &made["visibility"], &made["language"]], ["idea", "public", "en"]);
    assert_eq!(made["processes_personal_data"], Value::Null);
    let item = path("pilots", &made);
    barcelona.post("/v1/pilots", pilot("Theirs", json!({}))).await.problem(403, "forbidden");
    barcelona.patch(&item, json!({"title": "Mine"})).await.problem(403, "forbidden");
    barcelona.delete(&item).await.problem(403, "forbidden");
    busan.patch(&item, json!({"origin_city": "ESBCN"})).await.problem(403, "forbidden");
    assert_eq!(app.actor("test-busan-2").await.patch(&item, json!({"trl": 9})).await.ok()["trl"], 9);
    assert_eq!(busan.get(&item).await.ok()["version"], 2);
}

#[tokio::test]
async fn the_origin_of_a_pilot_that_is_hosted_stays() {
    let app = App::start().await;
    let admin = app.admin().await;
    let hosted = format!("/v1/pilots/{}", founding::STREETLIGHTS);
    let before = admin.get(&hosted).await.ok();
    let refused = admin.patch(&hosted, json!({"origin_city": "KRSEL"})).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert_eq!(admin.get(&hosted).await.ok(), before);
    let free = admin.post("/v1/pilots", pilot("Free", json!({}))).await.created();
    assert_eq!(admin.patch(&path("pilots", &free), json!({"origin_city": "KRSEL"})).await.ok()["origin_city"], "KRSEL");
}

#[tokio::test]
async fn a_pilots_members_have_bounds() {
    let app = App::start().await;
    let busan = app.busan().await;
    let provider = json!({"organisation_id": founding::BUSAN_CITY_HALL});
    let cases = [
        (json!({"trl": 0}), "/trl", "out_of_range"),
        (json!({"trl": 10}), "/trl", "out_of_range"),
        (json!({"trl": "7"}), "/trl", "wrong_type"),
        (json!({"status": "running"}), "/status", "not_in_list"),
        (json!({"tags": ["a;b"]}), "/tags/0", "bad_format"),
        (json!({"providers": [provider, provider]}), "/providers", "not_unique"),
        (
            json!({"providers": [{"organisation_id": founding::BUSAN}]}),
            "/providers/0/organisation_id",
            "unknown_record",
        ),
        (json!({"origin_city": "KRXXX"}), "/origin_city", "unknown_city"),
        (json!({"category": "teleportation"}), "/category", "unknown_term"),
        (json!({"title": "  "}), "/title", "bad_format"),
        (json!({"visibility": "secret"}), "/visibility", "not_in_list"),
        (json!({"id": founding::CCTV}), "/id", "read_only"),
        (json!({"colour": "red"}), "/colour", "unknown_member"),
        (json!({"translations": {"ko": {"colour": "빨강"}}}), "/translations/ko/colour", "unknown_member"),
    ];
    for (change, pointer, code) in cases {
        busan.post("/v1/pilots", pilot("Bounds", change)).await.faults(&[(pointer, code)]);
    }
    let several = pilot("Bounds", json!({"trl": 0, "status": "running", "category": "x"}));
    let faults = [("/trl", "out_of_range"), ("/status", "not_in_list"), ("/category", "unknown_term")];
    busan.post("/v1/pilots", several).await.faults(&faults);
}

#[tokio::test]
async fn only_a_pilot_that_nothing_refers_to_is_deleted() {
    let app = App::start().await;
    let busan = app.busan().await;
    let problem = busan.delete(&format!("/v1/pilots/{}", founding::CCTV)).await.problem(409, "referenced");
    assert_eq!(problem["references"], json!({"hostings": 1, "initiatives": 1}));
    let made = new_pilot(&busan, json!({"areas": ["clean_energy"]})).await;
    let outcome = new_outcome(&busan, "pilot", &made["id"], json!({})).await;
    let problem = busan.delete(&path("pilots", &made)).await.problem(409, "referenced");
    assert_eq!(problem["references"], json!({"outcomes": 1}));
    assert_eq!(busan.delete(&path("outcomes", &outcome)).await.status, 204);
    assert_eq!(busan.delete(&path("pilots", &made)).await.status, 204);
    app.anonymous().get(&path("pilots", &made)).await.problem(410, "gone");
}

#[tokio::test]
async fn an_external_id_names_one_record_of_a_kind() {
    let app = App::start().await;
    let busan = app.busan().await;
    let ids = json!([{"source": "busan-data", "value": "7"}, {"source": "busan-data", "value": "8"}]);
    let first = busan.post("/v1/pilots", pilot("First", json!({"external_ids": ids}))).await.created();
    assert_eq!(first["external_ids"], ids);
    let same = || json!({"external_ids": [{"source": "busan-data", "value": "8"}]});
    let problem = busan.post("/v1/pilots", pilot("Second", same())).await.problem(409, "duplicate");
    assert_eq!(problem["existing_id"], first["id"]);
    let second = path("pilots", &busan.post("/v1/pilots", pilot("Second", json!({}))).await.created());
    let problem = busan.patch(&second, same()).await.problem(409, "duplicate");
    assert_eq!(problem["existing_id"], first["id"]);
    // Of another kind, or once it is given up, it is free.
    let document = json!({"title": "Eight", "external_ids": [{"source": "busan-data", "value": "8"}]});
    busan.post("/v1/documents", document).await.created();
    busan.patch(&path("pilots", &first), json!({"external_ids": []})).await.ok();
    busan.patch(&second, same()).await.ok();
    // The same key twice in one body is refused, and nothing of it stays.
    let twice = json!({"external_ids": [{"source": "s", "value": "1"}, {"source": "s", "value": "1"}]});
    let answer = busan.post("/v1/pilots", pilot("Third", twice)).await;
    assert!(matches!(answer.status, 409 | 422), "{}", answer.text);
    assert_eq!(busan.all("/v1/pilots?slug=third").await, Vec::<Value>::new());
}
