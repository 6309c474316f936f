//! People log in (api.md, convention 15): authorisation code with PKCE, and every classical attack on it.

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{App, Options, path, secret_of, sql};

const ISSUER: &str = "http://registry.test";
const REDIRECT: &str = "http://registry.test/docs/oauth2-redirect.html";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// The second client of these tests.
const APP_REDIRECT: &str = "https://app.example/back?keep=1";

async fn start() -> App {
    let clients = json!([{"client_id": "app", "redirect_uris": [APP_REDIRECT]}]);
    App::start_with(Options { public_clients: Some(clients), ..Options::default() }).await
}

fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, VERIFIER.as_bytes()))
}

/// A good authorisation request with some parameters changed; an empty one is left out.
fn request(change: &[(&str, &str)]) -> String {
    let challenge = challenge();
    let good = [
        ("response_type", "code"),
        ("client_id", "swagger-ui"),
        ("redirect_uri", REDIRECT),
        ("state", "a b&c=d"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
        ("scope", "exchange"),
    ];
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in good {
        let value = change.iter().find(|(changed, _)| *changed == name).map_or(value, |(_, value)| value);
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    for (name, value) in change.iter().filter(|(name, _)| !good.iter().any(|(known, _)| known == name)) {
        query.append_pair(name, value);
    }
    format!("/oauth/authorize?{}", query.finish())
}

async fn open(app: &App, path: &str) -> Response {
    app.anonymous().request("GET", path).send().await.unwrap()
}

/// What the form carries unseen.
fn hidden(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"request\" value=\"").unwrap_or_else(|| panic!("no form: {page}"));
    rest.split('"').next().unwrap().to_owned()
}

async fn form_of(app: &App, path: &str) -> String {
    let page = open(app, path).await;
    assert_eq!(page.status(), 200);
    hidden(&page.text().await.unwrap())
}

async fn send(app: &App, form: &str, client_id: &str, secret: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = app.anonymous().request("POST", "/oauth/authorize");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let fields = [("request", form), ("client_id", client_id), ("client_secret", secret)];
    request.form(&fields).send().await.unwrap()
}

/// Where the person is sent, and the query of that address.
fn way(answer: &Response) -> (String, std::collections::HashMap<String, String>) {
    assert_eq!(answer.status(), 303, "{answer:?}");
    let location = answer.headers()["location"].to_str().unwrap();
    let url = url::Url::parse(location).unwrap();
    (location.to_owned(), url.query_pairs().into_owned().collect())
}

/// Logs Busan in, and gives the code.
async fn code(app: &App, change: &[(&str, &str)]) -> String {
    let form = form_of(app, &request(change)).await;
    let answer = send(app, &form, "test-busan", &secret_of("test-busan"), &[]).await;
    way(&answer).1["code"].clone()
}

async fn exchange(app: &App, code: &str, change: &[(&str, &str)]) -> (u16, Value) {
    let good = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("client_id", "swagger-ui"),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let mut form: Vec<(&str, &str)> = good
        .into_iter()
        .map(|(name, value)| (name, change.iter().find(|(one, _)| *one == name).map_or(value, |(_, value)| value)))
        .collect();
    form.extend(change.iter().filter(|(name, _)| !good.iter().any(|(known, _)| known == name)));
    form.retain(|(_, value)| !value.is_empty());
    let answer = app.anonymous().request("POST", "/oauth/token").form(&form).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn me(app: &App, token: &Value) -> crate::support::Answer {
    let anyone = app.anonymous();
    anyone.send(anyone.request("GET", "/v1/me").bearer_auth(token.as_str().unwrap())).await
}

#[tokio::test]
async fn a_person_logs_in_and_gets_a_token_for_an_hour() {
    let app = start().await;
    let form = form_of(&app, &request(&[])).await;
    let answer = send(&app, &form, "test-busan", &secret_of("test-busan"), &[]).await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let (location, query) = way(&answer);
    assert!(location.starts_with(REDIRECT), "{location}");
    assert_eq!((query["state"].as_str(), query["iss"].as_str()), ("a b&c=d", ISSUER));

    let (status, answer) = exchange(&app, &query["code"], &[]).await;
    assert_eq!((status, &answer["token_type"], &answer["expires_in"]), (200, &json!("Bearer"), &json!(3600)));
    let token = answer["access_token"].as_str().unwrap();
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
    assert_eq!((&claims["client_id"], &claims["scope"]), (&json!("swagger-ui"), &json!("exchange")));
    assert!(claims["auth_time"].as_i64().unwrap() <= claims["iat"].as_i64().unwrap());
    let known = me(&app, &answer["access_token"]).await.ok();
    assert_eq!((&known["client_id"], &known["id"]), (&json!("test-busan"), &claims["sub"]));
    assert_eq!(known["cities"], json!(["KRPUS"]));
}

#[tokio::test]
async fn a_client_of_the_setting_gets_its_answer_at_its_own_address() {
    let app = start().await;
    let of_app = [("client_id", "app"), ("redirect_uri", APP_REDIRECT), ("state", "")];
    let page = open(&app, &request(&of_app)).await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("form-action 'self' https://app.example;"), "{policy}");
    let form = hidden(&page.text().await.unwrap());
    let (location, query) = way(&send(&app, &form, "test-busan", &secret_of("test-busan"), &[]).await);
    assert!(location.starts_with("https://app.example/back?keep=1&code="), "{location}");
    assert!(!query.contains_key("state") && query["iss"] == ISSUER);
    let (status, _) = exchange(&app, &query["code"], &of_app[..2]).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_code_is_used_once_and_a_second_time_ends_its_token() {
    let app = start().await;
    let code = code(&app, &[]).await;
    let token = exchange(&app, &code, &[]).await.1["access_token"].clone();
    me(&app, &token).await.ok();
    let (status, answer) = exchange(&app, &code, &[]).await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
    me(&app, &token).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn of_two_who_send_a_code_at_once_one_gets_a_token_at_most() {
    let app = start().await;
    let code = code(&app, &[]).await;
    let (one, other) = tokio::join!(exchange(&app, &code, &[]), exchange(&app, &code, &[]));
    let good = [&one, &other].into_iter().filter(|(status, _)| *status == 200).count();
    assert!(good <= 1, "{one:?} {other:?}");
}

#[tokio::test]
async fn a_code_in_the_wrong_hands_is_worth_nothing() {
    let app = start().await;
    let challenge = challenge();
    let other = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let cases: &[(&str, &[(&str, &str)])] = &[
        ("another verifier", &[("code_verifier", other)]),
        ("the challenge as verifier", &[("code_verifier", &challenge)]),
        ("a short verifier", &[("code_verifier", "x")]),
        ("another address", &[("redirect_uri", APP_REDIRECT)]),
        ("another client", &[("client_id", "app")]),
        ("another client with its address", &[("client_id", "app"), ("redirect_uri", APP_REDIRECT)]),
    ];
    for (what, change) in cases {
        let code = code(&app, &[]).await;
        let (status, answer) = exchange(&app, &code, change).await;
        assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")), "{what}");
        let (status, _) = exchange(&app, &code, &[]).await;
        assert_eq!(status, 400, "{what}: the code is used up");
    }
}

#[tokio::test]
async fn a_code_that_is_old_made_up_or_of_a_disabled_account_is_refused() {
    let app = start().await;
    let refused = async |code: &str| {
        let (status, answer) = exchange(&app, code, &[]).await;
        assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
    };
    refused("made-up").await;
    let old = code(&app, &[]).await;
    sql(&app.database, "UPDATE login SET logged_in_at = logged_in_at - interval '61 s', code_expires_at = code_expires_at - interval '61 s'").await;
    refused(&old).await;
    let disabled = code(&app, &[]).await;
    sql(&app.database, "UPDATE account SET disabled = true WHERE client_id = 'test-busan'").await;
    refused(&disabled).await;
    let stored = sql(&app.database, "SELECT l::text, encode(code_hash, 'escape') FROM login l").await;
    assert!(!format!("{stored:?}").contains(&old) && stored.len() == 2, "codes are stored as hashes only");
}

#[tokio::test]
async fn a_malformed_exchange_does_not_use_the_code_up() {
    let app = start().await;
    let code = code(&app, &[]).await;
    for (change, status, error) in [
        ([("code_verifier", "")], 400, "invalid_request"),
        ([("redirect_uri", "")], 400, "invalid_request"),
        ([("client_id", "")], 400, "invalid_request"),
        ([("client_id", "nobody")], 401, "invalid_client"),
        ([("client_secret", "guess")], 401, "invalid_client"),
    ] {
        let answer = exchange(&app, &code, &change).await;
        assert_eq!((answer.0, &answer.1["error"]), (status, &json!(error)), "{change:?}");
    }
    assert_eq!(exchange(&app, &code, &[]).await.0, 200);
}

#[tokio::test]
async fn a_request_that_cannot_be_is_answered_at_the_clients_address() {
    let app = start().await;
    let long = "x".repeat(3000);
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("response_type", "token")], "unsupported_response_type"),
        (&[("response_type", "")], "invalid_request"),
        (&[("code_challenge", "")], "invalid_request"),
        (&[("code_challenge", "short")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge_method", ""), ("code_challenge", "")], "invalid_request"),
        (&[("state", &long)], "invalid_request"),
        (&[("state", "a\r\nSet-Cookie: b")], "invalid_request"),
    ];
    for (change, error) in cases {
        let (location, query) = way(&open(&app, &request(change)).await);
        assert!(location.starts_with(REDIRECT), "{location}");
        assert_eq!((query["error"].as_str(), query["iss"].as_str()), (*error, ISSUER), "{change:?}");
        let keeps_state = !change.iter().any(|(name, _)| *name == "state");
        assert_eq!(query.get("state").map(String::as_str), keeps_state.then_some("a b&c=d"), "{change:?}");
        assert!(!query.contains_key("code"));
    }
    let twice = format!("{}&scope=exchange", request(&[]));
    assert_eq!(way(&open(&app, &twice).await).1["error"], "invalid_request");
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let app = start().await;
    let mut cases: Vec<String> = [
        "http://attacker.example/",
        "http://registry.test.attacker.example/docs/oauth2-redirect.html",
        "http://registry.test@attacker.example/docs/oauth2-redirect.html",
        "http://registry.test/docs/oauth2-redirect.html?a=b",
        "http://registry.test/docs/oauth2-redirect.html#a",
        "http://registry.test/docs/oauth2-redirect.html/",
        "http://registry.test/docs/../docs/oauth2-redirect.html",
        "http://registry.test/docs/",
        "HTTP://REGISTRY.TEST/docs/oauth2-redirect.html",
        "//registry.test/docs/oauth2-redirect.html",
        "/docs/oauth2-redirect.html",
        "javascript:alert(1)",
        APP_REDIRECT,
        "",
    ]
    .iter()
    .map(|address| request(&[("redirect_uri", address)]))
    .collect();
    cases.push(request(&[("client_id", "nobody")]));
    cases.push(request(&[("client_id", "")]));
    cases.push(request(&[("client_id", "test-busan")]));
    cases.push(format!("{}&redirect_uri=http://attacker.example/", request(&[])));
    cases.push(format!("{}&client_id=app", request(&[])));
    cases.push("/oauth/authorize".into());
    for case in cases {
        let answer = open(&app, &case).await;
        assert_eq!((answer.status().as_u16(), answer.headers().get("location")), (400, None), "{case}");
        let page = answer.text().await.unwrap();
        assert!(page.contains("You cannot log in here") && !page.contains("<form"), "{case}: {page}");
        assert!(!page.contains("attacker"), "what was sent is not shown: {page}");
    }
}

#[tokio::test]
async fn a_form_that_is_altered_old_or_sent_by_another_page_is_refused() {
    let app = start().await;
    let form = form_of(&app, &request(&[])).await;
    let secret = secret_of("test-busan");
    let (content, tag) = form.split_once('.').unwrap();
    let forged = String::from_utf8(URL_SAFE_NO_PAD.decode(content).unwrap()).unwrap();
    let forged = URL_SAFE_NO_PAD.encode(forged.replace("registry.test", "attacker.test"));
    let past = URL_SAFE_NO_PAD.encode(b"[1,{}]");
    for wrong in ["", "x", ".", content, &format!("{forged}.{tag}"), &format!("{past}.{tag}"), &format!("{content}.")] {
        let answer = send(&app, wrong, "test-busan", &secret, &[]).await;
        assert_eq!((answer.status().as_u16(), answer.headers().get("location")), (400, None), "{wrong}");
    }
    for foreign in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://attacker.example"),
        ("origin", "null"),
    ] {
        let answer = send(&app, &form, "test-busan", &secret, &[foreign]).await;
        assert_eq!((answer.status().as_u16(), answer.headers().get("location")), (403, None), "{foreign:?}");
    }
    for own in [("sec-fetch-site", "same-origin"), ("origin", ISSUER)] {
        way(&send(&app, &form, "test-busan", &secret, &[own]).await);
    }
    let later = chrono::Utc::now() + chrono::TimeDelta::minutes(11);
    let clock = pilot_exchange::app::Clock::Fixed(later);
    let other = App::start_with(Options { clock, database: Some(app.database.clone()), ..Options::default() }).await;
    assert_eq!(send(&other, &form, "test-busan", &secret, &[]).await.status(), 400, "too old");
}

#[tokio::test]
async fn the_page_has_no_scripts_and_cannot_be_held_in_a_frame_or_kept() {
    let app = start().await;
    for path in [request(&[]), request(&[("client_id", "nobody")])] {
        let page = open(&app, &path).await;
        let header = |name: &str| page.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action "] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("script") && !policy.contains("unsafe"), "{policy}");
        assert_eq!((header("x-frame-options"), header("cache-control")), ("DENY".into(), "no-store".into()));
        assert_eq!(header("content-type"), "text/html; charset=utf-8");
        let page = page.text().await.unwrap();
        assert!(!page.contains("<script") && !page.contains(" style=") && page.contains("lang=\"en\""), "{page}");
    }
    let anyone = app.anonymous();
    let answer = anyone.send(anyone.request("DELETE", "/oauth/authorize")).await;
    assert_eq!(answer.header("allow"), Some("GET, HEAD, POST"));
    answer.problem(405, "method_not_allowed");
}

#[tokio::test]
async fn an_unknown_account_a_wrong_secret_and_a_disabled_account_look_the_same() {
    let app = start().await;
    sql(&app.database, "UPDATE account SET disabled = true WHERE client_id = 'test-seoul'").await;
    let form = form_of(&app, &request(&[])).await;
    let mut pages = vec![];
    for (client_id, secret) in
        [("nobody", "guess".to_owned()), ("test-busan", "guess".to_owned()), ("test-seoul", secret_of("test-seoul"))]
    {
        let answer = send(&app, &form, client_id, &secret, &[]).await;
        assert_eq!(answer.status(), 403);
        let page = answer.text().await.unwrap();
        assert!(page.contains("role=\"alert\"") && !page.contains(&secret), "{page}");
        let again = hidden(&page);
        pages.push(page.replace(&again, ""));
    }
    assert!(pages.windows(2).all(|two| two[0] == two[1]));
    // The page of a failed login can be sent again.
    let again = send(&app, &form, "nobody", "guess", &[]).await.text().await.unwrap();
    way(&send(&app, &hidden(&again), "test-busan", &secret_of("test-busan"), &[]).await);
}

#[tokio::test]
async fn who_guesses_has_to_wait_and_nobody_else() {
    let trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    let app = App::start_with(Options { trusted_proxies, ..Options::default() }).await;
    let form = form_of(&app, &request(&[])).await;
    let secret = secret_of("test-busan");
    let from = async |address: &str, client_id: &str, secret: &str| {
        send(&app, &form, client_id, secret, &[("x-forwarded-for", address)]).await
    };
    for _ in 0..10 {
        assert_eq!(from("192.0.2.1", "test-busan", "guess").await.status(), 403);
    }
    // From now on even the right secret is not looked at, from there.
    let refused = from("192.0.2.1", "test-busan", &secret).await;
    assert_eq!(refused.status(), 429);
    assert!(refused.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    assert!(refused.text().await.unwrap().contains("Too many attempts"));
    let token = |address: &'static str, secret: &str| {
        let form = [("grant_type", "client_credentials"), ("client_id", "test-busan"), ("client_secret", secret)];
        app.anonymous().request("POST", "/oauth/token").header("x-forwarded-for", address).form(&form).send()
    };
    let refused = token("192.0.2.1", &secret).await.unwrap();
    assert!(refused.status() == 429 && refused.headers().contains_key("retry-after"));

    // Other accounts from there, and the same account from elsewhere, are not held up.
    way(&from("192.0.2.1", "test-barcelona", &secret_of("test-barcelona")).await);
    way(&from("192.0.2.2", "test-busan", &secret).await);
    assert_eq!(token("192.0.2.3", &secret).await.unwrap().status(), 200);
    // However many addresses guess: they hear 429 in the end, and the account's own can still log in.
    let mut statuses = vec![];
    for n in 0..40 {
        statuses.push(from(&format!("198.51.100.{n}"), "test-busan", "guess").await.status().as_u16());
    }
    assert!(statuses.contains(&429), "{statuses:?}");
    way(&from("192.0.2.2", "test-busan", &secret).await);
    // One address that tries many accounts waits as well.
    let mut statuses = vec![];
    for n in 0..60 {
        statuses.push(from("203.0.113.1", &format!("guessed-{n}"), "guess").await.status().as_u16());
    }
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
}

#[tokio::test]
async fn the_metadata_tell_how_people_log_in() {
    let app = start().await;
    let server = app.anonymous().get("/.well-known/oauth-authorization-server").await.ok();
    assert_eq!(server["authorization_endpoint"], format!("{ISSUER}/oauth/authorize"));
    assert_eq!(server["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(server["response_types_supported"], json!(["code"]));
    assert_eq!(server["authorization_response_iss_parameter_supported"], true);
    assert_eq!(server["grant_types_supported"], json!(["authorization_code", "client_credentials"]));
}

#[tokio::test]
async fn a_leaked_secret_ends_at_once() {
    let app = start().await;
    let admin = app.admin().await;
    let body = json!({"client_id": "leaky", "name": "Leaky", "role": "reader"});
    let made = admin.post("/v1/accounts", body).await.created();
    let secrets = format!("{}/secrets", path("accounts", &made));
    let second = admin.send(admin.request("POST", &secrets)).await.created();
    let third = admin.send(admin.request("POST", &format!("{secrets}?now=true"))).await.created();
    let form = form_of(&app, &request(&[])).await;
    for (account, status) in [(&made, 403), (&second, 403), (&third, 303)] {
        let answer = send(&app, &form, "leaky", account["client_secret"].as_str().unwrap(), &[]).await;
        assert_eq!(answer.status(), status);
    }
}
