//! A pilot of Busan goes through a whole exchange hosting in Barcelona, by the two cities' own accounts.

use serde_json::{Value, json};

use crate::support::life::{CITY_OF_BARCELONA, evaluation, members, on_the_day, submitted};
use crate::support::{Actor, App, new_hosting, new_outcome, new_pilot, path};

struct Journey {
    busan: Actor,
    barcelona: Actor,
    anyone: Actor,
    pilot: Value,
    hosting: String,
}

impl Journey {
    async fn state(&self) -> Value {
        self.barcelona.get(&self.hosting).await.ok()["status"].clone()
    }

    /// The host tries a move that still misses these; the hosting stays where it is, and the list of moves says so.
    async fn lacks(&self, body: Value, expected: &[&str]) {
        let (before, to) = (self.state().await, body["to"].clone());
        if body.as_object().unwrap().len() == 1 {
            let moves = self.barcelona.get(&format!("{}/transitions", self.hosting)).await.ok();
            let listed = moves["allowed"].as_array().unwrap().iter().find(|one| one["to"] == to).unwrap();
            assert_eq!(members(&listed["missing"], "code"), expected, "listed for {to}");
        }
        assert_eq!(self.barcelona.transition(&self.hosting, body).await.missing(), expected, "to {to}");
        assert_eq!(self.state().await, before);
    }

    async fn moves(&self, body: Value) {
        let to = body["to"].clone();
        let moved = self.barcelona.transition(&self.hosting, body).await;
        assert!(!moved.etag().is_empty());
        assert_eq!(moved.ok()["status"], to);
    }
}

#[tokio::test]
async fn a_new_pilot_goes_through_a_whole_exchange_and_is_tried_again() {
    let app = App::start().await;
    let (busan, barcelona) = (app.busan().await, app.barcelona().await);
    let pilot = new_pilot(&busan, json!({"title": "Lights that listen", "processes_personal_data": true})).await;
    let hosting = new_hosting(&busan, &pilot, json!({})).await;
    assert_eq!(
        [&hosting["kind"], &hosting["status"], &hosting["proposed_by_city"], &hosting["origin_city"]],
        ["exchange", "proposed", "KRPUS", "KRPUS"]
    );
    let hosting = path("hostings", &hosting);
    let journey = Journey { busan, barcelona, anyone: app.anonymous(), pilot, hosting };
    agree_and_prepare(&journey).await;
    let outcome = go_live(&journey).await;
    let observation = observe(&journey, &on_the_day(&app, "2027-07-02").await, &outcome).await;
    suspend_and_resume(&journey).await;
    end(&journey).await;
    close(&journey, &observation).await;
    what_everybody_sees_of_it(&journey, &outcome).await;
    try_again(&journey).await;
}

async fn agree_and_prepare(journey: &Journey) {
    let Journey { busan, barcelona, anyone, hosting, .. } = journey;
    anyone.get(hosting).await.problem(404, "not_found");
    assert_eq!(busan.transition(hosting, json!({"to": "agreed"})).await.missing(), ["consent_of_other_city"]);
    journey.moves(json!({"to": "agreed"})).await;
    assert_eq!(anyone.get(hosting).await.ok()["status"], "agreed");

    journey.lacks(json!({"to": "preparing"}), &["lead_organisation", "planned_dates"]).await;
    busan.patch(hosting, json!({"planned_start": "2027-01"})).await.ok();
    barcelona.patch(hosting, json!({"lead_organisation_id": CITY_OF_BARCELONA})).await.ok();
    journey.lacks(json!({"to": "preparing"}), &["planned_dates"]).await;
    busan.patch(hosting, json!({"planned_end": "2028-01"})).await.ok();
    busan.transition(hosting, json!({"to": "preparing"})).await.problem(403, "forbidden");
    journey.moves(json!({"to": "preparing"})).await;
}

async fn go_live(journey: &Journey) -> Value {
    let Journey { busan, barcelona, hosting, .. } = journey;
    let live = || json!({"to": "live"});
    journey.lacks(live(), &["actual_start", "compliance_dpia", "outcome_with_baseline"]).await;

    let compliance = format!("{hosting}/compliance");
    let add = async |kind: &str| {
        let body = json!({"kind": kind, "status": "in_progress"});
        path("compliance", &barcelona.post(&compliance, body).await.created())
    };
    let (dpia, permit) = (add("dpia").await, add("permit").await);
    journey.lacks(live(), &["actual_start", "compliance_dpia", "compliance_permit", "outcome_with_baseline"]).await;
    barcelona.patch(&dpia, json!({"status": "not_required", "text": "The city thinks so."})).await.ok();
    barcelona.patch(&permit, json!({"status": "rejected"})).await.ok();
    journey.lacks(live(), &["actual_start", "compliance_dpia", "compliance_permit", "outcome_with_baseline"]).await;
    barcelona.patch(&dpia, json!({"status": "approved", "decided_on": "2027-01-15"})).await.ok();
    barcelona.patch(&permit, json!({"status": "approved"})).await.ok();
    journey.lacks(live(), &["actual_start", "outcome_with_baseline"]).await;

    let id = json!(hosting.rsplit('/').next().unwrap());
    let outcome = new_outcome(busan, "hosting", &id, json!({})).await;
    journey.lacks(live(), &["actual_start", "outcome_with_baseline"]).await;
    let goals = json!({
        "baseline": {"value": "400", "on": "2027-01-01"}, "targets": [{"value": "200", "due_on": "2028-01-01"}]
    });
    barcelona.patch(&path("outcomes", &outcome), goals).await.ok();
    journey.lacks(live(), &["actual_start"]).await;
    journey.moves(json!({"to": "live", "on": "2027-02-01"})).await;
    assert_eq!(barcelona.get(hosting).await.ok()["actual_start"], "2027-02-01");
    outcome
}

/// Halfway to the due date half of the way is expected; the host measures, the city of origin verifies.
async fn observe(journey: &Journey, halfway: &App, outcome: &Value) -> Value {
    let Journey { busan, barcelona, .. } = journey;
    let outcome_path = path("outcomes", outcome);
    let observation = submitted(barcelona, outcome, ("2027-02", "2027-06"), json!({"value": 300})).await;
    let now = barcelona.get(&outcome_path).await.ok();
    assert_eq!(now["latest"]["provisional"], true);

    let observation_path = path("observations", &observation);
    barcelona.transition(&observation_path, json!({"to": "verified"})).await.problem(403, "forbidden");
    let verified = busan.transition(&observation_path, json!({"to": "verified"})).await.ok();
    assert_eq!([&verified["submitted_by"], &verified["verified_by"]], ["test-barcelona", "test-busan"]);
    let now = halfway.anonymous().get(&outcome_path).await.ok();
    assert_eq!([&now["latest"]["value"], &now["progress"], &now["progress_status"]], ["300", "0.5", "on_track"]);
    assert_eq!(now["latest"]["provisional"], false);
    observation
}

async fn suspend_and_resume(journey: &Journey) {
    journey.lacks(json!({"to": "suspended"}), &["reason"]).await;
    journey.moves(json!({"to": "suspended", "reason": "technical_failure", "note": "Controllers fail."})).await;
    let hosting = journey.anyone.get(&journey.hosting).await.ok();
    assert_eq!(hosting["suspended_from"], "live");
    journey.moves(json!({"to": "live"})).await;
    assert_eq!(journey.anyone.get(&journey.hosting).await.ok()["suspended_from"], Value::Null);
}

async fn end(journey: &Journey) {
    journey.lacks(json!({"to": "evaluating"}), &["actual_end"]).await;
    journey.lacks(json!({"to": "evaluating", "on": "2027-06-30"}), &["reason"]).await;
    assert_eq!(journey.barcelona.get(&journey.hosting).await.ok()["actual_end"], Value::Null);
    journey.moves(json!({"to": "evaluating", "on": "2027-06-30", "reason": "completed_early"})).await;
}

async fn close(journey: &Journey, observation: &Value) {
    let Journey { busan, barcelona, hosting, .. } = journey;
    journey.lacks(json!({"to": "closed"}), &["evaluation_with_decision"]).await;
    let body = evaluation(json!({"on": "2027-07-01", "observation_ids": [observation["id"]]}));
    let written = barcelona.post(&format!("{hosting}/evaluations"), body).await.created();
    journey.lacks(json!({"to": "closed"}), &["evaluation_with_decision"]).await;
    barcelona.patch(&path("evaluations", &written), json!({"decision": "scale"})).await.ok();
    busan.transition(hosting, json!({"to": "closed"})).await.problem(403, "forbidden");
    journey.moves(json!({"to": "closed"})).await;
}

async fn what_everybody_sees_of_it(journey: &Journey, outcome: &Value) {
    let Journey { anyone, hosting, pilot, .. } = journey;
    let found = anyone.get(hosting).await.ok();
    assert_eq!(found["guards_waived"], json!([]));
    assert_eq!([&found["actual_start"], &found["actual_end"]], ["2027-02-01", "2027-06-30"]);
    let moves = anyone.get(&format!("{hosting}/transitions")).await.ok();
    assert_eq!(
        members(&moves["items"], "to"),
        ["proposed", "agreed", "preparing", "live", "suspended", "live", "evaluating", "closed"]
    );
    assert_eq!(
        members(&moves["items"], "by"),
        ["KRPUS", "ESBCN", "ESBCN", "ESBCN", "ESBCN", "ESBCN", "ESBCN", "ESBCN"]
    );
    let of_pilot = format!("/v1/hostings?pilot_id={}&status=closed", pilot["id"].as_str().unwrap());
    assert_eq!(anyone.all(&of_pilot).await, [found]);
    let observations = anyone.all(&format!("{}/observations", path("outcomes", outcome))).await;
    assert_eq!([&observations[0]["submitted_by"], &observations[0]["verified_by"]], ["ESBCN", "KRPUS"]);
}

async fn try_again(journey: &Journey) {
    let Journey { busan, barcelona, hosting, pilot, .. } = journey;
    let id = hosting.rsplit('/').next().unwrap();
    let again = new_hosting(barcelona, pilot, json!({"follows_id": id})).await;
    assert_eq!([&again["status"], &again["follows_id"]], ["proposed", id]);
    assert_eq!(again["proposed_by_city"], "ESBCN");
    let again = path("hostings", &again);
    assert_eq!(barcelona.transition(&again, json!({"to": "agreed"})).await.missing(), ["consent_of_other_city"]);
    assert_eq!(busan.transition(&again, json!({"to": "agreed"})).await.ok()["status"], "agreed");
}
