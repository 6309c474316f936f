//! Along a chain of records the strictest visibility wins.

use serde_json::{Value, json};

use crate::support::life::{Exchange, evaluation, submitted};
use crate::support::{Actor, App, new_assessment, new_hosting, new_outcome, new_pilot, path};

const LEVELS: [&str; 3] = ["public", "partners", "private"];

fn strictest<'a>(levels: &[&'a str]) -> &'a str {
    levels.iter().copied().max_by_key(|level| LEVELS.iter().position(|one| one == level)).unwrap()
}

async fn set(actor: &Actor, item: &str, level: &str) {
    assert_eq!(actor.patch(item, json!({"visibility": level})).await.ok()["visibility"], level);
}

/// A live hosting with everything that hangs on it, all public.
struct Chain {
    exchange: Exchange,
    pilot: String,
    hosting: String,
    outcome: String,
    observation: String,
    evaluation: String,
}

impl Chain {
    async fn of(app: &App) -> Chain {
        let exchange = Exchange::of(app).await;
        let pilot = new_pilot(&exchange.busan, json!({})).await;
        let hosting = exchange.hosting_of(&pilot, "live").await;
        let outcome = new_outcome(&exchange.barcelona, "hosting", &hosting["id"], json!({})).await;
        let observation = submitted(&exchange.barcelona, &outcome, ("2026", "2026"), json!({"value": "1"})).await;
        let hosting = path("hostings", &hosting);
        let evaluated =
            exchange.barcelona.post(&format!("{hosting}/evaluations"), evaluation(json!({}))).await.created();
        Chain {
            pilot: path("pilots", &pilot),
            hosting,
            outcome: path("outcomes", &outcome),
            observation: path("observations", &observation),
            evaluation: path("evaluations", &evaluated),
            exchange,
        }
    }
}

#[tokio::test]
async fn nothing_is_wider_than_what_it_hangs_on() {
    let app = App::start().await;
    let chain = Chain::of(&app).await;
    let outsiders = [(app.anonymous(), ["public", "public"]), (app.reader().await, ["public", "partners"])];
    let (busan, barcelona) = (&chain.exchange.busan, &chain.exchange.barcelona);
    for of_pilot in LEVELS {
        set(busan, &chain.pilot, of_pilot).await;
        for of_hosting in LEVELS {
            set(barcelona, &chain.hosting, of_hosting).await;
            for of_rest in LEVELS {
                set(barcelona, &chain.outcome, of_rest).await;
                set(barcelona, &chain.evaluation, of_rest).await;
                let whole = strictest(&[of_pilot, of_hosting, of_rest]);
                let expected = [
                    (&chain.hosting, strictest(&[of_pilot, of_hosting])),
                    (&chain.outcome, whole),
                    (&chain.observation, whole),
                    (&chain.evaluation, whole),
                ];
                for (item, level) in expected {
                    for (actor, sees) in &outsiders {
                        let status = if sees.contains(&level) { 200 } else { 404 };
                        let found = actor.get(item).await.status;
                        assert_eq!(found, status, "{item}: pilot {of_pilot}, hosting {of_hosting}, itself {of_rest}");
                    }
                    busan.get(item).await.ok();
                    barcelona.get(item).await.ok();
                }
            }
        }
    }
}

#[tokio::test]
async fn lists_follow_the_chain_too() {
    let app = App::start().await;
    let chain = Chain::of(&app).await;
    let anyone = app.anonymous();
    let lists = ["/v1/hostings", "/v1/outcomes", "/v1/observations"];
    let count = async |list: &str| anyone.get(&format!("{list}?count=exact")).await.ok()["count"].as_i64().unwrap();
    let mut before = vec![];
    for list in lists {
        before.push(count(list).await);
    }
    set(&chain.exchange.busan, &chain.pilot, "private").await;
    for (list, before) in lists.into_iter().zip(before) {
        assert_eq!(count(list).await, before - 1, "{list}");
    }
    anyone.get(&format!("{}/evaluations", chain.hosting)).await.problem(404, "not_found");
    anyone.get(&format!("{}/observations", chain.outcome)).await.problem(404, "not_found");
    anyone.get(&format!("{}/transitions", chain.hosting)).await.problem(404, "not_found");
}

#[tokio::test]
async fn an_outcome_of_a_pilot_is_never_wider_than_the_pilot() {
    let app = App::start().await;
    let (busan, anyone, reader) = (app.busan().await, app.anonymous(), app.reader().await);
    for (level, to_anyone, to_a_reader) in [("public", 200, 200), ("partners", 404, 200), ("private", 404, 404)] {
        let pilot = new_pilot(&busan, json!({"visibility": level})).await;
        let outcome = path("outcomes", &new_outcome(&busan, "pilot", &pilot["id"], json!({})).await);
        assert_eq!((anyone.get(&outcome).await.status, reader.get(&outcome).await.status), (to_anyone, to_a_reader));
        busan.get(&outcome).await.ok();
    }
}

#[tokio::test]
async fn an_assessment_is_never_wider_than_the_pilot() {
    let app = App::start().await;
    let (busan, barcelona, anyone, reader) =
        (app.busan().await, app.barcelona().await, app.anonymous(), app.reader().await);
    let pilot = new_pilot(&busan, json!({})).await;
    let assessment = path("applicability", &new_assessment(&barcelona, &pilot, json!({})).await);
    for (of_pilot, to_anyone, to_a_reader) in [("public", 200, 200), ("partners", 404, 200), ("private", 404, 404)] {
        set(&busan, &path("pilots", &pilot), of_pilot).await;
        assert_eq!(anyone.get(&assessment).await.status, to_anyone, "{of_pilot}");
        assert_eq!(reader.get(&assessment).await.status, to_a_reader, "{of_pilot}");
        assert_eq!(barcelona.get(&assessment).await.ok()["visibility"], "public");
        busan.get(&assessment).await.ok();
    }
}

#[tokio::test]
async fn a_proposal_is_never_wider_than_partners() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let (anyone, reader) = (app.anonymous(), app.reader().await);
    for (level, to_a_reader) in [("public", 200), ("partners", 200), ("private", 404)] {
        let pilot = new_pilot(&exchange.busan, json!({})).await;
        let hosting = new_hosting(&exchange.busan, &pilot, json!({"visibility": level})).await;
        assert_eq!(hosting["visibility"], level);
        let outcome = new_outcome(&exchange.busan, "hosting", &hosting["id"], json!({})).await;
        let of_pilot = format!("/v1/hostings?pilot_id={}", pilot["id"].as_str().unwrap());
        let items = [path("hostings", &hosting), path("outcomes", &outcome)];
        for item in &items {
            assert_eq!((anyone.get(item).await.status, reader.get(item).await.status), (404, to_a_reader), "{level}");
        }
        assert_eq!(anyone.all(&of_pilot).await.len(), 0);
        exchange.barcelona.transition(&items[0], json!({"to": "agreed"})).await.ok();
        for item in &items {
            assert_eq!(anyone.get(item).await.status, if level == "public" { 200 } else { 404 }, "{level} agreed");
        }
    }
}

#[tokio::test]
async fn a_draft_is_the_business_of_the_cities_involved_and_verifiers() {
    let app = App::start().await;
    let chain = Chain::of(&app).await;
    let list = format!("{}/observations", chain.outcome);
    let body = json!({"starts_on": "2027", "ends_on": "2027", "value": "7"});
    let draft = path("observations", &chain.exchange.barcelona.post(&list, body).await.created());
    let (verifier, admin) = (app.verifier().await, app.admin().await);
    let outsiders = [app.anonymous(), app.reader().await, app.seoul().await];
    for insider in [&chain.exchange.busan, &chain.exchange.barcelona, &verifier, &admin] {
        assert_eq!(insider.get(&draft).await.ok()["status"], "draft");
        assert_eq!(insider.all(&list).await.len(), 2);
    }
    for outsider in &outsiders {
        outsider.get(&draft).await.problem(404, "not_found");
        assert_eq!(outsider.all(&list).await.len(), 1);
        assert_eq!(outsider.all(&format!("{list}?status=draft")).await, Vec::<Value>::new());
    }
    chain.exchange.barcelona.transition(&draft, json!({"to": "submitted"})).await.ok();
    for outsider in &outsiders {
        assert_eq!(outsider.get(&draft).await.ok()["status"], "submitted");
    }
}

#[tokio::test]
async fn a_citation_is_seen_by_those_who_may_see_its_document() {
    let app = App::start().await;
    let busan = app.busan().await;
    let document = json!({"title": "Minutes", "city": "KRPUS", "visibility": "private"});
    let document = busan.post("/v1/documents", document).await.created();
    let cited = json!({"citations": [{"document_id": document["id"], "quote": "internal words"}]});
    let pilot = path("pilots", &new_pilot(&busan, cited).await);
    for (who, seen) in [(busan, 1), (app.admin().await, 1), (app.barcelona().await, 0), (app.anonymous(), 0)] {
        let pilot = who.get(&pilot).await.ok();
        assert_eq!(pilot["citations"].as_array().unwrap().len(), seen);
        let listed = who.all("/v1/pilots").await.into_iter().find(|one| one["id"] == pilot["id"]).unwrap();
        assert_eq!(listed["citations"], pilot["citations"]);
    }
}
