//! Which pilot is hosted where.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Seen, by_id, figures, is_computed, worlds};

#[tokio::test]
async fn each_pair_shows_its_open_hosting_or_the_newest() {
    is_computed("hosting-matrix", matrix).await;
}

fn matrix(all: &Seen, seen: &Seen) -> Vec<Value> {
    let mut pairs: BTreeMap<(String, String), Vec<&Value>> = BTreeMap::new();
    for hosting in &seen.hostings {
        let name = |member: &str| hosting[member].as_str().unwrap().to_owned();
        pairs.entry((name("pilot_id"), name("host_city"))).or_default().push(hosting);
    }
    let row = |hostings: Vec<&Value>| {
        let is_open = |hosting: &Value| hosting["status"] != "closed" && hosting["status"] != "cancelled";
        let when = |hosting: &Value| {
            let created: chrono::DateTime<chrono::Utc> = hosting["created_at"].as_str().unwrap().parse().unwrap();
            (created, hosting["id"].as_str().unwrap().to_owned())
        };
        let one = *hostings.iter().max_by_key(|hosting| (is_open(hosting), when(hosting))).unwrap();
        json!({
            "pilot_id": one["pilot_id"], "pilot": by_id(&all.pilots, &one["pilot_id"])["title"],
            "origin_city": one["origin_city"], "origin_city_name": all.city(&one["origin_city"])["name"],
            "host_city": one["host_city"], "host_city_name": all.city(&one["host_city"])["name"],
            "kind": one["kind"], "status": one["status"], "hosting_id": one["id"], "hostings": hostings.len(),
        })
    };
    pairs.into_values().map(row).collect()
}

#[tokio::test]
async fn pilots_and_cities_can_be_chosen() {
    let (_, app) = worlds().await.pop().unwrap();
    let admin = app.admin().await;
    let all = figures(&admin, "/v1/reports/hosting-matrix").await;
    for member in ["pilot_id", "origin_city", "host_city"] {
        let chosen: Vec<&Value> = vec![&all[0][member], &all[all.len() - 1][member]];
        let query: Vec<String> = chosen.iter().map(|one| format!("{member}={}", one.as_str().unwrap())).collect();
        let expected: Vec<Value> = all.iter().filter(|row| chosen.contains(&&row[member])).cloned().collect();
        let found = figures(&admin, &format!("/v1/reports/hosting-matrix?{}", query.join("&"))).await;
        assert_eq!(found, expected, "{member}");
        assert!(expected.len() < all.len(), "{member} leaves nothing out");
    }
}
