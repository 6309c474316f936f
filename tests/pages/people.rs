//! The pages in a real browser: on a phone and on a desk, in light and in dark.

use serde_json::{Value, json};

use super::world::World;
use crate::support::browser::Browser;
use crate::support::{App, Options};

const AXE: &str = include_str!("axe.min.js");

const SHAPES: [(&str, u32, u32, bool); 4] = [
    ("phone", 360, 740, false),
    ("phone-dark", 360, 740, true),
    ("desk", 1280, 900, false),
    ("desk-dark", 1280, 900, true),
];

/// The application at the address that browsers use.
async fn start() -> App {
    App::start_with(Options { own_url: true, ..Options::default() }).await
}

/// What axe finds wrong by WCAG 2.2 AA and by good practice.
async fn violations(browser: &Browser) -> Vec<String> {
    let script = format!(
        "{AXE}; return axe.run(document, {{
            runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
            rules: {{'target-size': {{enabled: true}}}},
         }}).then(found => found.violations.flatMap(one =>
            one.nodes.slice(0, 3).map(node => one.id + ': ' + node.html.slice(0, 160) + ' ' + node.failureSummary)))"
    );
    let found = browser.script(&script).await;
    found.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

/// It needs no sideways scrolling, and nothing came from elsewhere or was forbidden.
async fn assert_sound(browser: &Browser, app: &App, page: &str, shape: &str) {
    let fits = "return [document.documentElement.scrollWidth, window.innerWidth]";
    let widths = browser.script(fits).await;
    assert!(widths[0].as_i64() <= widths[1].as_i64(), "{page} on {shape}: {widths}");
    let complaints = browser.complaints().await;
    let of_page = complaints.iter().filter(|one| !one.contains("status of 404"));
    assert_eq!(of_page.collect::<Vec<_>>(), Vec::<&String>::new(), "{page} on {shape}");
    let loaded = browser.loaded().await;
    assert!(loaded.iter().all(|url| url.starts_with(&app.base)), "{page}: {loaded:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_fits_a_phone_and_a_desk_in_light_and_dark() {
    let app = start().await;
    let world = World::of(&app).await;
    let browser = Browser::open().await;
    let pages = world.pages().into_iter().chain(["/problems/invalid".into(), "/nothing".into()]);
    for (place, page) in pages.enumerate() {
        for (shape, width, height, is_dark) in SHAPES {
            browser.shape(width, height, is_dark).await;
            browser.goto(&format!("{}{page}", app.base)).await;
            assert_sound(&browser, &app, &page, shape).await;
            browser.screenshot(&format!("page-{place}-{shape}.png")).await;
        }
        browser.shape(320, 640, false).await;
        assert_sound(&browser, &app, &page, "a narrow phone").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_wrong_with_any_page() {
    let app = start().await;
    let world = World::of(&app).await;
    let browser = Browser::open().await;
    let pages = world.pages().into_iter().chain(["/problems/invalid".into(), "/nothing".into(), "/?lang=ko".into()]);
    let mut found = vec![];
    for page in pages {
        for (shape, width, height, is_dark) in [SHAPES[0], SHAPES[3]] {
            browser.shape(width, height, is_dark).await;
            browser.goto(&format!("{}{page}", app.base)).await;
            found.extend(violations(&browser).await.into_iter().map(|one| format!("{page} on {shape}: {one}")));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_figure_leads_to_as_many_records_as_it_says() {
    let app = start().await;
    World::of(&app).await;
    let mut browser = Browser::open().await;
    for page in ["/", "/cities/KRPUS", "/cities/ESBCN"] {
        let home = format!("{}{page}", app.base);
        browser.goto(&home).await;
        let figures = browser.script("return document.querySelectorAll('.figures a').length").await.as_i64().unwrap();
        assert!(figures >= 3, "{page}");
        for place in 1..=figures {
            browser.goto(&home).await;
            let figure = format!(".figures li:nth-child({place})");
            let number = browser.text(&format!("{figure} strong")).await;
            browser.click(&format!("{figure} a")).await;
            let lead = browser.text("main .lead").await;
            assert!(lead.starts_with(&format!("{number} ")), "{page}: {number} leads to {lead}");
            let rows = browser.script("return document.querySelectorAll('main tbody tr').length").await;
            assert_eq!(rows.to_string(), number, "{page}: figure {place}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_reaches_the_content_first_and_every_table() {
    let app = start().await;
    let browser = Browser::open().await;
    browser.goto(&format!("{}/hostings", app.base)).await;
    let first = "return document.querySelector('a, button, input').getAttribute('href')";
    assert_eq!(browser.script(first).await, "#main");
    let tables = "return [...document.querySelectorAll('table')].every(t => \
        t.caption && t.closest('[tabindex=\"0\"][role=region]') && [...t.querySelectorAll('th')].every(h => h.scope))";
    assert_eq!(browser.script(tables).await, true);
}

#[tokio::test(flavor = "multi_thread")]
async fn charts_are_drawn_where_there_is_something_to_draw() {
    let app = start().await;
    let world = World::of(&app).await;
    let browser = Browser::open().await;
    let charts = async |page: &str| -> Value {
        browser.goto(&format!("{}{page}", app.base)).await;
        browser.script("return [...document.querySelectorAll('svg.chart')].map(s => [s.getAttribute('aria-label'), s.getBoundingClientRect().height > 40])").await
    };
    let hosting = charts(&super::world::page("hostings", &world.hosting)).await;
    let names: Vec<&str> = hosting.as_array().unwrap().iter().map(|chart| chart[0].as_str().unwrap()).collect();
    assert!(names.iter().any(|name| name.starts_with("The life of")), "{names:?}");
    assert!(names.iter().any(|name| name.contains("kWh")), "{names:?}");
    assert!(hosting.as_array().unwrap().iter().all(|chart| chart[1] == json!(true)), "{hosting}");
    // The founding hosting has no known day: nothing is drawn of its life, and nothing is made up.
    let home = charts("/").await;
    assert!(home.to_string().contains("map of the world"), "{home}");
}
