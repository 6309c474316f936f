//! What pages say, read without a browser and without scripts.

use serde_json::json;

use super::world::{World, hidden, page};
use crate::support::{Actor, App, founding, new_pilot, unique};

/// A page as a browser asks for it.
async fn read(actor: &Actor, path: &str) -> (u16, String) {
    let answer = actor.request("GET", path).header("accept", "text/html,*/*;q=0.8").send().await.unwrap();
    let status = answer.status().as_u16();
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8", "{path}");
    (status, answer.text().await.unwrap())
}

async fn seen(actor: &Actor, path: &str) -> String {
    let (status, text) = read(actor, path).await;
    assert_eq!(status, 200, "{path}: {text}");
    text
}

#[tokio::test]
async fn hidden_records_are_on_no_page_and_in_no_figure() {
    let app = App::start().await;
    let world = World::of(&app).await;
    let anyone = app.anonymous();
    let mut before = vec![];
    for list in ["/pilots", "/hostings", "/hostings?kind=exchange", "/cities/KRPUS", "/cities/ESBCN"] {
        before.push((list, seen(&anyone, list).await));
    }
    let (words, pages) = hidden(&app).await;
    // The public ones that were made beside them: a pilot without public hostings, and one with a hosting.
    let lead =
        |text: &str| text.split("class=\"lead\">").nth(1).and_then(|rest| rest.split('<').next()).map(str::to_owned);
    for (list, text) in &before {
        let after = seen(&anyone, list).await;
        match *list {
            "/pilots" => assert_eq!((lead(text), lead(&after)), (Some("6 pilots".into()), Some("8 pilots".into()))),
            "/hostings" => {
                assert_eq!((lead(text), lead(&after)), (Some("4 hostings".into()), Some("5 hostings".into())));
            }
            _ => {}
        }
    }
    let searches = words.iter().map(|word| format!("/search?q={word}"));
    let public = pages.iter().filter_map(|one| one.strip_prefix('+')).map(str::to_owned);
    for path in world.pages().into_iter().chain(public).chain(searches) {
        let text = seen(&anyone, &path).await;
        let field = text
            .split("<main")
            .nth(1)
            .unwrap_or_default()
            .replace("name=\"q\" type=\"search\" maxlength=\"300\" value=", "");
        for word in &words {
            let is_asked = path.ends_with(word.as_str());
            assert!(is_asked || !field.contains(word.as_str()), "{path} has {word}");
            assert!(!field.contains(&format!("{word}</a>")), "{path} has {word}");
        }
    }
    for path in pages.iter().filter(|one| !one.starts_with('+')) {
        assert_eq!(read(&anyone, path).await.0, 404, "{path}");
        // Pages are what anybody may see, whoever asks.
        assert_eq!(read(&app.busan().await, path).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_page_for_people_and_a_problem_for_programs() {
    let app = App::start().await;
    let anyone = app.anonymous();
    let nothing = "015aca1d-0000-7000-8000-000000000000";
    for path in [
        "/nothing".to_owned(),
        "/cities/XXXXX".into(),
        "/pilots/x".into(),
        format!("/pilots/{nothing}"),
        format!("/hostings/{nothing}"),
        format!("/partnerships/{nothing}"),
        format!("/cities/{nothing}"),
    ] {
        let (status, text) = read(&anyone, &path).await;
        assert_eq!(status, 404, "{path}");
        assert!(text.contains("<h1>There is nothing here</h1>"), "{text}");
        anyone.get(&path).await.problem(404, "not_found");
    }
    // The interface answers in its own way, whoever asks.
    let request = anyone.request("GET", &format!("/v1/pilots/{nothing}")).header("accept", "text/html,*/*;q=0.8");
    anyone.send(request).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_query_that_a_page_does_not_take_is_refused() {
    let app = App::start().await;
    let anyone = app.anonymous();
    for path in [
        "/?x=1",
        "/cities?limit=5",
        "/pilots?category=nothing",
        "/pilots?origin_city=XXXXX",
        "/hostings?status=done",
        "/hostings?kind=exchange&kind=home_test",
        "/hostings?pilot_id=1",
        "/hostings?after=1",
        "/search?q=light&area=nothing",
        "/search?types=nothing",
        "/?lang=fr",
        "/pilots?status=%00",
    ] {
        let (status, text) = read(&anyone, path).await;
        assert_eq!(status, 400, "{path}: {text}");
        anyone.get(path).await.problem(400, "bad_parameter");
    }
    for path in ["/search?q=&types=", "/hostings?kind=&status=", "/pilots?category=smart_street_lighting&area=&status="]
    {
        seen(&anyone, path).await;
    }
}

#[tokio::test]
async fn pages_are_revalidated_and_have_a_strict_policy() {
    let app = App::start().await;
    let anyone = app.anonymous();
    for path in ["/", "/cities/KRPUS", "/hostings", "/search?q=light", "/style.css"] {
        let answer = anyone.get(path).await;
        assert_eq!((answer.status, answer.header("cache-control")), (200, Some("public, no-cache")), "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(!policy.contains("unsafe") && policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(
            !answer.text.contains("<script") && !answer.text.contains(" style=") && !answer.text.contains("<style")
        );
        let known = anyone.send(anyone.request("GET", path).header("if-none-match", answer.etag())).await;
        assert_eq!((known.status, known.text.as_str()), (304, ""), "{path}");
        let head = anyone.send(anyone.request("HEAD", path)).await;
        assert_eq!((head.status, head.etag(), head.text.as_str()), (200, answer.etag(), ""), "{path}");
        anyone.send(anyone.request("POST", path)).await.problem(405, "method_not_allowed");
    }
    let before = anyone.get("/pilots").await.etag();
    new_pilot(&app.busan().await, json!({})).await;
    assert_ne!(anyone.get("/pilots").await.etag(), before);
}

#[tokio::test]
async fn texts_come_in_the_language_asked_for_and_say_which_they_are_in() {
    let app = App::start().await;
    let anyone = app.anonymous();
    let own = new_pilot(&app.busan().await, json!({"title": "가로등", "language": "ko"})).await;
    let english = seen(&anyone, &page("pilots", &own)).await;
    assert!(english.contains("<html lang=\"en\">") && english.contains("<span lang=\"ko\">가로등</span>"), "{english}");
    let korean = anyone.get(&format!("{}?lang=ko", page("pilots", &own))).await;
    assert_eq!(korean.header("content-language"), Some("ko"));
    assert!(korean.text.contains("<html lang=\"ko\">") && korean.text.contains("<h1>가로등</h1>"), "{}", korean.text);
    // Navigation is translated and keeps the language; what has no translation stays English.
    assert!(korean.text.contains("<a href=\"/cities?lang=ko\">도시</a>"), "{}", korean.text);
    let city = seen(&anyone, "/cities/KRPUS?lang=es").await;
    assert!(city.contains("<html lang=\"es\">") && city.contains("hreflang=\"en\""), "{city}");
    let unknown = seen(&anyone, "/pilots/015aca1d-640d-7000-8000-00000000000d?lang=ca").await;
    assert!(unknown.contains("no consta"), "{unknown}");
}

#[tokio::test]
async fn what_a_record_says_is_text_and_never_markup() {
    let app = App::start().await;
    let title = format!("<script>alert(1)</script> & \"{}\"", unique());
    let pilot = new_pilot(&app.busan().await, json!({"title": title, "summary": "<img src=x onerror=alert(1)>"})).await;
    let anyone = app.anonymous();
    for path in ["/pilots".to_owned(), page("pilots", &pilot), "/cities/KRPUS".into(), "/search?q=alert".into()] {
        let text = seen(&anyone, &path).await;
        assert!(text.contains("alert(1)"), "{path}");
        assert!(!text.contains("<script") && !text.contains("<img"), "{path}: {text}");
    }
    let asked = seen(&anyone, "/search?q=%22%3E%3Cscript%3E").await;
    assert!(!asked.contains("<script"), "{asked}");
}

#[tokio::test]
async fn the_page_of_a_hosting_tells_its_life_its_results_and_what_it_was_excused_from() {
    let app = App::start().await;
    let world = World::of(&app).await;
    let anyone = app.anonymous();
    let text = seen(&anyone, &page("hostings", &world.hosting)).await;
    for said in [
        "Offered by Busan, hosted by Barcelona",
        "evaluating → closed",
        "2026-02-01",
        "420 (2025)",
        "340.5 (2026-05)",
        "250 (2028-12)",
        "not yet verified",
        "Agree on the maintenance window first.",
        "What stood in the way",
        "extend it",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(text.contains(&format!("/v1/outcomes/{}", world.outcome["id"].as_str().unwrap())));
    let founding = seen(&anyone, &format!("/hostings/{}", founding::STREETLIGHTS_AT_HOME)).await;
    for said in ["Tested at home, in Busan", "Entered after the fact", "Excused from", "not stated"] {
        assert!(founding.contains(said), "{said}: {founding}");
    }
}

#[tokio::test]
async fn lists_go_on_where_they_were_cut() {
    let app = App::start().await;
    let busan = app.busan().await;
    for _ in 0..103 {
        new_pilot(&busan, json!({})).await;
    }
    let anyone = app.anonymous();
    let first = seen(&anyone, "/pilots?origin_city=KRPUS").await;
    assert_eq!(first.matches("<th scope=\"row\">").count(), 100);
    let next = first.split("class=\"more\"><a href=\"").nth(1).unwrap().split('"').next().unwrap();
    let next = next.replace("&#38;", "&").replace("&amp;", "&");
    assert!(next.contains("origin_city=KRPUS"), "{next}");
    let second = seen(&anyone, &next).await;
    let ids = |text: &str| -> Vec<String> {
        text.split("<th scope=\"row\"><a href=\"").skip(1).map(|rest| rest.split('"').next().unwrap().into()).collect()
    };
    assert!(!ids(&second).is_empty() && ids(&second).iter().all(|id| !ids(&first).contains(id)));
    assert!(!second.contains("class=\"more\""), "{second}");
}
