//! The registry in figures.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Seen, is_computed};

#[tokio::test]
async fn every_record_that_is_seen_is_counted_once_by_each_member() {
    is_computed("overview", |_, seen| overview(seen)).await;
}

fn overview(seen: &Seen) -> Vec<Value> {
    let mut rows = vec![];
    for (topic, records, members) in [
        ("cities", &seen.cities, &[][..]),
        ("organisations", &seen.organisations, &[]),
        ("pilots", &seen.pilots, &["status"]),
        ("needs", &seen.needs, &["status"]),
        ("applicability", &seen.applicability, &["verdict"]),
        ("partnerships", &seen.partnerships, &["status"]),
        ("initiatives", &seen.initiatives, &["stage"]),
        ("activities", &seen.activities, &["kind"]),
        ("hostings", &seen.hostings, &["kind", "status"]),
        ("outcomes", &seen.outcomes, &["progress_status"]),
        ("evaluations", &seen.evaluations, &["decision"]),
    ] {
        rows.push(json!({"topic": topic, "by": null, "value": null, "count": records.len()}));
        for by in members {
            let mut counts: BTreeMap<Option<&str>, usize> = BTreeMap::new();
            records.iter().for_each(|record| *counts.entry(record[*by].as_str()).or_default() += 1);
            let row = |(value, count)| json!({"topic": topic, "by": by, "value": value, "count": count});
            rows.extend(counts.into_iter().map(row));
        }
    }
    rows
}
