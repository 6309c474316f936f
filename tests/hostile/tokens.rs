//! Tokens that were made up, and requests for tokens that nobody should get.

use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::json;

use super::table::{Input, World, check, everything, send};
use crate::api::token_attacks::{Forge, changed, encode, now, sign};
use crate::support::{ACCOUNTS, path, position, secret_of};

/// What is wrong, and the token: signed by the registry's own key wherever the attack allows it.
type Bearer = (&'static str, fn(&Forge) -> String);

/// The header is another one.
const HEADERS: &[Bearer] = &[
    ("alg none", |f| unsigned(f, "none")),
    ("alg None", |f| unsigned(f, "None")),
    ("alg nOnE", |f| unsigned(f, "nOnE")),
    ("an empty alg", |f| unsigned(f, "")),
    ("alg none, signed", |f| f.with_header(json!({"alg": "none"}))),
    ("alg RS256", |f| f.with_header(json!({"alg": "RS256"}))),
    ("alg ES256", |f| f.with_header(json!({"alg": "ES256"}))),
    ("alg eddsa", |f| f.with_header(json!({"alg": "eddsa"}))),
    ("alg as a list", |f| f.with_header(json!({"alg": ["EdDSA", "none"]}))),
    ("HS256 with the public key", |f| by_secret(f, f.jwks["keys"][0]["x"].as_str().unwrap().as_bytes())),
    ("HS256 with the keys as published", |f| by_secret(f, f.jwks.to_string().as_bytes())),
    ("HS256 with an empty secret", |f| by_secret(f, b"")),
    ("kid of nothing", |f| f.with_header(json!({"kid": ""}))),
    ("kid null", |f| f.with_header(json!({"kid": null}))),
    ("kid as a number", |f| f.with_header(json!({"kid": 0}))),
    ("kid as a list", |f| f.with_header(json!({"kid": [f.keys.kid]}))),
    ("kid /dev/null", |f| f.with_header(json!({"kid": "../../../../../../dev/null"}))),
    ("kid of SQL", |f| f.with_header(json!({"kid": "' UNION SELECT 'a"}))),
    ("kid of a shell", |f| f.with_header(json!({"kid": "|id"}))),
    ("kid with NUL", |f| f.with_header(json!({"kid": format!("{}\0", f.keys.kid)}))),
    ("kid at an address", |f| f.with_header(json!({"kid": "http://127.0.0.1:1/key"}))),
    ("kid in capitals", |f| f.with_header(json!({"kid": f.keys.kid.to_uppercase() + "A"}))),
    ("typ JWT", |f| f.with_header(json!({"typ": "JWT"}))),
    ("no typ", |f| f.with_header(json!({"typ": null}))),
    ("typ of an id token", |f| f.with_header(json!({"typ": "id_token+jwt"}))),
    ("typ of a logout", |f| f.with_header(json!({"typ": "logout+jwt"}))),
    ("crit", |f| f.with_header(json!({"crit": ["exp"]}))),
    ("crit of nothing", |f| f.with_header(json!({"crit": []}))),
    ("b64 false", |f| f.with_header(json!({"b64": false}))),
];

/// The claims are others.
const CLAIMS: &[Bearer] = &[
    ("expired", |f| f.with_claims(json!({"exp": now(-31)}))),
    ("exp 0", |f| f.with_claims(json!({"exp": 0}))),
    ("exp below 0", |f| f.with_claims(json!({"exp": -1}))),
    ("no exp", |f| f.with_claims(json!({"exp": null}))),
    ("exp as text", |f| f.with_claims(json!({"exp": now(900).to_string()}))),
    ("exp as a list", |f| f.with_claims(json!({"exp": [now(900)]}))),
    ("exp 1e400", |f| with_written(f, "exp", "1e400")),
    ("exp true", |f| f.with_claims(json!({"exp": true}))),
    ("nbf to come", |f| f.with_claims(json!({"nbf": now(31)}))),
    ("nbf as text", |f| f.with_claims(json!({"nbf": "0"}))),
    ("nbf far to come", |f| with_written(f, "nbf", "1e300")),
    ("no iat", |f| f.with_claims(json!({"iat": null}))),
    ("no iss", |f| f.with_claims(json!({"iss": null}))),
    ("another iss", |f| f.with_claims(json!({"iss": "http://registry.test.evil.example"}))),
    ("iss with a slash", |f| f.with_claims(json!({"iss": "http://registry.test/"}))),
    ("iss in capitals", |f| f.with_claims(json!({"iss": "HTTP://REGISTRY.TEST"}))),
    ("iss as a list", |f| f.with_claims(json!({"iss": ["http://registry.test"]}))),
    ("no aud", |f| f.with_claims(json!({"aud": null}))),
    ("another aud", |f| f.with_claims(json!({"aud": "http://registry.test/v1"}))),
    ("aud of nobody", |f| f.with_claims(json!({"aud": []}))),
    ("aud as an object", |f| f.with_claims(json!({"aud": {"0": "http://registry.test"}}))),
    ("no sub", |f| f.with_claims(json!({"sub": null}))),
    ("a name as sub", |f| f.with_claims(json!({"sub": "test-admin"}))),
    ("sub of nobody", |f| f.with_claims(json!({"sub": "015aca1d-0000-7000-8000-000000000009"}))),
    ("sub of zeros", |f| f.with_claims(json!({"sub": "00000000-0000-0000-0000-000000000000"}))),
    ("sub as a list", |f| f.with_claims(json!({"sub": [f.claims["sub"]]}))),
    ("sub of a record", |f| f.with_claims(json!({"sub": crate::support::founding::STREETLIGHTS}))),
    ("jti of another form", |f| f.with_claims(json!({"jti": "1"}))),
    ("a login that never was", |f| f.with_claims(json!({"sid": "none"}))),
    ("sub twice", |f| with_first(f, "\"sub\":\"015aca1d-0000-7000-8000-000000000009\",")),
    ("exp twice", |f| with_first(f, "\"exp\":99999999999,")),
];

/// The text of the token is another one.
const TEXTS: &[Bearer] = &[
    ("nothing", |_| String::new()),
    ("a word", |_| "null".into()),
    ("dots", |_| "..".into()),
    ("two parts", |f| good(f).rsplit_once('.').unwrap().0.into()),
    ("four parts", |f| good(f) + ".e30"),
    ("five parts", |f| good(f) + "..e30"),
    ("no signature", |f| good(f).rsplit_once('.').unwrap().0.to_owned() + "."),
    ("another signature", |f| good(f).rsplit_once('.').unwrap().0.to_owned() + "." + &"A".repeat(86)),
    ("a signature of zeros", |f| good(f).rsplit_once('.').unwrap().0.to_owned() + "." + &encode([0; 64])),
    ("a longer signature", |f| good(f) + "AA"),
    ("padding", |f| good(f) + "=="),
    ("other claims under the signature", |f| resigned(f, &changed(&f.claims, json!({"sub": "x"})).to_string())),
    ("claims that are a list", |f| f.signed(&f.header.to_string(), "[]")),
    ("claims that are no JSON", |f| f.signed(&f.header.to_string(), "exp=1")),
    ("claims with something after them", |f| f.signed(&f.header.to_string(), &format!("{}x", f.claims))),
    ("claims after a byte order mark", |f| f.signed(&f.header.to_string(), &format!("\u{feff}{}", f.claims))),
    ("a header that is text", |f| f.signed("\"EdDSA\"", &f.claims.to_string())),
    ("an endless claim", |f| f.with_claims(json!({"padding": "x".repeat(9000)}))),
    ("deep claims", |f| f.signed(&f.header.to_string(), &("{\"a\":".repeat(500) + "1" + &"}".repeat(500)))),
    ("a secret", |_| secret_of("test-busan")),
    ("an id", |f| f.claims["sub"].as_str().unwrap().into()),
];

/// Every token.
pub const BEARERS: &[&[Bearer]] = &[HEADERS, CLAIMS, TEXTS];

fn good(forge: &Forge) -> String {
    forge.with_claims(json!({}))
}

fn unsigned(forge: &Forge, algorithm: &str) -> String {
    let header = changed(&forge.header, json!({"alg": algorithm})).to_string();
    format!("{}.{}.", encode(header), encode(forge.claims.to_string()))
}

fn by_secret(forge: &Forge, secret: &[u8]) -> String {
    let header = changed(&forge.header, json!({"alg": "HS256"})).to_string();
    sign(&header, &forge.claims.to_string(), &EncodingKey::from_secret(secret), Algorithm::HS256)
}

/// A claim as it stands in the JSON.
fn with_written(forge: &Forge, claim: &str, json: &str) -> String {
    let claims = changed(&forge.claims, json!({(claim): null})).to_string();
    forge.signed(&forge.header.to_string(), &claims.replacen('{', &format!("{{\"{claim}\":{json},"), 1))
}

fn with_first(forge: &Forge, member: &str) -> String {
    forge.signed(&forge.header.to_string(), &forge.claims.to_string().replacen('{', &format!("{{{member}"), 1))
}

fn resigned(forge: &Forge, claims: &str) -> String {
    let good = good(forge);
    let parts: Vec<&str> = good.split('.').collect();
    format!("{}.{}.{}", parts[0], encode(claims), parts[2])
}

#[tokio::test]
async fn no_token_that_was_made_up_reads_or_writes_anything() {
    let forge = Forge::start().await;
    let anyone = forge.app.anonymous();
    let pilot = json!({"title": "Not to be", "origin_city": "KRPUS", "category": "waste"});
    // Changes that have no number yet may get one by being read.
    position(&anyone).await;
    let before = everything(&forge.app.database).await;
    for (what, token) in BEARERS.iter().copied().flatten() {
        let token = token(&forge);
        for request in [anyone.request("POST", "/v1/pilots").json(&pilot), anyone.request("GET", "/v1/pilots")] {
            let answer = anyone.send(request.header("authorization", format!("Bearer {token}"))).await;
            let challenge = answer.header("www-authenticate").unwrap_or_default().to_owned();
            assert_eq!(answer.status, 401, "{what}: {}", answer.text);
            assert!(challenge.starts_with("Bearer ") && challenge.is_ascii(), "{what}: {challenge}");
            answer.problem(401, "unauthenticated");
        }
    }
    assert_eq!(everything(&forge.app.database).await, before);
    let request = anyone.request("POST", "/v1/pilots").json(&pilot).bearer_auth(good(&forge));
    anyone.send(request).await.created();
}

const FORM: &str = "content-type: application/x-www-form-urlencoded";

fn form(body: &str) -> Input {
    send("POST", "/oauth/token").by("").body(body).header(FORM)
}

/// Forms of the token endpoint; its errors are those of RFC 6749.
fn forms() -> Vec<Input> {
    let mut inputs = vec![];
    for body in [
        "",
        "grant_type=",
        "%00=1",
        "grant_type=client_credentials&grant_type=client_credentials",
        "grant_type[]=client_credentials",
        "grant_type=authorization_code",
        "grant_type=authorization_code&code=x",
        "{\"grant_type\": \"client_credentials\"}",
        "grant_type=client_credentials&client_id=test-busan%00&client_secret=<secret>",
        "grant_type=client_credentials&client_id=test-busan&client_secret=<secret>%0d%0a",
        "grant_type=client_credentials&client_id=test-busan&client_secret=x&client_secret=<secret>",
        "grant_type=client_credentials&client_id=test-admin&client_id=test-busan&client_secret=<secret>",
    ] {
        inputs.push(form(body).is(400, "invalid_request"));
    }
    for grant in [
        "password",
        "implicit",
        "refresh_token",
        "CLIENT_CREDENTIALS",
        "client_credentials%20",
        "none",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ] {
        let body = format!("grant_type={grant}&client_id=test-busan&client_secret=<secret>&username=a&password=b");
        inputs.push(form(&body).is(400, "unsupported_grant_type"));
    }
    for credentials in [
        "",
        "client_id=test-busan",
        "client_secret=<secret>",
        "client_id=test-busan&client_secret=",
        "client_id=test-busan&client_secret=x",
        "client_id=TEST-BUSAN&client_secret=<secret>",
        "client_id=test-barcelona&client_secret=<secret>",
        "client_id=test-busan%20&client_secret=<secret>",
        "client_id=test-busan&client_secret=%20<secret>",
        "client_id=test-busan&client_secret=<secret>x",
        "client_id='%20OR%201=1--&client_secret=x",
        "client_id=%25&client_secret=<secret>",
        "client_id=%ff&client_secret=<secret>",
        "client_assertion_type=x&client_assertion=y&client_id=test-busan",
        "client_id=swagger-ui&client_secret=",
    ] {
        inputs.push(form(&format!("grant_type=client_credentials&{credentials}")).is(401, "invalid_client"));
    }
    inputs.push(form("grant_type=authorization_code&code=x&client_id=swagger-ui&redirect_uri=http://evil.example/&code_verifier=x").is(400, "invalid_grant"));
    inputs.push(form("grant_type=authorization_code&code=x&client_id=test-busan&redirect_uri=http://evil.example/&code_verifier=x").is(401, "invalid_client"));
    inputs
}

/// The same, and what stands around the form.
pub fn inputs() -> Vec<Input> {
    let good = "grant_type=client_credentials&client_id=test-busan&client_secret=<secret>";
    let mut inputs = forms();
    for basic in ["", "!!!", "dGVzdC1idXNhbg==", "Og==", "dGVzdC1idXNhbjr/"] {
        let request = form("grant_type=client_credentials").header(format!("authorization: Basic {basic}"));
        inputs.push(request.is(401, "invalid_client"));
    }
    let twice = form("grant_type=client_credentials").header("authorization: Basic <basic>");
    inputs.push(twice.header("authorization: Basic <basic>").is(401, "invalid_client"));
    inputs.push(form(good).header("authorization: Basic <basic>").is(400, "invalid_request"));
    for media in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
        let request = send("POST", "/oauth/token").by("").body(good).header(format!("content-type: {media}"));
        inputs.push(request.is(400, "invalid_request"));
    }
    inputs.push(send("POST", "/oauth/token").by("").body(good).is(400, "invalid_request"));
    let in_query = send("POST", "/oauth/token?grant_type=client_credentials").by("").body("").header(FORM);
    inputs.push(in_query.is(400, "invalid_request"));
    inputs
}

#[tokio::test]
async fn nobody_gets_a_token_by_a_bent_request_for_one() {
    use base64::Engine;
    let mut world = World::start().await;
    let secret = secret_of("test-busan");
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("test-busan:{secret}"));
    world.name("secret", secret);
    world.name("basic", basic);
    check(&world, inputs()).await;
}

#[tokio::test]
async fn a_token_ends_with_its_account_and_a_secret_with_its_rotation() {
    let world = World::start().await;
    let admin = world.app.admin().await;
    for (client_id, ..) in ACCOUNTS.iter().filter(|(client_id, ..)| *client_id != "test-admin") {
        let actor = world.app.actor(client_id).await;
        let account = path("accounts", &actor.get("/v1/me").await.ok());
        admin.patch(&account, json!({"disabled": true})).await.ok();
        actor.get("/v1/pilots").await.problem(401, "unauthenticated");
        actor.post("/v1/pilots", json!({})).await.problem(401, "unauthenticated");
    }
}
