//! Records in another language, and with the records that they name.

use serde_json::{Value, json};

use crate::support::{App, founding, new_pilot, path};

#[tokio::test]
async fn texts_are_served_in_the_language_asked_for_and_what_was_served_is_told() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = json!({"title": "Streetlights that dim", "summary": "They dim.", "language": "en",
        "translations": {"ko": {"title": "밝기를 조절하는 가로등"}, "ca": {"title": "Enllumenat regulable", "summary": "Es regula."}}});
    let pilot = new_pilot(&busan, pilot).await;
    let at = path("pilots", &pilot);
    for (lang, served, title, summary) in [
        ("ko", "ko", "밝기를 조절하는 가로등", "They dim."),
        ("ko-KR", "ko", "밝기를 조절하는 가로등", "They dim."),
        ("ca", "ca", "Enllumenat regulable", "Es regula."),
        ("en", "en", "Streetlights that dim", "They dim."),
        ("fr", "en", "Streetlights that dim", "They dim."),
    ] {
        let answer = busan.get(&format!("{at}?lang={lang}")).await;
        assert_eq!(answer.header("content-language"), Some(served), "{lang}");
        assert_ne!(answer.etag(), busan.get(&at).await.etag());
        let shown = answer.ok();
        assert_eq!((&shown["title"], &shown["summary"]), (&json!(title), &json!(summary)), "{lang}");
        assert_eq!((&shown["language"], &shown["served_language"]), (&json!("en"), &json!(served)), "{lang}");
        assert_eq!(shown["translations"], pilot["translations"]);
    }
    assert!(busan.get(&at).await.ok().get("served_language").is_none());
    busan.get(&format!("{at}?lang=not_a_language")).await.problem(400, "bad_parameter");
    new_pilot(&busan, json!({"title": "In English only"})).await;
    let listed = busan.get("/v1/pilots?lang=ko&limit=500").await;
    assert_eq!(listed.header("content-language"), Some("en, ko"));
    let found = listed.ok()["items"].as_array().unwrap().iter().find(|one| one["id"] == pilot["id"]).cloned().unwrap();
    assert_eq!(found["title"], "밝기를 조절하는 가로등");
}

#[tokio::test]
async fn the_vocabularies_speak_korean_spanish_and_catalan() {
    let app = App::start().await;
    let anyone = app.anonymous();
    for scheme in ["areas", "categories", "applicability_reasons", "hosting_reasons", "replicability"] {
        for lang in ["ko", "es", "ca"] {
            for term in anyone.all(&format!("/v1/vocabularies/{scheme}/terms?lang={lang}&limit=100")).await {
                assert_eq!(term["served_language"], lang, "{scheme} {}", term["code"]);
                assert_eq!(term["label"], term["translations"][lang]["label"]);
            }
        }
    }
}

#[tokio::test]
async fn what_a_record_names_is_added_as_far_as_the_caller_may_see_it() {
    let app = App::start().await;
    let (busan, reader) = (app.busan().await, app.reader().await);
    let at = format!("/v1/hostings/{}", founding::STREETLIGHTS_AT_HOME);
    let plain = busan.get(&at).await.ok();
    let expanded = busan.get(&format!("{at}?expand=pilot&expand=lead_organisation")).await.ok();
    assert_eq!(expanded["pilot"], busan.get(&format!("/v1/pilots/{}", founding::STREETLIGHTS)).await.ok());
    assert_eq!(expanded["lead_organisation"], Value::Null);
    assert!(plain.get("pilot").is_none());
    busan.get(&format!("{at}?expand=accounts")).await.problem(400, "bad_parameter");

    let document = json!({"title": "Plan", "city": "KRPUS", "visibility": "private"});
    let document = busan.post("/v1/documents", document).await.created();
    let item = json!({"kind": "permit", "document_id": document["id"]});
    let item = busan.post(&format!("{at}/compliance"), item).await.created();
    let at = format!("{}?expand=document&expand=hosting", path("compliance", &item));
    assert_eq!(busan.get(&at).await.ok()["document"]["title"], "Plan");
    let verifier = app.verifier().await.get(&at).await.ok();
    assert_eq!((&verifier["document"], &verifier["hosting"]["id"]), (&Value::Null, &plain["id"]));
    reader.get(&at).await.problem(403, "forbidden");
    let listed = app.anonymous().get("/v1/hostings?expand=pilot&lang=ko").await.ok();
    for hosting in listed["items"].as_array().unwrap() {
        assert_eq!(
            (&hosting["pilot"]["id"], hosting["pilot"]["served_language"].is_string()),
            (&hosting["pilot_id"], true)
        );
    }
}
