//! Merge patch, creating and deleting (api.md, conventions 4 and 5).

use serde_json::{Value, json};

use crate::support::{App, founding, new_hosting, new_pilot, path};

#[tokio::test]
async fn an_absent_member_stays_and_null_clears() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = new_pilot(&busan, json!({"trl": 4, "summary": "Lamps", "tags": ["a", "b"], "website": null})).await;
    let changed = busan.patch(&path("pilots", &pilot), json!({"trl": null, "tags": ["c"]})).await.ok();
    let mut expected = pilot.clone();
    for (member, value) in [("trl", Value::Null), ("tags", json!(["c"])), ("version", json!(2))] {
        expected[member] = value;
    }
    expected["updated_at"] = changed["updated_at"].clone();
    assert_eq!(changed, expected);
    assert_eq!(busan.get(&path("pilots", &pilot)).await.ok(), expected);
}

#[tokio::test]
async fn a_patch_merges_objects_within_a_member() {
    let app = App::start().await;
    let busan = app.busan().await;
    let translations = json!({"ko": {"title": "가로등", "summary": "요약"}, "es": {"title": "Farolas"}});
    let pilot = path("pilots", &new_pilot(&busan, json!({"summary": "Lamps", "translations": translations})).await);
    let patch = json!({"translations": {"ko": {"summary": null}, "es": null, "ca": {"title": "Fanals"}}});
    let changed = busan.patch(&pilot, patch).await.ok();
    assert_eq!(changed["translations"], json!({"ko": {"title": "가로등"}, "ca": {"title": "Fanals"}}));
}

#[tokio::test]
async fn a_required_member_cannot_be_cleared() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = path("pilots", &new_pilot(&busan, json!({})).await);
    let answer = busan.patch(&pilot, json!({"title": null, "origin_city": null, "category": null})).await;
    answer.faults(&[("/title", "required"), ("/origin_city", "required"), ("/category", "required")]);
    assert_eq!(busan.get(&pilot).await.ok()["version"], 1);
}

#[tokio::test]
async fn a_patch_that_changes_nothing_keeps_the_version() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = new_pilot(&busan, json!({"trl": 4, "tags": ["a"]})).await;
    let at = path("pilots", &pilot);
    for patch in
        [json!({}), json!({"trl": 4}), json!({"summary": null}), json!({"tags": ["a"], "title": pilot["title"]})]
    {
        assert_eq!(busan.patch(&at, patch).await.ok(), pilot);
    }
}

#[tokio::test]
async fn a_new_record_is_201_with_its_place_and_etag_and_reads_back_the_same() {
    let app = App::start().await;
    let admin = app.admin().await;
    let pilot = json!(founding::STREETLIGHTS);
    let outcome = format!("/v1/outcomes/{}/observations", founding::SERVICES_UNDER_TEST);
    let cases = [
        (
            "/v1/cities",
            json!({"name": "Lyon", "country": "FR", "code": "FRLYO", "latitude": 45.76, "longitude": 4.84, "timezone": "Europe/Paris"}),
        ),
        ("/v1/organisations", json!({"name": "Lamp makers"})),
        ("/v1/programmes", json!({"name": "Lamps of the world"})),
        ("/v1/documents", json!({"title": "Plan"})),
        ("/v1/vocabularies/areas/terms", json!({"code": "lamps", "label": "Lamps"})),
        ("/v1/pilots", json!({"title": "Lamps", "origin_city": "KRPUS", "category": "waste"})),
        ("/v1/hostings", json!({"pilot_id": pilot, "host_city": "ESBCN"})),
        (
            "/v1/outcomes",
            json!({"indicator": {"vocabulary": "own", "code": "SL-01"}, "subject": {"type": "pilot", "id": pilot}, "level": "output"}),
        ),
        (outcome.as_str(), json!({"starts_on": "2026", "ends_on": "2026", "value": "1"})),
        ("/v1/accounts", json!({"client_id": "lamp-maker", "name": "Lamps", "role": "reader"})),
    ];
    for (collection, body) in cases {
        let answer = admin.post(collection, body).await;
        let (place, etag) = (answer.header("location").unwrap_or_default().to_owned(), answer.etag());
        let mut record = answer.created();
        assert!(place.starts_with("/v1/"), "{collection} has no Location");
        record.as_object_mut().unwrap().shift_remove("client_secret");
        let read = admin.get(&place).await;
        if collection != "/v1/accounts" {
            assert_eq!(read.etag(), etag, "{collection}");
        }
        assert_eq!(read.ok(), record, "{collection}");
        assert_eq!(record["version"], 1, "{collection}");
    }
}

#[tokio::test]
async fn a_deleted_record_answers_204_and_is_gone_from_lists() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = new_pilot(&busan, json!({"tags": ["short-lived"]})).await;
    let answer = busan.delete(&path("pilots", &pilot)).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    assert!(busan.all("/v1/pilots?tags=short-lived").await.is_empty());
}

#[tokio::test]
async fn what_others_refer_to_is_not_deleted_and_they_are_counted() {
    let app = App::start().await;
    let (busan, admin) = (app.busan().await, app.admin().await);
    let pilot = new_pilot(&busan, json!({"citations": [{"document_id": founding::DOCUMENT}]})).await;
    new_hosting(&busan, &pilot, json!({})).await;
    new_hosting(&busan, &pilot, json!({"host_city": "KRSEL"})).await;
    let problem = busan.delete(&path("pilots", &pilot)).await.problem(409, "referenced");
    assert_eq!(problem["references"], json!({"hostings": 2}));
    assert_eq!(busan.get(&path("pilots", &pilot)).await.status, 200);
    let problem = admin.delete(&format!("/v1/documents/{}", founding::DOCUMENT)).await.problem(409, "referenced");
    assert!(problem["references"].as_object().unwrap().values().all(|count| count.as_i64() > Some(0)));
    let problem = admin.delete("/v1/cities/KRPUS").await.problem(409, "referenced");
    assert!(problem["references"]["pilots"].as_i64() >= Some(6), "{problem}");
}

#[tokio::test]
async fn a_duplicate_names_the_record_that_is_there_already() {
    let app = App::start().await;
    let admin = app.admin().await;
    let cases = [
        (
            "/v1/cities",
            json!({"name": "Busan", "country": "KR", "code": "KRPUS", "latitude": 1, "longitude": 1, "timezone": "Asia/Seoul"}),
            founding::BUSAN,
        ),
        ("/v1/organisations", json!({"name": "BUSAN city hall", "city": "KRPUS"}), founding::BUSAN_CITY_HALL),
        ("/v1/programmes", json!({"name": "World Cities"}), "015aca1d-6407-7000-8000-000000000007"),
        (
            "/v1/pilots",
            json!({"title": "Smart streetlights", "origin_city": "KRPUS", "category": "waste"}),
            founding::STREETLIGHTS,
        ),
        (
            "/v1/hostings",
            json!({"pilot_id": founding::STREETLIGHTS, "host_city": "KRPUS"}),
            founding::STREETLIGHTS_AT_HOME,
        ),
        (
            "/v1/outcomes",
            json!({"indicator": {"vocabulary": "own", "code": "EX-SVC"}, "subject": {"type": "city", "id": "KRPUS"}, "level": "output"}),
            founding::SERVICES_UNDER_TEST,
        ),
    ];
    for (collection, body, existing) in cases {
        let problem = admin.post(collection, body).await.problem(409, "duplicate");
        assert_eq!(problem["existing_id"], existing, "{collection}");
    }
    let external = json!([{"source": "busan-open-data", "value": "SL-1"}]);
    let first = new_pilot(&admin, json!({"external_ids": external})).await;
    let body = json!({"title": "Second", "origin_city": "KRPUS", "category": "waste", "external_ids": external});
    assert_eq!(admin.post("/v1/pilots", body).await.problem(409, "duplicate")["existing_id"], first["id"]);
    let second = new_pilot(&admin, json!({"slug": "second"})).await;
    let problem = admin.patch(&path("pilots", &second), json!({"slug": "smart-streetlights"})).await;
    assert_eq!(problem.problem(409, "duplicate")["existing_id"], founding::STREETLIGHTS);
}

#[tokio::test]
async fn a_duplicate_is_not_named_to_those_who_may_not_see_it() {
    let app = App::start().await;
    let (admin, busan, barcelona) = (app.admin().await, app.busan().await, app.barcelona().await);
    // Barcelona's source, on a pilot that an administrator entered for Busan.
    new_pilot(&barcelona, json!({"origin_city": "ESBCN", "external_ids": [{"source": "bcn", "value": "P-1"}]})).await;
    let external = json!([{"source": "bcn", "value": "P-7"}]);
    let hidden = new_pilot(&admin, json!({"visibility": "private", "external_ids": external})).await;
    let body = json!({"title": "Mine", "origin_city": "ESBCN", "category": "waste", "external_ids": external});
    let problem = barcelona.post("/v1/pilots", body.clone()).await.problem(409, "duplicate");
    assert!(!problem.to_string().contains(hidden["id"].as_str().unwrap()), "{problem}");
    assert_eq!(admin.post("/v1/pilots", body.clone()).await.problem(409, "duplicate")["existing_id"], hidden["id"]);
    // The source is Barcelona's namespace.
    let mut body = body;
    body["origin_city"] = json!("KRPUS");
    busan.post("/v1/pilots", body).await.problem(403, "forbidden");
}
