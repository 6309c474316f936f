//! Agreements: parties from drafting on, a day from signing on.

use serde_json::{Value, json};

use crate::support::cooperation::{agreement, new_agreement};
use crate::support::life::{CITY_OF_BARCELONA, SEOUL};
use crate::support::{App, founding, path, try_sql};

#[tokio::test]
async fn an_agreement_goes_from_interest_to_its_end() {
    let app = App::start().await;
    let (busan, barcelona) = (app.busan().await, app.barcelona().await);
    let body = json!({"kind": "mou", "title": "Lamps", "parties": [{"city": "KRPUS"}]});
    let made = busan.post("/v1/agreements", body).await.created();
    assert_eq!([&made["status"], &made["visibility"]], ["interest", "public"]);
    assert_eq!(made["parties"], json!([{"city": "KRPUS", "organisation_id": null}]));
    let at = path("agreements", &made);
    busan.patch(&at, json!({"status": "drafting"})).await.faults(&[("/parties", "too_few")]);
    let parties = json!([{"city": "KRPUS"}, {"organisation_id": CITY_OF_BARCELONA}]);
    busan.patch(&at, json!({"status": "drafting", "parties": parties})).await.ok();
    for status in ["signed", "in_force", "expired", "terminated"] {
        barcelona.patch(&at, json!({"status": status})).await.faults(&[("/signed_on", "required")]);
    }
    let signed = json!({"status": "signed", "signed_on": "2027-03", "document_id": founding::DOCUMENT});
    let signed = barcelona.patch(&at, signed).await.ok();
    assert_eq!([&signed["signed_on"], &signed["document_id"]], ["2027-03", founding::DOCUMENT]);
    let early = json!({"valid_until": "2027-02"});
    busan.patch(&at, early).await.faults(&[("/valid_until", "before_start")]);
    for status in ["in_force", "terminated"] {
        busan.patch(&at, json!({"status": status, "valid_until": "2030"})).await.ok();
    }
    busan.patch(&at, json!({"signed_on": null})).await.faults(&[("/signed_on", "required")]);
    assert_eq!(busan.delete(&at).await.status, 204);
}

#[tokio::test]
async fn everything_wrong_with_an_agreement_is_told_at_once() {
    let app = App::start().await;
    let body = agreement(json!({
        "status": "signed", "initiative_id": founding::DOCUMENT, "kind": "promise",
        "parties": [{}, {"city": "KRPUS", "organisation_id": CITY_OF_BARCELONA}, {"city": "KRSEL"}, {"city": SEOUL}],
    }));
    app.busan()
        .await
        .post("/v1/agreements", body)
        .await
        .faults(&[("/kind", "not_in_list"), ("/initiative_id", "unknown_record")]);
    let body = agreement(json!({
        "status": "signed",
        "parties": [{}, {"city": "KRPUS", "organisation_id": CITY_OF_BARCELONA}, {"city": "KRSEL"}, {"city": SEOUL}],
    }));
    app.busan().await.post("/v1/agreements", body).await.faults(&[
        ("/parties/0", "one_of"),
        ("/parties/1", "one_of"),
        ("/parties/3", "not_unique"),
        ("/signed_on", "required"),
    ]);
}

#[tokio::test]
async fn an_agreement_is_written_by_the_cities_involved() {
    let app = App::start().await;
    let (busan, barcelona, seoul) = (app.busan().await, app.barcelona().await, app.seoul().await);
    seoul.post("/v1/agreements", agreement(json!({}))).await.problem(403, "forbidden");
    let of_seoul = json!({"kind": "mou", "title": "Seoul's", "parties": [{"city": "KRSEL"}]});
    let of_seoul = path("agreements", &seoul.post("/v1/agreements", of_seoul).await.created());
    busan.patch(&of_seoul, json!({"title": "Ours"})).await.problem(403, "forbidden");
    seoul.patch(&of_seoul, json!({"parties": []})).await.problem(403, "forbidden");
    // The founding one has no parties yet: its initiative's partnership writes it.
    let founding = format!("/v1/agreements/{}", founding::AGREEMENT);
    seoul.patch(&founding, json!({"title": "Ours"})).await.problem(403, "forbidden");
    barcelona.patch(&founding, json!({"parties": [{"organisation_id": CITY_OF_BARCELONA}]})).await.ok();
    busan.patch(&founding, json!({"initiative_id": null})).await.problem(403, "forbidden");
    barcelona.patch(&founding, json!({"initiative_id": null})).await.ok();
    busan.patch(&founding, json!({"title": "Ours"})).await.problem(403, "forbidden");
}

#[tokio::test]
async fn a_hidden_text_of_an_agreement_shows_nowhere() {
    let app = App::start().await;
    let (busan, barcelona) = (app.busan().await, app.barcelona().await);
    let text = json!({"title": "Text", "city": "KRPUS", "visibility": "private"});
    let text = busan.post("/v1/documents", text).await.created();
    let made = new_agreement(&busan, json!({"document_id": text["id"]})).await;
    assert_eq!(made["document_id"], text["id"]);
    let at = path("agreements", &made);
    assert_eq!(barcelona.get(&at).await.ok()["document_id"], Value::Null);
    let filter = format!("/v1/agreements?document_id={}", text["id"].as_str().unwrap());
    assert_eq!((barcelona.all(&filter).await.len(), busan.all(&filter).await.len()), (0, 1));
    barcelona.patch(&at, json!({"title": "Another title"})).await.ok();
    assert_eq!(busan.get(&at).await.ok()["document_id"], text["id"], "what one does not see one does not change");
}

#[tokio::test]
async fn the_database_refuses_an_agreement_without_parties_or_day() {
    let app = App::start().await;
    let id = founding::AGREEMENT;
    let refused = [
        (format!("UPDATE agreement SET status = 'drafting' WHERE id = '{id}'"), "agreement_two_parties"),
        (format!("UPDATE agreement SET status = 'signed' WHERE id = '{id}'"), "agreement_signed_needs_day"),
        (
            format!("UPDATE agreement SET signed_on = '2020', valid_until = '2019' WHERE id = '{id}'"),
            "agreement_valid_after_signed",
        ),
        (format!("INSERT INTO agreement_party VALUES ('{id}', 0, NULL, NULL)"), "agreement_party_one"),
        (
            format!("INSERT INTO agreement_party VALUES ('{id}', 0, '{SEOUL}', NULL), ('{id}', 1, '{SEOUL}', NULL)"),
            "agreement_party_unique",
        ),
    ];
    for (statement, constraint) in refused {
        let error = try_sql(&app.database.owner_url, &statement).await.unwrap_err();
        assert_eq!(error.as_db_error().unwrap().constraint(), Some(constraint), "{statement}");
    }
    let drafted = new_agreement(&app.busan().await, json!({})).await;
    let statement = format!("DELETE FROM agreement_party WHERE agreement_id = {} AND position = 1", drafted["id"]);
    let statement = statement.replace('"', "'");
    let error = try_sql(&app.database.owner_url, &statement).await.unwrap_err();
    assert_eq!(error.as_db_error().unwrap().constraint(), Some("agreement_two_parties"));
}
