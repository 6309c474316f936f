//! Duplicates become one record: nothing that referred to one of them is lost, and who asks for the other is led on.

use serde_json::json;

use crate::support::{App, new_hosting, new_outcome, new_pilot, path, unique};

#[tokio::test]
async fn what_referred_to_a_merged_organisation_refers_to_the_one_that_is_left() {
    let app = App::start().await;
    let busan = app.busan().await;
    let organisation = async |name: &str| {
        let external = json!([{"source": "busan", "value": name}]);
        let body = json!({"name": format!("{name} {}", unique()), "city": "KRPUS", "external_ids": external});
        busan.post("/v1/organisations", body).await.created()
    };
    let (duplicate, left) = (organisation("a").await, organisation("b").await);
    let provider = |one: &serde_json::Value| json!({"organisation_id": one["id"], "role": "operator"});
    let of_one = new_pilot(&busan, json!({"providers": [provider(&duplicate)]})).await;
    let of_both = new_pilot(&busan, json!({"providers": [provider(&duplicate), provider(&left)]})).await;
    let hosting = new_hosting(&busan, &of_one, json!({"lead_organisation_id": duplicate["id"]})).await;

    let into = json!({"into_id": left["id"]});
    let merged = busan.post(&format!("{}/merge", path("organisations", &duplicate)), into).await.ok();
    assert_eq!(merged["id"], left["id"]);
    assert_eq!(merged["external_ids"].as_array().unwrap().len(), 2);
    for pilot in [&of_one, &of_both] {
        let now = busan.get(&path("pilots", pilot)).await.ok();
        assert_eq!((&now["providers"], &now["version"]), (&json!([provider(&left)]), &json!(2)));
    }
    let now = busan.get(&path("hostings", &hosting)).await.ok();
    assert_eq!((&now["lead_organisation_id"], &now["version"]), (&left["id"], &json!(2)));

    let answer = app.anonymous().get(&path("organisations", &duplicate)).await;
    assert_eq!((answer.status, answer.header("location")), (308, Some(path("organisations", &left).as_str())));
    busan.patch_at(&path("organisations", &duplicate), json!({"kind": "agency"}), "*").await.problem(410, "gone");
    let known =
        busan.put("/v1/organisations/by-external-id/busan/a", json!({"name": "Lamps", "city": "KRPUS"})).await.ok();
    assert_eq!(known["id"], left["id"]);
}

#[tokio::test]
async fn what_there_may_be_once_only_stops_a_merge() {
    let app = App::start().await;
    let (busan, seoul) = (app.busan().await, app.seoul().await);
    let (one, other) = (new_pilot(&busan, json!({})).await, new_pilot(&busan, json!({})).await);
    let merge = format!("{}/merge", path("pilots", &one));
    let into = |pilot: &serde_json::Value| json!({"into_id": pilot["id"]});
    busan.post(&merge, into(&one)).await.faults(&[("/into_id", "itself")]);
    busan
        .post(&merge, json!({"into_id": "015aca1d-0000-7000-8000-000000000000"}))
        .await
        .faults(&[("/into_id", "unknown_record")]);
    seoul.post(&merge, into(&other)).await.problem(403, "forbidden");
    let foreign = new_pilot(&seoul, json!({"origin_city": "KRSEL"})).await;
    busan.post(&merge, into(&foreign)).await.problem(403, "forbidden");
    app.admin().await.post(&merge, into(&foreign)).await.faults(&[("/into_id", "other_city")]);
    new_hosting(&busan, &one, json!({})).await;
    new_hosting(&busan, &other, json!({})).await;
    busan.post(&merge, into(&other)).await.problem(409, "duplicate");
    assert_eq!(busan.get(&path("pilots", &one)).await.status, 200);
}

#[tokio::test]
async fn a_merged_pilot_takes_its_hostings_and_outcomes_along() {
    let app = App::start().await;
    let busan = app.busan().await;
    let (one, other) = (new_pilot(&busan, json!({})).await, new_pilot(&busan, json!({})).await);
    let hosting = new_hosting(&busan, &one, json!({})).await;
    let outcome = new_outcome(&busan, "pilot", &one["id"], json!({})).await;
    let merge = format!("{}/merge", path("pilots", &one));
    busan.post(&merge, json!({"into_id": other["id"]})).await.ok();
    assert_eq!(busan.get(&path("hostings", &hosting)).await.ok()["pilot_id"], other["id"]);
    assert_eq!(busan.get(&path("outcomes", &outcome)).await.ok()["subject"]["id"], other["id"]);
    assert_eq!(busan.get(&path("pilots", &one)).await.status, 308);
}

#[tokio::test]
async fn a_merged_organisation_keeps_the_roles_that_it_had() {
    let app = App::start().await;
    let busan = app.busan().await;
    let organisation =
        async || busan.post("/v1/organisations", json!({"name": unique(), "city": "KRPUS"})).await.created();
    let (duplicate, left) = (organisation().await, organisation().await);
    let part = |one: &serde_json::Value, role: &str| json!({"city": null, "organisation_id": one["id"], "role": role, "headcount": null});
    let told = |one: &serde_json::Value, role: &str| json!({"organisation_id": one["id"], "role": role});
    let body = json!({"kind": "workshop", "title": "Lamps", "city": "KRPUS",
        "participants": [told(&duplicate, "host"), told(&left, "guest"), told(&duplicate, "guest")]});
    let activity = busan.post("/v1/activities", body).await.created();
    let into = json!({"into_id": left["id"]});
    busan.post(&format!("{}/merge", path("organisations", &duplicate)), into).await.ok();
    let now = busan.get(&path("activities", &activity)).await.ok();
    assert_eq!(now["participants"], json!([part(&left, "host"), part(&left, "guest")]));
    assert_eq!(now["version"], 2);
}
