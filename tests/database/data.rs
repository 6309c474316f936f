//! The data that the program ships: complete, loaded once, and left alone afterwards.

use std::collections::{BTreeMap, BTreeSet};

use pilot_exchange::database::{Database, shipped};
use serde_json::{Value, json};

use crate::support::{App, TestDatabase, founding, sql};

async fn count(database: &TestDatabase, statement: &str) -> u64 {
    sql(database, statement).await[0][0].as_deref().unwrap().parse().unwrap()
}

/// How many rows history and registry have.
async fn size(database: &TestDatabase) -> [u64; 4] {
    let mut size = [0; 4];
    for (at, table) in ["record", "revision", "change", "account"].into_iter().enumerate() {
        size[at] = count(database, &format!("SELECT count(*) FROM {table}")).await;
    }
    size
}

fn file(name: &str) -> Vec<Value> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[tokio::test]
async fn there_are_249_countries_and_30_of_them_are_in_the_eea() {
    let app = App::start().await;
    assert_eq!(count(&app.database, "SELECT count(*) FROM country").await, 249);
    let eea = sql(&app.database, "SELECT code FROM country WHERE eea ORDER BY code").await;
    let eea: Vec<String> = eea.into_iter().map(|row| row[0].clone().unwrap()).collect();
    let expected = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK";
    assert_eq!(eea.join(" "), expected);
}

#[tokio::test]
async fn every_vocabulary_of_the_domain_is_there() {
    let app = App::start().await;
    let expected = [
        (
            "areas",
            "smart_cities public_transport clean_energy urban_regeneration universities_research culture_tourism",
        ),
        (
            "categories",
            "smart_street_lighting video_analysis gps_tracking fare_collection energy_generation energy_management \
             environment_sensing parking waste water public_safety e_government urban_platform mobility_data other",
        ),
        (
            "applicability_reasons",
            "local_alternative_exists regulation climate_geography scale_mismatch cost missing_infrastructure \
             interoperability privacy procurement political social_acceptance skills vendor_lock_in other",
        ),
        (
            "hosting_reasons",
            "funding legal_privacy technical_failure safety vendor_exit political low_benefit partner_withdrew \
             force_majeure completed_early other",
        ),
        (
            "replicability",
            "social_compatibility technical_compatibility ease_of_use_end_users ease_of_use_professionals \
             trialability advantages_end_users advantages_stakeholders visibility_of_results \
             solutions_to_development_issues market_demand",
        ),
    ];
    for (scheme, codes) in expected {
        let terms = app.anonymous().all(&format!("/v1/vocabularies/{scheme}/terms")).await;
        let found: BTreeSet<&str> = terms.iter().map(|term| term["code"].as_str().unwrap()).collect();
        assert_eq!(found, codes.split_whitespace().collect(), "{scheme}");
    }
    let tracking = "SELECT string_agg(code, ' ' ORDER BY code) FROM term WHERE scheme = 'categories' AND tracks_people";
    assert_eq!(sql(&app.database, tracking).await[0][0].as_deref(), Some("gps_tracking video_analysis"));
}

#[tokio::test]
async fn the_64_indicators_are_loaded_as_they_are_listed() {
    let app = App::start().await;
    let listed = file("indicators.json");
    assert_eq!(listed.len(), 64);
    let members = ["vocabulary", "code", "name", "definition", "unit", "measure", "direction", "aggregation", "areas"];
    let of = |indicator: &Value| members.map(|member| indicator[member].clone());
    let served = app.anonymous().all("/v1/indicators?limit=500").await;
    let served: BTreeMap<&str, _> = served.iter().map(|one| (one["id"].as_str().unwrap(), of(one))).collect();
    assert_eq!(served.len(), 64);
    let units = app.anonymous().all("/v1/vocabularies/units/terms").await;
    for entry in &listed {
        let mut body = entry["body"].clone();
        body["areas"].as_array_mut().unwrap().sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        assert_eq!(served[entry["id"].as_str().unwrap()], of(&body));
        let unit = units.iter().find(|unit| unit["code"] == body["unit"]).unwrap_or_else(|| panic!("{}", body["unit"]));
        assert!(unit["label"].is_string() && unit["symbol"].is_string(), "{unit}");
    }
    let codes: BTreeSet<_> = listed.iter().map(|entry| entry["body"]["code"].to_string()).collect();
    assert_eq!(codes.len(), 64);
}

#[tokio::test]
async fn what_is_loaded_again_doubles_nothing() {
    let app = App::start().await;
    let before = size(&app.database).await;
    let pool = Database::new(&app.database.url, 4).unwrap();
    let (first, second) = tokio::join!(shipped::load_founding(&pool), shipped::load_founding(&pool));
    first.unwrap();
    second.unwrap();
    shipped::load_reference(&pool).await.unwrap();
    assert_eq!(size(&app.database).await, before);
    assert_eq!(count(&app.database, "SELECT count(*) FROM revision WHERE version > 1").await, 0);
}

#[tokio::test]
async fn a_shipped_record_that_was_deleted_or_changed_stays_so() {
    let app = App::start().await;
    let admin = app.admin().await;
    let assessment = format!("/v1/applicability/{}", founding::HYDROGEN_IN_BARCELONA);
    let indicator = admin.all("/v1/indicators?limit=500").await;
    let unused = indicator.iter().find(|one| one["code"] == "SL-01").unwrap();
    let indicator = format!("/v1/indicators/{}", unused["id"].as_str().unwrap());
    for path in [&assessment, &indicator] {
        assert_eq!(admin.delete(path).await.status, 204, "{path}");
    }
    let changed = format!("/v1/organisations/{}", founding::BUSAN_CITY_HALL);
    admin.patch(&changed, json!({"website": "https://example.org/busan"})).await.ok();

    let pool = Database::new(&app.database.url, 2).unwrap();
    shipped::load_reference(&pool).await.unwrap();
    shipped::load_founding(&pool).await.unwrap();
    for path in [&assessment, &indicator] {
        admin.get(path).await.problem(410, "gone");
    }
    assert_eq!(admin.get(&changed).await.ok()["website"], "https://example.org/busan");
}

#[tokio::test]
async fn every_founding_record_cites_its_source_in_at_most_300_characters() {
    let app = App::start().await;
    let admin = app.admin().await;
    let entries: Vec<Value> = serde_json::from_str(shipped::FOUNDING).unwrap();
    assert_eq!(entries.len(), 26);
    for entry in entries {
        let (collection, id) = (entry["type"].as_str().unwrap(), entry["id"].as_str().unwrap());
        let record = admin.get(&format!("/v1/{collection}/{id}")).await.ok();
        let citations = record["citations"].as_array().unwrap();
        let from_founding: Vec<_> = citations
            .iter()
            .filter(|one| one["document_id"] == founding::DOCUMENT && one["quote"].is_string())
            .collect();
        // Documents are the sources themselves.
        assert_eq!(from_founding.is_empty(), collection == "documents", "{collection} {id}");
        for citation in citations {
            let quote = citation["quote"].as_str().unwrap_or_default();
            assert!(quote.chars().count() <= 300, "{collection} {id}: {quote}");
        }
    }
}
