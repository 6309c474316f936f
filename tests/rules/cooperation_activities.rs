//! Activities: dates that lie within one another, participants that are cities or organisations, no persons.

use serde_json::{Value, json};

use crate::support::cooperation::{activity, new_activity};
use crate::support::life::{CITY_OF_BARCELONA, SEOUL};
use crate::support::{App, founding, path, sql, try_sql};

#[tokio::test]
async fn an_activity_is_registered_read_changed_and_deleted() {
    let app = App::start().await;
    let busan = app.busan().await;
    let body = json!({
        "kind": "workshop", "title": "Workshop", "theme": "Fares", "city": "KRPUS", "starts_on": "2027-05", "ends_on": "2027",
        "places": [{"name": "City Hall", "latitude": 35.17, "longitude": 129.07}, {"name": "Samwon FA"}],
        "partnership_id": founding::PARTNERSHIP, "initiative_ids": [founding::BUS_FARES, founding::PILOT_EXCHANGE],
        "areas": ["smart_cities", "public_transport"],
        "participants": [{"city": "KRPUS", "role": "host"}, {"city": "KRPUS", "role": "organiser"},
                         {"organisation_id": CITY_OF_BARCELONA, "role": "guest", "headcount": 3}]
    });
    let made = busan.post("/v1/activities", body.clone()).await.created();
    for member in ["kind", "title", "theme", "city", "starts_on", "ends_on", "partnership_id"] {
        assert_eq!(made[member], body[member], "{member}");
    }
    assert_eq!(made["initiative_ids"], json!([founding::PILOT_EXCHANGE, founding::BUS_FARES]), "in order of id");
    assert_eq!(made["areas"], json!(["public_transport", "smart_cities"]));
    assert_eq!(made["places"][1], json!({"name": "Samwon FA", "latitude": null, "longitude": null}));
    let guest = json!({"city": null, "organisation_id": CITY_OF_BARCELONA, "role": "guest", "headcount": 3});
    assert_eq!(made["participants"][2], guest);
    let at = path("activities", &made);
    assert_eq!(app.anonymous().get(&at).await.ok(), made);
    let changed = busan.patch(&at, json!({"participants": [], "theme": null, "kind": "event"})).await.ok();
    assert_eq!((&changed["version"], &changed["theme"]), (&json!(2), &Value::Null));
    assert_eq!(busan.delete(&at).await.status, 204);
}

#[tokio::test]
async fn everything_wrong_with_an_activity_is_told_at_once() {
    let app = App::start().await;
    let body = activity(json!({
        "starts_on": "2027-05", "ends_on": "2027-04", "places": [{"name": "Here", "latitude": 1.0}],
        "participants": [{"role": "host"}, {"city": "KRPUS", "organisation_id": CITY_OF_BARCELONA, "role": "host"},
                         {"city": "KRSEL", "role": "guest"}, {"city": SEOUL, "role": "guest"}],
    }));
    app.busan().await.post("/v1/activities", body).await.faults(&[
        ("/ends_on", "before_start"),
        ("/places/0", "half_location"),
        ("/participants/0", "one_of"),
        ("/participants/1", "one_of"),
        ("/participants/3", "not_unique"),
    ]);
    let named = activity(json!({"participants": [{"city": "KRPUS", "role": "host", "name": "Somebody"}]}));
    app.busan().await.post("/v1/activities", named).await.faults(&[("/participants/0/name", "unknown_member")]);
    let none = activity(json!({"participants": [{"city": "KRPUS", "role": "host", "headcount": 0}]}));
    app.busan().await.post("/v1/activities", none).await.faults(&[("/participants/0/headcount", "out_of_range")]);
}

#[tokio::test]
async fn a_part_lies_within_the_whole_as_far_as_dates_are_known() {
    let app = App::start().await;
    let busan = app.busan().await;
    let part = |starts: Value, ends: Value| {
        activity(json!({"parent_id": founding::VISIT, "starts_on": starts, "ends_on": ends}))
    };
    // The visit was from 15 to 16 March 2017.
    for (starts, ends) in [("2017-03-15", "2017-03-15"), ("2017-03", "2017"), ("2017-03-16", "2017-03")] {
        busan.post("/v1/activities", part(json!(starts), json!(ends))).await.created();
    }
    busan.post("/v1/activities", part(Value::Null, Value::Null)).await.created();
    let refused = [
        ("2017-03-14", "2017-03-16", "/starts_on"),
        ("2017-03-15", "2017-03-17", "/ends_on"),
        ("2017-02", "2017-03-16", "/starts_on"),
    ];
    for (starts, ends, pointer) in refused {
        let answer = busan.post("/v1/activities", part(json!(starts), json!(ends))).await;
        answer.faults(&[(pointer, "outside_parent")]);
    }
}

#[tokio::test]
async fn a_whole_cannot_be_moved_away_from_its_parts() {
    let app = App::start().await;
    let busan = app.busan().await;
    let visit = format!("/v1/activities/{}", founding::VISIT);
    busan.patch(&visit, json!({"ends_on": "2017-03-15"})).await.faults(&[("/ends_on", "part_outside")]);
    let later = json!({"starts_on": "2017-03-17", "ends_on": "2017-03-18"});
    busan.patch(&visit, later).await.faults(&[("/starts_on", "part_outside")]);
    let earlier = json!({"starts_on": "2017-03-13", "ends_on": "2017-03-14"});
    busan.patch(&visit, earlier).await.faults(&[("/ends_on", "part_outside")]);
    busan.patch(&visit, json!({"starts_on": null, "ends_on": null})).await.ok();
    busan.delete(&visit).await.problem(409, "referenced");
}

#[tokio::test]
async fn an_activity_is_not_part_of_itself_by_any_way() {
    let app = App::start().await;
    let busan = app.busan().await;
    let first = new_activity(&busan, json!({})).await;
    let second = new_activity(&busan, json!({"parent_id": first["id"]})).await;
    let third = new_activity(&busan, json!({"parent_id": second["id"]})).await;
    let at = path("activities", &first);
    for parent in [&first, &second, &third] {
        busan.patch(&at, json!({"parent_id": parent["id"]})).await.faults(&[("/parent_id", "cycle")]);
    }
    busan.patch(&path("activities", &third), json!({"parent_id": first["id"]})).await.ok();
}

#[tokio::test]
async fn of_two_changes_that_make_a_cycle_together_one_is_refused() {
    let app = App::start().await;
    let busan = app.busan().await;
    // Four in two pairs, so that no row is touched by both changes.
    let (a, c) = (new_activity(&busan, json!({})).await, new_activity(&busan, json!({})).await);
    let b = new_activity(&busan, json!({"parent_id": a["id"]})).await;
    let d = new_activity(&busan, json!({"parent_id": c["id"]})).await;
    let (of_a, of_c) = (path("activities", &a), path("activities", &c));
    let (first, second) = tokio::join!(
        busan.patch(&of_a, json!({"parent_id": d["id"]})),
        busan.patch(&of_c, json!({"parent_id": b["id"]}))
    );
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422], "{} {}", first.text, second.text);
}

#[tokio::test]
async fn an_activity_is_written_by_the_cities_that_take_part_in_it() {
    let app = App::start().await;
    let (busan, barcelona, seoul) = (app.busan().await, app.barcelona().await, app.seoul().await);
    let of_seoul = |change: Value| {
        let mut body = json!({"kind": "event", "title": "Fair", "city": "KRSEL"});
        crate::support::merge(&mut body, change);
        body
    };
    busan.post("/v1/activities", of_seoul(json!({}))).await.problem(403, "forbidden");
    busan.post("/v1/activities", json!({"kind": "event", "title": "Nowhere"})).await.problem(403, "forbidden");
    let ways = [
        (&busan, json!({"participants": [{"city": "KRPUS", "role": "guest"}]})),
        (&barcelona, json!({"participants": [{"organisation_id": CITY_OF_BARCELONA, "role": "observer"}]})),
        (&barcelona, json!({"partnership_id": founding::PARTNERSHIP})),
        (&seoul, json!({})),
    ];
    for (actor, change) in ways {
        let at = path("activities", &actor.post("/v1/activities", of_seoul(change)).await.created());
        actor.patch(&at, json!({"theme": "Ours"})).await.ok();
    }
    let of_busan = path("activities", &new_activity(&busan, json!({})).await);
    busan.patch(&of_busan, json!({"city": "KRSEL"})).await.problem(403, "forbidden");
    seoul.patch(&of_busan, json!({"city": "KRSEL"})).await.problem(403, "forbidden");
    seoul.delete(&of_busan).await.problem(403, "forbidden");
}

#[tokio::test]
async fn the_database_refuses_what_the_service_would() {
    let app = App::start().await;
    let (visit, meetings) = (founding::VISIT, founding::INTRODUCTORY_MEETINGS);
    let refused = [
        (format!("UPDATE activity SET parent_id = id WHERE id = '{visit}'"), "activity_parent_not_itself"),
        (format!("UPDATE activity SET parent_id = '{meetings}' WHERE id = '{visit}'"), "activity_parent_cycle"),
        (format!("UPDATE activity SET starts_on = '2017-03-14' WHERE id = '{meetings}'"), "activity_within_parent"),
        (
            format!("UPDATE activity SET starts_on = '2018', ends_on = '2018' WHERE id = '{visit}'"),
            "activity_children_within",
        ),
        (format!("UPDATE activity SET ends_on = '2016' WHERE id = '{meetings}'"), "activity_ends_after_start"),
        (
            format!("UPDATE activity_participant SET city_id = NULL WHERE activity_id = '{visit}'"),
            "activity_participant_one",
        ),
        (
            format!("UPDATE activity_participant SET role = 'host', city_id = '{SEOUL}' WHERE activity_id = '{visit}'"),
            "activity_participant_unique",
        ),
        (
            format!("UPDATE activity_place SET latitude = 1 WHERE activity_id = '{meetings}'"),
            "activity_place_location_whole",
        ),
    ];
    for (statement, constraint) in refused {
        let error = try_sql(&app.database.owner_url, &statement).await.unwrap_err();
        assert_eq!(error.as_db_error().unwrap().constraint(), Some(constraint), "{statement}");
    }
    // Nothing of it has a column for a person.
    let names = "SELECT string_agg(attname, ' ' ORDER BY attname) FROM pg_attribute
                 WHERE attrelid = 'activity_participant'::regclass AND attnum > 0";
    let names = sql(&app.database, names).await[0][0].clone();
    assert_eq!(names.as_deref(), Some("activity_id city_id headcount organisation_id position role"));
}
