//! At a position, a report answers the same bytes for ever.

use super::told::{Read, last_position, rows, text};
use crate::support::founding;

/// The reports, with what they cannot do without; `{indicator}` is that of the outcomes to which things happen.
const REPORTS: &[&str] = &[
    "progress",
    "indicator-comparison?indicator_id={indicator}",
    "applicability",
    "lessons?kind=tip&kind=barrier",
    "overdue",
    "data-quality",
];

fn with(report: &str, parameter: &str) -> String {
    format!("{report}{}{parameter}", if report.contains('?') { '&' } else { '?' })
}

#[tokio::test]
async fn a_position_has_the_same_answer_whatever_comes_in_later() {
    let read = Read::new().await;
    let admin = read.actors["admin"].clone();
    let indicator = admin.get("/v1/indicators?vocabulary=own&code=SL-01").await.ok()["items"][0]["id"].clone();
    let position = last_position(&admin).await;
    let reports: Vec<String> =
        REPORTS.iter().map(|report| report.replace("{indicator}", indicator.as_str().unwrap())).collect();
    let asked = |report: &str, format: &str| with(report, &format!("as_of={position}&format={format}"));
    let mut told = vec![];
    for (name, actor) in &read.actors {
        for report in &reports {
            for format in ["json", "csv"] {
                told.push((*name, report, format, text(actor, &asked(report, format)).await));
            }
            // Now is the last position, but for the links, which lead to it.
            let now = rows(actor, report).await;
            let then = rows(actor, &with(report, &format!("as_of={position}"))).await;
            let plain = |row: &serde_json::Value| {
                let mut row = row.clone();
                row.as_object_mut().unwrap().shift_remove("links");
                row
            };
            let then: Vec<_> = then.iter().map(plain).collect();
            assert_eq!(then, now.iter().map(plain).collect::<Vec<_>>(), "{report} as {name}, SEED={}", read.seed);
        }
    }
    let plain = text(&read.actors["admin"], "progress").await;
    // Nobody's sight becomes narrower by what happens, which would take something out of the past as well.
    let (busan, barcelona) = (read.app.busan().await, read.app.barcelona().await);
    let lights = format!("/v1/pilots/{}", founding::STREETLIGHTS);
    busan.patch(&lights, serde_json::json!({"title": "Lights", "areas": ["clean_energy"]})).await.ok();
    let outcome =
        crate::support::new_outcome(&busan, "pilot", &founding::STREETLIGHTS.into(), serde_json::json!({})).await;
    crate::support::life::submitted(&busan, &outcome, ("2025", "2025"), serde_json::json!({"value": "5"})).await;
    let exchange = crate::support::life::Exchange { busan, barcelona };
    exchange.hosting_at("closed").await;
    exchange.hosting_at("evaluating").await;
    assert_ne!(text(&read.actors["admin"], "progress").await, plain, "something happened");
    for (name, report, format, then) in told {
        let now = text(&read.actors[name], &asked(report, format)).await;
        assert_eq!(now, then, "{report} as {format} for {name}, SEED={}", read.seed);
    }
}
