//! Getting and verifying tokens (api.md, convention 15).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::support::{Actor, App, Options, path, sql};

const ISSUER: &str = "http://registry.test";

struct Reply {
    status: u16,
    headers: HeaderMap,
    json: Value,
}

/// Errors here are those of RFC 6749, not problems.
async fn ask(app: &App, basic: Option<(&str, &str)>, form: &str) -> Reply {
    let request = app.anonymous().request("POST", "/oauth/token");
    let mut request = request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned());
    if let Some((user, password)) = basic {
        request = request.header("authorization", format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))));
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Reply { status, headers, json: response.json().await.unwrap() }
}

/// An account of its own for a test: its record, which holds its secret.
async fn account(app: &App, client_id: &str, role: &str) -> Value {
    let body = json!({"client_id": client_id, "name": client_id, "role": role, "cities": ["KRPUS"]});
    app.admin().await.post("/v1/accounts", body).await.created()
}

fn secret(account: &Value) -> &str {
    account["client_secret"].as_str().unwrap()
}

#[tokio::test]
async fn a_client_gets_a_token_by_form_or_basic() {
    let app = App::start().await;
    let made = account(&app, "busan-reports", "reader").await;
    let form = format!("grant_type=client_credentials&client_id=busan-reports&client_secret={}", secret(&made));
    let basic = Some(("busan-reports", secret(&made)));
    for reply in [ask(&app, None, &form).await, ask(&app, basic, "grant_type=client_credentials").await] {
        assert_eq!(reply.status, 200, "{}", reply.json);
        assert_eq!(reply.json["token_type"], "Bearer");
        assert_eq!(reply.json["expires_in"], 900);
        assert_eq!(reply.headers["cache-control"], "no-store");
        let token = reply.json["access_token"].as_str().unwrap();
        let me = app.anonymous();
        let answer = me.send(me.request("GET", "/v1/me").bearer_auth(token)).await.ok();
        assert_eq!((&answer["client_id"], &answer["id"]), (&json!("busan-reports"), &made["id"]));
        assert!(answer.get("client_secret").is_none());
    }
}

#[tokio::test]
async fn a_refused_token_request_says_why_as_rfc_6749_has_it() {
    let app = App::start().await;
    let made = account(&app, "busan-reports", "reader").await;
    let good = ("busan-reports", secret(&made));
    let with_secret = format!("grant_type=client_credentials&client_id={}&client_secret={}", good.0, good.1);
    let grant = "grant_type=client_credentials";
    let cases = [
        (None, String::new(), 400, "invalid_request"),
        (None, format!("client_id={}&client_secret={}", good.0, good.1), 400, "invalid_request"),
        (None, format!("{with_secret}&client_id={}", good.0), 400, "invalid_request"),
        (None, format!("{with_secret}&{grant}"), 400, "invalid_request"),
        (Some(good), with_secret.clone(), 400, "invalid_request"),
        (Some(good), "grant_type=password".to_owned(), 400, "unsupported_grant_type"),
        (Some(good), "grant_type=authorization_code&code=x".to_owned(), 400, "invalid_request"),
        (None, grant.to_owned(), 401, "invalid_client"),
        (None, format!("{grant}&client_id={}", good.0), 401, "invalid_client"),
        (None, format!("{grant}&client_id={}&client_secret=wrong", good.0), 401, "invalid_client"),
        (None, format!("{grant}&client_id=nobody&client_secret={}", good.1), 401, "invalid_client"),
        (None, format!("{grant}&client_id={}&client_secret=", good.0), 401, "invalid_client"),
        (Some(("busan-reports", "wrong")), grant.to_owned(), 401, "invalid_client"),
    ];
    for (basic, form, status, error) in cases {
        let reply = ask(&app, basic, &form).await;
        assert_eq!((reply.status, reply.json["error"].as_str()), (status, Some(error)), "{basic:?} {form}");
        assert_eq!(reply.headers["content-type"], "application/json");
        assert_eq!(reply.headers["cache-control"], "no-store");
        assert_eq!(reply.headers.contains_key("www-authenticate"), status == 401, "{form}");
    }
}

#[tokio::test]
async fn a_token_is_an_access_token_of_rfc_9068_that_the_published_keys_verify() {
    let app = App::start().await;
    let busan = app.busan().await;
    let token = busan.token.clone().unwrap();
    let part = |n: usize| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(n).unwrap()).unwrap()).unwrap()
    };
    let (header, claims) = (part(0), part(1));
    assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("EdDSA")));
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(ISSUER), &json!(ISSUER)));
    assert_eq!(claims["sub"], busan.get("/v1/me").await.ok()["id"]);
    assert_eq!(claims["client_id"], "test-busan");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
    assert!(claims["jti"].is_string() && claims["scope"].is_string());
    for claim in ["role", "cities"] {
        assert!(claims.get(claim).is_none(), "what an account may do is not in its token");
    }

    let keys = app.anonymous().get("/.well-known/jwks.json").await.ok();
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).unwrap();
    assert_eq!((&key["kty"], &key["crv"], &key["use"]), (&json!("OKP"), &json!("Ed25519"), &json!("sig")));
    assert!(keys["keys"].as_array().unwrap().iter().all(|key| key.get("d").is_none()));
    let decoding = jsonwebtoken::DecodingKey::from_ed_components(key["x"].as_str().unwrap()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    validation.set_audience(&[ISSUER]);
    validation.set_issuer(&[ISSUER]);
    jsonwebtoken::decode::<Value>(&token, &decoding, &validation).unwrap();
}

#[tokio::test]
async fn two_tokens_differ_in_jti() {
    let app = App::start().await;
    let tokens = [app.busan().await.token, app.busan().await.token];
    assert_ne!(tokens[0], tokens[1]);
}

#[tokio::test]
async fn programs_find_the_endpoints_in_the_metadata() {
    let app = App::start().await;
    let server = app.anonymous().get("/.well-known/oauth-authorization-server").await.ok();
    assert_eq!(server["issuer"], ISSUER);
    assert_eq!(server["token_endpoint"], format!("{ISSUER}/oauth/token"));
    assert_eq!(server["jwks_uri"], format!("{ISSUER}/.well-known/jwks.json"));
    assert!(server["grant_types_supported"].as_array().unwrap().contains(&json!("client_credentials")));
    assert!(!server["grant_types_supported"].as_array().unwrap().contains(&json!("password")));
    let resource = app.anonymous().get("/.well-known/oauth-protected-resource").await.ok();
    assert_eq!(resource["resource"], ISSUER);
    assert_eq!(resource["authorization_servers"], json!([ISSUER]));
    assert_eq!(resource["bearer_methods_supported"], json!(["header"]));
}

#[tokio::test]
async fn a_changed_account_is_changed_from_that_moment_whatever_its_token_says() {
    let app = App::start().await;
    let admin = app.admin().await;
    let made = account(&app, "busan-office", "editor").await;
    let office = app.actor_with("busan-office", secret(&made)).await;
    let plan = json!({"title": "Plan", "city": "KRPUS"});
    office.post("/v1/documents", plan.clone()).await.created();
    admin.patch(&path("accounts", &made), json!({"cities": ["ESBCN"]})).await.ok();
    office.post("/v1/documents", plan.clone()).await.problem(403, "forbidden");
    admin.patch(&path("accounts", &made), json!({"role": "reader", "cities": []})).await.ok();
    office.post("/v1/documents", plan).await.problem(403, "forbidden");
    admin.patch(&path("accounts", &made), json!({"role": "administrator"})).await.ok();
    office.get("/v1/accounts").await.ok();
    admin.patch(&path("accounts", &made), json!({"disabled": true})).await.ok();
    let answer = office.get("/v1/pilots").await;
    assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"));
    answer.problem(401, "unauthenticated");
    let reply = ask(&app, Some(("busan-office", secret(&made))), "grant_type=client_credentials").await;
    assert_eq!((reply.status, reply.json["error"].as_str()), (401, Some("invalid_client")));
}

async fn is_taken(app: &App, client_id: &str, secret: &str) -> bool {
    ask(app, Some((client_id, secret)), "grant_type=client_credentials").await.status == 200
}

#[tokio::test]
async fn the_secret_before_a_rotation_stays_valid_until_the_overlap_ends() {
    let app = App::start().await;
    let admin = app.admin().await;
    let first = account(&app, "rotating", "reader").await;
    let rotate = format!("{}/secrets", path("accounts", &first));
    let second = admin.send(admin.request("POST", &rotate)).await.created();
    for shown in [&first, &second] {
        assert!(is_taken(&app, "rotating", secret(shown)).await);
    }
    let third = admin.send(admin.request("POST", &rotate)).await.created();
    let taken = [
        is_taken(&app, "rotating", secret(&first)).await,
        is_taken(&app, "rotating", secret(&second)).await,
        is_taken(&app, "rotating", secret(&third)).await,
    ];
    assert_eq!(taken, [false, true, true], "two are valid at once, not three");
    sql(
        &app.database,
        "UPDATE account_secret SET expires_at = now() - interval '1 second' WHERE expires_at IS NOT NULL",
    )
    .await;
    assert!(!is_taken(&app, "rotating", secret(&second)).await);
    assert!(is_taken(&app, "rotating", secret(&third)).await);
}

#[tokio::test]
async fn secrets_are_random_recognisable_and_stored_as_hashes_only() {
    let app = App::start().await;
    let made = account(&app, "hashed", "reader").await;
    let random = secret(&made).strip_prefix("pxs_").expect("a prefix that scanners know");
    assert!(URL_SAFE_NO_PAD.decode(random).unwrap().len() >= 32);
    let rows = sql(&app.database, "SELECT s::text, encode(hash, 'escape') FROM account_secret s").await;
    assert!(!format!("{rows:?}").contains(random));
}

#[tokio::test]
async fn two_servers_on_one_database_take_each_others_tokens() {
    let app = App::start().await;
    let other = App::start_with(Options { database: Some(app.database.clone()), ..Options::default() }).await;
    let carry = async |from: &App, to: &App| -> Actor {
        let token = from.busan().await.token.unwrap();
        let anyone = to.anonymous();
        let answer = anyone.send(anyone.request("GET", "/v1/me").bearer_auth(token)).await;
        assert_eq!(answer.ok()["client_id"], "test-busan");
        anyone
    };
    carry(&app, &other).await;
    carry(&other, &app).await;
}
