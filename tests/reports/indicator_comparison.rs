//! Outcomes of one indicator side by side.

use std::collections::BTreeMap;

use bigdecimal::BigDecimal;
use serde_json::{Value, json};

use super::told::{Lists, Read, filters, followed, records_are_found, rows};
use crate::support::life::{new_indicator, outcome_of_busan, submitted};
use crate::support::{Actor, App, new_pilot, sql};

/// Spread and place as PostgreSQL computes them, over the outcomes that are seen: rank, compared, then the quartiles.
async fn computed(read: &Read, indicator: &str, seen: &Lists) -> BTreeMap<String, Vec<Option<String>>> {
    let ids: Vec<String> = seen.list("outcomes").keys().map(|id| format!("'{id}'")).collect();
    let statement = format!(
        "WITH v AS (
            SELECT o.id, o.currency, s.actual, i.direction FROM outcome o JOIN outcome_state s ON s.outcome_id = o.id
            JOIN indicator i ON i.id = o.indicator_id
            WHERE i.id = '{indicator}' AND o.id IN ({}) AND s.actual IS NOT NULL
        )
        SELECT v.id::text, CASE v.direction
                WHEN 'up' THEN (SELECT count(*) + 1 FROM v b WHERE b.currency IS NOT DISTINCT FROM v.currency AND b.actual > v.actual)
                WHEN 'down' THEN (SELECT count(*) + 1 FROM v b WHERE b.currency IS NOT DISTINCT FROM v.currency AND b.actual < v.actual)
            END::text,
            q.compared::text, v.actual::text, q.at[1]::text, q.at[2]::text, q.at[3]::text, q.at[4]::text, q.at[5]::text
        FROM v CROSS JOIN LATERAL (
            SELECT count(*) AS compared, percentile_cont(ARRAY[0, 0.25, 0.5, 0.75, 1]) WITHIN GROUP (ORDER BY b.actual::float8) AS at
            FROM v b WHERE b.currency IS NOT DISTINCT FROM v.currency
        ) q",
        ids.join(",")
    );
    let rows = sql(&read.app.database, &statement).await;
    rows.into_iter().map(|mut row| (row.remove(0).unwrap(), row)).collect()
}

/// Exact decimals are those of floating-point numbers, as far as these go.
fn is_near(decimal: &Value, number: &str) -> bool {
    let (decimal, number): (f64, f64) = (decimal.as_str().unwrap().parse().unwrap(), number.parse().unwrap());
    (decimal - number).abs() <= 1e-9 * number.abs().max(1.0)
}

#[tokio::test]
async fn values_are_placed_and_spread_over_what_is_seen() {
    let read = Read::new().await;
    let mut compared = 0;
    for (name, actor) in &read.actors {
        let seen = Lists::by(actor).await;
        let mut by_indicator: BTreeMap<&str, usize> = BTreeMap::new();
        for outcome in seen.list("outcomes").values() {
            *by_indicator.entry(outcome["indicator_id"].as_str().unwrap()).or_default() += 1;
        }
        for (indicator, outcomes) in by_indicator {
            let found = rows(actor, &format!("indicator-comparison?indicator_id={indicator}")).await;
            assert_eq!(found.len(), outcomes, "{indicator} as {name}, SEED={}", read.seed);
            let expected = computed(&read, indicator, &seen).await;
            for row in &found {
                let outcome = seen.find("outcomes", &row["outcome_id"]).unwrap();
                assert_eq!((&row["subject"], &row["level"]), (&seen.subject(outcome), &outcome["level"]), "{name}");
                let Some(figures) = expected.get(row["outcome_id"].as_str().unwrap()) else {
                    assert_eq!([&row["value"], &row["rank"], &row["difference"]], [&Value::Null; 3], "{row}");
                    continue;
                };
                compared += 1;
                assert_eq!(row["rank"].as_i64().map(|rank| rank.to_string()), figures[0], "{row} as {name}");
                assert_eq!(row["compared"].to_string(), *figures[1].as_ref().unwrap());
                for (member, figure) in ["value", "lowest", "lower_quartile", "median", "upper_quartile", "highest"]
                    .iter()
                    .zip(&figures[2..])
                {
                    assert!(is_near(&row[member], figure.as_ref().unwrap()), "{member} of {row} is not {figure:?}");
                }
                let exact = |member: &str| row[member].as_str().unwrap().parse::<BigDecimal>().unwrap();
                assert_eq!(exact("difference"), exact("value") - exact("median"));
            }
            let unknown: Vec<bool> = found.iter().map(|row| row["value"].is_null()).collect();
            assert!(unknown.is_sorted(), "what has no value comes last");
            links_lead_there(actor, &found).await;
        }
    }
    assert!(compared > 20, "there was something to compare");
}

async fn links_lead_there(actor: &Actor, found: &[Value]) {
    records_are_found(actor, found).await;
    let mut links = BTreeMap::new();
    for row in found {
        links.insert(row["links"]["compared"].as_str().unwrap(), row["compared"].as_u64().unwrap());
        if !row["value"].is_null() {
            actor.get(row["links"]["value"].as_str().unwrap()).await.ok();
        }
    }
    for (link, compared) in links {
        assert_eq!(followed(actor, link).await as u64, compared, "{link}");
    }
}

#[tokio::test]
async fn filters_leave_the_outcomes_that_progress_has_with_them() {
    let read = Read::new().await;
    let admin = &read.actors["admin"];
    let seen = Lists::by(admin).await;
    let all = rows(admin, "progress").await;
    let indicator = all.iter().find(|row| row["subject_type"] == "hosting").unwrap()["indicator_id"].as_str().unwrap();
    let own = [("level", "outcome".to_owned()), ("level", "output".to_owned()), ("currency", "EUR".to_owned())];
    for (filter, value) in filters(&seen).into_iter().chain(own) {
        let query = format!("indicator_id={indicator}&{filter}={value}");
        let ids = async |report: &str| {
            let mut ids: Vec<String> = rows(admin, &format!("{report}?{query}"))
                .await
                .iter()
                .map(|row| row["outcome_id"].to_string())
                .collect();
            ids.sort();
            ids
        };
        assert_eq!(ids("indicator-comparison").await, ids("progress").await, "{query}, SEED={}", read.seed);
    }
    admin.get("/v1/reports/indicator-comparison").await.problem(400, "bad_parameter");
}

#[tokio::test]
async fn amounts_are_compared_within_their_currency_and_equal_ones_share_a_place() {
    let app = App::start().await;
    let busan = app.busan().await;
    let change = json!({"measure": "currency", "unit": "currency/cap", "direction": "down"});
    let indicator = new_indicator(&busan, change).await;
    let mut expected = vec![];
    for (currency, value, rank) in [("EUR", "3.5", 2), ("EUR", "1", 1), ("EUR", "3.5", 2), ("KRW", "2", 1)] {
        let pilot = new_pilot(&busan, json!({})).await;
        let subject = json!({"type": "pilot", "id": pilot["id"]});
        let outcome = outcome_of_busan(&busan, &indicator, json!({"currency": currency, "subject": subject})).await;
        submitted(&busan, &outcome, ("2026-01", "2026-01"), json!({"value": value})).await;
        let (compared, median) = if currency == "EUR" { (3, "3.5") } else { (1, "2") };
        expected.push((outcome["id"].clone(), rank, compared, median));
    }
    let found = rows(&busan, &format!("indicator-comparison?indicator_id={}", indicator["id"].as_str().unwrap())).await;
    for (id, rank, compared, median) in expected {
        let row = found.iter().find(|row| row["outcome_id"] == id).unwrap();
        let told = (row["rank"].as_i64(), row["compared"].as_i64(), row["median"].as_str());
        assert_eq!(told, (Some(rank), Some(compared), Some(median)), "{row}");
        assert_eq!(followed(&busan, row["links"]["compared"].as_str().unwrap()).await as i64, compared);
    }
    assert_eq!(
        found.iter().map(|row| row["currency"].as_str().unwrap()).collect::<Vec<_>>(),
        ["EUR", "EUR", "EUR", "KRW"]
    );
}

#[tokio::test]
async fn where_neither_way_is_better_nothing_is_first() {
    let app = App::start().await;
    let found = rows(&app.anonymous(), "indicator-comparison?indicator_id=015aca1d-543f-7000-8000-00000000003f").await;
    let told = ["value", "rank", "difference", "compared", "median"].map(|member| &found[0][member]);
    assert_eq!(told, [&json!("26"), &Value::Null, &json!("0"), &json!(1), &json!("26")]);
    assert_eq!(found.len(), 1);
}
