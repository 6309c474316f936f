//! Records of Busan, and records of Barcelona in which Busan has no part, as everybody, partners or nobody else sees them.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::support::cooperation::{activity, agreement, initiative};
use crate::support::life::submitted;
use crate::support::{Actor, App, merge, path, unique};

/// Whose a record is, from where Busan's editor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Whose {
    /// Busan's own.
    Own,
    /// Another city's, or the registry's, for everybody to see.
    Others,
    /// Another city's, for partners.
    Partners,
    /// Another city's, private, and all that belongs to it.
    Hidden,
    /// Another city's, private, of a parent that everybody sees.
    HiddenChild,
    /// A draft of another city, of a parent that everybody sees.
    Draft,
}

impl Whose {
    pub const ALL: [Whose; 6] =
        [Whose::Own, Whose::Others, Whose::Partners, Whose::Hidden, Whose::HiddenChild, Whose::Draft];

    fn visibility(self) -> &'static str {
        match self {
            Whose::Own | Whose::Others => "public",
            Whose::Partners => "partners",
            Whose::Hidden | Whose::HiddenChild | Whose::Draft => "private",
        }
    }

    fn city(self) -> &'static str {
        if self == Whose::Own { "KRPUS" } else { "ESBCN" }
    }
}

/// Ids of records by whose they are and their collection.
pub struct Objects {
    pub app: App,
    ids: HashMap<(Whose, &'static str), String>,
}

impl Objects {
    pub async fn make() -> Self {
        let mut objects = Self { app: App::start().await, ids: HashMap::new() };
        let (busan, barcelona) = (objects.app.busan().await, objects.app.barcelona().await);
        let (second, admin) = (objects.app.actor("test-busan-2").await, objects.app.admin().await);
        // Its observation is submitted by another account, so that it can be verified.
        objects.chain(Whose::Own, &busan, &second).await;
        for whose in [Whose::Others, Whose::Partners, Whose::Hidden] {
            objects.chain(whose, &barcelona, &barcelona).await;
        }
        objects.children(&barcelona).await;
        for (whose, actor) in [(Whose::Own, &busan), (Whose::Others, &barcelona)] {
            objects.public_ones(whose, actor).await;
            objects.accounts_own(whose, actor, &admin).await;
        }
        for (collection, id) in
            [("programmes", "015aca1d-6407-7000-8000-000000000007"), ("vocabularies", "smart_cities")]
        {
            objects.ids.insert((Whose::Others, collection), id.to_owned());
        }
        objects
    }

    fn keep(&mut self, whose: Whose, collection: &'static str, record: &Value) {
        self.ids.insert((whose, collection), record["id"].as_str().unwrap().to_owned());
    }

    pub fn id(&self, whose: Whose, collection: &'static str) -> Option<&str> {
        self.ids.get(&(whose, collection)).map(String::as_str)
    }

    /// A pilot at home and everything that hangs on it.
    async fn chain(&mut self, whose: Whose, actor: &Actor, submitter: &Actor) {
        let (city, visibility) = (whose.city(), whose.visibility());
        let pilot = json!({"title": unique(), "origin_city": city, "category": "waste", "visibility": visibility});
        let pilot = actor.post("/v1/pilots", pilot).await.created();
        let hosting = json!({"pilot_id": pilot["id"], "host_city": city, "visibility": visibility});
        let hosting = actor.post("/v1/hostings", hosting).await.created();
        let at = path("hostings", &hosting);
        // While it is only proposed, nobody without an account sees it.
        actor.transition(&at, json!({"to": "agreed"})).await.ok();
        let evaluation = json!({"kind": "self", "on": "2026", "summary": "It works.", "visibility": visibility});
        let evaluation = actor.post(&format!("{at}/evaluations"), evaluation).await.created();
        let compliance = actor.post(&format!("{at}/compliance"), json!({"kind": "permit"})).await.created();
        let outcome = outcome_of(actor, &hosting, visibility).await;
        let observation = submitted(submitter, &outcome, ("2026", "2026"), json!({"value": "1"})).await;
        let document = json!({"title": "Plan", "city": city, "visibility": visibility});
        let document = actor.post("/v1/documents", document).await.created();
        let assessment =
            json!({"pilot_id": pilot["id"], "city": "KRSEL", "verdict": "applicable", "visibility": visibility});
        let assessment = actor.post("/v1/applicability", assessment).await.created();
        let parties = json!({"parties": [{"city": city}, {"city": "KRSEL"}], "visibility": visibility});
        let agreement = actor.post("/v1/agreements", agreement(parties)).await.created();
        for (collection, record) in [
            ("pilots", &pilot),
            ("hostings", &hosting),
            ("evaluations", &evaluation),
            ("compliance", &compliance),
            ("outcomes", &outcome),
            ("observations", &observation),
            ("documents", &document),
            ("applicability", &assessment),
            ("agreements", &agreement),
        ] {
            self.keep(whose, collection, record);
        }
    }

    /// What is hidden or a draft, of the hosting of Barcelona that everybody sees.
    async fn children(&mut self, barcelona: &Actor) {
        let hosting = json!({"id": self.id(Whose::Others, "hostings").unwrap()});
        let at = path("hostings", &hosting);
        let indicator = json!({"indicator": {"vocabulary": "own", "code": "SL-02"}});
        let mut outcome = outcome_body(&hosting, "private");
        merge(&mut outcome, indicator);
        let outcome = barcelona.post("/v1/outcomes", outcome).await.created();
        let observation = submitted(barcelona, &outcome, ("2026", "2026"), json!({"value": "1"})).await;
        let evaluation = json!({"kind": "self", "on": "2026", "summary": "Not yet.", "visibility": "private"});
        let evaluation = barcelona.post(&format!("{at}/evaluations"), evaluation).await.created();
        self.keep(Whose::HiddenChild, "outcomes", &outcome);
        self.keep(Whose::HiddenChild, "observations", &observation);
        self.keep(Whose::HiddenChild, "evaluations", &evaluation);
        let seen = format!("/v1/outcomes/{}/observations", self.id(Whose::Others, "outcomes").unwrap());
        let draft = json!({"starts_on": "2027", "ends_on": "2027", "value": "1"});
        self.keep(Whose::Draft, "observations", &barcelona.post(&seen, draft).await.created());
    }

    /// What everybody sees, whosever it is.
    async fn public_ones(&mut self, whose: Whose, actor: &Actor) {
        let city = whose.city();
        let partnership = json!({"title": unique(), "cities": [city, "KRSEL"]});
        let partnership = actor.post("/v1/partnerships", partnership).await.created();
        let within = initiative(json!({"partnership_id": partnership["id"]}));
        let made = [
            ("initiatives", within),
            ("needs", json!({"city": city, "area": "smart_cities", "title": unique()})),
            ("organisations", json!({"name": unique(), "city": city})),
            ("indicators", indicator(city)),
            ("activities", activity(json!({"city": city}))),
        ];
        self.keep(whose, "partnerships", &partnership);
        for (collection, body) in made {
            let record = actor.post(&format!("/v1/{collection}"), body).await.created();
            self.keep(whose, collection, &record);
        }
        self.ids.insert((whose, "cities"), city.to_owned());
    }

    /// What belongs to an account.
    async fn accounts_own(&mut self, whose: Whose, actor: &Actor, admin: &Actor) {
        let webhook = json!({"url": "http://127.0.0.1:9999/", "types": ["*"]});
        let webhook = actor.post("/v1/webhooks", webhook).await.created();
        let test = format!("{}/test", path("webhooks", &webhook));
        let delivery = actor.send(actor.request("POST", &test)).await.ok();
        let import = actor.post("/v1/imports?type=needs", json!([])).await.json;
        let account = json!({"client_id": unique(), "name": "Another", "role": "reader"});
        let account = admin.post("/v1/accounts", account).await.created();
        for (collection, record) in
            [("webhooks", &webhook), ("deliveries", &delivery), ("imports", &import), ("accounts", &account)]
        {
            self.keep(whose, collection, record);
        }
    }

    /// The path of an operation on such a record, if there is one.
    pub fn path(&self, template: &str, collection: &str, whose: Whose) -> Option<String> {
        let of = |collection: &str| {
            let found = self.ids.iter().find(|((one, name), _)| *one == whose && *name == collection);
            found.map(|(_, id)| id.clone())
        };
        let path = template.replace("{delivery_id}", &of("deliveries").unwrap_or_default());
        Some(path.replace("{id}", &of(collection)?))
    }

    /// What makes a record of that city, or one that belongs to such a record, whose collection is named beside it.
    pub fn body_of(&self, operation: &str, whose: Whose) -> Option<(Value, Option<&'static str>)> {
        let noun = operation.strip_prefix("create_").or_else(|| operation.strip_prefix("upsert_"))?;
        if let Some(body) = of_registry(noun) {
            return (whose == Whose::Others).then_some((body, None));
        }
        if let Some((body, parent)) = self.body_below(noun, whose) {
            return Some((body, Some(parent)));
        }
        let city = whose.city();
        let body = match noun {
            _ if !matches!(whose, Whose::Own | Whose::Others) => return None,
            "pilot" => json!({"title": unique(), "origin_city": city, "category": "waste"}),
            "need" => json!({"city": city, "area": "smart_cities", "title": unique()}),
            "organisation" => json!({"name": unique(), "city": city}),
            "document" => json!({"title": "Plan", "city": city}),
            "indicator" => indicator(city),
            "partnership" => json!({"title": unique(), "cities": [city, "KRSEL"]}),
            "initiative" => initiative(json!({"partnership_id": self.id(whose, "partnerships")})),
            "activity" => activity(json!({"city": city})),
            "agreement" => agreement(json!({"parties": [{"city": city}, {"city": "KRSEL"}]})),
            _ => return None,
        };
        Some((body, None))
    }

    /// A record that belongs to another one, and the collection of that.
    fn body_below(&self, noun: &str, whose: Whose) -> Option<(Value, &'static str)> {
        let parent = |collection| self.id(whose, collection);
        let body = match noun {
            "hosting" => (json!({"pilot_id": parent("pilots")?, "host_city": "KRSEL"}), "pilots"),
            "applicability" => {
                (json!({"pilot_id": parent("pilots")?, "city": "KRSEL", "verdict": "unknown"}), "pilots")
            }
            "outcome" => (outcome_body(&json!({"id": parent("hostings")?}), "public"), "hostings"),
            "compliance" => (json!({"hosting_id": parent("hostings")?, "kind": "permit"}), "hostings"),
            "evaluation" => {
                let evaluation =
                    json!({"hosting_id": parent("hostings")?, "kind": "self", "on": "2026", "summary": "A"});
                (evaluation, "hostings")
            }
            "observation" => (observed(parent("outcomes")?), "outcomes"),
            "observations" => (json!({"items": [observed(parent("outcomes")?)]}), "outcomes"),
            _ => return None,
        };
        Some(body)
    }
}

/// What is the registry's.
fn of_registry(noun: &str) -> Option<Value> {
    Some(match noun {
        "account" => json!({"client_id": unique(), "name": "One more", "role": "reader"}),
        "city" => {
            json!({"name": unique(), "country": "FR", "latitude": 45.7, "longitude": 4.8, "timezone": "Europe/Paris"})
        }
        "programme" => json!({"name": unique()}),
        "term" => json!({"code": format!("t{}", unique().replace('-', "_")), "label": "Term"}),
        _ => return None,
    })
}

fn indicator(city: &str) -> Value {
    json!({"vocabulary": "own", "city": city, "code": format!("SL-{}", unique()), "name": "Glare", "unit": "n",
           "definition": "Complaints about glare.", "measure": "number", "direction": "down", "aggregation": "sum"})
}

fn observed(outcome: &str) -> Value {
    json!({"outcome_id": outcome, "starts_on": "2025", "ends_on": "2025", "value": "1"})
}

fn outcome_body(hosting: &Value, visibility: &str) -> Value {
    json!({"indicator": {"vocabulary": "own", "code": "SL-01"}, "subject": {"type": "hosting", "id": hosting["id"]},
           "level": "outcome", "visibility": visibility})
}

async fn outcome_of(actor: &Actor, hosting: &Value, visibility: &str) -> Value {
    actor.post("/v1/outcomes", outcome_body(hosting, visibility)).await.created()
}
