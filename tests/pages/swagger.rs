//! A program manager's way through Swagger UI, in real Chromium; and the other pages.

use serde_json::json;

use crate::support::browser::Browser;
use crate::support::{App, Options, founding, secret_of};

/// The application at the address that browsers use.
async fn start() -> App {
    App::start_with(Options { own_url: true, ..Options::default() }).await
}

/// From *Authorize* to the login page and back.
async fn log_in(browser: &mut Browser) {
    browser.click(".btn.authorize").await;
    browser.screenshot("authorize.png").await;
    browser.click(".auth-container .auth-btn-wrapper .authorize").await;
    browser.switch_window(true).await;
    browser.fill("#client_id", "test-busan").await;
    browser.fill("#client_secret", &secret_of("test-busan")).await;
    browser.click("button[type=submit]").await;
    browser.switch_window(false).await;
    assert!(browser.text(".auth-container h6").await.contains("Authorized"));
}

/// Everything that the page has loaded came from our own host.
async fn assert_own_host(browser: &Browser, app: &App) {
    let loaded = browser.loaded().await;
    let foreign: Vec<_> = loaded.iter().filter(|url| !url.starts_with(&app.base)).collect();
    assert!(!loaded.is_empty() && foreign.is_empty(), "{loaded:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_manager_records_an_observation_in_at_most_twelve_clicks() {
    let app = start().await;
    let observations = format!("/v1/outcomes/{}/observations", founding::SERVICES_UNDER_TEST);
    let before = app.busan().await.all(&observations).await.len();
    let mut browser = Browser::open().await;
    browser.goto(&format!("{}/docs/", app.base)).await;

    log_in(&mut browser).await;
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
    let app = start().await;
    let mut browser = Browser::open().await;
    let deep_link = format!("{}/docs/#/outcomes/create_observation", app.base);
    browser.goto(&deep_link).await;
    log_in(&mut browser).await;

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
async fn the_login_page_fits_a_phone_and_a_desk_in_light_and_dark() {
    let app = start().await;
    let browser = Browser::open().await;
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let page = format!(
        "{0}/oauth/authorize?response_type=code&client_id=swagger-ui&redirect_uri={0}/docs/oauth2-redirect.html\
         &code_challenge={challenge}&code_challenge_method=S256&state=x",
        app.base
    );
    for (name, width, height, is_dark) in [
        ("phone", 360, 740, false),
        ("phone-dark", 360, 740, true),
        ("desk", 1280, 800, false),
        ("desk-dark", 1280, 800, true),
    ] {
        browser.shape(width, height, is_dark).await;
        browser.goto(&page).await;
        let fits = "return document.documentElement.scrollWidth <= window.innerWidth";
        assert_eq!(browser.script(fits).await, true, "{name}");
        let is_named =
            "return [...document.querySelectorAll('input:not([type=hidden])')].every(i => i.labels.length === 1)";
        assert_eq!(browser.script(is_named).await, true, "{name}");
        assert_eq!(browser.complaints().await, Vec::<String>::new(), "{name}");
        assert_own_host(&browser, &app).await;
        browser.screenshot(&format!("login-{name}.png")).await;
    }
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
