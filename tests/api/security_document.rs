//! What the documents on security name is there: each test that they say shows something, and each file.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The requirements of ASVS 5.0 of levels 1 and 2.
const REQUIREMENTS: usize = 253;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn document(name: &str) -> String {
    fs::read_to_string(root().join("docs").join(name)).unwrap_or_else(|error| panic!("docs/{name}: {error}"))
}

/// What stands between backticks, line by line, without blocks of code.
fn ticked(text: &str) -> BTreeSet<&str> {
    let mut is_code = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            found.extend(line.split('`').skip(1).step_by(2));
        }
    }
    found
}

/// The parts of `module::…::test`: at least a room, a file and a function.
fn parts(name: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = name.split("::").collect();
    let is_name = |part: &&str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    (parts.len() >= 3 && parts.iter().all(is_name)).then_some(parts)
}

/// The files that a module may be in.
fn files(module: &[&str]) -> Vec<PathBuf> {
    let below = module.join("/");
    ["tests", "src"]
        .iter()
        .flat_map(|base| [format!("{base}/{below}.rs"), format!("{base}/{below}/mod.rs")])
        .map(|file| root().join(file))
        .collect()
}

fn is_there(parts: &[&str]) -> bool {
    let Some((function, module)) = parts.split_last() else { return false };
    let declared = format!("fn {function}(");
    files(module).iter().any(|file| fs::read_to_string(file).is_ok_and(|source| source.contains(&declared)))
}

#[test]
fn every_test_that_is_named_is_there() {
    let text = format!("{}\n{}", document("SECURITY.md"), document("ASVS.md"));
    let ticked = ticked(&text);
    let named: Vec<_> = ticked.iter().filter_map(|name| Some((*name, parts(name)?))).collect();
    let missing: Vec<&str> = named.iter().filter(|(_, parts)| !is_there(parts)).map(|(name, _)| *name).collect();
    assert!(missing.is_empty(), "docs/SECURITY.md or docs/ASVS.md name tests that are not there: {missing:#?}");
    assert!(named.len() >= 170, "only {} tests are named", named.len());
    assert!(!is_there(&["api", "security_document", "none_of_this_name"]));
}

#[test]
fn every_file_that_is_named_is_there() {
    let text = format!("{}\n{}", document("SECURITY.md"), document("ASVS.md"));
    let rooms = ["src/", "tests/", "scripts/", "openapi/", "deploy/"];
    let ticked = ticked(&text);
    let named: Vec<&str> =
        ticked.iter().copied().filter(|name| rooms.iter().any(|room| name.starts_with(*room))).collect();
    let missing: Vec<&&str> = named.iter().filter(|name| !root().join(name).exists()).collect();
    assert!(missing.is_empty() && named.len() >= 10, "{missing:?} of {}", named.len());
}

#[test]
fn every_requirement_is_answered_once_and_what_does_not_hold_is_told() {
    let (asvs, security) = (document("ASVS.md"), document("SECURITY.md"));
    let mut numbers = BTreeSet::new();
    let mut told = 0;
    for line in asvs.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let is_requirement =
            cells[0].split('.').count() == 3 && cells[0].bytes().all(|byte| b"0123456789.".contains(&byte));
        if !is_requirement {
            continue;
        }
        let [number, level, _, state, shown] = cells[..] else { panic!("not five cells: {line}") };
        assert!(numbers.insert(number), "{number} is there twice");
        assert!(matches!(level, "1" | "2"), "{line}");
        match state {
            "holds" => assert!(!shown.is_empty(), "{number} holds, shown by nothing"),
            "n/a" => assert!(!shown.is_empty(), "{number} does not apply: why?"),
            "operator" => {}
            "**no**" => {
                told += 1;
                let names_it = |line: &str| line.split([' ', ',', '|']).any(|word| word == number);
                let is_told = security.lines().any(|line| line.starts_with("| S") && names_it(line));
                assert!(is_told, "{number} is not among what does not hold");
            }
            other => panic!("{number}: {other}"),
        }
    }
    assert_eq!(numbers.len(), REQUIREMENTS);
    assert!(told > 0, "nobody holds all of it");
}
