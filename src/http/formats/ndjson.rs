//! One JSON object a line, and a last line by which a client knows that it has everything.

use aws_lc_rs::digest;
use serde_json::json;

use super::About;
use super::transfer::Writer;
use super::walk::Lines;
use crate::database::Conn;
use crate::http::Problem;

/// The lines so far.
pub struct Ndjson {
    about: About,
    rows: u64,
    hash: digest::Context,
}

impl Ndjson {
    /// Nothing yet.
    pub fn new(about: About) -> Self {
        Self { about, rows: 0, hash: digest::Context::new(&digest::SHA256) }
    }
}

impl Writer for Ndjson {
    async fn write(&mut self, lines: &Lines, _: &mut Conn, out: &mut Vec<u8>) -> Result<(), Problem> {
        self.hash.update(lines.as_bytes());
        self.rows += lines.count;
        out.extend_from_slice(lines.as_bytes());
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let hash = self.hash.clone().finish();
        let sha256: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let end = json!({"_end": {
            "rows": self.rows,
            "sha256": sha256,
            "as_of": self.about.as_of,
            "change_cursor": self.about.change_cursor,
        }});
        out.extend_from_slice(format!("{end}\n").as_bytes());
    }
}
