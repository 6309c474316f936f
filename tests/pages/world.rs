//! What pages show: the founding data, and beside it an exchange with results, lessons and hidden neighbours.

use serde_json::{Value, json};

use crate::support::life::{Exchange, evaluation, move_to, submitted, verified};
use crate::support::{App, merge, new_assessment, new_hosting, new_outcome, new_pilot, path, unique};

/// An exchange that went through its whole life.
pub struct World {
    pub pilot: Value,
    pub hosting: Value,
    pub outcome: Value,
}

impl World {
    /// Busan's streetlights in Barcelona, live, then evaluated and closed.
    pub async fn of(app: &App) -> World {
        let exchange = Exchange::of(app).await;
        let (busan, barcelona, verifier) = (&exchange.busan, &exchange.barcelona, &app.verifier().await);
        let title = format!("Dimmed streetlights {}", unique());
        let pilot = new_pilot(
            busan,
            json!({"title": title, "summary": "They dim when nobody is there.", "description": "First.\n\nSecond.",
                "translations": {"ko": {"title": format!("스마트 가로등 {}", unique())}}}),
        )
        .await;
        let hosting = exchange.hosting_of(&pilot, "live").await;
        let outcome = new_outcome(
            barcelona,
            "hosting",
            &hosting["id"],
            json!({"baseline": {"value": "420", "on": "2025"}, "targets": [{"value": "250", "due_on": "2028-12"}]}),
        )
        .await;
        verified((barcelona, verifier), &outcome, ("2026-03", "2026-03"), json!({"value": "380"})).await;
        verified((barcelona, verifier), &outcome, ("2026-05", "2026-05"), json!({"value": "340.5"})).await;
        submitted(barcelona, &outcome, ("2026-06", "2026-06"), json!({"value": "310"})).await;
        let hosting_path = path("hostings", &hosting);
        barcelona.transition(&hosting_path, move_to("evaluating")).await.ok();
        let learned = json!({"decision": "scale", "rationale": "It saves.", "lessons": [
            {"kind": "tip", "text": "Agree on the maintenance window first."},
            {"kind": "barrier", "text": "The controllers spoke another protocol."}]});
        barcelona.post(&format!("{hosting_path}/evaluations"), evaluation(learned)).await.created();
        let hosting = barcelona.transition(&hosting_path, move_to("closed")).await.ok();
        new_assessment(busan, &pilot, json!({"city": "KRSEL", "verdict": "with_changes", "reason": "cost"})).await;
        World { pilot, hosting, outcome }
    }

    /// Every kind of page.
    pub fn pages(&self) -> Vec<String> {
        use crate::support::founding::{PARTNERSHIP, STREETLIGHTS_AT_HOME};
        let id = |record: &Value| record["id"].as_str().unwrap().to_owned();
        [
            "/".into(),
            "/cities".into(),
            "/cities/KRPUS".into(),
            "/cities/ESBCN".into(),
            "/pilots".into(),
            format!("/pilots/{}", id(&self.pilot)),
            "/hostings".into(),
            format!("/hostings/{}", id(&self.hosting)),
            format!("/hostings/{STREETLIGHTS_AT_HOME}"),
            "/partnerships".into(),
            format!("/partnerships/{PARTNERSHIP}"),
            "/search?q=streetlights".into(),
            "/search?q=streetlights&types=pilots&lang=es".into(),
            "/reports".into(),
        ]
        .into_iter()
        .chain(self.reports())
        .collect()
    }

    /// The page of every report; the one that compares an indicator also before it was chosen.
    pub fn reports(&self) -> Vec<String> {
        let compared =
            format!("/reports/indicator-comparison?indicator_id={}", self.outcome["indicator_id"].as_str().unwrap());
        let names = pilot_exchange::reports::ALL.iter().map(|report| format!("/reports/{}", report.name));
        names.chain([compared]).collect()
    }
}

/// Records that nobody without an account may see: the words in them that no page may have, and their pages.
pub async fn hidden(app: &App) -> (Vec<String>, Vec<String>) {
    let exchange = Exchange::of(app).await;
    let (busan, barcelona) = (&exchange.busan, &exchange.barcelona);
    let (mut words, mut pages) = (vec![], vec![]);
    for visibility in ["private", "partners"] {
        let word = format!("Hiddenlight-{}", unique());
        let pilot = new_pilot(busan, json!({"title": word, "visibility": visibility})).await;
        let hosting = new_hosting(busan, &pilot, json!({})).await;
        barcelona.transition(&path("hostings", &hosting), json!({"to": "agreed"})).await.ok();
        let about = json!({"pilot_id": pilot["id"], "text": format!("{word} fits")});
        new_assessment(busan, &pilot, about).await;
        pages.extend([page("pilots", &pilot), page("hostings", &hosting)]);
        words.push(word);
    }
    // Proposed, and hidden by itself: the pilot is public, the hostings are not.
    let pilot = new_pilot(busan, json!({})).await;
    let note = |extra: Value| {
        let word = format!("Hiddennote-{}", unique());
        let mut body = json!({"scale_note": word});
        merge(&mut body, extra);
        (word, body)
    };
    for (host, extra) in [("ESBCN", json!({})), ("KRSEL", json!({"visibility": "private"}))] {
        let (word, mut body) = note(extra);
        merge(&mut body, json!({"host_city": host}));
        let hosting = new_hosting(busan, &pilot, body).await;
        pages.push(page("hostings", &hosting));
        words.extend([word, hosting["id"].as_str().unwrap().to_owned()]);
    }
    // Hidden results of what is public.
    let public = exchange.hosting_at("live").await;
    let outcome = new_outcome(barcelona, "hosting", &public["id"], json!({"visibility": "partners"})).await;
    submitted(barcelona, &outcome, ("2026-03", "2026-03"), json!({"value": "777123"})).await;
    let word = format!("Hiddenlesson-{}", unique());
    let secret = evaluation(json!({"visibility": "private", "summary": word}));
    barcelona.post(&format!("{}/evaluations", path("hostings", &public)), secret).await.created();
    words.extend([word, "777,123".into(), outcome["id"].as_str().unwrap().to_owned()]);
    pages.push(format!("+{}", page("hostings", &public)));
    (words, pages)
}

/// The page of a record.
pub fn page(collection: &str, record: &Value) -> String {
    format!("/{collection}/{}", record["id"].as_str().unwrap())
}
