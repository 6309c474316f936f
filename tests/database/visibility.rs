//! A rule of the source: records are read through `visible(caller)`, so that no query forgets who asks.

use std::fs;
use std::path::Path;

/// The macro that makes `visible` itself.
const MACRO: &str = "database/records.rs";

/// What else reads a view, how often, and why it may.
const JUSTIFIED: &[(&str, usize, &str)] = &[
    ("hosting/hostings/queries.rs", 1, "narrows records that are read by their own visibility, as reports do"),
    ("outcomes/evaluations/queries.rs", 1, "narrows evaluations, which are never for more people than their hosting"),
    ("outcomes/verification.rs", 1, "which other observations are verified is a rule about all of them"),
    ("pages/cities.rs", 1, "counts what is public, by its effective visibility"),
    ("pages/results.rs", 1, "the public observations of outcomes that were read as anybody may see them"),
    ("sync/exports/geojson.rs", 1, "where cities are is public"),
];

/// The generated picture of the database names every view and reads none.
const SCHEMA: &str = "database/schema.rs";

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// How often a source takes a whole view into a query: by its path, by an import of `table`, by another name for the
/// view, or in SQL.
fn takings(source: &str) -> usize {
    let flat = source.split_whitespace().collect::<Vec<_>>().join(" ");
    let by_path = flat.matches("_view::table").count();
    let imported = flat.split("_view::{").skip(1).filter(|rest| {
        let names = rest.split('}').next().unwrap_or_default();
        names.split(',').any(|name| name.trim() == "table" || name.trim().starts_with("table as "))
    });
    let renamed = flat.split("use ").skip(1).filter_map(|rest| rest.split(';').next()?.split_once("_view as "));
    let by_other_name: usize = renamed.map(|(_, name)| flat.matches(&format!("{name}::table")).count()).sum();
    let words: Vec<&str> = flat.split(' ').collect();
    let in_sql = words.windows(2).filter(|pair| {
        let view = pair[1].trim_matches(|end: char| !end.is_alphanumeric() && end != '_');
        matches!(pair[0].to_lowercase().trim_matches('"'), "from" | "join") && view.ends_with("_view")
    });
    by_path + imported.count() + by_other_name + in_sql.count()
}

#[test]
fn views_are_read_through_the_callers_sight_only() {
    let mut found = vec![];
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    let mut takings: Vec<(String, usize)> = found
        .iter()
        .filter(|(name, _)| name != SCHEMA && name != MACRO)
        .map(|(name, source)| (name.clone(), takings(source)))
        .filter(|(_, count)| *count > 0)
        .collect();
    takings.sort();
    let justified: Vec<(String, usize)> =
        JUSTIFIED.iter().map(|(name, count, _)| ((*name).to_owned(), *count)).collect();
    assert_eq!(takings, justified, "read views by `visible(caller)`, or justify the place in JUSTIFIED");
}

#[test]
fn the_rule_sees_every_way_to_take_a_view() {
    let ways = [
        "hosting_view::table.load(conn)",
        "use schema::hosting_view::{id, table};",
        "use schema::hosting_view as view; view::table.count()",
        "sql_query(\"SELECT id FROM hosting_view WHERE true\")",
        "sql_query(\"SELECT 1 FROM pilot JOIN hosting_view USING (pilot_id)\")",
    ];
    for way in ways {
        assert_eq!(takings(way), 1, "{way}");
    }
    assert_eq!(takings("Hosting::visible(caller).filter(hosting_view::id.eq(id)); // not from a view"), 0);
}
