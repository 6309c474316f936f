//! Rules that need more than the schema of a body.

use std::collections::BTreeSet;

use serde_json::Value;

use super::problem::{Fault, Problem};
use super::schemas::Schema;
use crate::values::PartialDate;

/// Rules that need more than the schema: collects what is wrong, so that the client hears of all at once.
#[derive(Debug, Default)]
pub struct Rules(pub(super) Vec<Fault>);

impl Rules {
    /// None checked yet.
    pub fn new() -> Self {
        Self::default()
    }
    /// Whether something is wrong there already; one fault of a member is told, the first.
    pub fn has(&self, pointer: &str) -> bool {
        self.0.iter().any(|fault| fault.pointer.as_deref() == Some(pointer))
    }
    /// Whether a list or an object has more than it may have. Rules that look at each one are not asked then.
    pub(super) fn is_too_much(&self) -> bool {
        self.0.iter().any(|fault| fault.code == "too_many")
    }
    /// What has to hold, and what the client is told if it does not.
    pub fn require(&mut self, holds: bool, pointer: &str, code: &str, detail: &str) {
        if !holds && !self.has(pointer) {
            self.0.push(Fault::at(pointer, code, detail));
        }
    }
    /// That an end is not before its beginning, as far as both are known.
    pub fn require_order(
        &mut self,
        start: Option<&PartialDate>,
        end: Option<&PartialDate>,
        pointer: &str,
        start_name: &str,
    ) {
        if let (Some(start), Some(end)) = (start, end) {
            self.require(
                end.last_day() >= start.first_day(),
                pointer,
                "before_start",
                &format!("must not be before {start_name}"),
            );
        }
    }
    /// # Errors
    /// 422 with all that did not hold.
    pub fn done(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(self.problem()) }
    }

    pub(super) fn problem(mut self) -> Problem {
        let mut seen = BTreeSet::new();
        self.0.retain(|fault| seen.insert((fault.pointer.clone(), fault.code.clone())));
        Problem::invalid(self.0)
    }
}

/// Translations are of texts that the record has.
pub(super) fn check_translations(schema: &Schema, value: &Value, rules: &mut Rules) {
    /// So many that are not are told of a language.
    const TOLD: usize = 20;
    let texts = schema.texts.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let detail = format!("is not a text of this record; its texts are {texts}");
    for (language, texts) in value["translations"].as_object().into_iter().flatten() {
        // Names are no part of what the validator checks; see `Schema::new`.
        let name = format!("has a member whose name is not a language [BCP 47], such as ko or pt-BR: {language:?}");
        rules.require(is_language(language), "/translations", "bad_name", &name);
        let unknown = texts.as_object().into_iter().flatten().filter(|(name, _)| !schema.texts.contains(*name));
        for (name, _) in unknown.take(TOLD) {
            rules.require(false, &format!("/translations/{language}/{name}"), "unknown_member", &detail);
        }
    }
}

/// Whether it is what the document says of the name of a language.
fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let primary = parts.next().unwrap_or_default();
    let is_primary = (2..=3).contains(&primary.len()) && primary.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_subtag = |part: &str| (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_primary && parts.all(is_subtag)
}

/// No external id is there twice.
pub(super) fn check_external_ids(value: &Value, rules: &mut Rules) {
    let ids = value["external_ids"].as_array().map_or(&[][..], Vec::as_slice);
    for (index, id) in ids.iter().enumerate() {
        rules.require(!ids[..index].contains(id), &format!("/external_ids/{index}"), "not_unique", "is there twice");
    }
}
