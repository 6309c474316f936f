//! Partnerships: two cities or more, each set once in a programme.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::cooperation::{new_initiative, new_partnership};
use crate::support::life::SEOUL;
use crate::support::{App, founding, path, sql, try_sql};

const WORLD_CITIES: &str = "015aca1d-6407-7000-8000-000000000007";

#[tokio::test]
async fn a_partnership_is_registered_read_changed_and_deleted() {
    let app = App::start().await;
    let busan = app.busan().await;
    let body = json!({"title": "Three cities", "cities": ["KRSEL", "ESBCN", "KRPUS"], "since": "2020-05",
                      "translations": {"ko": {"title": "세 도시"}}});
    let partnership = busan.post("/v1/partnerships", body).await.created();
    assert_eq!(partnership["cities"], json!(["ESBCN", "KRPUS", "KRSEL"]));
    assert_eq!((&partnership["status"], &partnership["programme_id"]), (&json!("forming"), &Value::Null));
    assert!(partnership.get("visibility").is_none());
    let at = path("partnerships", &partnership);
    assert_eq!(app.anonymous().get(&at).await.ok(), partnership);
    let same = busan.patch(&at, json!({"cities": [SEOUL, "KRPUS", "ESBCN"]})).await.ok();
    assert_eq!(same["version"], 1, "the same set in another order and by id is no change");
    let changed =
        json!({"status": "active", "since": null, "programme_id": WORLD_CITIES, "cities": ["KRPUS", "KRSEL"]});
    let changed = busan.patch(&at, changed).await.ok();
    assert_eq!((&changed["version"], &changed["since"]), (&json!(2), &Value::Null));
    assert_eq!(changed["cities"], json!(["KRPUS", "KRSEL"]));
    assert_eq!(busan.delete(&at).await.status, 204);
    busan.get(&at).await.problem(410, "gone");
}

#[tokio::test]
async fn a_partnership_has_two_different_cities_that_exist() {
    let app = App::start().await;
    let busan = app.busan().await;
    let body = |cities: Value| json!({"title": "Alone", "cities": cities});
    busan.post("/v1/partnerships", body(json!(["KRPUS"]))).await.faults(&[("/cities", "too_few")]);
    busan.post("/v1/partnerships", body(json!(["KRPUS", "KRPUS"]))).await.faults(&[("/cities", "not_unique")]);
    busan
        .post("/v1/partnerships", body(json!(["KRPUS", founding::BUSAN])))
        .await
        .faults(&[("/cities/1", "not_unique")]);
    busan.post("/v1/partnerships", body(json!(["KRPUS", "XXXXX"]))).await.faults(&[("/cities/1", "unknown_city")]);
    let unknown = json!({"title": "T", "cities": ["KRPUS", "KRSEL"], "programme_id": founding::DOCUMENT});
    busan.post("/v1/partnerships", unknown).await.faults(&[("/programme_id", "unknown_record")]);
}

#[tokio::test]
async fn a_set_of_cities_is_there_once_in_a_programme_and_once_without() {
    let app = App::start().await;
    let busan = app.busan().await;
    let body = |programme: Value| json!({"title": "Again", "cities": ["KRPUS", "ESBCN"], "programme_id": programme});
    let problem = busan.post("/v1/partnerships", body(json!(WORLD_CITIES))).await.problem(409, "duplicate");
    assert_eq!(problem["existing_id"], founding::PARTNERSHIP);
    let without = busan.post("/v1/partnerships", body(Value::Null)).await.created();
    let problem = busan.post("/v1/partnerships", body(Value::Null)).await.problem(409, "duplicate");
    assert_eq!(problem["existing_id"], without["id"]);
    let at = path("partnerships", &without);
    busan.patch(&at, json!({"programme_id": WORLD_CITIES})).await.problem(409, "duplicate");
}

#[tokio::test]
async fn of_32_who_register_the_same_partnership_at_once_one_does() {
    let app = App::start().await;
    let (busan, barcelona) = (app.busan().await, app.barcelona().await);
    let requests = (0..32).map(|n| {
        let (actor, cities) =
            if n % 2 == 0 { (busan.clone(), ["KRPUS", "ESBCN"]) } else { (barcelona.clone(), ["ESBCN", "KRPUS"]) };
        tokio::spawn(async move {
            let body = json!({"title": format!("Number {n}"), "cities": cities});
            actor.post("/v1/partnerships", body).await
        })
    });
    let mut made = vec![];
    let mut refused = BTreeSet::new();
    for request in requests.collect::<Vec<_>>() {
        let answer = request.await.unwrap();
        match answer.status {
            201 => made.push(answer.json["id"].clone()),
            _ => drop(refused.insert(answer.problem(409, "duplicate")["existing_id"].to_string())),
        }
    }
    assert_eq!(made.len(), 1);
    assert_eq!(refused, BTreeSet::from([made[0].to_string()]));
    assert_eq!(busan.all("/v1/partnerships").await.len(), 2);
}

#[tokio::test]
async fn only_cities_that_take_part_write_a_partnership_and_none_leaves_itself_out() {
    let app = App::start().await;
    let (busan, seoul) = (app.busan().await, app.seoul().await);
    let body = json!({"title": "Others", "cities": ["KRPUS", "ESBCN"]});
    seoul.post("/v1/partnerships", body.clone()).await.problem(403, "forbidden");
    let at = path("partnerships", &busan.post("/v1/partnerships", body).await.created());
    seoul.patch(&at, json!({"status": "active"})).await.problem(403, "forbidden");
    assert_eq!(seoul.delete(&at).await.status, 403);
    busan.patch(&at, json!({"cities": ["ESBCN", "KRSEL"]})).await.problem(403, "forbidden");
    app.barcelona().await.patch(&at, json!({"status": "active"})).await.ok();
}

#[tokio::test]
async fn a_city_that_an_initiative_goes_from_or_to_stays_in_its_partnership() {
    let app = App::start().await;
    let busan = app.busan().await;
    let partnership = new_partnership(&busan, json!({})).await;
    let at = path("partnerships", &partnership);
    let direction = json!({"partnership_id": partnership["id"], "from_city": "KRPUS", "to_city": "KRSEL"});
    let initiative = new_initiative(&busan, direction).await;
    busan.patch(&at, json!({"cities": ["KRPUS", "ESBCN"]})).await.problem(409, "conflict");
    busan.delete(&at).await.problem(409, "referenced");
    busan.patch(&path("initiatives", &initiative), json!({"from_city": null, "to_city": null})).await.ok();
    busan.patch(&at, json!({"cities": ["KRPUS", "ESBCN"]})).await.ok();
}

#[tokio::test]
async fn the_database_keeps_the_set_of_cities_and_its_rows_the_same() {
    let app = App::start().await;
    let other = new_partnership(&app.busan().await, json!({})).await;
    let other = other["id"].as_str().unwrap();
    let rows = sql(
        &app.database,
        "SELECT count(*) FROM partnership p WHERE city_ids <> ARRAY(SELECT city_id FROM partnership_city
         WHERE partnership_id = p.id ORDER BY 1)",
    );
    assert_eq!(rows.await[0][0].as_deref(), Some("0"));
    let refused = [
        (
            format!("DELETE FROM partnership_city WHERE partnership_id = '{other}' AND city_id = '{SEOUL}'"),
            "partnership_city_as_the_set",
        ),
        (
            format!("INSERT INTO partnership_city VALUES ('{}', '{SEOUL}')", founding::PARTNERSHIP),
            "partnership_city_as_the_set",
        ),
        ("UPDATE partnership SET city_ids = city_ids[1:1]".into(), "partnership_cities_two"),
        ("UPDATE partnership SET city_ids = ARRAY[city_ids[2], city_ids[1]]".into(), "partnership_cities_set"),
        ("UPDATE partnership SET city_ids = ARRAY[city_ids[1], city_ids[1]]".into(), "partnership_cities_set"),
    ];
    for (statement, constraint) in refused {
        let error = try_sql(&app.database.owner_url, &statement).await.unwrap_err();
        assert_eq!(error.as_db_error().unwrap().constraint(), Some(constraint), "{statement}");
    }
}

#[tokio::test]
async fn a_partnership_is_upserted_by_a_partner_systems_id() {
    let app = App::start().await;
    let busan = app.busan().await;
    let at = "/v1/partnerships/by-external-id/busan-open-data/P-1";
    let body = json!({"title": "Busan–Seoul", "cities": ["KRPUS", "KRSEL"]});
    let made = busan.put(at, body.clone()).await.created();
    assert_eq!(busan.put(at, body).await.ok()["version"], 1);
    let changed = busan.put(at, json!({"title": "Busan and Seoul", "cities": ["KRPUS", "KRSEL"]})).await.ok();
    assert_eq!((&changed["id"], &changed["title"]), (&made["id"], &json!("Busan and Seoul")));
}
