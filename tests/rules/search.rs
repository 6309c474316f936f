//! Search: words in four languages, typing errors, facets, places, and what nobody may see.

use serde_json::{Value, json};

use crate::support::life::{Exchange, evaluation, members, new_indicator};
use crate::support::{Actor, App, founding, new_hosting, new_pilot, path};

/// The address of a search.
pub fn search(parameters: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("/v1/search?{query}")
}

async fn found(actor: &Actor, parameters: &[(&str, &str)]) -> Value {
    actor.get(&search(parameters)).await.ok()
}

fn count(answer: &Value, facet: &str, value: &str) -> i64 {
    let counts = answer["facets"][facet].as_array().unwrap_or_else(|| panic!("no facet {facet}: {answer}"));
    counts.iter().find(|one| one["value"] == value).map_or(0, |one| one["count"].as_i64().unwrap())
}

fn sum(answer: &Value, facet: &str) -> i64 {
    answer["facets"][facet].as_array().unwrap().iter().map(|one| one["count"].as_i64().unwrap()).sum()
}

#[tokio::test]
async fn words_of_four_languages_find_the_streetlights() {
    let app = App::start().await;
    let anyone = app.anonymous();
    for q in [
        "streetlights",
        "smart streetlight",
        "스마트 가로등",
        "enllumenat",
        "Enllumenat públic",
        "alumbrado",
        "LIGHTING",
    ] {
        let answer = found(&anyone, &[("q", q), ("types", "pilots")]).await;
        assert_eq!(answer["fuzzy"], false, "{q}");
        assert_eq!(answer["items"][0]["id"], founding::STREETLIGHTS, "{q}: {answer}");
        assert_eq!(answer["items"][0]["title"], "Smart streetlights");
        let score = answer["items"][0]["score"].as_f64().unwrap();
        assert!(score > 0.0 && score <= 1.0);
    }
    // Without words everything is found, in order of registration and without a score.
    let all = found(&anyone, &[("types", "pilots")]).await;
    assert_eq!((members(&all["items"], "id")[0], &all["items"][0]["score"]), (founding::STREETLIGHTS, &Value::Null));
}

#[tokio::test]
async fn typing_errors_are_forgiven_where_nothing_is_spelled_that_way() {
    let app = App::start().await;
    let anyone = app.anonymous();
    for q in ["smrt streetlihgt", "streetligths", "hydrogn fuel cel", "스마트 가로듬", "enlumenat", "Barcellona"]
    {
        let answer = found(&anyone, &[("q", q)]).await;
        assert_eq!(answer["fuzzy"], true, "{q}");
        let expected = match q {
            "hydrogn fuel cel" => "Hydrogen fuel cell power plant",
            "Barcellona" => "Barcelona",
            _ => "Smart streetlights",
        };
        assert!(members(&answer["items"], "title").contains(&expected), "{q}: {answer}");
    }
    // A filter that leaves nothing over is no typing error, and what is like nothing is not found.
    let retired = found(&anyone, &[("q", "streetlights"), ("status", "retired")]).await;
    assert_eq!((&retired["fuzzy"], &retired["items"]), (&json!(false), &json!([])));
    assert_eq!(found(&anyone, &[("q", "zzyzx qqwv")]).await["items"], json!([]));
}

#[tokio::test]
async fn lists_take_the_same_words() {
    let app = App::start().await;
    let anyone = app.anonymous();
    let list = async |path: &str| anyone.get(path).await.ok();
    let exact = list("/v1/pilots?q=enllumenat").await;
    assert_eq!((members(&exact["items"], "id"), exact.get("fuzzy")), (vec![founding::STREETLIGHTS], None));
    let fuzzy = list("/v1/pilots?q=smrt+streetlihgt&count=exact").await;
    assert_eq!((members(&fuzzy["items"], "id")[0], &fuzzy["fuzzy"]), (founding::STREETLIGHTS, &json!(true)));
    assert_eq!(fuzzy["count"], fuzzy["items"].as_array().unwrap().len());
    let hostings = list("/v1/hostings?q=streetlights").await;
    assert_eq!(members(&hostings["items"], "id"), [founding::STREETLIGHTS_AT_HOME]);
    let both = list("/v1/pilots?q=Busan&category=waste").await;
    assert_eq!(both["items"], json!([]));
    // Other filters and orders go with it, page by page, and the cursor knows how it was found.
    let whole = anyone.all("/v1/pilots?q=sistem&sort=-title").await;
    let walked = anyone.all("/v1/pilots?q=sistem&sort=-title&limit=1").await;
    assert!(walked.len() > 1 && walked == whole, "{}", walked.len());
    anyone.get("/v1/outcomes?q=busan").await.problem(400, "bad_parameter");
}

#[tokio::test]
async fn facets_add_up_and_each_ignores_its_own_filter() {
    let app = App::start().await;
    let busan = app.busan().await;
    for (status, category) in [("idea", "waste"), ("retired", "waste"), ("retired", "parking")] {
        new_pilot(&busan, json!({"status": status, "category": category, "areas": ["smart_cities", "clean_energy"]}))
            .await;
    }
    let everything = busan.all("/v1/search?limit=100").await.len() as i64;
    let open = found(&busan, &[]).await;
    assert_eq!((sum(&open, "type"), &open["estimated"]), (everything, &json!(false)));
    let pilots = busan.all("/v1/pilots").await.len() as i64;
    assert_eq!(count(&open, "type", "pilots"), pilots);
    let of_type = found(&busan, &[("types", "pilots")]).await;
    assert_eq!(
        (sum(&of_type, "type"), sum(&of_type, "category"), sum(&of_type, "status")),
        (everything, pilots, pilots)
    );
    assert_eq!(
        (sum(&of_type, "city"), count(&of_type, "city", "KRPUS"), count(&of_type, "country", "KR")),
        (pilots, pilots, pilots)
    );

    let both = found(&busan, &[("types", "pilots"), ("category", "waste"), ("status", "retired")]).await;
    assert_eq!(both["items"].as_array().unwrap().len(), 1);
    assert_eq!((count(&both, "status", "retired"), count(&both, "status", "idea")), (1, 1), "{both}");
    assert_eq!((count(&both, "category", "waste"), count(&both, "category", "parking")), (1, 1));
    assert_eq!((count(&both, "type", "pilots"), count(&both, "area", "clean_energy")), (1, 1));
    // By comma and repeated is the same, and facets can be chosen.
    let comma = found(&busan, &[("category", "waste,parking"), ("facets", "category,type")]).await;
    let repeated = found(&busan, &[("category", "waste"), ("category", "parking"), ("facets", "category,type")]).await;
    assert_eq!(comma, repeated);
    assert_eq!((comma["items"].as_array().unwrap().len(), comma["facets"].as_object().unwrap().len()), (3, 2));
    for query in ["category=waste,nothing", "types=pilot", "facets=kind", "city=XXXXX", "country=kr", "colour=red"] {
        busan.get(&format!("/v1/search?{query}")).await.problem(400, "bad_parameter");
    }
}

#[tokio::test]
async fn a_snippet_shows_the_words_in_their_place_as_safe_html() {
    let app = App::start().await;
    let busan = app.busan().await;
    let summary = "Lamps <script>alert('x')</script> & \"luminaires\" that glimmer when nobody walks by.";
    let pilot = new_pilot(&busan, json!({"title": "Glimmering <b>lamps</b>", "summary": summary})).await;
    let answer = found(&busan, &[("q", "glimmer luminaires")]).await;
    assert_eq!(answer["items"][0]["id"], pilot["id"]);
    let snippet = answer["items"][0]["snippet"].as_str().unwrap();
    assert!(snippet.contains("<mark>luminaires</mark>"), "{snippet}");
    for q in ["glimmer luminaires", "glimmering lamps", "glimering lmaps", "script", "\"smart city\" or lamps"] {
        for item in found(&busan, &[("q", q)]).await["items"].as_array().unwrap() {
            let bare = item["snippet"].as_str().unwrap().replace("<mark>", "").replace("</mark>", "");
            assert!(!bare.contains(['<', '>', '"']), "{q}: {bare}");
        }
    }
}

#[tokio::test]
async fn near_finds_what_lies_within_the_radius() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = new_pilot(&busan, json!({})).await;
    let site = json!({"name": "Llobregat", "latitude": 41.3, "longitude": 2.0});
    let away = new_hosting(&busan, &pilot, json!({"sites": [site]})).await;
    let ids = async |list: &str| -> Vec<Value> { busan.all(list).await.iter().map(|one| one["id"].clone()).collect() };
    for list in ["/v1/hostings?near=41.3,2.0&radius_km=1", "/v1/search?types=hostings&near=41.3,2.0&radius_km=1"] {
        assert_eq!(ids(list).await, [away["id"].clone()], "{list}");
    }
    assert!(ids("/v1/hostings?near=41.38,2.17&radius_km=5").await.is_empty());
    assert_eq!(ids("/v1/hostings?near=41.38,2.17").await, [away["id"].clone()]);
    assert_eq!(ids("/v1/cities?near=35.1,129.03&radius_km=400").await.len(), 2);
    assert_eq!(ids("/v1/cities?near=35.1,129.1&radius_km=0").await.len(), 0);
    assert_eq!(ids("/v1/pilots?near=35.1,129.03").await.len(), 6);
    assert_eq!(ids("/v1/cities?near=0,180&radius_km=20000").await.len(), 3);
    for wrong in [
        "near=91,0",
        "near=0,181",
        "near=0",
        "near=a,b",
        "near=0,0,0",
        "near=1e1,2",
        "near=0,0&radius_km=20001",
        "near=0,0&radius_km=-1",
        "near=0,0&radius_km=NaN",
        "near=0,0&radius_km=far",
    ] {
        busan.get(&format!("/v1/search?{wrong}")).await.problem(400, "bad_parameter");
        busan.get(&format!("/v1/pilots?{wrong}")).await.problem(400, "bad_parameter");
    }
    busan.get("/v1/indicators?near=0,0").await.problem(400, "bad_parameter");
}

#[tokio::test]
async fn whatever_is_typed_is_looked_for_and_never_breaks_anything() {
    let app = App::start().await;
    let busan = app.busan().await;
    let long = "lamp ".repeat(60);
    let typed = [
        "'",
        "''",
        "\"",
        "\"\"",
        ":*",
        "<->",
        "lamp <-> post",
        "!",
        "!!!",
        "-lamp",
        "- -",
        "&",
        "|",
        "(",
        ")",
        "a & | b",
        "\\",
        "\\'",
        "%",
        "_",
        "$1",
        "$2::text",
        "';DROP TABLE search_entry;--",
        "or",
        "or or",
        "\"or\"",
        "<mark>",
        "é",
        "😀",
        "가",
        "a:b",
        "lamp:*A",
        "http://example.org/?q='x'",
        "the",
        "1",
        "x",
        "., ;",
        long.trim(),
        "\u{301}",
        "𝕊𝕞𝕒𝕣𝕥",
    ];
    for q in typed {
        for list in [search(&[("q", q)]), search(&[("q", q)]).replace("search", "pilots")] {
            let answer = busan.get(&list).await;
            assert_eq!(answer.status, 200, "{q}: {}", answer.text);
        }
    }
    for q in ["", &"x".repeat(301), "a\u{0}b"] {
        busan.get(&search(&[("q", q)])).await.problem(400, "bad_parameter");
    }
}

/// A record of each searchable type that can be hidden, with a word in it that nothing else has.
async fn hidden(exchange: &Exchange, visibility: &str, word: &str) -> Vec<(&'static str, Value)> {
    let busan = &exchange.busan;
    let change = json!({"title": format!("Pilot {word}"), "tags": [word], "visibility": visibility});
    let pilot = new_pilot(busan, change).await;
    let hosting = exchange.hosting_of(&pilot, "live").await;
    let lessons = json!({"lessons": [{"kind": "barrier", "text": format!("The {word} was too dear.")}]});
    let list = format!("{}/evaluations", path("hostings", &hosting));
    let evaluation = exchange.barcelona.post(&list, evaluation(lessons)).await.created();
    let document = json!({"title": format!("Contract {word}"), "city": "KRPUS", "visibility": visibility});
    let document = busan.post("/v1/documents", document).await.created();
    let assessment = json!({"pilot_id": pilot["id"], "city": "ESBCN", "verdict": "applicable", "text": word});
    let assessment = busan.post("/v1/applicability", assessment).await.created();
    vec![
        ("pilots", pilot),
        ("hostings", hosting),
        ("evaluations", evaluation),
        ("documents", document),
        ("applicability", assessment),
    ]
}

#[tokio::test]
async fn what_one_may_not_see_is_not_found_not_counted_and_not_shown() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    for (visibility, word) in [("partners", "quokka"), ("private", "zyzomys")] {
        let public = async || {
            let answer = found(&app.anonymous(), &[]).await;
            (answer["items"].clone(), answer["facets"].clone())
        };
        let before = public().await;
        let records = hidden(&exchange, visibility, word).await;
        let actors = [
            ("anonymous", app.anonymous(), false),
            ("reader", app.reader().await, visibility == "partners"),
            ("verifier", app.verifier().await, visibility == "partners"),
            ("seoul", app.seoul().await, visibility == "partners"),
            ("barcelona", app.barcelona().await, true),
            ("admin", app.admin().await, true),
        ];
        for (name, actor, sees) in actors {
            let case = format!("{name}, {visibility}");
            let answer = found(&actor, &[("q", word)]).await;
            let expected = match (name, sees) {
                ("barcelona", _) if visibility == "private" => 4, // the document is Busan's alone
                (_, true) => 5,
                _ => 0,
            };
            assert_eq!(answer["items"].as_array().unwrap().len(), expected, "{case}: {answer}");
            assert_eq!(sum(&answer, "type"), expected as i64, "{case}");
            assert_eq!(answer.to_string().contains(word), expected > 0, "{case}");
            // Nor by a part of it, by its place or by its collection's list.
            let alike =
                found(&actor, &[("q", &word[..word.len() - 1]), ("near", "35.1,129.03"), ("limit", "500")]).await;
            assert_eq!(alike.to_string().contains(word), expected > 0, "{case}");
            for (collection, record) in records.iter().filter(|(collection, _)| *collection != "evaluations") {
                let list = actor.all(&format!("/v1/{collection}?q={word}")).await;
                let shown =
                    expected > 0 && (name != "barcelona" || visibility != "private" || *collection != "documents");
                assert_eq!(list.iter().any(|one| one["id"] == record["id"]), shown, "{case}, {collection}");
            }
        }
        assert!(public().await == before, "{visibility}: the public sees a difference");
    }
}

#[tokio::test]
async fn a_private_evaluation_is_not_told_by_its_public_hosting() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let hosting = exchange.hosting_at("live").await;
    let list = format!("{}/evaluations", path("hostings", &hosting));
    let secret = json!({"visibility": "private", "lessons": [{"kind": "barrier", "text": "The wombat was too dear."}],
                        "rationale": "Wombats cost."});
    let evaluation = exchange.barcelona.post(&list, evaluation(secret)).await.created();
    for actor in [app.anonymous(), app.reader().await, app.seoul().await] {
        for q in ["wombat", "wombats cost", "womat"] {
            assert_eq!(found(&actor, &[("q", q)]).await["items"], json!([]), "{q}");
        }
    }
    for actor in [&exchange.busan, &exchange.barcelona] {
        let answer = found(actor, &[("q", "wombat")]).await;
        assert_eq!(members(&answer["items"], "id"), [evaluation["id"].as_str().unwrap()]);
    }
    exchange.barcelona.patch(&path("evaluations", &evaluation), json!({"visibility": "public"})).await.ok();
    assert_eq!(members(&found(&app.anonymous(), &[("q", "wombat")]).await["items"], "type"), ["evaluations"]);
}

#[tokio::test]
async fn hiding_a_pilot_hides_its_hostings_and_evaluations_at_once() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let pilot = new_pilot(&exchange.busan, json!({"title": "Numbat crossing"})).await;
    let hosting = exchange.hosting_of(&pilot, "live").await;
    let list = format!("{}/evaluations", path("hostings", &hosting));
    exchange.barcelona.post(&list, evaluation(json!({}))).await.created();
    let types = async |actor: &Actor, q: &str| -> Vec<String> {
        let answer = found(actor, &[("q", q)]).await;
        let mut types: Vec<String> = members(&answer["items"], "type").into_iter().map(str::to_owned).collect();
        types.sort();
        types
    };
    let (anyone, all) = (app.anonymous(), ["evaluations", "hostings", "pilots"]);
    assert_eq!(types(&anyone, "numbat").await, all);
    exchange.busan.patch(&path("pilots", &pilot), json!({"visibility": "private"})).await.ok();
    assert!(types(&anyone, "numbat").await.is_empty());
    assert_eq!(types(&exchange.barcelona, "numbat").await, all);
    exchange
        .busan
        .patch(&path("pilots", &pilot), json!({"visibility": "public", "title": "Bilby crossing"}))
        .await
        .ok();
    assert_eq!(types(&anyone, "bilby").await, all);
    assert!(types(&anyone, "numbat").await.is_empty());
    // A proposal is never public.
    let proposed = new_hosting(&exchange.busan, &pilot, json!({"host_city": "KRSEL"})).await;
    assert_eq!(types(&anyone, "bilby").await, all);
    assert_eq!(types(&app.reader().await, "bilby").await.len(), 4);
    let seoul = app.seoul().await;
    seoul.transition(&path("hostings", &proposed), json!({"to": "agreed"})).await.ok();
    assert_eq!(types(&anyone, "bilby").await.len(), 4);
    // Its city is one of those involved now, and sees the pilot when it is private.
    exchange.busan.patch(&path("pilots", &pilot), json!({"visibility": "private"})).await.ok();
    assert_eq!(types(&seoul, "bilby").await, ["hostings", "pilots"]);
}

#[tokio::test]
async fn what_is_changed_renamed_or_deleted_is_found_as_it_is_now() {
    let app = App::start().await;
    let (admin, busan, anyone) = (app.admin().await, app.busan().await, app.anonymous());
    let titles = async |q: &str| -> Vec<String> {
        let answer = found(&anyone, &[("q", q), ("facets", "type")]).await;
        let exact = answer["fuzzy"] == false;
        members(&answer["items"], "title").into_iter().filter(|_| exact).map(str::to_owned).collect()
    };
    let pilot = new_pilot(&busan, json!({"title": "Potoroo", "category": "waste"})).await;
    assert_eq!(titles("potoroo").await, ["Potoroo"]);
    let label = json!({"label": "Thylacine", "translations": {"ca": {"label": "Llop marsupial"}}});
    admin.patch("/v1/vocabularies/categories/terms/waste", label).await.ok();
    assert_eq!(titles("thylacine").await, ["Potoroo"]);
    assert_eq!(titles("marsupials").await, ["Potoroo"]);
    admin.patch("/v1/cities/KRPUS", json!({"name": "Dibbler"})).await.ok();
    assert_eq!(titles("dibbler potoroo").await, ["Potoroo"]);
    let upsert = json!({"title": "Bettong", "origin_city": "KRPUS", "category": "parking"});
    busan.put("/v1/pilots/by-external-id/zoo/7", upsert).await.created();
    assert_eq!(titles("bettong").await, ["Bettong"]);
    let upsert = json!({"title": "Woylie", "origin_city": "KRPUS", "category": "parking"});
    busan.put("/v1/pilots/by-external-id/zoo/7", upsert).await.ok();
    assert_eq!((titles("bettong").await.len(), titles("woylie").await.len()), (0, 1));
    busan.delete(&path("pilots", &pilot)).await;
    assert!(titles("potoroo").await.is_empty() && titles("thylacine").await.is_empty());
    let indicator = new_indicator(&busan, json!({"definition": "Quolls per square kilometre."})).await;
    assert_eq!(titles("quoll").await, [indicator["name"].as_str().unwrap()]);
}
