//! Text and numbers at the edge: no NUL, no control characters, Unicode NFC, no member named twice.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::problem::Fault;

/// Whether a character may stand in text; line breaks and tabs are for members that take several lines. Those that turn
/// the direction of what follows make text read otherwise than it is; marks and isolates serve languages that need them.
pub fn is_allowed(character: char) -> bool {
    let is_no_character = matches!(character, '\u{fdd0}'..='\u{fdef}') || u32::from(character) & 0xfffe == 0xfffe;
    let turns_direction = matches!(character, '\u{202a}'..='\u{202e}');
    matches!(character, '\n' | '\t') || !(character.is_control() || is_no_character || turns_direction)
}

/// The fault of text that has others.
fn not_allowed(pointer: &str) -> Fault {
    let detail = "must not contain control characters, nor such as turn the direction of text";
    Fault::at(pointer, "control_character", detail)
}

/// Brings every string of a body to NFC and whole numbers to their digits, and lists those with characters that are not allowed.
pub fn normalise(value: &mut Value) -> Vec<Fault> {
    let mut faults = vec![];
    normalise_at(value, &mut String::new(), &mut faults);
    faults
}

fn normalise_at(value: &mut Value, pointer: &mut String, faults: &mut Vec<Fault>) {
    match value {
        Value::String(text) => {
            for line_break in ["\r\n", "\u{2028}", "\u{2029}"] {
                if text.contains(line_break) {
                    *text = text.replace(line_break, "\n");
                }
            }
            if !text.chars().all(is_allowed) {
                faults.push(not_allowed(pointer));
            } else if !is_nfc(text) {
                *text = text.nfc().collect();
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                within(pointer, &index.to_string(), |pointer| normalise_at(item, pointer, faults));
            }
        }
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                within(pointer, name, |pointer| {
                    if !name.chars().all(is_allowed) {
                        faults.push(not_allowed(pointer));
                    }
                    normalise_at(member, pointer, faults);
                });
            }
        }
        Value::Number(number) => whole(number),
        Value::Null | Value::Bool(_) => {}
    }
}

/// `3.0` is an integer to JSON Schema, so it is one to us.
fn whole(number: &mut Number) {
    let text = number.to_string();
    let zeros = |rest: &str| rest.bytes().all(|digit| digit == b'0');
    if let Some(whole) = text.split_once('.').filter(|(_, rest)| zeros(rest)).and_then(|(whole, _)| whole.parse().ok())
    {
        *number = whole;
    }
}

/// Goes one step down a JSON Pointer [RFC 6901] and back again.
pub fn within(pointer: &mut String, token: &str, work: impl FnOnce(&mut String)) {
    let length = pointer.len();
    pointer.push('/');
    pointer.push_str(&token.replace('~', "~0").replace('/', "~1"));
    work(pointer);
    pointer.truncate(length);
}

/// Reads JSON [RFC 8259] and refuses objects that name a member twice.
///
/// # Errors
/// Where and why it is not JSON, in words for the client.
pub fn parse_json(bytes: &[u8]) -> Result<Value, String> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    value.map_err(|error| {
        let message = error.to_string();
        if bytes.is_empty() { "the body is empty; it has to be JSON".into() } else { message }
    })
}

/// The key under which serde_json hands over a number with its digits (feature `arbitrary_precision`).
const NUMBER: &str = "$serde_json::private::Number";

/// How the names of members begin by which serde_json takes an object for something else.
const PRIVATE: &str = "$serde_json::private::";

#[derive(Clone, Copy)]
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = vec![];
        while let Some(item) = items.next_element_seed(Strict)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if name == NUMBER && object.is_empty() {
                return members.next_value_seed(Digits).map(Value::Number);
            }
            if name.starts_with(PRIVATE) {
                return Err(A::Error::custom(format!("{name:?} is no name of a member")));
            }
            let value = members.next_value_seed(Strict)?;
            if object.insert(name.clone(), value).is_some() {
                return Err(A::Error::custom(format!("the member {name:?} is there twice")));
            }
        }
        Ok(Value::Object(object))
    }
}

/// The digits of a number. serde_json hands them over as a string of its own, never as a part of the text: so an object
/// in the text that bears the same name is no number.
struct Digits;

impl<'de> DeserializeSeed<'de> for Digits {
    type Value = Number;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Number, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Digits {
    type Value = Number;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the digits of a number")
    }
    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Number, E> {
        Err(E::custom(format!("no member may be called {NUMBER}")))
    }
    fn visit_string<E: serde::de::Error>(self, digits: String) -> Result<Number, E> {
        digits.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_named_twice_is_refused_at_any_depth() {
        assert!(parse_json(br#"{"a": {"b": 1, "b": 2}}"#).unwrap_err().contains("\"b\" is there twice"));
        assert_eq!(parse_json(br#"{"a": {"b": 1}, "b": 2}"#).unwrap(), json!({"a": {"b": 1}, "b": 2}));
    }

    #[test]
    fn what_would_be_read_as_something_else_is_refused() {
        for text in [
            r#"{"a": {"$serde_json::private::RawValue": "1"}}"#,
            r#"{"a": 1, "$serde_json::private::Number": "5"}"#,
            r#"{"a": [3], "$serde_json::private::Number": {"b": ""}}"#,
        ] {
            let detail = parse_json(text.as_bytes()).unwrap_err();
            assert!(detail.contains("is no name of a member"), "{detail}");
        }
    }

    #[test]
    fn numbers_keep_their_digits() {
        assert_eq!(parse_json(b"[0.10000000000000000001]").unwrap().to_string(), "[0.10000000000000000001]");
    }

    #[test]
    fn text_becomes_nfc_and_control_characters_are_named() {
        let mut value = json!({"title": "Cafe\u{301}", "tags": ["a\u{0}b"]});
        let faults = normalise(&mut value);
        assert_eq!(value["title"], "Café");
        assert_eq!(faults[0].pointer.as_deref(), Some("/tags/0"));
    }
}
