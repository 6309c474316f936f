//! Hostings and observations brought to where a test needs them, by the cities' own accounts.

use chrono::{DateTime, NaiveDate, Utc};
use pilot_exchange::app::Clock;
use serde_json::{Value, json};

use super::{Actor, App, Options, merge, new_hosting, new_pilot, path};

pub const SEOUL: &str = "015aca1d-6406-7000-8000-000000000006";
pub const CITY_OF_BARCELONA: &str = "015aca1d-6408-7000-8000-000000000008";

/// Another server on the same data, for which it is always noon of this day. Tokens live by the real clock, so it is
/// read without one.
pub async fn on_the_day(app: &App, day: &str) -> App {
    let noon = day.parse::<NaiveDate>().unwrap().and_hms_opt(12, 0, 0).unwrap();
    let clock = Clock::Fixed(DateTime::from_naive_utc_and_offset(noon, Utc));
    // What it kept could be a moment older than what the other server wrote.
    let cache_megabytes = Some(0);
    App::start_with(Options { clock, database: Some(app.database.clone()), cache_megabytes, ..Options::default() })
        .await
}

/// The two cities of an exchange: Busan offers and proposes, Barcelona hosts.
pub struct Exchange {
    pub busan: Actor,
    pub barcelona: Actor,
}

impl Exchange {
    pub async fn of(app: &App) -> Exchange {
        Exchange { busan: app.busan().await, barcelona: app.barcelona().await }
    }

    /// A hosting of a new pilot without personal data, in this state, with whatever the next moves ask for but the
    /// evaluation. `suspended` comes from `live`, `suspended_preparing` from `preparing`.
    pub async fn hosting_at(&self, status: &str) -> Value {
        let pilot = new_pilot(&self.busan, json!({})).await;
        self.hosting_of(&pilot, status).await
    }

    /// The same, of this pilot of Busan.
    pub async fn hosting_of(&self, pilot: &Value, status: &str) -> Value {
        let plan = json!({
            "lead_organisation_id": CITY_OF_BARCELONA, "planned_start": "2026-02", "planned_end": "2026-10",
            "no_outcome_reason": "measured by the operator"
        });
        let mut hosting = new_hosting(&self.busan, pilot, plan).await;
        let path = path("hostings", &hosting);
        for to in way_to(status) {
            if *to == "closed" {
                self.evaluate(&path).await;
            }
            hosting = self.barcelona.transition(&path, move_to(to)).await.ok();
        }
        hosting
    }

    /// An evaluation by the host that decides.
    pub async fn evaluate(&self, hosting: &str) -> Value {
        self.barcelona.post(&format!("{hosting}/evaluations"), evaluation(json!({"decision": "scale"}))).await.created()
    }
}

/// The moves from `proposed` to a state.
fn way_to(status: &str) -> &'static [&'static str] {
    match status {
        "proposed" => &[],
        "agreed" => &["agreed"],
        "preparing" => &["agreed", "preparing"],
        "live" => &["agreed", "preparing", "live"],
        "suspended" => &["agreed", "preparing", "live", "suspended"],
        "suspended_preparing" => &["agreed", "preparing", "suspended"],
        "evaluating" => &["agreed", "preparing", "live", "evaluating"],
        "closed" => &["agreed", "preparing", "live", "evaluating", "closed"],
        "cancelled" => &["agreed", "cancelled"],
        other => panic!("no way to {other}"),
    }
}

/// A move with everything that its guards ask for of the request.
pub fn move_to(to: &str) -> Value {
    match to {
        "live" => json!({"to": to, "on": "2026-02-01"}),
        "evaluating" => json!({"to": to, "on": "2026-10-31", "reason": "other"}),
        "suspended" | "cancelled" => json!({"to": to, "reason": "funding"}),
        _ => json!({"to": to}),
    }
}

/// An evaluation by the host; `change` overrides members.
pub fn evaluation(change: Value) -> Value {
    let mut body = json!({"kind": "self", "on": "2026-11", "summary": "It works and saves energy."});
    merge(&mut body, change);
    body
}

/// An observation of the outcome for a period, submitted; `change` overrides members.
pub async fn submitted(actor: &Actor, outcome: &Value, period: (&str, &str), change: Value) -> Value {
    let mut body = json!({"starts_on": period.0, "ends_on": period.1, "status": "submitted"});
    merge(&mut body, change);
    actor.post(&format!("{}/observations", path("outcomes", outcome)), body).await.created()
}

/// The same, verified by another.
pub async fn verified(by: (&Actor, &Actor), outcome: &Value, period: (&str, &str), change: Value) -> Value {
    let observation = submitted(by.0, outcome, period, change).await;
    by.1.transition(&path("observations", &observation), json!({"to": "verified"})).await.ok()
}

/// An indicator of Busan's own; `change` overrides members.
pub async fn new_indicator(busan: &Actor, change: Value) -> Value {
    let mut body = json!({
        "vocabulary": "own", "city": "KRPUS", "code": format!("T-{}", super::unique()), "name": "A quantity",
        "definition": "What a test measures.", "unit": "n", "measure": "number", "direction": "up",
        "aggregation": "latest"
    });
    merge(&mut body, change);
    busan.post("/v1/indicators", body).await.created()
}

/// An outcome of the city of Busan by an indicator; `change` overrides members.
pub async fn outcome_of_busan(busan: &Actor, indicator: &Value, change: Value) -> Value {
    let mut body = json!({
        "indicator_id": indicator["id"], "subject": {"type": "city", "id": "KRPUS"}, "level": "outcome"
    });
    merge(&mut body, change);
    busan.post("/v1/outcomes", body).await.created()
}

/// The members of a list, in its order.
pub fn members<'a>(list: &'a Value, name: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|one| one[name].as_str().unwrap_or_default()).collect()
}
