//! Authorisation requests, and the forms that carry them.
#![no_main]

use std::sync::LazyLock;

use chrono::DateTime;
use clap::{Args, Command, FromArgMatches};
use libfuzzer_sys::fuzz_target;
use pilot_exchange::access::oauth::authorize::{Refused, Request};
use pilot_exchange::access::secrets::Secrets;
use pilot_exchange::app::{Clock, State};
use pilot_exchange::config::{Config, ServiceSettings};
use pilot_exchange::database::Database;
use serde_json::json;
use tokio::runtime::Runtime;
use url::Url;

const BACK: &str = "https://app.example/back?a=b";

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static STATE: LazyLock<State> = LazyLock::new(|| state(0));
/// The same registry, when forms of now have ended.
static LATER: LazyLock<State> = LazyLock::new(|| state(601));

fn state(seconds: i64) -> State {
    let clients = format!(r#"[{{"client_id": "app", "redirect_uris": ["{BACK}"]}}]"#);
    let arguments = ["fuzz", "--public-url", "https://pilots.example.org", "--public-clients", &clients];
    let matches = ServiceSettings::augment_args(Command::new("fuzz")).get_matches_from(arguments);
    let config = Config::of(&ServiceSettings::from_arg_matches(&matches).unwrap()).unwrap();
    let _runtime = RUNTIME.enter();
    let database = Database::new("postgres://nobody@localhost/none", 5).unwrap();
    let now = DateTime::from_timestamp(1_795_510_800 + seconds, 0).unwrap();
    State::new(config, database, Secrets::new(&[7; 32]), Clock::Fixed(now))
}

fuzz_target!(|query: &str| {
    assert!(Request::open(&STATE, query).is_none(), "nobody else makes a form");
    let request = match Request::read(&STATE, query) {
        Ok(request) => request,
        Err(Refused::Here(said)) => return assert!(!said.is_empty()),
        Err(Refused::There(address)) => {
            let url = Url::parse(&address).unwrap();
            let answer =
                |name: &str| url.query_pairs().find(|(one, _)| one == name).map(|(_, value)| value.into_owned());
            let known = STATE.config.public_clients.iter().flat_map(|client| &client.redirect_uris);
            assert!(known.into_iter().any(|uri| address.starts_with(uri.as_str())), "{address}");
            assert!(answer("error").is_some() && answer("iss").as_deref() == Some("https://pilots.example.org"));
            assert!(url.query_pairs().filter(|(name, _)| name == "error").count() == 1);
            return;
        }
    };
    assert_eq!(request.code_challenge.len(), 32);
    assert!(request.state.as_ref().is_none_or(|state| state.len() <= 2048 && state.is_ascii()));
    let form = request.seal(&STATE);
    let opened = Request::open(&STATE, &form).expect("it is ours");
    assert_eq!(json!(opened), json!(request));
    assert!(Request::open(&LATER, &form).is_none(), "it has ended");
    for refused in [form.replacen('.', "", 1), format!("{form}."), form.replacen('.', "A.", 1), form[1..].to_owned()] {
        assert!(Request::open(&STATE, &refused).is_none(), "it is forged");
    }
});
