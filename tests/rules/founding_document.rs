//! The founding document, sentence by sentence: each is in the registry as a quotation of at least one record, and each
//! record of the founding data set cites it.

use std::collections::BTreeSet;

use pilot_exchange::database::shipped;
use serde_json::{Value, json};

use crate::support::{App, founding, new_pilot, path};

/// Every heading, sentence and bullet of "Barcelona in Busan", in its order.
const SENTENCES: &[&str] = &[
    "Barcelona in Busan",
    "After the plenary session of World Cities in Seoul on 14.03.2017, delegates from Barcelona visited Busan from 15. to \
     16.03.2017.",
    "Following the initial introductory meetings at Busan City Hall, the Barcelona delegation visit to Busan followed four \
     thematic areas of cooperation:",
    "Cultural Regeneration of Idle Spaces: Visit to F1963, KISWIRE, Suyeong Overpass",
    "Clean Energy City: Visit to hydrogen fuel cell power plant",
    "Public Transportation: Adopting Automatic Fare Box System on buses – visit to Samwon FA facility",
    "Establishment of Smart City Platform: Visit to Busan IT Industry Promotion Agency",
    "Areas of Future Cooperation",
    "Based on the Busan site visits and Busan-Barcelona bilateral working meetings, the following areas have been \
     pre-identified by Barcelona and Busan as potential avenues of city-to-city cooperation.",
    "Smart cities: Both cities will explore the possibility of exchanging pilot projects in areas related to smart cities.",
    "Busan is currently testing 26 services (smart streetlights, CCTV video analysis, GPS tracking systems, etc).",
    "Some of these projects could be tested in Barcelona, and in the same way Barcelona could test in Busan some of the \
     pilot projects that it is carrying out.",
    "Busan has also prioritized exchanging experiences on implementing new smart technology projects for citizens and its \
     expansion.",
    "Public transport fare system: Busan and Barcelona will exchange information about the bus fare payment system that is \
     being used in the two cities.",
    "Communications are ongoing to reflect on shared opinions and exchange of experiences in the public transportation \
     sector and continuous cooperation in this field.",
    "Clean energy: Although Busan’s hydrogen fuel cell initiatives are not readily applicable to Barcelona due to its own initiatives in solar energy, avenues of cooperation in clean energy still exist.",
    "Due to its excessive dependence on nuclear energy (98% of the total energy production), Busan will promote the gradual \
     introduction of renewal energy sources to reach an electrical self sufficiency rate of 30% through renewable sources \
     in 2030.",
    "In this context, Busan has expressed interest in learning from Barcelona’s experiences in solar energy through the \
     benchmarking of solar thermal ordinances.",
    "Regeneration of city spaces: Both cities will exchange information about best practices in the regeneration of urban \
     spaces into cultural or innovation areas.",
    "More specifically, bilateral city-to-city communications are currently ongoing in order to apply the model of \
     Barcelona’s 22@ model of creating urban innovation spaces to Busan.",
    "Universities and research centres: Barcelona has expressed interest in establishing collaboration agreements between \
     universities and research centres from Catalonia and Busan, particularly in the field of Smart Cities.",
    "Culture and tourism: Communications are ongoing in order to host Barcelona’s Sonar electronic music festival, as well \
     as Barcelona’s Smart City World Expo Congress in Busan.",
];

fn citations() -> String {
    format!("/v1/documents/{}/citations", founding::DOCUMENT)
}

fn founding_records() -> Vec<(String, String)> {
    let mut records = vec![];
    for text in [shipped::FOUNDING, shipped::FOUNDING_COOPERATION] {
        for entry in serde_json::from_str::<Vec<Value>>(text).unwrap() {
            let of = |name: &str| entry[name].as_str().unwrap().to_owned();
            records.push((of("type"), of("id")));
        }
    }
    records
}

#[tokio::test]
async fn every_sentence_of_the_founding_document_is_quoted_by_a_record() {
    let app = App::start().await;
    let citations = app.anonymous().all(&format!("{}?limit=7", citations())).await;
    let quotes: BTreeSet<&str> = citations.iter().filter_map(|one| one["quote"].as_str()).collect();
    for sentence in SENTENCES {
        assert!(quotes.iter().any(|quote| quote.contains(sentence)), "nothing quotes: {sentence}");
    }
    for quote in quotes {
        assert!(SENTENCES.iter().any(|sentence| sentence.contains(quote)), "the document does not say: {quote}");
    }
}

#[tokio::test]
async fn every_founding_record_is_there_and_cites_the_document() {
    let app = App::start().await;
    let anyone = app.anonymous();
    let citing: BTreeSet<String> =
        anyone.all(&citations()).await.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    let records = founding_records();
    assert_eq!(records.len(), 44);
    for (collection, id) in records {
        let record = anyone.get(&format!("/v1/{collection}/{id}")).await.ok();
        assert_eq!(record["version"], 1, "{collection} {id}");
        // Documents are the sources themselves.
        assert_eq!(citing.contains(&id), collection != "documents", "{collection} {id}");
    }
}

#[tokio::test]
async fn the_founding_cooperation_says_what_the_document_says() {
    let app = App::start().await;
    let anyone = app.anonymous();
    let stages: Vec<(String, String)> = anyone
        .all("/v1/initiatives")
        .await
        .iter()
        .map(|one| (one["kind"].as_str().unwrap().to_owned(), one["stage"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [
        ("pilot_exchange", "exploring"),
        ("experience_exchange", "exploring"),
        ("information_exchange", "in_progress"),
        ("benchmarking", "exploring"),
        ("information_exchange", "exploring"),
        ("model_transfer", "in_progress"),
        ("research_collaboration", "exploring"),
        ("event_hosting", "negotiating"),
    ];
    assert_eq!(stages, expected.map(|(kind, stage)| (kind.to_owned(), stage.to_owned())));
    let visits = anyone.all(&format!("/v1/activities?parent_id={}&kind=site_visit", founding::VISIT)).await;
    assert_eq!(visits.len(), 4);
    let agreement = anyone.get(&format!("/v1/agreements/{}", founding::AGREEMENT)).await.ok();
    assert_eq!((&agreement["status"], &agreement["parties"]), (&json!("interest"), &json!([])));
    assert_eq!(anyone.all("/v1/hostings?host_city=ESBCN").await.len(), 0, "intention is not hosting");
}

#[tokio::test]
async fn citations_of_a_document_are_paged_counted_and_named() {
    let app = App::start().await;
    let admin = app.admin().await;
    let all = admin.get(&format!("{}?limit=500&count=exact", citations())).await.ok();
    let items = all["items"].as_array().unwrap();
    assert_eq!(all["count"], items.len());
    assert_eq!(admin.all(&format!("{}?limit=3", citations())).await, *items, "in steps of three");
    let of = |id: &str| items.iter().find(|one| one["id"] == id).unwrap();
    assert_eq!(of(founding::BUSAN)["title"], "Busan");
    assert_eq!(of(founding::STREETLIGHTS_AT_HOME)["title"], of(founding::STREETLIGHTS)["title"]);
    assert!(items.iter().all(|one| one["title"].is_string()), "{items:#?}");
    let changed = format!("/v1/pilots/{}", founding::STREETLIGHTS);
    let since = admin.patch(&changed, json!({"trl": 8})).await.ok()["updated_at"].as_str().unwrap().to_owned();
    let since = admin.all(&format!("{}?updated_since={since}", citations())).await;
    assert!(!since.is_empty() && since.iter().all(|one| one["id"] == founding::STREETLIGHTS), "{since:?}");
}

#[tokio::test]
async fn a_document_shows_only_those_citations_whose_record_one_may_see() {
    let app = App::start().await;
    let (busan, barcelona) = (app.busan().await, app.barcelona().await);
    let document = busan.post("/v1/documents", json!({"title": "Plan", "city": "KRPUS"})).await.created();
    let cites =
        json!({"citations": [{"document_id": document["id"], "locator": "p. 1"}, {"document_id": document["id"]}]});
    let mut hidden = cites.clone();
    hidden["visibility"] = json!("private");
    let hidden = new_pilot(&busan, hidden).await;
    let mut for_partners = cites;
    for_partners["visibility"] = json!("partners");
    new_pilot(&busan, for_partners).await;
    let at = format!("{}/citations", path("documents", &document));
    let actors =
        [(&app.anonymous(), 0), (&app.reader().await, 2), (&barcelona, 2), (&busan, 4), (&app.admin().await, 4)];
    for (actor, expected) in actors {
        let found = actor.get(&format!("{at}?count=exact")).await.ok();
        assert_eq!((found["items"].as_array().unwrap().len(), &found["count"]), (expected, &json!(expected)));
    }
    assert_eq!(busan.get(&at).await.ok()["items"][0]["id"], hidden["id"]);
    let secret = json!({"title": "Secret", "city": "KRPUS", "visibility": "private"});
    let secret = busan.post("/v1/documents", secret).await.created();
    let at = format!("{}/citations", path("documents", &secret));
    barcelona.get(&at).await.problem(404, "not_found");
    assert_eq!(busan.get(&at).await.ok()["items"], json!([]));
}
