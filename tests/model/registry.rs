//! Requests sent to the service and held against the model.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::actions::{Action, ONWARD, Version, Who};
use super::expected::{CREATED, Expected, Hosting, INVOLVED, OK, Observation, is_fresh, may};
use crate::support::life::{CITY_OF_BARCELONA, evaluation, move_to};
use crate::support::{Actor, Answer, App, merge, new_pilot, sql, unique};

/// What was answered to a key first: the request, and the text of the answer.
type Stored = (String, String);

pub type Actors = HashMap<Who, Actor>;

/// All of them, with fresh tokens.
pub async fn actors(app: &App) -> Actors {
    HashMap::from([
        (Who::Anonymous, app.anonymous()),
        (Who::Reader, app.reader().await),
        (Who::Verifier, app.verifier().await),
        (Who::Busan, app.busan().await),
        (Who::Barcelona, app.barcelona().await),
        (Who::Seoul, app.seoul().await),
        (Who::Admin, app.admin().await),
    ])
}

/// The model of one pilot, and the actors.
pub struct Registry {
    actors: Actors,
    pilot: Value,
    hostings: Vec<Hosting>,
    observations: Vec<Observation>,
    deleted: Vec<Observation>,
    keys: HashMap<(Who, u8), Stored>,
    /// Sets the keys of this sequence apart.
    sequence: String,
}

impl Registry {
    /// Nothing yet but a pilot of Busan.
    pub async fn new(actors: &Actors) -> Self {
        let pilot = new_pilot(&actors[&Who::Busan], json!({})).await;
        let (hostings, observations, deleted, keys) = Default::default();
        Self { actors: actors.clone(), pilot, hostings, observations, deleted, keys, sequence: unique() }
    }

    /// The states that hostings and observations are in.
    pub fn states(&self) -> impl Iterator<Item = &'static str> {
        let hostings = self.hostings.iter().map(|one| one.status);
        hostings.chain(self.observations.iter().map(|one| one.status))
    }

    /// Sends a request, and checks its answer.
    pub async fn ask(&mut self, action: &Action) {
        let (answer, expected) = match action {
            Action::Propose { who, key, is_planned } => self.propose(*who, *key, *is_planned).await,
            Action::Observe { who, hosting, month, value, is_draft, key } => {
                let Some(index) = self.index(*hosting) else { return };
                let Some((outcome, _)) = self.hostings[index].outcome.clone() else { return };
                self.observe((*who, *key), outcome, *month, *value, *is_draft).await
            }
            Action::Decide { who, observation, to, version } => {
                let Some(index) = place(*observation, self.observations.len()) else { return };
                self.decide(*who, index, to, *version).await
            }
            Action::Remove { who, observation, version } => {
                let Some(index) = place(*observation, self.observations.len()) else { return };
                self.remove(*who, index, *version).await
            }
            Action::Move { hosting, .. }
            | Action::Note { hosting, .. }
            | Action::Evaluate { hosting, .. }
            | Action::Measure { hosting, .. }
            | Action::Read { hosting, .. } => {
                let Some(index) = self.index(*hosting) else { return };
                self.ask_hosting(action, index).await
            }
        };
        let found = (answer.status, answer.json["code"].as_str().filter(|_| answer.status >= 400).unwrap_or_default());
        assert_eq!(found, expected, "{action:?}: {} {}", answer.request, answer.text);
    }

    fn index(&self, hosting: u8) -> Option<usize> {
        place(hosting, self.hostings.len())
    }

    async fn ask_hosting(&mut self, action: &Action, index: usize) -> (Answer, Expected) {
        let hosting = &mut self.hostings[index];
        let at = format!("/v1/hostings/{}", hosting.id);
        match action {
            Action::Move { who, to, has_reason, version, .. } => {
                let to = if *to == ONWARD { hosting.onward() } else { to };
                let mut body = move_to(to);
                if *has_reason {
                    merge(&mut body, json!({"reason": if to == "evaluating" { "other" } else { "funding" }}));
                } else {
                    body.as_object_mut().unwrap().remove("reason");
                }
                let request = self.actors[who].request("POST", &format!("{at}/transitions")).json(&body);
                let answer = self.actors[who].send(naming(request, *version, hosting.version)).await;
                (answer, hosting.transition(*who, to, *has_reason, *version))
            }
            Action::Note { who, note, version, .. } => {
                let body = json!({"scale_note": format!("Note {note}")}).to_string();
                let request = self.actors[who].request("PATCH", &at).body(body);
                let request = request.header("content-type", "application/merge-patch+json");
                let answer = self.actors[who].send(naming(request, *version, hosting.version)).await;
                // Its own members are the host's; planned dates and lead would be the origin's too.
                let expected = may(*who, &[Who::Barcelona]).and_then(|()| is_fresh(*version, true)).err().unwrap_or(OK);
                if expected == OK && hosting.note != Some(*note) {
                    hosting.note = Some(*note);
                    hosting.version += 1;
                }
                (answer, expected)
            }
            Action::Evaluate { who, decides, .. } => {
                let decision = if *decides { json!({"decision": "scale"}) } else { json!({}) };
                let answer = self.actors[who].post(&format!("{at}/evaluations"), evaluation(decision)).await;
                let expected = may(*who, &[Who::Barcelona]).err().unwrap_or(CREATED);
                hosting.has_decision |= expected == CREATED && *decides;
                (answer, expected)
            }
            Action::Measure { who, has_baseline, .. } => {
                let mut body = json!({
                    "indicator": {"vocabulary": "own", "code": "SL-01"}, "level": "outcome",
                    "subject": {"type": "hosting", "id": hosting.id}
                });
                if *has_baseline {
                    merge(&mut body, json!({"baseline": {"value": "400", "on": "2025-12"}}));
                }
                let answer = self.actors[who].post("/v1/outcomes", body).await;
                let is_there = hosting.outcome.is_some();
                let expected = may(*who, INVOLVED).err().unwrap_or(if is_there { (409, "duplicate") } else { CREATED });
                if expected == CREATED {
                    hosting.outcome = Some((answer.json["id"].as_str().unwrap().to_owned(), *has_baseline));
                }
                (answer, expected)
            }
            Action::Read { who, .. } => {
                let answer = self.actors[who].get(&at).await;
                // What is only proposed is nobody's business.
                if *who == Who::Anonymous && hosting.status == "proposed" {
                    return (answer, (404, "not_found"));
                }
                let found = [&answer.json["status"], &answer.json["version"]];
                assert_eq!(found, [&json!(hosting.status), &json!(hosting.version)]);
                (answer, OK)
            }
            _ => unreachable!("those are not of a hosting"),
        }
    }

    /// POST, perhaps with a key: what was answered to it before is answered again, and to nothing else.
    async fn keyed(&mut self, (who, key): (Who, Option<u8>), at: &str, body: &Value) -> (Answer, Option<Expected>) {
        let actor = self.actors[&who].clone();
        let mut request = actor.request("POST", at).json(body);
        if let Some(key) = key {
            request = request.header("idempotency-key", format!("{}-{key}", self.sequence));
        }
        let answer = actor.send(request).await;
        let stored = key.and_then(|key| self.keys.get(&(who, key)));
        let expected = stored.map(|(asked, text)| {
            if *asked != format!("{at} {body}") {
                return (422, "idempotency_key_reused");
            }
            assert_eq!((answer.header("idempotent-replayed"), &answer.text), (Some("true"), text));
            CREATED
        });
        (answer, expected)
    }

    fn store(&mut self, (who, key): (Who, Option<u8>), at: &str, body: &Value, answer: &Answer) {
        if let Some(key) = key {
            self.keys.insert((who, key), (format!("{at} {body}"), answer.text.clone()));
        }
    }

    async fn propose(&mut self, who: Who, key: Option<u8>, is_planned: bool) -> (Answer, Expected) {
        let mut body = json!({"pilot_id": self.pilot["id"], "host_city": "ESBCN"});
        if is_planned {
            let plan = json!({
                "lead_organisation_id": CITY_OF_BARCELONA, "planned_start": "2026-02", "planned_end": "2026-10",
                "no_outcome_reason": "measured by the operator"
            });
            merge(&mut body, plan);
        }
        // Whom an administrator proposes for is another matter.
        let who = if who == Who::Admin { Who::Busan } else { who };
        let allowed = may(who, INVOLVED);
        let (answer, known) = self.keyed((who, key), "/v1/hostings", &body).await;
        if let Some(known) = known {
            return (answer, known);
        }
        let is_there = self.hostings.iter().any(Hosting::is_open);
        let expected = allowed.err().unwrap_or(if is_there { (409, "duplicate") } else { CREATED });
        if expected == CREATED {
            self.store((who, key), "/v1/hostings", &body, &answer);
            self.hostings.push(Hosting {
                id: answer.json["id"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned(),
                version: 1,
                status: "proposed",
                proposed_by: who,
                is_planned,
                suspended_from: None,
                has_started: false,
                note: None,
                has_decision: false,
                outcome: None,
            });
        }
        (answer, expected)
    }

    async fn observe(
        &mut self,
        by: (Who, Option<u8>),
        outcome: String,
        month: u8,
        value: u8,
        is_draft: bool,
    ) -> (Answer, Expected) {
        let status = if is_draft { "draft" } else { "submitted" };
        let day = format!("2026-0{month}");
        let body = json!({"starts_on": day, "ends_on": day, "value": value.to_string(), "status": status});
        let at = format!("/v1/outcomes/{outcome}/observations");
        let allowed = may(by.0, &[Who::Barcelona]);
        let (answer, known) = self.keyed(by, &at, &body).await;
        let expected = match (allowed, known) {
            // A key that was used is looked at before the record.
            (_, Some(known)) => known,
            (Err(refused), None) => refused,
            (Ok(()), None) => {
                self.store(by, &at, &body, &answer);
                let id = answer.json["id"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned();
                self.observations.push(Observation { id, version: 1, status, outcome, month, by: by.0 });
                CREATED
            }
        };
        (answer, expected)
    }

    async fn decide(&mut self, who: Who, index: usize, to: &'static str, version: Version) -> (Answer, Expected) {
        let others = self.observations.clone();
        let observation = &mut self.observations[index];
        let at = format!("/v1/observations/{}/transitions", observation.id);
        let request = self.actors[&who].request("POST", &at).json(&json!({"to": to}));
        let answer = self.actors[&who].send(naming(request, version, observation.version)).await;
        (answer, observation.transition(&others, who, to, version))
    }

    async fn remove(&mut self, who: Who, index: usize, version: Version) -> (Answer, Expected) {
        let observation = &self.observations[index];
        let at = format!("/v1/observations/{}", observation.id);
        let request = self.actors[&who].request("DELETE", &at);
        let answer = self.actors[&who].send(naming(request, version, observation.version)).await;
        let expected = observation.deletion(who, version);
        if expected.0 == 204 {
            self.deleted.push(self.observations.remove(index));
        }
        (answer, expected)
    }

    /// Everything is as the model has it, and every change has its revision.
    pub async fn check_all(&self, app: &App) {
        let admin = &self.actors[&Who::Admin];
        let listed =
            admin.all(&format!("/v1/hostings?pilot_id={}&limit=500", self.pilot["id"].as_str().unwrap())).await;
        assert_eq!(listed.len(), self.hostings.len());
        for hosting in &self.hostings {
            let found = admin.get(&format!("/v1/hostings/{}", hosting.id)).await.ok();
            assert_eq!([&found["status"], &found["version"]], [&json!(hosting.status), &json!(hosting.version)]);
            assert_eq!(found["scale_note"], json!(hosting.note.map(|note| format!("Note {note}"))));
            assert_eq!(!found["actual_start"].is_null(), hosting.has_started);
            self.check_history(app, &hosting.id, hosting.version).await;
            let Some((outcome, _)) = &hosting.outcome else { continue };
            let observed = admin.all(&format!("/v1/outcomes/{outcome}/observations?limit=500")).await;
            let expected = self.observations.iter().filter(|one| one.outcome == *outcome).count();
            assert_eq!(observed.len(), expected);
        }
        for observation in &self.observations {
            let found = admin.get(&format!("/v1/observations/{}", observation.id)).await.ok();
            assert_eq!(
                [&found["status"], &found["version"]],
                [&json!(observation.status), &json!(observation.version)]
            );
            self.check_history(app, &observation.id, observation.version).await;
        }
        for observation in &self.deleted {
            admin.get(&format!("/v1/observations/{}", observation.id)).await.problem(410, "gone");
            self.check_history(app, &observation.id, observation.version + 1).await;
        }
    }

    async fn check_history(&self, app: &App, id: &str, version: i64) {
        // What comes into sight with its hosting is told of once more, at the version it has.
        let counts = format!(
            "SELECT count(*), max(version), count(*) FILTER (WHERE EXISTS (
                SELECT FROM change c WHERE (c.record_id, c.version) = (r.record_id, r.version)))
             FROM revision r WHERE record_id = '{id}'"
        );
        assert_eq!(sql(&app.database, &counts).await[0], vec![Some(version.to_string()); 3], "history of {id}");
    }
}

fn place(number: u8, count: usize) -> Option<usize> {
    (count > 0).then(|| usize::from(number) % count)
}

/// A request that names this version of what is at `current`.
fn naming(request: reqwest::RequestBuilder, version: Version, current: i64) -> reqwest::RequestBuilder {
    match version {
        Version::None => request,
        Version::Any => request.header("if-match", "*"),
        Version::Current => request.header("if-match", format!("\"v{current}.0123456789abcdef\"")),
        Version::Stale => request.header("if-match", format!("\"v{}.0123456789abcdef\"", current + 7)),
    }
}
