//! Applicability: whether a pilot fits another city.

use serde_json::{Value, json};

use crate::support::{Actor, App, founding, new_assessment, new_pilot, path, sql};

async fn versions(app: &App, record: &Value) -> Vec<(String, bool)> {
    let id = record["id"].as_str().unwrap();
    let rows = format!("SELECT op, body ->> 'current' FROM revision WHERE record_id = '{id}' ORDER BY version");
    let rows = sql(&app.database, &rows).await;
    rows.into_iter().map(|row| (row[0].clone().unwrap(), row[1].as_deref() == Some("true"))).collect()
}

fn told(op: &str, current: bool) -> (String, bool) {
    (op.into(), current)
}

async fn current_of(actor: &Actor, pilot: &Value) -> Vec<Value> {
    let pilot = pilot["id"].as_str().unwrap();
    actor.all(&format!("/v1/applicability?pilot_id={pilot}&current=true")).await
}

#[tokio::test]
async fn the_fuel_cell_plant_is_not_readily_applicable_in_barcelona() {
    let app = App::start().await;
    let found = app.anonymous().all("/v1/applicability").await;
    assert_eq!(found.len(), 1);
    let found = &found[0];
    assert_eq!([&found["pilot_id"], &found["city"]], [founding::HYDROGEN, "ESBCN"]);
    assert_eq!([&found["verdict"], &found["reason"]], ["not_readily_applicable", "local_alternative_exists"]);
    assert_eq!((&found["current"], &found["assessed_on"], &found["scores"]), (&json!(true), &json!(null), &json!({})));
}

#[tokio::test]
async fn a_new_assessment_takes_the_place_of_the_one_before_which_is_kept() {
    let app = App::start().await;
    let (busan, barcelona) = (app.busan().await, app.barcelona().await);
    let pilot = new_pilot(&busan, json!({})).await;
    let scores = json!({"trialability": 4, "market_demand": 2});
    let first = new_assessment(&barcelona, &pilot, json!({"verdict": "unknown", "scores": scores})).await;
    assert_eq!((&first["current"], &first["scores"]), (&json!(true), &scores));
    // Another city's and another pilot's assessments are not touched.
    let of_seoul = new_assessment(&busan, &pilot, json!({"city": "KRSEL"})).await;
    let second = new_assessment(&busan, &pilot, json!({"verdict": "with_changes"})).await;
    let kept = barcelona.get(&path("applicability", &first)).await.ok();
    assert_eq!((&kept["current"], &kept["version"], &kept["scores"]), (&json!(false), &json!(2), &scores));
    assert_eq!(current_of(&barcelona, &pilot).await, [of_seoul, second.clone()]);
    assert_eq!(versions(&app, &first).await, [told("create", true), told("update", false)]);
    assert_eq!(versions(&app, &second).await, [told("create", true)]);
}

#[tokio::test]
async fn of_an_older_assessment_only_visibility_citations_and_external_ids_change() {
    let app = App::start().await;
    let (busan, barcelona) = (app.busan().await, app.barcelona().await);
    let pilot = new_pilot(&busan, json!({})).await;
    let older = path("applicability", &new_assessment(&barcelona, &pilot, json!({"text": "At first."})).await);
    new_assessment(&barcelona, &pilot, json!({})).await;
    for change in [
        json!({"verdict": "unknown"}),
        json!({"text": null}),
        json!({"reason": "cost"}),
        json!({"assessed_on": "2026"}),
        json!({"scores": {"trialability": 1}}),
        json!({"language": "ca"}),
        json!({"visibility": "private", "text": "Later."}),
    ] {
        barcelona.patch(&older, change).await.problem(409, "conflict");
    }
    let change = json!({"visibility": "partners", "citations": [{"document_id": founding::DOCUMENT}],
                        "external_ids": [{"source": "study", "value": "1"}]});
    let changed = barcelona.patch(&older, change).await.ok();
    assert_eq!((&changed["visibility"], &changed["current"]), (&json!("partners"), &json!(false)));
    // What changes nothing is no change.
    assert_eq!(barcelona.patch(&older, json!({"text": "At first."})).await.ok()["version"], changed["version"]);
}

#[tokio::test]
async fn when_the_current_one_is_deleted_the_newest_older_one_is_current_again() {
    let app = App::start().await;
    let (busan, barcelona) = (app.busan().await, app.barcelona().await);
    let pilot = new_pilot(&busan, json!({})).await;
    let first = new_assessment(&barcelona, &pilot, json!({})).await;
    let second = new_assessment(&barcelona, &pilot, json!({})).await;
    let third = new_assessment(&barcelona, &pilot, json!({})).await;
    assert_eq!(barcelona.delete(&path("applicability", &third)).await.status, 204);
    assert_eq!(current_of(&busan, &pilot).await[0]["id"], second["id"]);
    assert_eq!(versions(&app, &second).await, [told("create", true), told("update", false), told("update", true)]);
    assert_eq!(versions(&app, &third).await, [told("create", true), told("delete", true)]);
    // Deleting an older one leaves the current one alone.
    assert_eq!(busan.delete(&path("applicability", &first)).await.status, 204);
    let current = current_of(&busan, &pilot).await;
    assert_eq!((&current[0]["id"], &current[0]["version"]), (&second["id"], &json!(3)));
    assert_eq!(busan.delete(&path("applicability", &second)).await.status, 204);
    assert!(current_of(&busan, &pilot).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_assessments_at_once_exactly_one_is_current_at_the_end() {
    let app = App::start().await;
    let (busan, barcelona) = (app.busan().await, app.barcelona().await);
    let pilot = new_pilot(&busan, json!({})).await;
    let body = json!({"pilot_id": pilot["id"], "city": "ESBCN", "verdict": "unknown"});
    let clients = (0..32).map(|_| {
        let (barcelona, body) = (barcelona.clone(), body.clone());
        tokio::spawn(async move { barcelona.post("/v1/applicability", body).await })
    });
    let mut succeeded = 0;
    for client in clients.collect::<Vec<_>>() {
        let answer = client.await.unwrap();
        // Who finds no free connection is told so and comes again.
        assert!(matches!(answer.status, 201 | 503), "{}: {}", answer.status, answer.text);
        succeeded += usize::from(answer.status == 201);
    }
    assert!(succeeded > 0);
    let pilot_id = pilot["id"].as_str().unwrap();
    assert_eq!(barcelona.all(&format!("/v1/applicability?pilot_id={pilot_id}")).await.len(), succeeded);
    assert_eq!(current_of(&barcelona, &pilot).await.len(), 1);
    let history = "SELECT count(*) FROM applicability a
        WHERE NOT EXISTS (SELECT FROM revision v JOIN record r ON r.id = v.record_id AND r.version = v.version
                          WHERE v.record_id = a.id AND (v.body ->> 'current')::boolean = a.current)";
    assert_eq!(sql(&app.database, history).await[0][0].as_deref(), Some("0"));
}

#[tokio::test]
async fn a_pilot_is_assessed_for_another_city_than_its_own_with_a_reason_where_it_does_not_fit() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = new_pilot(&busan, json!({})).await;
    let post = async |change: Value| {
        let mut body = json!({"pilot_id": pilot["id"], "city": "ESBCN", "verdict": "applicable"});
        crate::support::merge(&mut body, change);
        busan.post("/v1/applicability", body).await
    };
    post(json!({"city": "KRPUS"})).await.faults(&[("/city", "city_of_origin")]);
    post(json!({"verdict": "not_readily_applicable"})).await.faults(&[("/reason", "required")]);
    post(json!({"reason": "boredom"})).await.faults(&[("/reason", "unknown_term")]);
    post(json!({"scores": {"beauty": 3, "trialability": 6, "market_demand": 0}})).await.faults(&[
        ("/scores/beauty", "unknown_term"),
        ("/scores/trialability", "out_of_range"),
        ("/scores/market_demand", "out_of_range"),
    ]);
    post(json!({"current": false})).await.faults(&[("/current", "read_only")]);
    post(json!({"pilot_id": founding::DOCUMENT})).await.faults(&[("/pilot_id", "unknown_record")]);
    post(json!({"verdict": "with_changes"})).await.created();
    let made = post(json!({"verdict": "not_readily_applicable", "reason": "regulation"})).await.created();
    let made = path("applicability", &made);
    busan.patch(&made, json!({"reason": null})).await.faults(&[("/reason", "required")]);
    busan.patch(&made, json!({"city": "KRSEL"})).await.problem(422, "invalid");
    busan.patch(&made, json!({"pilot_id": founding::CCTV})).await.problem(422, "invalid");
    let pilot_id = pilot["id"].as_str().unwrap();
    let insert = |city: &str, verdict: &str| {
        format!(
            "WITH r AS (INSERT INTO record (id, type) VALUES (gen_random_uuid(), 'applicability') RETURNING id)
             INSERT INTO applicability (id, pilot_id, origin_city_id, city_id, verdict, current, visibility)
             SELECT r.id, '{pilot_id}', '{}', (SELECT id FROM city WHERE code = '{city}'), '{verdict}', true, 'public'
             FROM r",
            founding::BUSAN
        )
    };
    for (statement, constraint) in [
        (insert("KRPUS", "applicable"), "applicability_other_city"),
        (insert("KRSEL", "not_readily_applicable"), "applicability_reason_given"),
        (insert("ESBCN", "applicable"), "applicability_current_unique"),
    ] {
        let refused = crate::support::try_sql(&app.database.url, &statement).await.unwrap_err();
        assert_eq!(refused.as_db_error().unwrap().constraint(), Some(constraint));
    }
}

#[tokio::test]
async fn an_assessment_is_written_by_the_receiving_city_or_the_city_of_origin() {
    let app = App::start().await;
    let (busan, barcelona, seoul) = (app.busan().await, app.barcelona().await, app.seoul().await);
    let pilot = new_pilot(&busan, json!({})).await;
    let body = json!({"pilot_id": pilot["id"], "city": "ESBCN", "verdict": "unknown"});
    seoul.post("/v1/applicability", body.clone()).await.problem(403, "forbidden");
    let made = path("applicability", &barcelona.post("/v1/applicability", body).await.created());
    for actor in [&busan, &barcelona] {
        actor.patch(&made, json!({"text": path("by", &pilot)})).await.ok();
    }
    seoul.patch(&made, json!({"text": "no"})).await.problem(403, "forbidden");
    seoul.delete(&made).await.problem(403, "forbidden");
    // A pilot with assessments stays where it is, and stays.
    busan.delete(&path("pilots", &pilot)).await.problem(409, "referenced");
    let admin = app.admin().await;
    admin.patch(&path("pilots", &pilot), json!({"origin_city": "KRSEL"})).await.problem(409, "referenced");
}

#[tokio::test]
async fn an_upsert_names_the_same_pilot_and_city() {
    let app = App::start().await;
    let (busan, barcelona) = (app.busan().await, app.barcelona().await);
    let pilot = new_pilot(&busan, json!({})).await;
    let at = "/v1/applicability/by-external-id/study/1";
    let body = |city: &str, verdict: &str| json!({"pilot_id": pilot["id"], "city": city, "verdict": verdict});
    let made = barcelona.put(at, body("ESBCN", "unknown")).await.created();
    assert_eq!(busan.put(at, body("KRSEL", "unknown")).await.problem(422, "invalid")["errors"][0]["pointer"], "/city");
    let changed = barcelona.put(at, body("ESBCN", "applicable")).await.ok();
    assert_eq!((&changed["id"], &changed["verdict"]), (&made["id"], &json!("applicable")));
    new_assessment(&busan, &pilot, json!({})).await;
    assert_eq!(barcelona.put(at, body("ESBCN", "applicable")).await.ok()["current"], false);
    barcelona.put(at, body("ESBCN", "unknown")).await.problem(409, "conflict");
}
