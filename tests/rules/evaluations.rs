//! Evaluations: who writes which kind, and what they hold.

use serde_json::{Value, json};

use crate::support::life::{Exchange, evaluation, verified};
use crate::support::{Actor, App, new_outcome, path};

async fn a_live_hosting(app: &App) -> (Exchange, Value, String) {
    let exchange = Exchange::of(app).await;
    let hosting = exchange.hosting_at("live").await;
    let list = format!("{}/evaluations", path("hostings", &hosting));
    (exchange, hosting, list)
}

/// The host evaluates itself, any other city is a peer, a verifier is external.
#[tokio::test]
async fn each_kind_is_written_by_its_own() {
    let app = App::start().await;
    let (exchange, _, list) = a_live_hosting(&app).await;
    let (seoul, verifier, admin) = (app.seoul().await, app.verifier().await, app.admin().await);
    let cases: [(&Actor, [u16; 3]); 5] = [
        (&exchange.barcelona, [201, 403, 403]),
        (&exchange.busan, [403, 201, 403]),
        (&seoul, [403, 201, 403]),
        (&verifier, [403, 403, 201]),
        (&admin, [201, 201, 201]),
    ];
    for (index, (actor, expected)) in cases.into_iter().enumerate() {
        for (kind, expected) in ["self", "peer", "external"].into_iter().zip(expected) {
            let answer = actor.post(&list, evaluation(json!({"kind": kind}))).await;
            assert_eq!(answer.status, expected, "actor {index} writes {kind}: {}", answer.text);
        }
    }
    app.reader().await.post(&list, evaluation(json!({}))).await.problem(403, "forbidden");
    app.anonymous().post(&list, evaluation(json!({}))).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn it_is_changed_and_deleted_by_its_authors_city_only() {
    let app = App::start().await;
    let (exchange, _, list) = a_live_hosting(&app).await;
    let (seoul, verifier) = (app.seoul().await, app.verifier().await);
    let busan_2 = app.actor("test-busan-2").await;
    // kind, its author, another account that may change it, those that may not
    let cases: [(&str, &Actor, Option<&Actor>, [&Actor; 2]); 4] = [
        ("self", &exchange.barcelona, None, [&exchange.busan, &verifier]),
        ("peer", &exchange.busan, Some(&busan_2), [&exchange.barcelona, &seoul]),
        ("peer", &seoul, None, [&exchange.busan, &verifier]),
        ("external", &verifier, None, [&exchange.barcelona, &seoul]),
    ];
    for (kind, author, colleague, others) in cases {
        let written = author.post(&list, evaluation(json!({"kind": kind}))).await.created();
        let item = path("evaluations", &written);
        for other in others {
            other.patch(&item, json!({"summary": "Better than that."})).await.problem(403, "forbidden");
            other.delete(&item).await.problem(403, "forbidden");
        }
        assert_eq!(author.get(&item).await.ok(), written);
        let editor = colleague.unwrap_or(author);
        assert_eq!(editor.patch(&item, json!({"summary": "Better."})).await.ok()["summary"], "Better.");
        editor.patch(&item, json!({"kind": "self"})).await.faults(&[("/kind", "read_only")]);
        assert_eq!(editor.delete(&item).await.status, 204);
    }
}

#[tokio::test]
async fn scores_are_1_to_4_each_with_a_reason_or_not_assessed() {
    let app = App::start().await;
    let (exchange, _, list) = a_live_hosting(&app).await;
    let host = &exchange.barcelona;
    let criteria = ["relevance", "coherence", "effectiveness", "efficiency", "impact", "sustainability"];
    let with = |score: Value| evaluation(json!({"scores": {"impact": score}}));
    let cases: [(Value, &[(&str, &str)]); 7] = [
        (json!({"score": 1, "reason": "poor"}), &[]),
        (json!({"score": 4, "reason": "very good"}), &[]),
        (json!({"score": null, "reason": "too early"}), &[]),
        (json!({"score": 0, "reason": "none"}), &[("/scores/impact/score", "out_of_range")]),
        (json!({"score": 5, "reason": "more"}), &[("/scores/impact/score", "out_of_range")]),
        (json!({"score": 3}), &[("/scores/impact/reason", "required")]),
        (json!({"score": 3, "reason": ""}), &[("/scores/impact/reason", "too_short")]),
    ];
    for (score, faults) in cases {
        let answer = host.post(&list, with(score.clone())).await;
        if faults.is_empty() {
            assert_eq!(answer.created()["scores"], json!({"impact": score}));
        } else {
            answer.faults(faults);
        }
    }
    let all: serde_json::Map<String, Value> =
        criteria.iter().map(|one| ((*one).to_owned(), json!({"score": 2, "reason": "fair"}))).collect();
    let written = host.post(&list, evaluation(json!({"scores": all}))).await.created();
    assert_eq!(written["scores"], json!(all));
    let unknown = evaluation(json!({"scores": {"beauty": {"score": 2, "reason": "nice"}}}));
    host.post(&list, unknown).await.faults(&[("/scores/beauty", "unknown_member")]);
    let cleared = host.patch(&path("evaluations", &written), json!({"scores": {"impact": null}})).await.ok();
    assert_eq!(cleared["scores"].as_object().unwrap().len(), 5);
}

#[tokio::test]
async fn lessons_keep_their_order_and_have_a_kind() {
    let app = App::start().await;
    let (exchange, _, list) = a_live_hosting(&app).await;
    let host = &exchange.barcelona;
    let lessons = json!([
        {"kind": "tip", "text": "Agree on maintenance first."},
        {"kind": "enabler", "text": "One contact on each side."},
        {"kind": "barrier", "text": "Two procurement laws."}
    ]);
    let written = host.post(&list, evaluation(json!({"lessons": lessons}))).await.created();
    assert_eq!(written["lessons"], lessons);
    let wrong = json!({"lessons": [{"kind": "wish", "text": "More."}, {"kind": "tip"}]});
    let faults = [("/lessons/0/kind", "not_in_list"), ("/lessons/1/text", "required")];
    host.post(&list, evaluation(wrong)).await.faults(&faults);
    let shorter = host.patch(&path("evaluations", &written), json!({"lessons": [lessons[2]]})).await.ok();
    assert_eq!(shorter["lessons"], json!([lessons[2]]));
}

#[tokio::test]
async fn the_decision_is_one_of_five_and_can_be_filtered_by() {
    let app = App::start().await;
    let (exchange, _, list) = a_live_hosting(&app).await;
    for decision in ["scale", "adapt", "continue_pilot", "stop", "inconclusive"] {
        let body = evaluation(json!({"decision": decision, "rationale": "It follows."}));
        let written = exchange.barcelona.post(&list, body).await.created();
        assert_eq!(app.anonymous().all(&format!("{list}?decision={decision}")).await, [written]);
    }
    let body = evaluation(json!({"decision": "celebrate"}));
    exchange.barcelona.post(&list, body).await.faults(&[("/decision", "not_in_list")]);
    let empty = json!({"kind": "self"});
    exchange.barcelona.post(&list, empty).await.faults(&[("/on", "required"), ("/summary", "required")]);
}

#[tokio::test]
async fn it_cites_observations_that_its_author_can_see_and_holds_them() {
    let app = App::start().await;
    let (exchange, hosting, list) = a_live_hosting(&app).await;
    let outcome = new_outcome(&exchange.busan, "hosting", &hosting["id"], json!({"visibility": "private"})).await;
    let by = (&exchange.barcelona, &exchange.busan);
    let observation = verified(by, &outcome, ("2026-02", "2026-03"), json!({"value": "1"})).await;
    let body = |kind: &str| evaluation(json!({"kind": kind, "observation_ids": [observation["id"]]}));
    let written = exchange.barcelona.post(&list, body("self")).await.created();
    assert_eq!(written["observation_ids"], json!([observation["id"]]));
    app.seoul().await.post(&list, body("peer")).await.faults(&[("/observation_ids/0", "unknown_record")]);
    let emptied = exchange.barcelona.patch(&path("evaluations", &written), json!({"observation_ids": []})).await.ok();
    assert_eq!(emptied["observation_ids"], json!([]));
}
