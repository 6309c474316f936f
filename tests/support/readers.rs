//! Readers that nobody here wrote, in another language: `tests/readers`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// The formats of a table that `tests/readers/read_back.py` reads.
pub const FORMATS: [&str; 4] = ["csv", "ndjson", "xlsx", "parquet"];

/// Tables and what the API says of them.
pub struct Tables(tempfile::TempDir);

impl Tables {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The rows of a table as the API answers them as JSON.
    pub fn add_rows(&self, name: &str, rows: &[Value]) {
        fs::write(self.0.path().join(format!("{name}.json")), serde_json::to_vec(rows).unwrap()).unwrap();
    }

    /// The table as a file.
    pub fn add_file(&self, name: &str, format: &str, bytes: &[u8]) {
        fs::write(self.0.path().join(format!("{name}.{format}")), bytes).unwrap();
    }

    /// Asserts that every file says what the rows say.
    pub fn read_back(&self) {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
        let python = target.join("readers/bin/python3");
        assert!(python.exists(), "run scripts/setup readers");
        let read =
            Command::new(python).arg(root.join("tests/readers/read_back.py")).arg(self.0.path()).output().unwrap();
        let told = String::from_utf8_lossy(&read.stdout);
        assert!(read.status.success(), "{told}{}", String::from_utf8_lossy(&read.stderr));
    }
}
