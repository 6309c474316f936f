//! Every classical attack on a JWT is refused (api.md, convention 15).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use pilot_exchange::access::keys::{Keyring, Keys};
use pilot_exchange::access::secrets::Secrets;
use pilot_exchange::database::Database;
use serde_json::{Value, json};

use crate::support::{Answer, App, Options};

const ISSUER: &str = "http://registry.test";

/// The means of an attacker who even has the signing key.
pub struct Forge {
    pub app: App,
    pub keys: std::sync::Arc<Keys>,
    pub jwks: Value,
    pub header: Value,
    pub claims: Value,
}

impl Forge {
    pub async fn start() -> Self {
        // Without background work, so that nothing but the attacks could change a row.
        let app = App::start_with(Options { no_worker: true, ..Options::default() }).await;
        let busan = app.busan().await;
        let id = busan.get("/v1/me").await.ok()["id"].clone();
        let database = Database::new(&app.database.url, 1).unwrap();
        let keys = Keyring::default().get(&database, &Secrets::new(&[7; 32])).await.unwrap();
        let jwks = app.anonymous().get("/.well-known/jwks.json").await.ok();
        let header = json!({"typ": "at+jwt", "alg": "EdDSA", "kid": keys.kid});
        let now = chrono::Utc::now().timestamp();
        let claims = json!({
            "iss": ISSUER, "aud": ISSUER, "sub": id, "client_id": "test-busan", "iat": now, "exp": now + 900,
            "jti": "015aca1d-0000-7000-8000-000000000001", "scope": "exchange",
        });
        Self { app, keys, jwks, header, claims }
    }

    fn claims(&self, change: Value) -> Value {
        changed(&self.claims, change)
    }

    /// A token with exactly this header and these claims, signed with the registry's own key.
    pub fn signed(&self, header: &str, claims: &str) -> String {
        sign(header, claims, &self.keys.signing, Algorithm::EdDSA)
    }

    pub fn with_claims(&self, change: Value) -> String {
        self.signed(&self.header.to_string(), &self.claims(change).to_string())
    }

    pub fn with_header(&self, change: Value) -> String {
        self.signed(&changed(&self.header, change).to_string(), &self.claims.to_string())
    }

    async fn send(&self, token: &str) -> Answer {
        let anyone = self.app.anonymous();
        anyone.send(anyone.request("GET", "/v1/me").bearer_auth(token)).await
    }

    async fn refuses(&self, what: &str, token: &str) {
        // A public path as well: a bad token is not the same as none.
        let anyone = self.app.anonymous();
        for path in ["/v1/me", "/v1/pilots"] {
            let answer = anyone.send(anyone.request("GET", path).bearer_auth(token)).await;
            assert_eq!(answer.status, 401, "{what} on {path}: {}", answer.text);
            assert!(answer.header("www-authenticate").is_some_and(|value| value.starts_with("Bearer")), "{what}");
            answer.problem(401, "unauthenticated");
        }
    }
}

/// Members that are null in `change` are left out.
pub fn changed(object: &Value, change: Value) -> Value {
    let mut object = object.clone();
    for (name, value) in change.as_object().unwrap() {
        object[name] = value.clone();
    }
    object.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    object
}

pub fn encode(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

pub fn sign(header: &str, claims: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

pub fn now(seconds: i64) -> Value {
    json!(chrono::Utc::now().timestamp() + seconds)
}

#[tokio::test]
async fn the_token_that_the_attacks_alter_is_good() {
    let forge = Forge::start().await;
    assert_eq!(forge.send(&forge.with_claims(json!({}))).await.ok()["client_id"], "test-busan");
    let slightly_late = forge.with_claims(json!({"exp": now(-3)}));
    forge.send(&slightly_late).await.ok();
}

#[tokio::test]
async fn another_algorithm_or_kind_of_token_is_refused() {
    let forge = Forge::start().await;
    let claims = forge.claims.to_string();
    let none = changed(&forge.header, json!({"alg": "none"})).to_string();
    let unsigned = format!("{}.{}.", encode(&none), encode(&claims));
    forge.refuses("alg none", &unsigned).await;
    forge.refuses("alg none with a signature", &forge.with_header(json!({"alg": "none"}))).await;
    let x = forge.jwks["keys"][0]["x"].as_str().unwrap();
    let hs256 = changed(&forge.header, json!({"alg": "HS256"})).to_string();
    for public in [URL_SAFE_NO_PAD.decode(x).unwrap(), x.as_bytes().to_vec(), vec![]] {
        let token = sign(&hs256, &claims, &EncodingKey::from_secret(&public), Algorithm::HS256);
        forge.refuses("HS256 with the public key", &token).await;
    }
    for (what, change) in [
        ("typ JWT", json!({"typ": "JWT"})),
        ("typ id token", json!({"typ": "id_token+jwt"})),
        ("no typ", json!({"typ": null})),
        ("alg RS256", json!({"alg": "RS256"})),
        ("no alg", json!({"alg": null})),
        ("crit", json!({"crit": ["exp"]})),
        ("empty crit", json!({"crit": []})),
        ("unencoded payload", json!({"crit": ["b64"], "b64": false})),
        ("unknown kid", json!({"kid": "0123456789abcdef"})),
        ("no kid", json!({"kid": null})),
        ("a path as kid", json!({"kid": "../../dev/null"})),
    ] {
        forge.refuses(what, &forge.with_header(change)).await;
    }
}

#[tokio::test]
async fn a_key_that_the_token_brings_along_is_not_used() {
    let forge = Forge::start().await;
    let pair = aws_lc_rs::signature::Ed25519KeyPair::generate().unwrap();
    let own = EncodingKey::from_ed_der(pair.to_pkcs8().unwrap().as_ref());
    let x = encode(aws_lc_rs::signature::KeyPair::public_key(&pair).as_ref());
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": forge.keys.kid});
    for change in [json!({}), json!({"jwk": jwk}), json!({"jku": "http://attacker.example/jwks.json"})] {
        let header = changed(&forge.header, change).to_string();
        let token = sign(&header, &forge.claims.to_string(), &own, Algorithm::EdDSA);
        forge.refuses("another key", &token).await;
    }
}

#[tokio::test]
async fn claims_that_are_wrong_or_missing_are_refused() {
    let forge = Forge::start().await;
    for (what, change) in [
        ("expired", json!({"exp": now(-31)})),
        ("no exp", json!({"exp": null})),
        ("exp as text", json!({"exp": "never"})),
        ("not yet valid", json!({"nbf": now(120)})),
        ("another issuer", json!({"iss": "http://attacker.example"})),
        ("no issuer", json!({"iss": null})),
        ("issuers", json!({"iss": [ISSUER]})),
        ("issuers, one of them ours", json!({"iss": ["http://attacker.example", ISSUER]})),
        ("another audience", json!({"aud": "http://attacker.example"})),
        ("no audience", json!({"aud": null})),
        ("other audiences", json!({"aud": ["http://attacker.example"]})),
        ("empty audience", json!({"aud": []})),
        ("no subject", json!({"sub": null})),
        ("nobody", json!({"sub": "015aca1d-0000-7000-8000-000000000009"})),
        ("a name as subject", json!({"sub": "test-busan"})),
    ] {
        forge.refuses(what, &forge.with_claims(change)).await;
    }
    let mut twice = forge.claims.to_string();
    twice.insert_str(1, &format!("\"sub\":{},", forge.claims["sub"]));
    forge.refuses("a claim twice", &forge.signed(&forge.header.to_string(), &twice)).await;
    let mut twice = forge.header.to_string();
    twice.insert_str(1, "\"alg\":\"EdDSA\",");
    forge.refuses("a header member twice", &forge.signed(&twice, &forge.claims.to_string())).await;
}

#[tokio::test]
async fn an_altered_or_oversized_token_is_refused() {
    let forge = Forge::start().await;
    let good = forge.with_claims(json!({}));
    let parts: Vec<&str> = good.split('.').collect();
    let admin = forge.app.admin().await.get("/v1/me").await.ok()["id"].clone();
    let payload = encode(forge.claims(json!({"sub": admin})).to_string());
    let mut signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
    signature[0] ^= 1;
    let long = forge.with_claims(json!({"padding": "x".repeat(8000)}));
    for (what, token) in [
        ("altered payload", format!("{}.{payload}.{}", parts[0], parts[2])),
        ("altered signature", format!("{}.{}.{}", parts[0], parts[1], encode(signature))),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("two parts", format!("{}.{}", parts[0], parts[1])),
        ("four parts", format!("{good}.{}", parts[2])),
        ("five parts", format!("{good}.a.b")),
        ("no token", "x".to_owned()),
        ("dots", "..".to_owned()),
        ("arrays", format!("{}.{}.{}", encode("[]"), encode("[]"), parts[2])),
        ("too long", long),
    ] {
        forge.refuses(what, &token).await;
    }
}

#[tokio::test]
async fn one_authorization_header_of_the_right_scheme_is_needed() {
    let forge = Forge::start().await;
    let good = forge.with_claims(json!({}));
    let basic = format!("Basic {}", STANDARD.encode("test-busan:secret"));
    let headers = [
        vec![format!("Bearer {good}"), format!("Bearer {good}")],
        vec![format!("Bearer {good}"), basic.clone()],
        vec![basic],
        vec!["Bearer ".to_owned()],
        vec!["Bearer".to_owned()],
        vec![good.clone()],
        vec![format!("Token {good}")],
        vec![format!("Bearer {good} {good}")],
    ];
    let anyone = forge.app.anonymous();
    for values in headers {
        let mut request = anyone.request("GET", "/v1/pilots");
        for value in &values {
            request = request.header("authorization", value);
        }
        anyone.send(request).await.problem(401, "unauthenticated");
    }
    let lower = anyone.request("GET", "/v1/me").header("authorization", format!("bearer {good}"));
    anyone.send(lower).await.ok();
    let in_query = format!("/v1/me?access_token={good}");
    anyone.get(&in_query).await.problem(401, "unauthenticated");
}
