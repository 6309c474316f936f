//! Numbers that are none, or none of ours.

use super::table::{Input, World, check, get, patch, post};
use crate::support::founding;

/// The value of an observation as it stands in the JSON.
fn value(json: &str) -> Input {
    let path = format!("/v1/outcomes/{}/observations", founding::SERVICES_UNDER_TEST);
    post(&path, format!("{{\"value\": {json}, \"starts_on\": \"2031\", \"ends_on\": \"2031\"}}"))
}

/// Decimals: 18 digits before the point, 12 after it.
fn decimals() -> Vec<Input> {
    let mut inputs = vec![];
    for json in ["NaN", "Infinity", "-Infinity", "+1", ".5", "1.", "01", "-", "1e", "0x10", "0b1", "1_000", "1,000"] {
        // A comma ends the member, and what follows is none.
        inputs.push(value(json).is(400, "malformed_json"));
    }
    for json in
        ["1e18", "1e400", "-1e400", "1e-400", "1e-13", "1e999999999999", "9223372036854775808", "0.0000000000001"]
    {
        inputs.push(value(json).fault("/value", "invalid"));
    }
    inputs.push(value(&"9".repeat(5000)).fault("/value", "invalid"));
    inputs.push(value(&format!("0.{}1", "0".repeat(5000))).fault("/value", "invalid"));
    for text in ["", " 1", "1 ", "+1", "--1", "-", "1.", ".5", "1e3", "0x10", "1_000", "1,5", "NaN", "Infinity", "null"]
    {
        inputs.push(value(&format!("\"{text}\"")).fault("/value", "bad_format"));
    }
    for digits in ["１", "٣", "1\u{200b}", "−1", "½", "Ⅷ"] {
        inputs.push(value(&format!("\"{digits}\"")).fault("/value", "bad_format"));
    }
    for json in ["true", "[1]", "{}", "[]"] {
        inputs.push(value(json).fault("/value", "wrong_type"));
    }
    inputs
}

/// A member of a pilot, from 1 to 9.
fn integers() -> Vec<Input> {
    let pilot = format!("/v1/pilots/{}", founding::STREETLIGHTS);
    let trl = |json: &str| patch(&pilot, format!("{{\"trl\": {json}}}"));
    let mut inputs = vec![];
    for json in ["0", "10", "-1", "32768", "65537", "4294967297", "9223372036854775808", "18446744073709551617"] {
        inputs.push(trl(json).fault("/trl", "out_of_range"));
    }
    for json in ["1.5", "1e0", "10e-1", "5.0000000000000000000000001", "\"5\"", "true", "[5]", "{}"] {
        inputs.push(trl(json).fault("/trl", "wrong_type"));
    }
    inputs.push(trl("1e400").fault("/trl", "wrong_type").fault("/trl", "out_of_range"));
    inputs
}

/// Members of a city.
fn of_cities() -> Vec<Input> {
    let city =
        |member: &str, json: &str| patch("/v1/cities/KRPUS", format!("{{\"{member}\": {json}}}")).by("test-admin");
    vec![
        city("latitude", "90.0000001").fault("/latitude", "out_of_range"),
        city("latitude", "-91").fault("/latitude", "out_of_range"),
        city("latitude", "1e999").fault("/latitude", "out_of_range"),
        city("latitude", "\"35.1\"").fault("/latitude", "wrong_type"),
        city("longitude", "180.1").fault("/longitude", "out_of_range"),
        city("longitude", "null").fault("/longitude", "required"),
        city("population", "-1").fault("/population", "out_of_range"),
        city("population", "1.5").fault("/population", "wrong_type"),
        city("population", "1e3").fault("/population", "wrong_type"),
        city("population", "9223372036854775808").fault("/population", "wrong_type"),
        city("population", "\"3300000\"").fault("/population", "wrong_type"),
    ]
}

fn in_queries() -> Vec<Input> {
    let limit = |text: &str| get(format!("/v1/pilots?limit={text}")).by("");
    let mut inputs = vec![];
    for text in ["0", "501", "-1", "-0", "9223372036854775807"] {
        inputs.push(limit(text).parameter("limit", "out_of_range"));
    }
    for text in ["", "1e2", "0x10", "5.0", "9223372036854775808", "1;2", "%205", "%D9%A5", "NaN", "true", "null", "1,2"]
    {
        inputs.push(limit(text).parameter("limit", "wrong_type"));
    }
    inputs.push(limit("1&limit=2").parameter("limit", "given_twice"));
    inputs.push(get("/v1/pilots?limit[]=1").parameter("limit[]", "unknown_parameter"));
    for text in ["-1", "20001", "1e400"] {
        inputs.push(get(format!("/v1/cities?near=0,0&radius_km={text}")).parameter("radius_km", "out_of_range"));
    }
    for text in ["NaN", "Infinity", "-Infinity", "0x1", "ten", ""] {
        inputs.push(get(format!("/v1/cities?near=0,0&radius_km={text}")).parameter("radius_km", "wrong_type"));
    }
    for text in ["NaN,NaN", "1e400,0", "0", "0,0,0", "a,b", "0x1,0", "%2B0,0", "1e1,1", "0,%200", ","] {
        inputs.push(get(format!("/v1/cities?near={text}")).parameter("near", "bad_format"));
    }
    for text in ["90.1,0", "-91,0", "0,180.1", "999,999"] {
        inputs.push(get(format!("/v1/cities?near={text}")).parameter("near", "out_of_range"));
    }
    inputs
}

pub fn inputs() -> Vec<Input> {
    [decimals(), integers(), of_cities(), in_queries()].into_iter().flatten().collect()
}

#[tokio::test]
async fn numbers_that_are_none_of_ours_are_refused_and_change_nothing() {
    check(&World::start().await, inputs()).await;
}
