//! One JSON object a line, and a last line by which a client knows that it has everything.

use aws_lc_rs::digest;
use serde_json::{Map, Value, json};

use super::{Lines, TextWriter};
use crate::http::Problem;

/// The lines so far.
pub struct Ndjson {
    about: Map<String, Value>,
    rows: u64,
    hash: digest::Context,
}

impl Ndjson {
    /// Nothing yet; the last line says `about` as well.
    pub fn new(about: Map<String, Value>) -> Self {
        Self { about, rows: 0, hash: digest::Context::new(&digest::SHA256) }
    }
}

impl TextWriter for Ndjson {
    fn write(&mut self, lines: &Lines, out: &mut Vec<u8>) -> Result<(), Problem> {
        self.hash.update(lines.as_bytes());
        self.rows += lines.count;
        out.extend_from_slice(lines.as_bytes());
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let hash = self.hash.clone().finish();
        let sha256: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut end = json!({"rows": self.rows, "sha256": sha256});
        end.as_object_mut().into_iter().for_each(|end| end.extend(self.about.clone()));
        let end = json!({"_end": end});
        out.extend_from_slice(format!("{end}\n").as_bytes());
    }
}
