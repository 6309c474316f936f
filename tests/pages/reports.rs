//! Reports as pages: what they say can be followed.

use std::collections::BTreeSet;

use super::world::{World, hidden};
use crate::support::browser::Browser;
use crate::support::{App, Options};

/// The addresses in a page.
fn links(html: &str) -> BTreeSet<String> {
    let after = html.split("href=\"").skip(1);
    after.map(|rest| rest.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&")).collect()
}

#[tokio::test]
async fn every_link_of_a_report_leads_somewhere() {
    let app = App::start().await;
    let world = World::of(&app).await;
    let anyone = app.anonymous();
    let mut followed = BTreeSet::new();
    for page in world.reports() {
        let html = anyone.get(&page).await;
        assert_eq!(html.status, 200, "{page}");
        for link in links(&html.text).into_iter().filter(|link| link.starts_with('/')) {
            // Files are the same report again; they have tests of their own.
            if !link.contains("format=") && followed.insert(link.clone()) {
                let there = anyone.get(&link).await;
                assert_eq!(there.status, 200, "{page} leads to {link}: {}", there.text);
            }
        }
    }
    let led = |to: &str| followed.iter().any(|link| link.starts_with(to));
    for to in
        ["/hostings/", "/pilots/", "/cities/", "/hostings?", "/reports/progress?", "/v1/outcomes/", "/v1/evaluations/"]
    {
        assert!(led(to), "nothing leads to {to}: {followed:?}");
    }
}

#[tokio::test]
async fn a_report_shows_nothing_that_is_hidden() {
    let app = App::start().await;
    let world = World::of(&app).await;
    let (words, _) = hidden(&app).await;
    for page in world.reports() {
        let html = app.anonymous().get(&page).await.text;
        for word in &words {
            assert!(!html.contains(word.as_str()), "{page} shows {word}");
        }
    }
}

#[tokio::test]
async fn a_page_of_a_report_is_narrowed_and_in_the_language_asked_for() {
    let app = App::start().await;
    World::of(&app).await;
    let anyone = app.anonymous();
    let all = anyone.get("/reports/city-profile").await.text;
    assert!(all.contains("Barcelona") && all.contains("Busan"));
    // A form sends what was left empty as well.
    let one = anyone.get("/reports/city-profile?city=ESBCN&areas=&lang=es").await.text;
    assert!(one.contains("Barcelona") && !one.contains("<th scope=\"row\"><a href=\"/cities/KRPUS"), "{one}");
    assert!(one.contains("<html lang=\"es\""));
    for wrong in ["/reports/nothing", "/reports/Overview"] {
        assert_eq!(anyone.get(wrong).await.status, 404, "{wrong}");
    }
    for wrong in ["city=XXXXX", "areas=nowhere", "colour=red", "as_of=1"] {
        assert_eq!(anyone.get(&format!("/reports/overview?{wrong}")).await.status, 400, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_figure_of_a_report_can_be_clicked() {
    let app = App::start_with(Options { own_url: true, ..Options::default() }).await;
    World::of(&app).await;
    let mut browser = Browser::open().await;
    browser.goto(&format!("{}/reports", app.base)).await;
    browser.click("a[href='/reports/exchange-flows']").await;
    let link = "tbody a[href^='/hostings?'][href*='status=closed']";
    let number = browser.text(link).await;
    browser.click(link).await;
    let rows = browser.script("return document.querySelectorAll('main tbody tr').length").await;
    assert_eq!(rows.to_string(), number);
}
