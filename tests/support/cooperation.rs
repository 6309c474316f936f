//! What cities do together, as Barcelona and Busan would register it.

use serde_json::{Value, json};

use super::{Actor, founding, merge, unique};

/// A partnership of Barcelona, Busan and Seoul; `change` overrides members.
pub async fn new_partnership(actor: &Actor, change: Value) -> Value {
    let mut body = json!({"title": format!("Partnership {}", unique()), "cities": ["KRPUS", "ESBCN", "KRSEL"]});
    merge(&mut body, change);
    actor.post("/v1/partnerships", body).await.created()
}

/// A mutual initiative of Barcelona and Busan; `change` overrides members.
pub fn initiative(change: Value) -> Value {
    let mut body = json!({
        "partnership_id": founding::PARTNERSHIP, "area": "clean_energy", "kind": "information_exchange",
        "title": format!("Initiative {}", unique())
    });
    merge(&mut body, change);
    body
}

pub async fn new_initiative(actor: &Actor, change: Value) -> Value {
    actor.post("/v1/initiatives", initiative(change)).await.created()
}

/// A meeting in Busan; `change` overrides members.
pub fn activity(change: Value) -> Value {
    let mut body = json!({"kind": "meeting", "title": format!("Activity {}", unique()), "city": "KRPUS"});
    merge(&mut body, change);
    body
}

pub async fn new_activity(actor: &Actor, change: Value) -> Value {
    actor.post("/v1/activities", activity(change)).await.created()
}

/// A memorandum of Barcelona and Busan that is being drafted; `change` overrides members.
pub fn agreement(change: Value) -> Value {
    let mut body = json!({
        "kind": "mou", "title": format!("Agreement {}", unique()), "status": "drafting",
        "parties": [{"city": "KRPUS"}, {"city": "ESBCN"}]
    });
    merge(&mut body, change);
    body
}

pub async fn new_agreement(actor: &Actor, change: Value) -> Value {
    actor.post("/v1/agreements", agreement(change)).await.created()
}
