//! The assessments that are current, as they are listed.

use bigdecimal::{BigDecimal, RoundingMode};
use serde_json::{Value, json};

use super::told::{Lists, Read, filters, records_are_found, rows, text};
use crate::support::{founding, new_assessment, new_pilot};

fn expected(seen: &Lists, assessment: &Value) -> Value {
    let pilot = seen.find("pilots", &assessment["pilot_id"]);
    let name = |reference: &Value| seen.city(reference).unwrap()["name"].clone();
    let scores: Vec<i64> =
        assessment["scores"].as_object().unwrap().values().map(|one| one.as_i64().unwrap()).collect();
    let mean = (!scores.is_empty()).then(|| {
        let mean = BigDecimal::from(scores.iter().sum::<i64>()) / BigDecimal::from(scores.len() as i64);
        mean.with_scale_round(2, RoundingMode::HalfUp).normalized().to_plain_string()
    });
    json!({
        "pilot_id": assessment["pilot_id"], "pilot": pilot.map(|pilot| pilot["title"].clone()),
        "city": assessment["city"], "city_name": name(&assessment["city"]), "verdict": assessment["verdict"],
        "reason": assessment["reason"], "text": assessment["text"], "assessed_on": assessment["assessed_on"],
        "mean_score": mean, "scores_given": scores.len(),
    })
}

#[tokio::test]
async fn it_has_every_current_assessment_that_is_seen() {
    let read = Read::new().await;
    let busan = &read.actors["busan"];
    let first =
        new_assessment(busan, &json!({"id": founding::STREETLIGHTS}), json!({"scores": {"trialability": 4}})).await;
    let scores = json!({"trialability": 2, "visibility_of_results": 3});
    let change = json!({"verdict": "with_changes", "reason": "interoperability", "scores": scores});
    new_assessment(busan, &json!({"id": founding::STREETLIGHTS}), change).await;
    let reasons = busan.all("/v1/vocabularies/applicability_reasons/terms?limit=500").await;
    for (name, actor) in &read.actors {
        let seen = Lists::by(actor).await;
        let found = rows(actor, "applicability").await;
        let current = seen.list("applicability").values().filter(|one| one["current"] == true).count();
        assert_eq!(found.len(), current, "{name}, SEED={}", read.seed);
        for row in &found {
            assert_ne!(row["applicability_id"], first["id"]);
            let assessment = seen.find("applicability", &row["applicability_id"]).unwrap();
            for (member, value) in expected(&seen, assessment).as_object().unwrap() {
                assert_eq!(row[member], *value, "{name}, {member} of {row:#}, SEED={}", read.seed);
            }
            if let Some(pilot) = seen.find("pilots", &row["pilot_id"]) {
                assert_eq!(row["origin_city"], pilot["origin_city"]);
            }
            let reason = reasons.iter().find(|term| term["code"] == row["reason"]);
            assert_eq!(row["reason_label"], reason.map_or(Value::Null, |term| term["label"].clone()));
        }
        records_are_found(actor, &found).await;
    }
}

#[tokio::test]
async fn filters_leave_the_assessments_that_fit() {
    let read = Read::new().await;
    let admin = &read.actors["admin"];
    let seen = Lists::by(admin).await;
    let all = rows(admin, "applicability").await;
    let pilot = |row: &Value| seen.find("pilots", &row["pilot_id"]).unwrap().clone();
    let named_by = |row: &Value, partnerships: &dyn Fn(&Value) -> bool| {
        seen.list("initiatives").values().any(|one| {
            let named = one["pilot_ids"].as_array().unwrap().contains(&row["pilot_id"]);
            named && partnerships(seen.find("partnerships", &one["partnership_id"]).unwrap())
        })
    };
    let day = |row: &Value| {
        let date = row["assessed_on"].as_str()?;
        Some(date.parse::<pilot_exchange::values::PartialDate>().unwrap().last_day().to_string())
    };
    let own =
        [("verdict", "applicable"), ("reason", "cost"), ("receiving_city", "ESBCN"), ("pilot_id", founding::HYDROGEN)];
    let own = own.map(|(filter, value)| (filter, value.to_owned()));
    for (filter, value) in filters(&seen).into_iter().chain(own) {
        let fits = |row: &Value| match filter {
            "city" => row["city"] == value || row["origin_city"] == value,
            "areas" => pilot(row)["areas"].as_array().unwrap().contains(&json!(value)),
            "partnership_id" => named_by(row, &|partnership| partnership["id"] == value),
            "programme_id" => named_by(row, &|partnership| partnership["programme_id"] == value),
            "from" => day(row).is_some_and(|day| day >= format!("{value}-01-01")),
            "to" => day(row).is_some_and(|day| day <= format!("{value}-12-31")),
            "receiving_city" => row["city"] == value,
            other => row[other] == value,
        };
        let found = rows(admin, &format!("applicability?{filter}={value}")).await;
        let ids = |rows: &mut dyn Iterator<Item = &Value>| {
            rows.map(|row| row["applicability_id"].clone()).collect::<Vec<_>>()
        };
        let kept = ids(&mut all.iter().filter(|row| fits(row)));
        assert_eq!(ids(&mut found.iter()), kept, "{filter}={value}, SEED={}", read.seed);
    }
}

#[tokio::test]
async fn a_pilot_that_is_hidden_has_no_title_where_its_assessment_is_seen() {
    let read = Read::new().await;
    let busan = &read.actors["busan"];
    let pilot = new_pilot(busan, json!({"title": "Secret lamps", "visibility": "private"})).await;
    let assessment = new_assessment(busan, &pilot, json!({})).await;
    let of = async |actor| {
        let found = rows(actor, "applicability").await;
        found.into_iter().find(|row| row["applicability_id"] == assessment["id"])
    };
    assert_eq!(of(busan).await.unwrap()["pilot"], "Secret lamps");
    let barcelona = read.app.barcelona().await;
    let row = of(&barcelona).await.unwrap();
    assert_eq!((&row["pilot"], &row["links"]["pilot_id"]), (&Value::Null, &Value::Null));
    assert!(of(&read.actors["anonymous"]).await.is_none());
}

#[tokio::test]
async fn the_chart_says_where_pilot_and_city_meet() {
    let app = crate::support::App::start().await;
    let svg = text(&app.anonymous(), "applicability?format=svg").await;
    // What is seen is cut to the cell; what is heard goes on with the whole.
    assert!(svg.contains("Hydrogen fuel cell power plant, Barcelona: not readily… – not readily applicable"), "{svg}");
    assert!(svg.contains(&format!("/v1/applicability/{}", founding::HYDROGEN_IN_BARCELONA)), "{svg}");
}
