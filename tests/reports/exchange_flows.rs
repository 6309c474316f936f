//! Which cities lend each other how much.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Seen, is_computed};

#[tokio::test]
async fn each_direction_between_two_cities_is_counted() {
    is_computed("exchange-flows", flows).await;
}

fn flows(all: &Seen, seen: &Seen) -> Vec<Value> {
    let mut pairs: BTreeMap<(String, String), Vec<&Value>> = BTreeMap::new();
    for hosting in seen.hostings.iter().filter(|hosting| hosting["origin_city"] != hosting["host_city"]) {
        let name = |member: &str| hosting[member].as_str().unwrap().to_owned();
        pairs.entry((name("origin_city"), name("host_city"))).or_default().push(hosting);
    }
    let row = |((from, to), hostings): ((String, String), Vec<&Value>)| {
        let (from, to) = (all.city(&json!(from)), all.city(&json!(to)));
        let in_state = |state: &str| hostings.iter().filter(|hosting| hosting["status"] == state).count();
        let (closed, cancelled) = (in_state("closed"), in_state("cancelled"));
        json!({
            "origin_city": Seen::reference(from), "origin_city_name": from["name"],
            "origin_latitude": from["latitude"], "origin_longitude": from["longitude"],
            "host_city": Seen::reference(to), "host_city_name": to["name"],
            "host_latitude": to["latitude"], "host_longitude": to["longitude"],
            "pilots": hostings.iter().map(|hosting| hosting["pilot_id"].as_str()).collect::<BTreeSet<_>>().len(),
            "hostings": hostings.len(), "proposed": in_state("proposed"), "live": in_state("live"),
            "open": hostings.len() - closed - cancelled, "closed": closed, "cancelled": cancelled,
        })
    };
    pairs.into_iter().map(row).collect()
}
