//! Text and numbers are checked at the edge (api.md, convention 19).

use serde_json::{Value, json};

use crate::support::{Actor, Answer, App, founding, new_pilot, path};

#[tokio::test]
async fn control_characters_are_refused_in_bodies() {
    let app = App::start().await;
    let busan = app.busan().await;
    for character in ['\u{0}', '\u{7}', '\u{1b}', '\u{7f}', '\u{85}'] {
        let text = format!("a{character}b");
        let body = json!({"title": text, "origin_city": "KRPUS", "category": "waste", "tags": [text], "summary": text});
        let expected =
            [("/title", "control_character"), ("/tags/0", "control_character"), ("/summary", "control_character")];
        busan.post("/v1/pilots", body).await.faults(&expected);
    }
}

#[tokio::test]
async fn line_breaks_are_for_prose_only() {
    let app = App::start().await;
    let busan = app.busan().await;
    let body = json!({"title": "a\nb", "origin_city": "KRPUS", "category": "waste"});
    busan.post("/v1/pilots", body).await.faults(&[("/title", "bad_format")]);
    let pilot = new_pilot(&busan, json!({"description": "a\nb"})).await;
    assert_eq!(pilot["description"], "a\nb");
}

#[tokio::test]
async fn control_characters_are_refused_in_queries_and_paths() {
    let app = App::start().await;
    let anyone = app.anonymous();
    for path in ["/v1/pilots?tags=a%00b", "/v1/cities?name=a%07b", "/v1/cities?code=%1B"] {
        let problem = anyone.get(path).await.problem(400, "bad_parameter");
        assert_eq!(problem["errors"][0]["code"], "control_character", "{path}");
    }
    let paths =
        ["/v1/cities/a%00", "/v1/pilots/%00", "/v1/vocabularies/areas/terms/a%00", "/v1/vocabularies/%00/terms"];
    for path in paths {
        let answer = anyone.get(path).await;
        assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn text_is_kept_in_nfc_however_it_comes() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = new_pilot(&busan, json!({"title": "Cafe\u{301}", "tags": ["caf\u{e9}"]})).await;
    assert_eq!(pilot["title"], "Caf\u{e9}");
    let found = app.anonymous().all("/v1/pilots?tags=cafe%CC%81").await;
    assert_eq!(found, [pilot]);
}

#[tokio::test]
async fn lengths_are_counted_in_code_points() {
    let app = App::start().await;
    let busan = app.busan().await;
    for character in ["a", "한", "😀"] {
        let body = |length: usize| json!({"title": character.repeat(length), "city": "KRPUS"});
        busan.post("/v1/documents", body(300)).await.created();
        busan.post("/v1/documents", body(301)).await.faults(&[("/title", "too_long")]);
    }
    for blank in ["", " ", "\u{3000}"] {
        let problem = busan.post("/v1/documents", json!({"title": blank, "city": "KRPUS"})).await;
        assert_eq!(problem.problem(422, "invalid")["errors"][0]["pointer"], "/title", "{blank:?}");
    }
}

#[tokio::test]
async fn dates_keep_their_precision_and_lie_between_1800_and_2200() {
    let app = App::start().await;
    let busan = app.busan().await;
    let body = |date: &str| json!({"title": "Plan", "city": "KRPUS", "published_on": date});
    for date in ["1800", "1800-01-01", "2017", "2017-03", "2017-03-15", "2024-02-29", "2200-12-31", "2200"] {
        assert_eq!(busan.post("/v1/documents", body(date)).await.created()["published_on"], date);
    }
    let refused = [
        "1799",
        "1799-12-31",
        "2201",
        "2201-01-01",
        "2017-02-30",
        "2023-02-29",
        "2017-13",
        "2017-00",
        "2017-04-31",
        "17",
        "2017-3-5",
        "2017/03/05",
        "20170315",
        "",
        " 2017",
        "2017-03-15T00:00:00Z",
        "２０１７",
        "+2017",
    ];
    for date in refused {
        busan.post("/v1/documents", body(date)).await.faults(&[("/published_on", "bad_format")]);
    }
}

/// A draft with this value, written as it stands.
async fn observe(actor: &Actor, value: &str) -> Answer {
    let path = format!("/v1/outcomes/{}/observations", founding::SERVICES_UNDER_TEST);
    let body = format!("{{\"starts_on\": \"2026-01\", \"ends_on\": \"2026-06\", \"value\": {value}}}");
    actor.send(actor.request("POST", &path).header("content-type", "application/json").body(body)).await
}

#[tokio::test]
async fn decimals_are_read_by_their_digits_and_never_through_a_float() {
    let app = App::start().await;
    let busan = app.busan().await;
    let cases = [
        ("0.1", "0.1"),
        ("\"0.1\"", "0.1"),
        ("1.50", "1.5"),
        ("98", "98"),
        ("\"098\"", "98"),
        ("1e3", "1000"),
        ("1E-12", "0.000000000001"),
        ("-0", "0"),
        ("0.000000000000", "0"),
        ("-2.25", "-2.25"),
        ("9007199254740993", "9007199254740993"),
        ("123456789012345678.123456789012", "123456789012345678.123456789012"),
        ("\"123456789012345678.123456789012\"", "123456789012345678.123456789012"),
    ];
    for (sent, shown) in cases {
        let observation = observe(&busan, sent).await.created();
        assert_eq!(observation["value"], shown, "{sent}");
        assert_eq!(busan.get(&path("observations", &observation)).await.ok()["value"], shown, "{sent}");
    }
}

#[tokio::test]
async fn what_is_no_finite_decimal_of_our_size_is_refused() {
    let app = App::start().await;
    let busan = app.busan().await;
    let refused = [
        "1234567890123456789",
        "0.1234567890123",
        "1e18",
        "1e400",
        "1e999999999",
        "1e9223372036854775807",
        "1e-999999999",
        "\"NaN\"",
        "\"Infinity\"",
        "\"1e3\"",
        "\"1,5\"",
        "\"\"",
        "\" 1\"",
        "\"0x10\"",
        "true",
        "[1]",
    ];
    for value in refused {
        let problem = observe(&busan, value).await.problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/value", "{value}");
    }
    for value in ["NaN", "Infinity", "-", ".5", "01"] {
        observe(&busan, value).await.problem(400, "malformed_json");
    }
}

#[tokio::test]
async fn numbers_that_are_not_finite_or_too_large_are_refused() {
    let app = App::start().await;
    let admin = app.admin().await;
    for (member, value) in [("latitude", "1e999"), ("population", "1e30"), ("population", "99999999999999999999")] {
        let mut members = vec![
            ("name", "\"Lyon\"".to_owned()),
            ("country", "\"FR\"".to_owned()),
            ("latitude", "45.76".to_owned()),
            ("longitude", "4.84".to_owned()),
            ("timezone", "\"Europe/Paris\"".to_owned()),
        ];
        members.retain(|(name, _)| *name != member);
        members.push((member, value.to_owned()));
        let body = members.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect::<Vec<_>>().join(", ");
        let request = admin.request("POST", "/v1/cities").header("content-type", "application/json");
        let problem = admin.send(request.body(format!("{{{body}}}"))).await.problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], format!("/{member}"), "{value}: {problem}");
    }
}

#[tokio::test]
async fn ids_are_read_in_canonical_form_only() {
    let app = App::start().await;
    let busan = app.busan().await;
    let id = founding::STREETLIGHTS;
    let forms = [
        id.to_uppercase(),
        id.replace('-', ""),
        format!("{{{id}}}"),
        format!("urn:uuid:{id}"),
        format!("{id} "),
        "1".to_owned(),
    ];
    for form in forms {
        let written: String = form.replace('{', "%7B").replace('}', "%7D").replace(' ', "%20");
        busan.get(&format!("/v1/pilots/{written}")).await.problem(404, "not_found");
        busan.get(&format!("/v1/hostings?pilot_id={written}")).await.problem(400, "bad_parameter");
        let problem = busan.post("/v1/hostings", json!({"pilot_id": form, "host_city": "ESBCN"})).await;
        let problem: Value = problem.problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/pilot_id", "{form}");
    }
}

#[tokio::test]
async fn faults_below_a_very_long_name_are_told_with_the_beginning_of_it() {
    let app = App::start().await;
    let busan = app.busan().await;
    let texts: serde_json::Map<String, Value> = (0..2000).map(|n| (format!("t{n}"), json!(1))).collect();
    let translations = serde_json::Map::from_iter([("x".repeat(100_000), json!(texts))]);
    let need = json!({"city": "KRPUS", "area": "smart_cities", "title": "A", "translations": translations});
    let answer = busan.post("/v1/needs", need).await;
    assert!(answer.text.len() < 5_000_000, "{} bytes", answer.text.len());
    let problem = answer.problem(422, "invalid");
    let pointers = problem["errors"].as_array().unwrap().iter().map(|one| one["pointer"].as_str().unwrap());
    assert!(pointers.clone().count() > 0);
    assert!(pointers.clone().all(|pointer| pointer.len() < 1100));
}
