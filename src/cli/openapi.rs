//! `openapi`: the document as it is checked in.

use std::path::Path;

use super::Failure;
use crate::api;

const FILE: &str = "openapi/openapi.json";

/// Writes the document, or says whether the file is up to date.
pub fn run(check: bool) -> Result<(), Failure> {
    let text = api::document_text();
    if check {
        let current = std::fs::read_to_string(FILE).unwrap_or_default();
        return if current == text {
            Ok(())
        } else {
            Err(Failure::other(format!("{FILE} is not up to date; run: make openapi")))
        };
    }
    if !Path::new("openapi").is_dir() {
        return Err(Failure::other("run this in the project's folder: there is no folder openapi here"));
    }
    std::fs::write(FILE, text).map_err(|error| Failure::other(format!("{FILE} cannot be written: {error}")))
}
