//! The directory: cities, organisations, programmes, documents, vocabularies.

use serde_json::{Value, json};

use crate::support::life::CITY_OF_BARCELONA;
use crate::support::{Actor, App, founding, merge, new_pilot, path, unique};

fn city(change: Value) -> Value {
    let mut body = json!({
        "name": "Gijang", "country": "KR", "latitude": 35.24, "longitude": 129.22, "timezone": "Asia/Seoul"
    });
    merge(&mut body, change);
    body
}

#[tokio::test]
async fn a_city_without_a_code_is_named_by_its_id_everywhere() {
    let app = App::start().await;
    let (admin, anyone) = (app.admin().await, app.anonymous());
    let gijang = admin.post("/v1/cities", city(json!({}))).await.created();
    let id = gijang["id"].as_str().unwrap();
    assert_eq!(gijang["code"], Value::Null);
    let pilot = new_pilot(&admin, json!({"origin_city": id})).await;
    assert_eq!(pilot["origin_city"], id);
    assert_eq!(anyone.all(&format!("/v1/pilots?origin_city={id}")).await, [pilot]);
    let body = json!({"name": unique(), "city": id});
    assert_eq!(admin.post("/v1/organisations", body).await.created()["city"], id);
    // Once it has a code it is named by that, and still found by its id.
    admin.patch(&path("cities", &gijang), json!({"code": "KRGJG"})).await.ok();
    let named = anyone.all(&format!("/v1/pilots?origin_city={id}")).await;
    assert_eq!(named[0]["origin_city"], "KRGJG");
    assert_eq!(anyone.get("/v1/cities/KRGJG").await.ok()["id"], id);
    // Another one without a code is no duplicate.
    admin.post("/v1/cities", city(json!({"name": "Yeongdo"}))).await.created();
}

#[tokio::test]
async fn a_city_has_a_place_a_country_and_a_time_zone_that_exist() {
    let app = App::start().await;
    let admin = app.admin().await;
    let cases = [
        (json!({"code": "ESGJG"}), "/code", "other_country"),
        (json!({"code": "KRG1G"}), "/code", "bad_format"),
        (json!({"code": "krgjg"}), "/code", "bad_format"),
        (json!({"country": "XX"}), "/country", "unknown_country"),
        (json!({"timezone": "Asia/Gijang"}), "/timezone", "unknown_timezone"),
        (json!({"latitude": 90.1}), "/latitude", "out_of_range"),
        (json!({"longitude": -180.5}), "/longitude", "out_of_range"),
        (json!({"population": -1}), "/population", "out_of_range"),
        (json!({"website": "ftp://gijang.go.kr"}), "/website", "bad_format"),
    ];
    for (change, pointer, code) in cases {
        admin.post("/v1/cities", city(change)).await.faults(&[(pointer, code)]);
    }
    let busan = city(json!({"code": "KRPUS"}));
    assert_eq!(admin.post("/v1/cities", busan).await.problem(409, "duplicate")["existing_id"], founding::BUSAN);
    let problem = admin.patch("/v1/cities/KRSEL", json!({"code": "KRPUS"})).await.problem(409, "duplicate");
    assert_eq!(problem["existing_id"], founding::BUSAN);
}

#[tokio::test]
async fn editors_change_website_and_population_of_their_city_only() {
    let app = App::start().await;
    let (busan, barcelona) = (app.busan().await, app.barcelona().await);
    let change = json!({"population": 3_300_000, "website": "https://www.busan.go.kr"});
    assert_eq!(busan.patch("/v1/cities/KRPUS", change.clone()).await.ok()["population"], 3_300_000);
    barcelona.patch("/v1/cities/KRPUS", change).await.problem(403, "forbidden");
    for refused in [json!({"name": "Pusan"}), json!({"population": 1, "timezone": "Asia/Tokyo"}), json!({"code": null})]
    {
        busan.patch("/v1/cities/KRPUS", refused).await.problem(403, "forbidden");
    }
    busan.post("/v1/cities", city(json!({}))).await.problem(403, "forbidden");
    busan.delete("/v1/cities/KRPUS").await.problem(403, "forbidden");
    let problem = app.admin().await.delete("/v1/cities/KRPUS").await.problem(409, "referenced");
    assert_eq!(problem["references"]["pilots"], 5);
}

#[tokio::test]
async fn an_organisations_name_is_unique_in_its_city_whatever_its_case() {
    let app = App::start().await;
    let admin = app.admin().await;
    for city in [json!("KRPUS"), json!("ESBCN"), Value::Null] {
        let body = |name: &str| {
            let mut body = json!({"name": name});
            if !city.is_null() {
                body["city"] = city.clone();
            }
            body
        };
        let first = admin.post("/v1/organisations", body("Port Authority É")).await.created();
        for same in ["Port Authority É", "PORT AUTHORITY É", "port authority é", "Port Authority E\u{301}"] {
            let problem = admin.post("/v1/organisations", body(same)).await.problem(409, "duplicate");
            assert_eq!(problem["existing_id"], first["id"], "{same} in {city}");
        }
        let other = admin.post("/v1/organisations", body("Another")).await.created();
        let renamed = admin.patch(&path("organisations", &other), json!({"name": "port authority É"})).await;
        assert_eq!(renamed.problem(409, "duplicate")["existing_id"], first["id"]);
        let recased = admin.patch(&path("organisations", &first), json!({"name": "PORT Authority É"})).await.ok();
        assert_eq!(recased["name"], "PORT Authority É");
    }
}

#[tokio::test]
async fn editors_write_the_organisations_of_their_own_cities() {
    let app = App::start().await;
    let busan = app.busan().await;
    let body = |city: &str| json!({"name": unique(), "city": city, "kind": "ngo"});
    busan.post("/v1/organisations", body("ESBCN")).await.problem(403, "forbidden");
    let own = path("organisations", &busan.post("/v1/organisations", body("KRPUS")).await.created());
    busan.post("/v1/organisations", json!({"name": unique()})).await.created();
    busan
        .patch(&format!("/v1/organisations/{CITY_OF_BARCELONA}"), json!({"kind": "ngo"}))
        .await
        .problem(403, "forbidden");
    // It cannot be pushed into the list of another city.
    busan.patch(&own, json!({"city": "ESBCN"})).await.problem(403, "forbidden");
    let lead = json!({"providers": [{"organisation_id": own.rsplit('/').next().unwrap(), "role": "operator"}]});
    let pilot = new_pilot(&busan, lead).await;
    let problem = busan.delete(&own).await.problem(409, "referenced");
    assert_eq!(problem["references"], json!({"pilots": 1}));
    assert_eq!(busan.delete(&path("pilots", &pilot)).await.status, 204);
    assert_eq!(busan.delete(&own).await.status, 204);
}

#[tokio::test]
async fn programmes_are_the_administrators_and_have_a_name_of_their_own() {
    let app = App::start().await;
    let (admin, busan) = (app.admin().await, app.busan().await);
    let body = json!({"name": "Second Round", "starts_on": "2027-05", "ends_on": "2027"});
    busan.post("/v1/programmes", body.clone()).await.problem(403, "forbidden");
    let made = admin.post("/v1/programmes", body).await.created();
    let same = admin.post("/v1/programmes", json!({"name": "SECOND round"})).await;
    assert_eq!(same.problem(409, "duplicate")["existing_id"], made["id"]);
    let other = admin.post("/v1/programmes", json!({"name": "Third Round"})).await.created();
    let renamed = admin.patch(&path("programmes", &other), json!({"name": "second round"})).await;
    assert_eq!(renamed.problem(409, "duplicate")["existing_id"], made["id"]);
    let item = path("programmes", &made);
    admin.patch(&item, json!({"ends_on": "2027-04"})).await.faults(&[("/ends_on", "before_start")]);
    busan.patch(&item, json!({"funder": "us"})).await.problem(403, "forbidden");
    assert_eq!(admin.delete(&item).await.status, 204);
    admin.get(&item).await.problem(410, "gone");
}

#[tokio::test]
async fn a_document_is_its_citys_or_the_registrys() {
    let app = App::start().await;
    let (admin, busan) = (app.admin().await, app.busan().await);
    let own = busan.post("/v1/documents", json!({"title": "Plan", "published_on": "2026-05"})).await.created();
    assert_eq!([&own["city"], &own["published_on"]], ["KRPUS", "2026-05"]);
    let registrys = admin.post("/v1/documents", json!({"title": "Rules"})).await.created();
    assert_eq!(registrys["city"], Value::Null);
    busan.post("/v1/documents", json!({"title": "Plan", "city": "ESBCN"})).await.problem(403, "forbidden");
    busan.post("/v1/documents", json!({"title": "Plan", "city": null})).await.problem(403, "forbidden");
    for change in [json!({"city": "ESBCN"}), json!({"city": null})] {
        busan.patch(&path("documents", &own), change).await.problem(403, "forbidden");
    }
    busan.patch(&path("documents", &registrys), json!({"title": "Ours"})).await.problem(403, "forbidden");
    let wrong = json!({"title": "Plan", "sha256": "abc"});
    busan.post("/v1/documents", wrong).await.faults(&[("/sha256", "bad_format")]);
}

#[tokio::test]
async fn citations_keep_their_order_and_hold_their_document() {
    let app = App::start().await;
    let busan = app.busan().await;
    let document = busan.post("/v1/documents", json!({"title": "Report"})).await.created();
    let citations = json!([
        {"document_id": document["id"], "locator": "p. 2", "quote": "ㄱ".repeat(300)},
        {"document_id": founding::DOCUMENT, "locator": "Introduction", "quote": null},
        {"document_id": document["id"], "locator": null, "quote": "First."}
    ]);
    let pilot = new_pilot(&busan, json!({"citations": citations})).await;
    assert_eq!(pilot["citations"], citations);
    let problem = busan.delete(&path("documents", &document)).await.problem(409, "referenced");
    assert!(problem["references"].as_object().is_some_and(|counts| !counts.is_empty()), "{problem}");
    let item = path("pilots", &pilot);
    let long = json!({"citations": [{"document_id": document["id"], "quote": "a".repeat(301)}]});
    busan.patch(&item, long).await.faults(&[("/citations/0/quote", "too_long")]);
    let nothing = json!({"citations": [{"document_id": founding::BUSAN}]});
    busan.patch(&item, nothing).await.faults(&[("/citations/0/document_id", "unknown_record")]);
    busan.patch(&item, json!({"citations": []})).await.ok();
    assert_eq!(busan.delete(&path("documents", &document)).await.status, 204);
}

async fn add_term(admin: &Actor, scheme: &str, code: &str, change: Value) -> crate::support::Answer {
    let mut body = json!({"code": code, "label": code});
    merge(&mut body, change);
    admin.post(&format!("/v1/vocabularies/{scheme}/terms"), body).await
}

#[tokio::test]
async fn terms_are_kept_per_scheme_by_administrators() {
    let app = App::start().await;
    let (admin, busan) = (app.admin().await, app.busan().await);
    add_term(&busan, "areas", "noise", json!({})).await.problem(403, "forbidden");
    let noise = add_term(&admin, "areas", "noise", json!({})).await.created();
    let same = add_term(&admin, "areas", "noise", json!({})).await.problem(409, "duplicate");
    assert_eq!(same["existing_id"], noise["id"]);
    add_term(&admin, "categories", "noise", json!({})).await.created();
    add_term(&admin, "colours", "noise", json!({})).await.problem(404, "not_found");
    let item = "/v1/vocabularies/areas/terms/noise";
    assert_eq!(busan.get(item).await.ok(), noise);
    busan.patch(item, json!({"label": "Noise"})).await.problem(403, "forbidden");
    admin.patch(item, json!({"code": "sound"})).await.faults(&[("/code", "read_only")]);
    admin.patch(item, json!({"tracks_people": true})).await.faults(&[("/tracks_people", "not_for_this_scheme")]);
    admin.send(admin.request("DELETE", item)).await.problem(405, "method_not_allowed");
    // A code of another scheme is no term here.
    let pilot = json!({"title": "Noise", "origin_city": "KRPUS", "category": "smart_cities", "areas": ["parking"]});
    let faults = [("/category", "unknown_term"), ("/areas/0", "unknown_term")];
    busan.post("/v1/pilots", pilot).await.faults(&faults);
}

#[tokio::test]
async fn a_broader_term_is_of_the_same_scheme_and_never_leads_back() {
    let app = App::start().await;
    let admin = app.admin().await;
    add_term(&admin, "areas", "a", json!({})).await.created();
    add_term(&admin, "areas", "b", json!({"broader": "a"})).await.created();
    add_term(&admin, "areas", "c", json!({"broader": "b"})).await.created();
    add_term(&admin, "areas", "d", json!({"broader": "parking"})).await.faults(&[("/broader", "unknown_term")]);
    for (code, broader) in [("a", "a"), ("a", "b"), ("a", "c"), ("b", "c")] {
        let item = format!("/v1/vocabularies/areas/terms/{code}");
        let problem = admin.patch(&item, json!({"broader": broader})).await.problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/broader", "{code} under {broader}");
    }
    let narrower = app.anonymous().all("/v1/vocabularies/areas/terms?broader=a").await;
    assert_eq!(narrower.len(), 1);
    admin.patch("/v1/vocabularies/areas/terms/c", json!({"broader": "a"})).await.ok();
}

#[tokio::test]
async fn a_retired_term_is_refused_for_new_uses_and_kept_on_old_ones() {
    let app = App::start().await;
    let (admin, busan) = (app.admin().await, app.busan().await);
    let areas = json!({"category": "parking", "areas": ["public_transport", "smart_cities"]});
    let pilot = path("pilots", &new_pilot(&busan, areas).await);
    for term in ["categories/terms/parking", "areas/terms/public_transport"] {
        admin.patch(&format!("/v1/vocabularies/{term}"), json!({"retired_on": "2026-01-01"})).await.ok();
    }
    let new = json!({"title": "P", "origin_city": "KRPUS", "category": "parking", "areas": ["public_transport"]});
    let faults = [("/category", "retired_term"), ("/areas/0", "retired_term")];
    busan.post("/v1/pilots", new).await.faults(&faults);
    let other = path("pilots", &new_pilot(&busan, json!({})).await);
    busan.patch(&other, json!({"category": "parking"})).await.faults(&[("/category", "retired_term")]);

    let kept = busan.patch(&pilot, json!({"title": "Old use", "category": "parking"})).await.ok();
    assert_eq!([&kept["category"], &kept["areas"]], [&json!("parking"), &json!(["public_transport", "smart_cities"])]);
    admin.patch("/v1/vocabularies/categories/terms/parking", json!({"retired_on": null})).await.ok();
    busan.patch(&other, json!({"category": "parking"})).await.ok();
}

#[tokio::test]
async fn a_retired_term_stays_on_a_record_when_it_moves_in_its_list() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = path("pilots", &new_pilot(&busan, json!({"areas": ["public_transport", "smart_cities"]})).await);
    let term = "/v1/vocabularies/areas/terms/public_transport";
    app.admin().await.patch(term, json!({"retired_on": "2026-01-01"})).await.ok();
    let more = json!({"areas": ["clean_energy", "public_transport", "smart_cities"]});
    assert_eq!(busan.patch(&pilot, more.clone()).await.ok()["areas"], more["areas"]);
}

#[tokio::test]
async fn old_uses_of_a_retired_term_are_found_by_it() {
    let app = App::start().await;
    let (busan, admin, anyone) = (app.busan().await, app.admin().await, app.anonymous());
    let pilot = new_pilot(&busan, json!({"category": "parking", "areas": ["public_transport"]})).await;
    for term in ["categories/terms/parking", "areas/terms/public_transport"] {
        admin.patch(&format!("/v1/vocabularies/{term}"), json!({"retired_on": "2026-01-01"})).await.ok();
    }
    assert_eq!(anyone.all("/v1/vocabularies/areas/terms?retired=true").await.len(), 1);
    assert_eq!(anyone.all("/v1/pilots?category=parking").await, std::slice::from_ref(&pilot));
    assert!(anyone.all("/v1/pilots?areas=public_transport").await.contains(&pilot));
}
