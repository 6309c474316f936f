//! Who sees what: one table over every kind of record.

use serde_json::{Value, json};

use pilot_exchange::api;

use crate::support::cooperation::new_agreement;
use crate::support::life::{Exchange, evaluation, submitted};
use crate::support::{Actor, App, founding, merge, new_assessment, new_outcome, new_pilot, path, unique};

const LEVELS: [&str; 3] = ["public", "partners", "private"];

/// A kind of record: whether verifiers see private ones, and whether the list hangs on another record.
struct Kind {
    collection: &'static str,
    private_to_verifiers: bool,
}

const fn kind(collection: &'static str, private_to_verifiers: bool) -> Kind {
    Kind { collection, private_to_verifiers }
}

/// Every collection that has the member `visibility`, and observations, which have that of their outcome.
/// Compliance has a test of its own: it is never public.
const KINDS: [Kind; 8] = [
    kind("pilots", false),
    kind("applicability", false),
    kind("hostings", false),
    kind("outcomes", true),
    kind("observations", true),
    kind("evaluations", false),
    kind("documents", false),
    kind("agreements", false),
];

/// Collections of the OpenAPI document whose records have the member `visibility`.
fn collections_with_visibility() -> Vec<String> {
    let document = api::document();
    let schema_of = |operation: &Value| {
        let schema = operation.pointer("/responses/201/content/application~1json/schema/$ref")?.as_str()?;
        document.pointer(schema.trim_start_matches('#'))
    };
    let mut found: Vec<String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, operations)| {
            schema_of(&operations["post"]).is_some_and(|schema| !schema["properties"]["visibility"].is_null())
        })
        .map(|(path, _)| path.rsplit('/').next().unwrap().to_owned())
        .collect();
    found.sort();
    found
}

#[test]
fn every_collection_with_visibility_is_in_the_table() {
    let found = collections_with_visibility();
    assert!(found.contains(&"pilots".to_owned()) && found.contains(&"evaluations".to_owned()), "{found:?}");
    for collection in found {
        let covered = KINDS.iter().any(|kind| kind.collection == collection);
        assert!(covered, "{collection} has the member visibility and no row in the table");
    }
}

struct Actors {
    exchange: Exchange,
    anonymous: Actor,
    reader: Actor,
    seoul: Actor,
    verifier: Actor,
    admin: Actor,
}

impl Actors {
    async fn of(app: &App) -> Actors {
        Actors {
            exchange: Exchange::of(app).await,
            anonymous: app.anonymous(),
            reader: app.reader().await,
            seoul: app.seoul().await,
            verifier: app.verifier().await,
            admin: app.admin().await,
        }
    }

    /// Each actor, and whether it sees a record of this kind and level.
    fn sight(&self, kind: &Kind, level: &str) -> [(&'static str, &Actor, bool); 6] {
        let (public, private) = (level == "public", level == "private");
        [
            ("anonymous", &self.anonymous, public),
            ("a reader", &self.reader, !private),
            ("another city's editor", &self.seoul, !private),
            ("an own city's editor", &self.exchange.busan, true),
            ("a verifier", &self.verifier, !private || kind.private_to_verifiers),
            ("an administrator", &self.admin, true),
        ]
    }
}

/// A record of this kind and level whose surroundings are public, and the list that it is in.
async fn make(exchange: &Exchange, collection: &str, level: &str) -> (Value, String) {
    let visibility = json!({"visibility": level});
    let list = format!("/v1/{collection}");
    match collection {
        "pilots" => (new_pilot(&exchange.busan, visibility).await, list),
        "documents" => {
            let body = json!({"title": "Report", "visibility": level});
            (exchange.busan.post(&list, body).await.created(), list)
        }
        "agreements" => (new_agreement(&exchange.busan, visibility).await, list),
        "applicability" => {
            let pilot = new_pilot(&exchange.busan, json!({})).await;
            (new_assessment(&exchange.barcelona, &pilot, visibility).await, list)
        }
        "hostings" => {
            let hosting = exchange.hosting_at("live").await;
            (exchange.barcelona.patch(&path("hostings", &hosting), visibility).await.ok(), list)
        }
        "evaluations" => {
            let list = format!("{}/evaluations", path("hostings", &exchange.hosting_at("live").await));
            (exchange.barcelona.post(&list, evaluation(visibility)).await.created(), list)
        }
        "outcomes" | "observations" => {
            let hosting = exchange.hosting_at("live").await;
            let outcome = new_outcome(&exchange.busan, "hosting", &hosting["id"], visibility).await;
            if collection == "outcomes" {
                return (outcome, list);
            }
            let value = json!({"value": "1"});
            (submitted(&exchange.barcelona, &outcome, ("2026", "2026"), value).await, list)
        }
        other => panic!("the table cannot make {other}"),
    }
}

#[tokio::test]
async fn get_list_and_count_show_what_each_may_see_and_nothing_else() {
    let app = App::start().await;
    let actors = Actors::of(&app).await;
    for kind in KINDS {
        for level in LEVELS {
            let (record, list) = make(&actors.exchange, kind.collection, level).await;
            let item = path(kind.collection, &record);
            for (name, actor, sees) in actors.sight(&kind, level) {
                let case = format!("{name} and {} {}", level, kind.collection);
                let answer = actor.get(&item).await;
                assert_eq!(answer.status, if sees { 200 } else { 404 }, "{case}: {}", answer.text);
                if sees && kind.collection != "observations" {
                    assert_eq!(answer.json["visibility"], level, "{case}");
                }
                let items = actor.all(&list).await;
                assert_eq!(items.iter().any(|one| one["id"] == record["id"]), sees, "{case}, listed");
                let count = actor.get(&format!("{list}?count=exact&limit=1")).await.ok()["count"].clone();
                assert_eq!(count, items.len(), "{case}, counted");
            }
        }
    }
}

/// A body of Seoul's that names a record, and where.
fn reference(collection: &str, list: &str, id: &Value) -> Option<(String, Value, &'static str)> {
    let pilot = |change: Value| {
        let mut body = json!({"title": unique(), "origin_city": "KRSEL", "category": "parking"});
        merge(&mut body, change);
        body
    };
    Some(match collection {
        "pilots" => ("/v1/hostings".into(), json!({"pilot_id": id, "host_city": "KRSEL"}), "/pilot_id"),
        "documents" => {
            ("/v1/pilots".into(), pilot(json!({"citations": [{"document_id": id}]})), "/citations/0/document_id")
        }
        "hostings" => {
            let indicator = json!({"vocabulary": "own", "code": "SL-01"});
            let subject = json!({"type": "hosting", "id": id});
            let body = json!({"indicator": indicator, "subject": subject, "level": "impact"});
            ("/v1/outcomes".into(), body, "/subject/id")
        }
        "observations" => {
            let body = evaluation(json!({"kind": "peer", "observation_ids": [id]}));
            (list.to_owned(), body, "/observation_ids/0")
        }
        _ => return None,
    })
}

#[tokio::test]
async fn what_one_may_not_see_cannot_be_referred_to() {
    let app = App::start().await;
    let actors = Actors::of(&app).await;
    let hosting = actors.exchange.hosting_at("live").await;
    let evaluations = format!("{}/evaluations", path("hostings", &hosting));
    for kind in KINDS {
        for level in LEVELS {
            let (record, _) = make(&actors.exchange, kind.collection, level).await;
            let Some((to, body, pointer)) = reference(kind.collection, &evaluations, &record["id"]) else { continue };
            let answer = actors.seoul.post(&to, body).await;
            match (level, kind.collection) {
                ("private", _) => answer.faults(&[(pointer, "unknown_record")]),
                (_, "hostings") => drop(answer.problem(403, "forbidden")),
                _ => drop(answer.created()),
            }
        }
    }
    let nowhere = json!({"pilot_id": founding::DOCUMENT, "host_city": "KRSEL"});
    actors.seoul.post("/v1/hostings", nowhere).await.faults(&[("/pilot_id", "unknown_record")]);
}

#[tokio::test]
async fn what_one_may_not_see_is_not_found_whatever_one_wants_to_do_to_it() {
    let app = App::start().await;
    let actors = Actors::of(&app).await;
    for kind in KINDS {
        let (record, _) = make(&actors.exchange, kind.collection, "private").await;
        let item = path(kind.collection, &record);
        let etag = actors.admin.get(&item).await.etag();
        let seoul = &actors.seoul;
        seoul.patch_at(&item, json!({"visibility": "public"}), &etag).await.problem(404, "not_found");
        seoul.patch_at(&item, json!({"no such": 1}), "\"v9.0\"").await.problem(404, "not_found");
        let delete = seoul.request("DELETE", &item).header("if-match", &etag);
        seoul.send(delete).await.problem(404, "not_found");
        let below: &[&str] = match kind.collection {
            "hostings" => &["transitions", "compliance", "evaluations"],
            "outcomes" => &["observations"],
            "observations" => &["transitions"],
            _ => &[],
        };
        for part in below {
            if (kind.collection, *part) != ("observations", "transitions") {
                seoul.get(&format!("{item}/{part}")).await.problem(404, "not_found");
            }
            let body = json!({"to": "cancelled", "kind": "self"});
            seoul.post(&format!("{item}/{part}"), body).await.problem(404, "not_found");
        }
        assert_eq!(actors.admin.get(&item).await.etag(), etag, "{}", kind.collection);
    }
}

#[tokio::test]
async fn a_conflict_names_the_existing_record_only_to_those_who_may_see_it() {
    let app = App::start().await;
    let actors = Actors::of(&app).await;
    let (exchange, seoul) = (&actors.exchange, &actors.seoul);
    let key = |city: &str| {
        let mut body = json!({"title": unique(), "origin_city": city, "category": "parking", "visibility": "private"});
        merge(&mut body, json!({"external_ids": [{"source": "shared-system", "value": "42"}]}));
        body
    };
    // Seoul's source, on a pilot that an administrator entered for Busan.
    let mut first = key("KRSEL");
    first["external_ids"][0]["value"] = json!("41");
    seoul.post("/v1/pilots", first).await.created();
    let hidden = actors.admin.post("/v1/pilots", key("KRPUS")).await.created();
    let to_others = seoul.post("/v1/pilots", key("KRSEL")).await.problem(409, "duplicate");
    assert!(to_others["existing_id"].is_null(), "{to_others}");
    assert!(!to_others.to_string().contains(hidden["id"].as_str().unwrap()));
    let to_those_who_see = actors.admin.post("/v1/pilots", key("KRPUS")).await.problem(409, "duplicate");
    assert_eq!(to_those_who_see["existing_id"], hidden["id"]);
    exchange.busan.post("/v1/pilots", key("KRPUS")).await.problem(403, "forbidden");
}

#[tokio::test]
async fn a_contact_address_is_shown_to_its_city_and_administrators_only() {
    let app = App::start().await;
    let actors = Actors::of(&app).await;
    let busan = &actors.exchange.busan;
    let body = json!({"name": unique(), "city": "KRPUS", "contact_email": "pilots@example.org"});
    let of_busan = busan.post("/v1/organisations", body).await.created();
    let body = json!({"name": unique(), "contact_email": "nobody@example.org"});
    let of_nowhere = actors.admin.post("/v1/organisations", body).await.created();
    let all = ["anonymous", "reader", "seoul", "barcelona", "verifier", "busan", "admin"];
    let of = [
        &actors.anonymous,
        &actors.reader,
        &actors.seoul,
        &actors.exchange.barcelona,
        &actors.verifier,
        busan,
        &actors.admin,
    ];
    for (name, actor) in all.into_iter().zip(of) {
        for (record, sees) in [(&of_busan, matches!(name, "busan" | "admin")), (&of_nowhere, name == "admin")] {
            let alone = actor.get(&path("organisations", record)).await.ok();
            assert_eq!(alone["contact_email"].is_string(), sees, "{name}");
            let listed = actor.all("/v1/organisations").await;
            assert!(listed.contains(&alone), "{name} sees another one in the list");
        }
    }
    busan.patch(&path("organisations", &of_busan), json!({"kind": "agency"})).await.ok();
    let kept = busan.get(&path("organisations", &of_busan)).await.ok();
    assert_eq!(kept["contact_email"], "pilots@example.org");
    actors.anonymous.get("/v1/organisations?contact_email=pilots@example.org").await.problem(400, "bad_parameter");
    actors.anonymous.get("/v1/organisations?sort=contact_email").await.problem(400, "bad_parameter");
}
