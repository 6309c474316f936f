//! Access tokens of outside issuers (api.md, convention 15), and the attacks on them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{Answer, App, Options, path};

const ISSUER: &str = "https://login.busan.example";
const AUDIENCE: &str = "https://pilots.example";

/// What the issuer's server answers.
#[derive(Clone)]
struct Served {
    status: &'static str,
    headers: String,
    body: String,
}

/// An issuer with keys of its own, whose key set is served on loopback.
struct Issuer {
    jwks_uri: String,
    served: Arc<Mutex<Served>>,
    asked: Arc<AtomicUsize>,
    keys: Vec<(Algorithm, EncodingKey, Value)>,
}

fn rsa() -> EncodingKey {
    let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let pkcs8: aws_lc_rs::encoding::Pkcs8V1Der = pair.as_der().unwrap();
    // The RSAPrivateKey inside begins after the header of 26 bytes.
    EncodingKey::from_rsa_der(&pkcs8.as_ref()[26..])
}

fn ec() -> EncodingKey {
    let rng = aws_lc_rs::rand::SystemRandom::new();
    EncodingKey::from_ec_der(EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &rng).unwrap().as_ref())
}

fn ed() -> (EncodingKey, Value) {
    let pair = Ed25519KeyPair::generate().unwrap();
    let x = URL_SAFE_NO_PAD.encode(aws_lc_rs::signature::KeyPair::public_key(&pair).as_ref());
    (EncodingKey::from_ed_der(pair.to_pkcs8().unwrap().as_ref()), json!({"kty": "OKP", "crv": "Ed25519", "x": x}))
}

fn jwk(key: &EncodingKey, algorithm: Algorithm, kid: &str) -> Value {
    let mut jwk = json!(Jwk::from_encoding_key(key, algorithm).unwrap());
    jwk["kid"] = json!(kid);
    jwk["use"] = json!("sig");
    jwk
}

impl Issuer {
    async fn start() -> Self {
        let (rsa, ec, (ed, mut ed_jwk)) = (rsa(), ec(), ed());
        ed_jwk["kid"] = json!("ed");
        let keys = vec![
            (Algorithm::RS256, rsa.clone(), jwk(&rsa, Algorithm::RS256, "rsa")),
            (Algorithm::ES256, ec.clone(), jwk(&ec, Algorithm::ES256, "ec")),
            (Algorithm::EdDSA, ed, ed_jwk),
        ];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let jwks_uri = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        let served = Arc::new(Mutex::new(Served { status: "200 OK", headers: String::new(), body: String::new() }));
        let asked = Arc::new(AtomicUsize::new(0));
        let (answers, count) = (served.clone(), asked.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let Served { status, headers, body } = answers.lock().unwrap().clone();
                count.fetch_add(1, Ordering::SeqCst);
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        let issuer = Self { jwks_uri, served, asked, keys };
        issuer.serve(&issuer.key_set());
        issuer
    }

    fn key_set(&self) -> Value {
        json!({"keys": self.keys.iter().map(|(.., jwk)| jwk).collect::<Vec<_>>()})
    }

    fn serve(&self, set: &Value) {
        self.answer("200 OK", "", &set.to_string());
    }

    fn answer(&self, status: &'static str, headers: &str, body: &str) {
        *self.served.lock().unwrap() = Served { status, headers: headers.into(), body: body.into() };
    }

    /// The registry that takes its tokens, where Busan's editor is the subject `248289761001`.
    async fn registry(&self, algorithm: &str) -> App {
        let issuer =
            json!([{"issuer": ISSUER, "audience": AUDIENCE, "jwks_uri": self.jwks_uri, "algorithms": [algorithm]}]);
        let app = App::start_with(Options { oidc_issuers: Some(issuer), ..Options::default() }).await;
        let admin = app.admin().await;
        let accounts = admin.get("/v1/accounts").await.ok();
        let busan = accounts["items"].as_array().unwrap().iter().find(|one| one["client_id"] == "test-busan").unwrap();
        let subjects = json!({"oidc_subjects": [{"issuer": ISSUER, "subject": "248289761001"}]});
        let changed = admin.patch(&path("accounts", busan), subjects.clone()).await.ok();
        assert_eq!(changed["oidc_subjects"], subjects["oidc_subjects"]);
        app
    }

    fn key(&self, algorithm: Algorithm) -> &EncodingKey {
        &self.keys.iter().find(|(one, ..)| *one == algorithm).unwrap().1
    }

    /// A token with members changed; null leaves one out.
    fn token(&self, algorithm: Algorithm, head: Value, claims: Value) -> String {
        let kid = match algorithm {
            Algorithm::RS256 => "rsa",
            Algorithm::ES256 => "ec",
            _ => "ed",
        };
        let now = chrono::Utc::now().timestamp();
        let head = changed(json!({"typ": "at+jwt", "alg": format!("{algorithm:?}"), "kid": kid}), head);
        let good =
            json!({"iss": ISSUER, "aud": [AUDIENCE, "other"], "sub": "248289761001", "exp": now + 300, "iat": now});
        sign(&head.to_string(), &changed(good, claims).to_string(), self.key(algorithm), algorithm)
    }
}

fn changed(mut object: Value, change: Value) -> Value {
    for (name, value) in change.as_object().unwrap() {
        object[name] = value.clone();
    }
    object.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    object
}

fn sign(head: &str, claims: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

async fn me(app: &App, token: &str) -> Answer {
    let anyone = app.anonymous();
    anyone.send(anyone.request("GET", "/v1/me").bearer_auth(token)).await
}

async fn refuses(app: &App, what: &str, token: &str) {
    let answer = me(app, token).await;
    assert_eq!(answer.status, 401, "{what}: {}", answer.text);
    answer.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_token_of_an_outside_issuer_acts_as_the_account_of_its_subject() {
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        let issuer = Issuer::start().await;
        let app = issuer.registry(&format!("{algorithm:?}")).await;
        for (head, claims) in [
            (json!({}), json!({})),
            (json!({"typ": "application/at+jwt"}), json!({"aud": AUDIENCE})),
            (json!({}), json!({"nbf": chrono::Utc::now().timestamp() + 5, "exp": chrono::Utc::now().timestamp() - 5})),
        ] {
            let token = issuer.token(algorithm, head, claims);
            assert_eq!(me(&app, &token).await.ok()["client_id"], "test-busan", "{algorithm:?}");
        }
        assert_eq!(issuer.asked.load(Ordering::SeqCst), 1, "the key set is fetched once");
        let resource = app.anonymous().get("/.well-known/oauth-protected-resource").await.ok();
        assert_eq!(resource["authorization_servers"], json!(["http://registry.test", ISSUER]));
        me(&app, app.busan().await.token.as_deref().unwrap()).await.ok();
    }
}

#[tokio::test]
async fn a_subject_without_an_account_and_a_disabled_account_are_401() {
    let issuer = Issuer::start().await;
    let app = issuer.registry("ES256").await;
    let stranger = issuer.token(Algorithm::ES256, json!({}), json!({"sub": "somebody"}));
    let answer = me(&app, &stranger).await.problem(401, "unauthenticated");
    assert!(answer["detail"].as_str().unwrap().contains("oidc_subjects"), "{answer}");
    let token = issuer.token(Algorithm::ES256, json!({}), json!({}));
    me(&app, &token).await.ok();
    crate::support::sql(&app.database, "UPDATE account SET disabled = true WHERE client_id = 'test-busan'").await;
    refuses(&app, "disabled", &token).await;
}

#[tokio::test]
async fn tokens_that_are_not_as_they_must_be_are_refused() {
    let issuer = Issuer::start().await;
    let app = issuer.registry("ES256").await;
    let now = chrono::Utc::now().timestamp();
    let of = |head, claims| issuer.token(Algorithm::ES256, head, claims);
    me(&app, &of(json!({}), json!({}))).await.ok();
    for (what, head, claims) in [
        ("an ID token by typ", json!({"typ": "JWT"}), json!({})),
        ("no typ", json!({"typ": null}), json!({})),
        ("an ID token by claim", json!({}), json!({"nonce": "n-0S6_WzA2Mj"})),
        ("another audience", json!({}), json!({"aud": "https://other.example"})),
        ("no audience", json!({}), json!({"aud": null})),
        ("issuers", json!({}), json!({"iss": [ISSUER]})),
        ("another issuer", json!({}), json!({"iss": "https://login.busan.example/"})),
        ("expired", json!({}), json!({"exp": now - 31})),
        ("no exp", json!({}), json!({"exp": null})),
        ("not yet valid", json!({}), json!({"nbf": now + 60})),
        ("no subject", json!({}), json!({"sub": null})),
        ("subjects", json!({}), json!({"sub": ["248289761001"]})),
        ("crit", json!({"crit": ["exp"]}), json!({})),
        ("another kid", json!({"kid": "other"}), json!({})),
        ("a kid that is no text", json!({"kid": 1}), json!({})),
        ("no kid, though there is one usable key", json!({"kid": null, "alg": "none"}), json!({})),
        ("another algorithm", json!({"alg": "ES384"}), json!({})),
    ] {
        refuses(&app, what, &of(head, claims)).await;
    }
    let head = json!({"typ": "at+jwt", "alg": "ES256", "kid": "ec"}).to_string();
    let good = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "nobody", "exp": now + 300}).to_string();
    let twice = good.replacen('{', "{\"sub\":\"248289761001\",", 1);
    refuses(&app, "a claim twice", &sign(&head, &twice, issuer.key(Algorithm::ES256), Algorithm::ES256)).await;
    let none = head.replace("ES256", "none");
    let unsigned = format!("{}.{}.", URL_SAFE_NO_PAD.encode(none), URL_SAFE_NO_PAD.encode(&good));
    refuses(&app, "alg none", &unsigned).await;
    refuses(&app, "a key of the issuer, but of another family", &issuer.token(Algorithm::RS256, json!({}), json!({})))
        .await;
    let own = sign(&head, &good, &ec(), Algorithm::ES256);
    refuses(&app, "another key under the same id", &own).await;
    // The public key as the secret of an HMAC.
    let x = issuer.keys[1].2["x"].as_str().unwrap();
    for secret in [x.as_bytes().to_vec(), URL_SAFE_NO_PAD.decode(x).unwrap()] {
        let hs256 = head.replace("ES256", "HS256");
        let token = sign(&hs256, &good, &EncodingKey::from_secret(&secret), Algorithm::HS256);
        refuses(&app, "HS256", &token).await;
    }
}

#[tokio::test]
async fn a_token_without_kid_is_taken_where_there_is_one_key() {
    let issuer = Issuer::start().await;
    let without = |issuer: &Issuer| issuer.token(Algorithm::ES256, json!({"kid": null}), json!({}));
    let app = issuer.registry("ES256").await;
    me(&app, &without(&issuer)).await.ok();
    let two = ec();
    issuer.serve(&json!({"keys": [issuer.keys[1].2, jwk(&two, Algorithm::ES256, "second")]}));
    let app = issuer.registry("ES256").await;
    refuses(&app, "which of the two", &without(&issuer)).await;
}

#[tokio::test]
async fn random_key_ids_do_not_make_us_ask_the_issuer_again_and_again() {
    let issuer = Issuer::start().await;
    let app = issuer.registry("ES256").await;
    let storm = (0..30).map(|n| {
        let token = issuer.token(Algorithm::ES256, json!({"kid": format!("random-{n}")}), json!({}));
        let app = &app;
        async move { refuses(app, "random", &token).await }
    });
    futures_util::future::join_all(storm).await;
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 1);
    me(&app, &issuer.token(Algorithm::ES256, json!({}), json!({}))).await.ok();
}

#[tokio::test]
async fn a_key_set_that_cannot_be_had_makes_tokens_503_not_valid() {
    let issuer = Issuer::start().await;
    let token = issuer.token(Algorithm::ES256, json!({}), json!({}));
    let elsewhere = Issuer::start().await;
    let location = format!("location: {}\r\n", elsewhere.jwks_uri);
    let set = issuer.key_set().to_string();
    elsewhere.serve(&issuer.key_set());
    let huge = format!("{{\"padding\": \"{}\", {}", "x".repeat(70_000), &set[1..]);
    let twice = format!("{{\"keys\": [], {}", &set[1..]);
    for (what, status, headers, body) in [
        ("down", "500 Internal Server Error", "", set.as_str()),
        ("redirected", "302 Found", location.as_str(), ""),
        ("huge", "200 OK", "", huge.as_str()),
        ("no key set", "200 OK", "", "[]"),
        ("keys twice", "200 OK", "", twice.as_str()),
    ] {
        issuer.answer(status, headers, body);
        let app = issuer.registry("ES256").await;
        let answer = me(&app, &token).await;
        assert!(answer.status == 503 && answer.header("retry-after").is_some(), "{what}: {}", answer.text);
    }
    assert_eq!(elsewhere.asked.load(Ordering::SeqCst), 0, "a redirection is not followed");
}

#[tokio::test]
async fn keys_that_are_known_are_used_while_the_issuer_is_away() {
    let issuer = Issuer::start().await;
    let app = issuer.registry("ES256").await;
    let token = issuer.token(Algorithm::ES256, json!({}), json!({}));
    me(&app, &token).await.ok();
    issuer.answer("500 Internal Server Error", "", "");
    me(&app, &token).await.ok();
    let unknown = issuer.token(Algorithm::ES256, json!({"kid": "new"}), json!({}));
    refuses(&app, "a key that is not known", &unknown).await;
}

#[tokio::test]
async fn a_subject_stands_for_one_account_and_administrators_say_which() {
    let issuer = Issuer::start().await;
    let app = issuer.registry("ES256").await;
    let admin = app.admin().await;
    let subjects = json!([{"issuer": ISSUER, "subject": "248289761001"}]);
    let body = |subjects: &Value| json!({"client_id": "second", "name": "Second", "role": "reader", "oidc_subjects": subjects});
    let problem = admin.post("/v1/accounts", body(&subjects)).await.problem(409, "duplicate");
    assert_eq!(problem["existing_id"], app.busan().await.get("/v1/me").await.ok()["id"]);
    admin
        .post("/v1/accounts", body(&json!([{"issuer": "", "subject": "a"}])))
        .await
        .faults(&[("/oidc_subjects/0/issuer", "too_short")]);
    let other = json!([{"issuer": ISSUER, "subject": "2"}, {"issuer": ISSUER, "subject": "2"}]);
    let made = admin.post("/v1/accounts", body(&other)).await.created();
    assert_eq!(made["oidc_subjects"], json!([{"issuer": ISSUER, "subject": "2"}]));
    let token = issuer.token(Algorithm::ES256, json!({}), json!({"sub": "2"}));
    assert_eq!(me(&app, &token).await.ok()["client_id"], "second");
    admin.patch(&path("accounts", &made), json!({"oidc_subjects": null})).await.ok();
    refuses(&app, "not any more", &token).await;
    let answer = app.busan().await.patch_at(&path("accounts", &made), json!({"oidc_subjects": subjects}), "*").await;
    answer.problem(403, "forbidden");
}
