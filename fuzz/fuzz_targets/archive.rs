//! Backups: the hash at the end of a file, and a column of what `pg_restore` prints.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use aws_lc_rs::digest;
use libfuzzer_sys::fuzz_target;
use pilot_exchange::cli::archive::{check_hash, end_of, telling, values};
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

fn is_whole(file: &[u8]) -> bool {
    let path: PathBuf = FOLDER.path().join("backup.dump");
    fs::write(&path, file).unwrap();
    let is_whole = check_hash(&path).is_ok();
    fs::remove_file(&path).unwrap();
    is_whole
}

fn ended(content: &[u8]) -> Vec<u8> {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(content);
    [content, end_of(hash).as_bytes()].concat()
}

fn hashes(content: &[u8]) {
    let file = ended(content);
    assert!(is_whole(&file));
    assert!(!is_whole(content) || content.ends_with(b"\n"), "nobody else ends a file so");
    assert!(!is_whole(&file[..file.len() - 1]), "cut off");
    assert!(!is_whole(&[&file[..], b"\n"].concat()), "with more after its end");
    let mut altered = file;
    let at = content.len() * 7919 % altered.len();
    altered[at] ^= 1;
    assert!(!is_whole(&altered), "altered");
}

fn columns(script: &str) {
    for column in ["kid", "private_key", "at", ""] {
        for value in values(script, column) {
            assert!(script.contains(&value) && value != "\\N" && !value.contains(['\t', '\n']));
        }
    }
    // A table made of the lines is read back.
    let cell = |text: &str| text.replace(['\t', '\r', '\n'], " ");
    let rows: Vec<(String, String)> = script
        .lines()
        .map(|line| line.split_once('\t').unwrap_or((line, "")))
        .map(|(a, b)| (cell(a), cell(b)))
        .collect();
    let rows: Vec<_> = rows.into_iter().filter(|(kid, _)| kid != "\\.").collect();
    let table: String = rows.iter().map(|(kid, key)| format!("{kid}\t{key}\n")).collect();
    let table = format!("SET a;\nCOPY public.signing_key (kid, private_key) FROM stdin;\n{table}\\.\n\nSELECT 1;\n");
    let stated = |value: &&String| *value != "\\N";
    assert!(values(&table, "kid").iter().eq(rows.iter().map(|(kid, _)| kid).filter(stated)));
    assert!(values(&table, "private_key").iter().eq(rows.iter().map(|(_, key)| key).filter(stated)));
}

fuzz_target!(|bytes: &[u8]| {
    hashes(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        columns(text);
        let said = telling(text);
        assert!(!said.is_empty() && !said.contains('\n') && said.trim() == said);
    }
});
