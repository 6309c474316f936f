//! A program manager's way through Swagger UI, in real Chromium; and the other pages.

use serde_json::json;

use crate::support::browser::Browser;
use crate::support::{App, founding, secret_of};

/// Everything that the page has loaded came from our own host.
async fn assert_own_host(browser: &Browser, app: &App) {
    let loaded = browser.loaded().await;
    let foreign: Vec<_> = loaded.iter().filter(|url| !url.starts_with(&app.base)).collect();
    assert!(!loaded.is_empty() && foreign.is_empty(), "{loaded:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_manager_records_an_observation_in_at_most_twelve_clicks() {
    let app = App::start().await;
    let observations = format!("/v1/outcomes/{}/observations", founding::SERVICES_UNDER_TEST);
    let before = app.busan().await.all(&observations).await.len();
    let mut browser = Browser::open().await;
    browser.goto(&format!("{}/docs/", app.base)).await;

    browser.click(".btn.authorize").await;
    browser.screenshot("authorize.png").await;
    browser.fill(".auth-container [data-name=clientId]", "test-busan").await;
    browser.fill(".auth-container [data-name=clientSecret]", &secret_of("test-busan")).await;
    browser.click(".auth-container .auth-btn-wrapper .authorize").await;
    assert!(browser.text(".auth-container h6").await.contains("Authorized"));
    browser.click(".modal-ux .close-modal").await;

    browser.click("#operations-tag-outcomes").await;
    browser.click("#operations-outcomes-create_observation .opblock-summary-control").await;
    let form = "#operations-outcomes-create_observation";
    browser.fill(&format!("{form} [data-param-name=id] input"), founding::SERVICES_UNDER_TEST).await;
    let body = json!({"starts_on": "2026-01", "ends_on": "2026-06", "value": "27", "status": "submitted"});
    browser.fill(&format!("{form} textarea.body-param__text"), &body.to_string()).await;
    browser.click(&format!("{form} .btn.execute")).await;
    let status = browser.text(&format!("{form} .live-responses-table tbody .response-col_status")).await;
    browser.show(&format!("{form} .live-responses-table")).await;
    browser.screenshot("observation.png").await;
    assert!(status.contains("201"), "{status}");

    assert_eq!(browser.complaints().await, Vec::<String>::new());
    assert_own_host(&browser, &app).await;
    assert!(browser.clicks <= 12, "{} clicks", browser.clicks);
    let after = app.busan().await.all(&observations).await;
    assert_eq!(after.len(), before + 1);
    let recorded = after.last().unwrap();
    for (member, value) in body.as_object().unwrap() {
        assert_eq!(&recorded[member], value);
    }
    assert_eq!(recorded["submitted_by"], "test-busan");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_is_ready_to_be_executed_and_the_token_survives_a_reload() {
    let app = App::start().await;
    let mut browser = Browser::open().await;
    let deep_link = format!("{}/docs/#/outcomes/create_observation", app.base);
    browser.goto(&deep_link).await;
    browser.click(".btn.authorize").await;
    browser.fill(".auth-container [data-name=clientId]", "test-busan").await;
    browser.fill(".auth-container [data-name=clientSecret]", &secret_of("test-busan")).await;
    browser.click(".auth-container .auth-btn-wrapper .authorize").await;
    assert!(browser.text(".auth-container h6").await.contains("Authorized"));

    // A deep link opens the form; what stands in it as an example is what is sent.
    browser.goto("about:blank").await;
    browser.goto(&deep_link).await;
    let form = "#operations-outcomes-create_observation";
    browser.click(&format!("{form} .btn.execute")).await;
    let status = browser.text(&format!("{form} .live-responses-table tbody .response-col_status")).await;
    assert!(status.contains("201"), "{status}");
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_pages_open_without_complaints_and_load_from_us_only() {
    let app = App::start().await;
    let browser = Browser::open().await;
    for (page, heading) in [
        ("/", "Pilot Exchange"),
        ("/problems/invalid", "The body is not acceptable"),
        ("/problems/guard_failed", "Something is missing"),
        ("/problems/stale_version", "changed in the meantime"),
    ] {
        browser.goto(&format!("{}{page}", app.base)).await;
        let text = browser.text("h1").await;
        assert!(text.to_lowercase().contains(&heading.to_lowercase()), "{page}: {text}");
        assert_eq!(browser.complaints().await, Vec::<String>::new(), "{page}");
        assert_own_host(&browser, &app).await;
    }
    browser.screenshot("problem.png").await;
    browser.goto(&format!("{}/", app.base)).await;
    browser.screenshot("home.png").await;
}

#[tokio::test]
async fn every_problem_has_a_page() {
    let app = App::start().await;
    let anyone = app.anonymous();
    let codes =
        pilot_exchange::api::document()["components"]["schemas"]["Problem"]["properties"]["code"]["enum"].clone();
    assert!(codes.as_array().unwrap().len() > 10);
    for code in codes.as_array().unwrap() {
        let page = anyone.get(&format!("/problems/{}", code.as_str().unwrap())).await;
        assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")), "{code}");
        assert!(page.text.contains(&format!("<code>{}</code>", code.as_str().unwrap())), "{}", page.text);
    }
    anyone.get("/problems/none").await.problem(404, "not_found");
}
