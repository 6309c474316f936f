//! THE table of reasons: code, weight, meaning; and each as a sentence.

use serde_json::{Map, Value, json};

/// One row.
pub(super) struct Rule {
    pub code: &'static str,
    pub weight: i64,
    meaning: &'static str,
}

const fn rule(code: &'static str, weight: i64, meaning: &'static str) -> Rule {
    Rule { code, weight, meaning }
}

/// The table. Facts come from `matches.sql`, under the same codes.
#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    rule("need_category",           30, "the city has an open need of the pilot's category"),
    rule("applicable",              25, "it was assessed as applicable there"),
    rule("need_area",               15, "the city has an open need in one of the pilot's areas"),
    rule("similar_host",            12, "a similar city hosts or hosted it: the same country, within 500 km, or a population within a factor of two"),
    rule("need_text",               10, "an open need is worded like it"),
    rule("with_changes",            10, "it was assessed as applicable there with changes"),
    rule("decision_scale",          10, "a host decided to scale it"),
    rule("decision_continue_pilot",  6, "a host decided to go on with it"),
    rule("outcome_achieved",         5, "an outcome reached its target where it is hosted"),
    rule("operational",              5, "it is in regular operation at its origin"),
    rule("decision_adapt",           4, "a host decided to adapt it"),
    rule("area",                     4, "the city has pilots of its own in the same area"),
    rule("in_test",                  2, "it is under test at its origin"),
    rule("pia",                     -1, "it may process personal data: a privacy impact assessment will be asked for"),
    rule("dpia",                    -2, "it may process personal data and the city is in the EEA: a data protection impact assessment (DPIA) is needed before it goes live"),
    rule("decision_stop",          -15, "a host decided to stop it"),
    rule("not_readily_applicable", -60, "it was assessed as not readily applicable there; the coded reason says why"),
];

/// Weights by code, for the query.
pub(super) fn weights() -> Value {
    Value::Object(RULES.iter().map(|rule| (rule.code.to_owned(), json!(rule.weight))).collect::<Map<_, _>>())
}

/// The table in Markdown, for the description of the operation.
pub fn as_markdown() -> String {
    let mut text = String::from("| code | weight | what it says |\n| --- | --- | --- |\n");
    for rule in RULES {
        text.push_str(&format!("| `{}` | {} | {} |\n", rule.code, rule.weight, rule.meaning));
    }
    text
}

/// Who is matched with what.
pub(super) struct Pair<'a> {
    pub city: &'a str,
    pub pilot: &'a str,
}

/// A reason as a sentence.
pub(super) fn sentence(code: &str, facts: &Value, of: &Pair<'_>) -> String {
    let text = |name: &str| facts[name].as_str().unwrap_or_default();
    let Pair { city, pilot } = of;
    match code {
        "need_category" => format!("{city} has the open need “{}”, for the same kind of service.", text("need")),
        "need_area" => format!("{city} has the open need “{}” in the area {}.", text("need"), text("area")),
        "need_text" => format!("The need “{}” of {city} is worded like it.", text("need")),
        "area" => format!("{city} has pilots of its own in the area {}, such as “{}”.", text("area"), text("own")),
        "similar_host" => similar_host(facts, city),
        "decision_scale" => decided(facts, "scale it"),
        "decision_adapt" => decided(facts, "adapt it"),
        "decision_continue_pilot" => decided(facts, "go on with the pilot"),
        "decision_stop" => decided(facts, "stop it"),
        "outcome_achieved" => format!("In {} it reached its target for “{}”.", text("host"), text("indicator")),
        "applicable" => assessed(facts, &format!("applicable to {city}")),
        "with_changes" => assessed(facts, &format!("applicable to {city} with changes")),
        "not_readily_applicable" => assessed(facts, &format!("not readily applicable to {city}")),
        "operational" => format!("“{pilot}” is in regular operation at its origin."),
        "in_test" => format!("“{pilot}” is under test at its origin."),
        "dpia" => {
            format!("{}; {city} is in the EEA, so a DPIA has to be approved before it goes live.", personal_data(facts))
        }
        "pia" => format!("{}; {city} will ask for a privacy impact assessment.", personal_data(facts)),
        other => other.to_owned(),
    }
}

fn similar_host(facts: &Value, city: &str) -> String {
    let host = facts["host"].as_str().unwrap_or_default();
    let status = facts["status"].as_str().unwrap_or_default();
    let runs = if facts["home"] == true { "runs it itself" } else { "hosts it" };
    let mut alike = vec![];
    if facts["country"] == true {
        alike.push("in the same country".to_owned());
    }
    if let Some(km) = facts["km"].as_f64() {
        alike.push(format!("{km:.0} km away"));
    }
    if facts["size"] == true {
        let (host, own) = (&facts["host_population"], &facts["population"]);
        alike.push(format!("of similar size ({host} and {own} inhabitants)"));
    }
    format!("{host} {runs} ({status}), a city like {city}: {}.", alike.join(", "))
}

fn decided(facts: &Value, what: &str) -> String {
    let text = |name: &str| facts[name].as_str().unwrap_or_default();
    format!("{} decided to {what} (evaluation of {}).", text("host"), text("on"))
}

fn assessed(facts: &Value, verdict: &str) -> String {
    let mut sentence = format!("It was assessed as {verdict}");
    if let Some(on) = facts["on"].as_str() {
        sentence.push_str(&format!(" ({on})"));
    }
    if let Some(reason) = facts["reason"].as_str() {
        sentence.push_str(&format!(": {} ({reason})", facts["label"].as_str().unwrap_or(reason)));
    }
    sentence.push('.');
    if let Some(text) = facts["text"].as_str() {
        sentence.push_str(&format!(" {text}"));
    }
    sentence
}

fn personal_data(facts: &Value) -> &'static str {
    match (&facts["stated"], facts["tracks"] == true) {
        (Value::Bool(true), _) => "It processes personal data",
        (_, true) => "Its category tracks people",
        _ => "Whether it processes personal data is not stated, which counts as yes",
    }
}
