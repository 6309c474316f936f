//! Cursors and consistency tokens: as sent by anybody, and as made of the lines path, filters and key.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pilot_exchange::http::Code;
use pilot_exchange::http::consistency::{Consistency, HEADER};
use pilot_exchange::http::paging::Cursor;
use pilot_exchange_fuzz::{OURS, THEIRS, headers, is_refusal, json_of};
use serde_json::{Value, json};
use uuid::Uuid;

/// Text with one character at some place changed to another of base64url.
fn altered(text: &str, seed: usize) -> String {
    let at = seed % text.len();
    let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &text[..at], &text[at + 1..])
}

fn cursors(text: &str) {
    let mut lines = text.splitn(3, '\n').map(str::to_owned);
    let mut next = || lines.next().unwrap_or_default();
    let (path, filters, key) = (next(), next(), next());
    match Cursor::decode(text, &path, &OURS) {
        Ok(cursor) => assert_eq!(cursor.encode(&OURS), text),
        Err(problem) => is_refusal(&problem, Code::InvalidCursor),
    }
    let value = |text: String| json_of(&text).unwrap_or(Value::String(text));
    let id = Uuid::from_u128(text.len() as u128);
    let made = Cursor { path: path.clone(), filters: value(filters), key: value(key), id, fuzzy: text.len() % 2 == 0 };
    let token = made.encode(&OURS);
    let read = Cursor::decode(&token, &path, &OURS).expect("it is ours");
    assert_eq!(json!(read), json!(made));
    assert_eq!(read.encode(&OURS), token);
    assert_eq!(read.key::<Value>().unwrap(), made.key::<Value>().unwrap());
    for refused in [
        Cursor::decode(&token, &format!("{path}/"), &OURS),
        Cursor::decode(&token, &path, &THEIRS),
        Cursor::decode(&altered(&token, text.len()), &path, &OURS),
        Cursor::decode(&token[1..], &path, &OURS),
        Cursor::decode(&format!("{token}="), &path, &OURS),
    ] {
        is_refusal(&refused.expect_err("it is forged"), Code::InvalidCursor);
    }
}

fn consistency(text: &str) {
    let of = |values: &[&str], secrets| Some(Consistency::of(&headers(&HEADER, values.iter().copied())?, secrets));
    match of(&[text], &OURS) {
        Some(Ok(token)) => assert_eq!(token.expect("it was sent").encode(&OURS), text.trim()),
        Some(Err(problem)) => is_refusal(&problem, Code::BadHeader),
        None => {}
    }
    let bytes: Vec<u8> = text.bytes().chain([0; 24]).take(24).collect();
    let change = i64::from_be_bytes(bytes[16..].try_into().unwrap());
    let made = Consistency { server: Uuid::from_slice(&bytes[..16]).unwrap(), change: (change > 0).then_some(change) };
    let token = made.encode(&OURS);
    assert_eq!(of(&[&token], &OURS).unwrap().unwrap(), Some(made));
    for refused in [
        of(&[&token], &THEIRS),
        of(&[&altered(&token, text.len())], &OURS),
        of(&[&token, &token], &OURS),
        of(&[&token[2..]], &OURS),
    ] {
        is_refusal(&refused.unwrap().expect_err("it is forged"), Code::BadHeader);
    }
}

fuzz_target!(|text: &str| {
    cursors(text);
    consistency(text);
});
