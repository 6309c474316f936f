//! Random histories of a few records, for properties that hold whatever happens.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use super::cooperation::{new_agreement, new_initiative, new_partnership};
use super::life::Exchange;
use super::{Actor, App, new_outcome, new_pilot, path, unique};

/// Makes histories of so many events; SEED=… runs the same ones again.
pub struct Histories {
    pub seed: String,
    runner: TestRunner,
}

impl Histories {
    pub fn new() -> Self {
        let now = chrono::Utc::now().timestamp_micros().to_string();
        let seed = std::env::var("SEED").unwrap_or(now);
        println!("SEED={seed}");
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(seed.bytes()).for_each(|(byte, given)| *byte = given);
        let runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        Self { seed, runner }
    }

    pub fn next(&mut self, events: usize) -> Vec<Event> {
        prop::collection::vec(event(), events).new_tree(&mut self.runner).unwrap().current()
    }
}

#[derive(Debug, Clone)]
pub enum Event {
    PilotVisibility(&'static str),
    HostingVisibility(&'static str),
    OutcomeVisibility(&'static str),
    DocumentVisibility(&'static str),
    PilotTitle(u8),
    Propose,
    Cancel,
    Observe(u8),
    Verify,
    Target(u8),
    Withdraw,
    Contact(u8),
    /// Whether Seoul is in it.
    PartnershipCities(bool),
    /// Whether to the partnership without Barcelona.
    InitiativeMoves(bool),
}

fn event() -> impl Strategy<Value = Event> {
    let visibility = || prop::sample::select(vec!["public", "partners", "private"]);
    prop_oneof![
        visibility().prop_map(Event::PilotVisibility),
        visibility().prop_map(Event::HostingVisibility),
        visibility().prop_map(Event::OutcomeVisibility),
        visibility().prop_map(Event::DocumentVisibility),
        any::<u8>().prop_map(Event::PilotTitle),
        Just(Event::Propose),
        Just(Event::Cancel),
        any::<u8>().prop_map(Event::Observe),
        Just(Event::Verify),
        (1u8..200).prop_map(Event::Target),
        Just(Event::Withdraw),
        any::<u8>().prop_map(Event::Contact),
        any::<bool>().prop_map(Event::PartnershipCities),
        any::<bool>().prop_map(Event::InitiativeMoves),
    ]
}

/// The records that the events are about.
pub struct World {
    exchange: Exchange,
    verifier: Actor,
    document: Value,
    pilot: Value,
    hosting: Value,
    outcome: Value,
    organisation: Value,
    partnerships: [Value; 2],
    initiative: Value,
    agreement: Value,
    /// Outcomes about the first partnership and about the initiative.
    joint: Vec<Value>,
    proposals: Vec<Value>,
    observations: Vec<Value>,
}

impl World {
    pub async fn of(app: &App) -> World {
        let exchange = Exchange::of(app).await;
        let document = exchange.busan.post("/v1/documents", json!({"title": "Plan", "city": "KRPUS"})).await.created();
        let cited = json!({"citations": [{"document_id": document["id"], "quote": "as planned"}]});
        let pilot = new_pilot(&exchange.busan, cited).await;
        let hosting = json!({"pilot_id": pilot["id"], "host_city": "ESBCN"});
        let hosting = exchange.busan.post("/v1/hostings", hosting).await.created();
        let outcome = new_outcome(&exchange.barcelona, "hosting", &hosting["id"], json!({})).await;
        let contact =
            json!({"name": format!("Lamps {}", unique()), "city": "KRPUS", "contact_email": "lamps@example.org"});
        let organisation = exchange.busan.post("/v1/organisations", contact).await.created();
        let verifier = app.verifier().await;
        let busan = &exchange.busan;
        let partnerships = [
            new_partnership(busan, json!({"cities": ["KRPUS", "ESBCN"]})).await,
            new_partnership(busan, json!({"cities": ["KRPUS", "KRSEL"]})).await,
        ];
        let initiative = new_initiative(busan, json!({"partnership_id": partnerships[0]["id"]})).await;
        let private = json!({"initiative_id": initiative["id"], "visibility": "private",
            "parties": [{"organisation_id": organisation["id"]}, {"city": "KRPUS"}]});
        let agreement = new_agreement(busan, private).await;
        let mut joint = vec![];
        for (subject, id) in [("partnership", &partnerships[0]["id"]), ("initiative", &initiative["id"])] {
            let outcome = new_outcome(busan, subject, id, json!({"visibility": "private"})).await;
            let body = json!({"starts_on": "2025", "ends_on": "2025", "value": "1", "status": "submitted"});
            busan.post(&format!("{}/observations", path("outcomes", &outcome)), body).await.created();
            joint.push(outcome);
        }
        World {
            exchange,
            verifier,
            document,
            pilot,
            hosting,
            outcome,
            organisation,
            partnerships,
            initiative,
            agreement,
            joint,
            proposals: vec![],
            observations: vec![],
        }
    }

    /// Does it; what the rules refuse changes nothing, which is as good a history as any.
    pub async fn happens(&mut self, event: &Event) {
        let (busan, barcelona) = (&self.exchange.busan, &self.exchange.barcelona);
        let to = |visibility: &str| json!({"visibility": visibility});
        match event {
            Event::PilotVisibility(one) => drop(busan.patch(&path("pilots", &self.pilot), to(one)).await),
            Event::HostingVisibility(one) => drop(barcelona.patch(&path("hostings", &self.hosting), to(one)).await),
            Event::OutcomeVisibility(one) => drop(barcelona.patch(&path("outcomes", &self.outcome), to(one)).await),
            Event::DocumentVisibility(one) => drop(busan.patch(&path("documents", &self.document), to(one)).await),
            Event::PilotTitle(n) => {
                drop(busan.patch(&path("pilots", &self.pilot), json!({"title": format!("Title {n}")})).await);
            }
            Event::Propose => {
                let pilot = new_pilot(busan, json!({})).await;
                let body = json!({"pilot_id": pilot["id"], "host_city": "ESBCN"});
                self.proposals.push(busan.post("/v1/hostings", body).await.created());
            }
            Event::Cancel => {
                let body = json!({"to": "agreed"});
                drop(barcelona.transition(&path("hostings", &self.hosting), body).await);
            }
            Event::Observe(n) => {
                let list = format!("{}/observations", path("outcomes", &self.outcome));
                let year = 1900 + i32::from(*n);
                let body = json!({"starts_on": year.to_string(), "ends_on": year.to_string(), "value": n.to_string(), "status": "submitted"});
                self.observations.push(barcelona.post(&list, body).await.created());
            }
            Event::Verify => {
                if let Some(one) = self.observations.pop() {
                    drop(self.verifier.transition(&path("observations", &one), json!({"to": "verified"})).await);
                }
            }
            Event::Target(n) => {
                let body = json!({"targets": [{"value": n.to_string(), "due_on": "2030"}]});
                drop(barcelona.patch(&path("outcomes", &self.outcome), body).await);
            }
            Event::Withdraw => {
                if let Some(one) = self.proposals.pop() {
                    drop(busan.delete(&path("hostings", &one)).await);
                }
            }
            Event::Contact(n) => {
                let body = json!({"contact_email": format!("{n}@example.org")});
                drop(busan.patch(&path("organisations", &self.organisation), body).await);
            }
            Event::PartnershipCities(with_seoul) => {
                let cities: &[&str] = if *with_seoul { &["KRPUS", "ESBCN", "KRSEL"] } else { &["KRPUS", "ESBCN"] };
                drop(busan.patch(&path("partnerships", &self.partnerships[0]), json!({"cities": cities})).await);
            }
            Event::InitiativeMoves(away) => {
                let body = json!({"partnership_id": self.partnerships[usize::from(*away)]["id"]});
                drop(busan.patch(&path("initiatives", &self.initiative), body).await);
            }
        }
    }

    pub fn paths(&self) -> Vec<String> {
        vec![
            path("pilots", &self.pilot),
            path("hostings", &self.hosting),
            path("outcomes", &self.outcome),
            path("documents", &self.document),
            path("organisations", &self.organisation),
            path("agreements", &self.agreement),
            path("outcomes", &self.joint[0]),
            path("outcomes", &self.joint[1]),
            "/v1/hostings?limit=500".into(),
            "/v1/outcomes?limit=500".into(),
        ]
    }
}
