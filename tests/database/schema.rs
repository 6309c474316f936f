//! The program's picture of the database is what the database says, and the database keeps its own rules of naming.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use pilot_exchange::database::references::VIEWS;

use crate::support::{TestDatabase, new_database, sql};

const HEADER: &str = "\
//! Generated from the migrated database: `UPDATE_SCHEMA=1 cargo test schema_is_what_the_database_says`. Do not edit.
//! A view's comment names its nullable columns, which PostgreSQL itself does not know.

";

const COLUMNS: &str = r"
    SELECT c.relkind, c.relname, a.attname, coalesce(bt.typname, t.typname), a.attnotnull,
        coalesce(obj_description(c.oid, 'pg_class'), ''),
        coalesce((SELECT string_agg(x.attname, ',' ORDER BY k.n)
                  FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k (att, n)
                  JOIN pg_attribute x ON x.attrelid = c.oid AND x.attnum = k.att
                  WHERE i.indrelid = c.oid AND i.indisprimary), 'id')
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_type bt ON bt.oid = t.typbasetype AND t.typtype = 'd'
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v') AND c.relname NOT LIKE '\_\_%'
      AND c.relname NOT LIKE 'search\_%' AND c.relname NOT LIKE 'counted\_%' -- asked in plain SQL only
      AND c.relname NOT IN ('audience', 'broken_gate', 'hosting_pace')
    ORDER BY c.relkind, c.relname, a.attnum";

const REFERENCES: &str = "
    SELECT c.conrelid::regclass, c.confrelid::regclass, a.attname
    FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE contype = 'f' AND cardinality(conkey) = 1";

fn rust_type(postgres: &str) -> &'static str {
    match postgres {
        "uuid" => "Uuid",
        "text" => "Text",
        "int2" => "Int2",
        "int4" => "Int4",
        "int8" => "Int8",
        "bool" => "Bool",
        "timestamptz" => "Timestamptz",
        "date" => "Date",
        "jsonb" => "Jsonb",
        "bytea" => "Bytea",
        "numeric" => "Numeric",
        "float8" => "Float8",
        "_numeric" => "Array<Numeric>",
        "_text" => "Array<Text>",
        "_uuid" => "Array<Uuid>",
        other => panic!("the generator does not know the type {other}"),
    }
}

/// A column's name in Rust, where `type` is a word of the language.
fn rust_name(column: &str) -> String {
    if column == "type" { "type_".into() } else { column.into() }
}

async fn rows(database: &TestDatabase, statement: &str) -> Vec<Vec<String>> {
    let rows = sql(database, statement).await;
    rows.into_iter().map(|row| row.into_iter().map(Option::unwrap).collect()).collect()
}

/// The tables and views, in the order of their kind and name, and the names of the tables.
async fn relations(database: &TestDatabase) -> (String, Vec<String>) {
    let mut relations: BTreeMap<(String, String), Vec<Vec<String>>> = BTreeMap::new();
    for row in rows(database, COLUMNS).await {
        relations.entry((row[0].clone(), row[1].clone())).or_default().push(row);
    }
    let mut text = String::new();
    for ((kind, name), columns) in &relations {
        let key: Vec<String> = columns[0][6].split(',').map(rust_name).collect();
        write!(text, "diesel::table! {{\n    {name} ({}) {{\n", key.join(", ")).unwrap();
        let nullable: Vec<&str> = columns[0][5].split_whitespace().collect();
        for row in columns {
            let column = row[2].as_str();
            let may_be_null = if kind == "v" { nullable.contains(&column) } else { row[4] == "f" };
            let mut type_ = rust_type(&row[3]).to_owned();
            if may_be_null {
                type_ = format!("Nullable<{type_}>");
            }
            if rust_name(column) != column {
                writeln!(text, "        #[sql_name = \"{column}\"]").unwrap();
            }
            writeln!(text, "        {} -> {type_},", rust_name(column)).unwrap();
        }
        text.push_str("    }\n}\n\n");
    }
    (text, relations.into_keys().filter(|(kind, _)| kind == "r").map(|(_, name)| name).collect())
}

/// The joins that need no column named: there is one reference between the two.
async fn joins(database: &TestDatabase) -> String {
    let mut references: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for row in rows(database, REFERENCES).await {
        let [from, to, column] = row.try_into().unwrap();
        references.entry((from, to)).or_default().push(column);
    }
    let mut text = String::new();
    for ((from, to), columns) in references {
        if let ([column], false) = (columns.as_slice(), from == to) {
            writeln!(text, "diesel::joinable!({from} -> {to} ({column}));").unwrap();
        }
    }
    text
}

#[tokio::test]
async fn schema_is_what_the_database_says() {
    let database = new_database().await;
    let (relations, tables) = relations(&database).await;
    let joins = joins(&database).await;
    let tables = tables.join(",\n    ");
    let text =
        format!("{HEADER}{relations}{joins}\ndiesel::allow_tables_to_appear_in_same_query!(\n    {tables},\n);\n");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/database/schema.rs");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let checked_in = std::fs::read_to_string(&file).unwrap();
    let differing = text.lines().zip(checked_in.lines()).find(|(ours, theirs)| ours != theirs);
    assert!(
        text == checked_in,
        "src/database/schema.rs is not what the migrations make, first here: {differing:?}\n\
         write it anew: UPDATE_SCHEMA=1 cargo test schema_is_what_the_database_says"
    );
}

#[tokio::test]
async fn every_foreign_key_has_an_index_that_starts_with_its_columns() {
    let bare = "
        SELECT c.conname FROM pg_constraint c
        WHERE c.contype = 'f' AND NOT EXISTS (
            SELECT FROM pg_index i
            WHERE i.indrelid = c.conrelid AND i.indpred IS NULL
              AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)";
    assert_eq!(rows(&new_database().await, bare).await, Vec::<Vec<String>>::new());
}

#[tokio::test]
async fn every_kind_of_record_is_among_the_collections_and_has_a_view() {
    let database = new_database().await;
    let tables = "SELECT conrelid::regclass FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = conkey[1]
        WHERE conname = conrelid::regclass || '_record_fk' AND attname = 'id' ORDER BY 1";
    let mut views: Vec<String> =
        rows(&database, tables).await.into_iter().map(|row| format!("{}_view", row[0])).collect();
    let mut listed: Vec<String> = VIEWS.iter().map(|one| one.view.to_owned()).collect();
    views.sort();
    listed.sort();
    assert_eq!(listed, views);
}

#[tokio::test]
async fn every_constraint_has_a_name_of_ours_that_starts_with_its_table() {
    let database = new_database().await;
    // PostgreSQL's own names end in _fkey, _check, _key; primary keys may keep theirs.
    let names = r"
        SELECT coalesce(r.relname, t.typname), c.conname
        FROM pg_constraint c LEFT JOIN pg_class r ON r.oid = c.conrelid LEFT JOIN pg_type t ON t.oid = c.contypid
        WHERE c.connamespace = 'public'::regnamespace AND c.contype NOT IN ('p', 'n')
          AND coalesce(r.relname, '') NOT LIKE '\_\_%'
        UNION
        SELECT i.indrelid::regclass::text, x.relname
        FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
        WHERE x.relnamespace = 'public'::regnamespace AND i.indisunique AND NOT i.indisprimary";
    let names = rows(&database, names).await;
    assert!(names.len() > 50, "only {} found", names.len());
    let is_generated = |name: &str| {
        let name = name.trim_end_matches(|digit: char| digit.is_ascii_digit());
        ["_fkey", "_check", "_key", "_excl", "_idx"].iter().any(|ending| name.ends_with(ending))
    };
    let wrong: Vec<_> =
        names.iter().filter(|row| !row[1].starts_with(&format!("{}_", row[0])) || is_generated(&row[1])).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[tokio::test]
async fn the_comment_of_a_view_names_columns_that_it_has() {
    let database = new_database().await;
    let mut views: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    for row in rows(&database, COLUMNS).await.into_iter().filter(|row| row[0] == "v") {
        views.entry(row[1].clone()).or_insert_with(|| (row[5].clone(), vec![])).1.push(row[2].clone());
    }
    assert!(!views.is_empty());
    for (view, (comment, columns)) in views {
        let Some(named) = comment.strip_prefix("nullable:") else {
            assert_eq!(comment, "", "{view}");
            continue;
        };
        for column in named.split_whitespace() {
            assert!(columns.iter().any(|one| one == column), "{view} has no column {column}");
        }
    }
}

/// A prepared statement runs over the present and over the past, so both have the same columns of the same types.
#[tokio::test]
async fn every_view_of_a_record_is_there_for_the_past_with_the_same_columns() {
    let database = new_database().await;
    let columns = "SELECT v.name, p.columns IS NOT DISTINCT FROM a.columns
        FROM (SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'
              AND relname LIKE '%\\_view' AND relname <> 'record_view') v
        CROSS JOIN LATERAL (SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) AS columns
                            FROM pg_attribute WHERE attrelid = ('public.' || v.name)::regclass AND attnum > 0) p
        LEFT JOIN LATERAL (SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) AS columns
                           FROM pg_attribute WHERE attrelid = to_regclass('as_of.' || v.name) AND attnum > 0) a ON true
        ORDER BY 1";
    let views = rows(&database, columns).await;
    assert!(views.len() > 10, "{views:?}");
    for view in views {
        assert_eq!(view[1], "t", "as_of.{} is missing or has other columns", view[0]);
    }
}
