//! Bodies against their schema: the name of one, a line break, JSON. Dates, decimals, external ids, citations, tags of
//! languages and web addresses are members of them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pilot_exchange::catalogue::{needs::NeedInput, pilots::PilotInput};
use pilot_exchange::cooperation::{activities::ActivityInput, agreements::AgreementInput};
use pilot_exchange::directory::{cities::CityInput, documents::DocumentInput};
use pilot_exchange::hosting::hostings::HostingInput;
use pilot_exchange::http::schemas::Schema;
use pilot_exchange::outcomes::{indicators::IndicatorInput, observations::ObservationInput, outcome::OutcomeInput};
use pilot_exchange::values::common::{Citation, ExternalId};
use pilot_exchange_fuzz::json_of;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

type Fits = fn(&Value) -> Result<(), String>;

const KINDS: &[(&str, Fits)] = &[
    ("Citation", said_again::<Citation>),
    ("ExternalId", said_again::<ExternalId>),
    ("ActivityInput", read::<ActivityInput>),
    ("AgreementInput", read::<AgreementInput>),
    ("CityInput", read::<CityInput>),
    ("DocumentInput", read::<DocumentInput>),
    ("HostingInput", read::<HostingInput>),
    ("IndicatorInput", read::<IndicatorInput>),
    ("NeedInput", read::<NeedInput>),
    ("ObservationInput", read::<ObservationInput>),
    ("OutcomeInput", read::<OutcomeInput>),
    ("PilotInput", read::<PilotInput>),
    ("PilotPatch", |_| Ok(())),
];

fn read<T: DeserializeOwned>(value: &Value) -> Result<(), String> {
    serde_json::from_value::<T>(value.clone()).map(drop).map_err(|error| error.to_string())
}

/// Read, and printed as it was but for members that are empty.
fn said_again<T: DeserializeOwned + Serialize>(value: &Value) -> Result<(), String> {
    let one: T = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
    let stated = |value: Value| {
        let mut value = value;
        value.as_object_mut().unwrap().retain(|_, member| !member.is_null());
        value
    };
    assert_eq!(stated(serde_json::to_value(one).unwrap()), stated(value.clone()));
    Ok(())
}

fuzz_target!(|text: &str| {
    let Some((name, body)) = text.split_once('\n') else { return };
    let Some((name, fits)) = KINDS.iter().find(|(one, _)| *one == name) else { return };
    let Some(value) = json_of(body) else { return };
    let schema = Schema::named(name);
    let faults = schema.faults(&value);
    assert_eq!(schema.faults(&value), faults, "asked again, it says the same");
    for fault in &faults {
        assert!(!fault.code.is_empty() && !fault.detail.is_empty() && fault.parameter.is_none());
        let pointer = fault.pointer.as_deref().expect("a fault says where");
        let around = pointer.rsplit_once('/').map_or("", |(around, _)| around);
        assert!(pointer.ends_with('…') || value.pointer(around).is_some(), "{pointer} is within the body");
    }
    for reference in schema.references(&value) {
        assert_eq!(value.pointer(&reference.pointer).and_then(Value::as_str), Some(reference.value.as_str()));
    }
    // JSON Schema takes 7.0 for an integer and has no bounds for the digits of a number; that is told as a fault of its own.
    if let Some(Err(error)) = faults.is_empty().then(|| fits(&value)) {
        let is_told = ["floating point", "must be a decimal number"].iter().any(|reason| error.contains(reason));
        assert!(is_told, "{name} takes what it cannot read: {error}");
    }
});
