//! Erasure under privacy law: a text is taken out of every row that holds it, history included. Only the owner of the
//! schema may do so. What is left in place of it is [`MARK`], or nothing where a member may be absent.
//!
//! The catalogue says where text can be, so no table is forgotten. All of it is one transaction, which ends by looking
//! everywhere again: it is done, or nothing is.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;
use tokio_postgres::{Client, Error, Row, Transaction};
use uuid::Uuid;

use super::referring::collection_of;
use crate::ids;

/// What stands where something was erased.
pub const MARK: &str = "[redacted]";

/// How short a text may be; anything shorter is part of everything.
pub const SHORTEST: usize = 3;

/// Why nothing was erased, in one line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RedactionError(String);

impl From<Error> for RedactionError {
    fn from(error: Error) -> Self {
        match error.as_db_error() {
            Some(said) if said.constraint().is_some() => Self(format!(
                "the registry cannot be without it ({}): it is a name, a code or a key, so change that first",
                said.constraint().unwrap_or_default()
            )),
            Some(said) => Self(said.message().to_owned()),
            None => Self(error.to_string()),
        }
    }
}

/// Where some of it is.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The record; none for what is not part of one, such as stored answers and reports of imports.
    pub record: Option<Uuid>,
    /// Table and column.
    pub column: String,
    /// How many rows.
    pub rows: i64,
}

/// What was done.
#[derive(Debug)]
pub struct Done {
    /// The redaction, as it is kept.
    pub id: Uuid,
    /// Records that have a new version.
    pub marked: usize,
    /// Records that were deleted before, of which only history was left.
    pub deleted: usize,
    /// Rows that were changed.
    pub rows: usize,
}

/// A column that can hold text.
struct Column {
    table: String,
    name: String,
    kind: String,
    /// Whether the member may be absent.
    is_nullable: bool,
    owner: Option<String>,
    /// Whether it holds codes, by which rows are named.
    is_code: bool,
}

/// What is to be erased, and where that can be.
pub struct Redaction {
    /// The longest first: one may be part of another.
    texts: Vec<String>,
    /// As they are within JSON.
    escaped: Vec<String>,
    columns: Vec<Column>,
    /// Members that may be absent, by collection.
    optional: HashMap<String, HashSet<String>>,
}

/// The texts that members of a record have had in any of its versions, translations included.
///
/// # Errors
/// Those of the database, and if there are none.
pub async fn texts_of(client: &Client, record: Uuid, members: &[String]) -> Result<Vec<String>, RedactionError> {
    let rows = client.query("SELECT body::text FROM revision WHERE record_id = $1", &[&record]).await?;
    if rows.is_empty() {
        return Err(RedactionError(format!("there is no record {record}, and there never was")));
    }
    let mut texts = BTreeSet::new();
    for row in rows {
        let body: Value = serde_json::from_str(row.get(0)).unwrap_or_default();
        let languages = body["translations"].as_object().into_iter().flatten().map(|(_, texts)| texts);
        for value in std::iter::once(&body).chain(languages) {
            members.iter().filter_map(|member| value.pointer(member)).for_each(|value| collect(value, &mut texts));
        }
    }
    if texts.is_empty() {
        let members = members.join(", ");
        return Err(RedactionError(format!("no version of {record} has a text at {members}; see its history")));
    }
    Ok(texts.into_iter().collect())
}

fn collect(value: &Value, texts: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text != MARK => drop(texts.insert(text.clone())),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(members) => members.values().for_each(|member| collect(member, texts)),
        _ => {}
    }
}

impl Redaction {
    /// Of these texts, exactly as they are written.
    ///
    /// # Errors
    /// Those of the database, and if one is too short to be told from everything else.
    pub async fn of(client: &Client, mut texts: Vec<String>) -> Result<Self, RedactionError> {
        if let Some(short) = texts.iter().find(|text| text.trim().chars().count() < SHORTEST) {
            let line =
                format!("{short:?} is too short: it would be found in everything; at least {SHORTEST} characters");
            return Err(RedactionError(line));
        }
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        let quoted = |text: &String| serde_json::to_string(text).unwrap_or_default();
        let escaped = texts.iter().map(quoted).map(|text| text[1..text.len() - 1].to_owned()).collect();
        let views = "SELECT relname::text, obj_description(oid, 'pg_class') FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'v' AND obj_description(oid, 'pg_class') IS NOT NULL";
        let mut optional: HashMap<String, HashSet<String>> = HashMap::new();
        for row in client.query(views, &[]).await? {
            let (view, comment): (String, String) = (row.get(0), row.get(1));
            let members = comment.trim_start_matches("nullable: ").split(' ').map(str::to_owned);
            optional.entry(collection_of(view.trim_end_matches("_view")).to_owned()).or_default().extend(members);
        }
        let columns = client.query(include_str!("redaction_columns.sql"), &[]).await?;
        let column = |row: Row| Column {
            table: row.get(0),
            name: row.get(1),
            kind: row.get(2),
            is_nullable: row.get(3),
            owner: row.get(4),
            is_code: row.get(5),
        };
        let redaction = Self { texts, escaped, columns: columns.into_iter().map(column).collect(), optional };
        redaction.check_codes(client).await?;
        Ok(redaction)
    }

    /// A text that is part of a code would be taken out of every record that has the code.
    async fn check_codes(&self, client: &Client) -> Result<(), RedactionError> {
        for column in self.columns.iter().filter(|column| column.is_code) {
            let question = format!("SELECT FROM {} WHERE {} LIMIT 1", column.table, column.condition());
            if client.query_opt(&question, &[self.sought(column)]).await?.is_some() {
                let line = format!(
                    "the registry cannot be without it: it is part of a code ({}.{}); name more of the text",
                    column.table, column.name
                );
                return Err(RedactionError(line));
            }
        }
        Ok(())
    }

    /// Where any of it is.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn places(&self, client: &impl tokio_postgres::GenericClient) -> Result<Vec<Place>, RedactionError> {
        let mut places = vec![];
        for column in &self.columns {
            let Column { table, name, .. } = column;
            let owner = column.owner.as_deref().unwrap_or("NULL::uuid");
            let question = format!("SELECT {owner}, count(*) FROM {table} WHERE {} GROUP BY 1", column.condition());
            for row in client.query(&question, &[self.sought(column)]).await? {
                places.push(Place { record: row.get(0), column: format!("{table}.{name}"), rows: row.get(1) });
            }
        }
        places.sort();
        Ok(places)
    }

    /// Erases it everywhere, marks the records, and keeps by whom it was done and why.
    ///
    /// # Errors
    /// Those of the database, and if an import is under way, which would bring it back; nothing was changed then.
    pub async fn run(&self, client: &mut Client, by: &str, reason: &str) -> Result<Done, RedactionError> {
        let tx = client.transaction().await?;
        tx.batch_execute(
            "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '10s'; SET LOCAL search_path = public",
        )
        .await?;
        if tx.query_opt("SELECT FROM import_file LIMIT 1", &[]).await?.is_some() {
            let line = "an import is waiting or under way, whose file cannot be searched: wait until it has ended, or cancel it";
            return Err(RedactionError(line.into()));
        }
        // Whoever writes locks the row of the record first, so nobody writes to these from here on.
        let ids: BTreeSet<Uuid> = self.places(&tx).await?.into_iter().filter_map(|place| place.record).collect();
        let ids: Vec<Uuid> = ids.into_iter().collect();
        tx.execute("SELECT FROM record WHERE id = ANY ($1) ORDER BY id FOR UPDATE", &[&ids]).await?;
        let (mut rows, mut records) = (0, BTreeSet::new());
        for column in &self.columns {
            rows += self.erase(&tx, column, &mut records).await?;
        }
        let records: Vec<Uuid> = records.into_iter().collect();
        let id: Uuid = ids::fresh();
        let marked = mark(&tx, id, by, reason, &records).await?;
        if let Some(left) = self.left(&tx).await? {
            return Err(RedactionError(format!(
                "some of it is part of an id, a day, a number or the name of a member ({left}): name more of the text; \
                 nothing was changed"
            )));
        }
        tx.commit().await?;
        Ok(Done { id, marked, deleted: records.len() - marked, rows })
    }

    /// Takes it out of one column; says how many rows had it, and adds their records.
    async fn erase(
        &self,
        tx: &Transaction<'_>,
        column: &Column,
        records: &mut BTreeSet<Uuid>,
    ) -> Result<usize, RedactionError> {
        let Column { table, name, .. } = column;
        let owner = column.owner.as_deref().unwrap_or("NULL::uuid");
        let question = format!(
            "SELECT ctid::text, {owner}, {}, {} FROM {table} WHERE {} FOR UPDATE",
            column.as_text(),
            column.collection(),
            column.condition()
        );
        let rows = tx.query(&question, &[self.sought(column)]).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        tx.batch_execute(&format!("SET LOCAL pilot_exchange.redacting = '{table}'")).await?;
        let change = format!("UPDATE {table} SET {name} = {} WHERE ctid = $1::text::tid", column.value_of("$2::text"));
        let change = tx.prepare(&change).await?;
        for row in &rows {
            let (place, record): (String, Option<Uuid>) = (row.get(0), row.get(1));
            let (before, collection): (String, String) = (row.get(2), row.get(3));
            let after = self.without(column, &before, &collection);
            tx.execute(&change, &[&place, &after]).await?;
            records.extend(record);
        }
        tx.batch_execute("SET LOCAL pilot_exchange.redacting = ''").await?;
        Ok(rows.len())
    }

    /// The value of a column without it; none if nothing is left.
    fn without(&self, column: &Column, before: &str, collection: &str) -> Option<String> {
        let nothing = HashSet::new();
        let optional = self.optional.get(collection).unwrap_or(&nothing);
        if column.kind == "text" {
            return self.text(before, column.is_nullable && optional.contains(&column.name));
        }
        match serde_json::from_str(before) {
            Ok(value) => Some(self.json(value, optional).to_string()),
            // A stored answer that is not JSON.
            Err(_) => self.text(before, false),
        }
    }

    /// A text without it. One that is nothing else, or a single word such as an address, goes as a whole where it may:
    /// half of it would not be one any more.
    fn text(&self, before: &str, is_optional: bool) -> Option<String> {
        let found = |text: &&String| before.contains(text.as_str());
        if is_of_the_registry(before) || !self.texts.iter().any(|text| found(&text)) {
            return Some(before.to_owned());
        }
        let is_whole =
            self.texts.iter().any(|text| text.trim() == before.trim()) || !before.contains(char::is_whitespace);
        if is_optional && is_whole {
            return None;
        }
        Some(self.texts.iter().fold(before.to_owned(), |text, sought| text.replace(sought.as_str(), MARK)))
    }

    /// JSON without it; `optional` are the members of its first level that may be absent.
    fn json(&self, value: Value, optional: &HashSet<String>) -> Value {
        match value {
            Value::String(text) => self.text(&text, false).map_or(Value::Null, Value::String),
            Value::Array(items) => {
                let has =
                    |item: &Value| item.as_str().is_some_and(|text| self.texts.iter().any(|one| text.contains(one)));
                let kept = items.into_iter().filter(|item| !has(item));
                kept.map(|item| self.json(item, &HashSet::new())).collect()
            }
            Value::Object(members) => {
                let member = |(name, value): (String, Value)| {
                    let value = match value {
                        Value::String(text) => {
                            self.text(&text, optional.contains(&name)).map_or(Value::Null, Value::String)
                        }
                        value => self.json(value, &HashSet::new()),
                    };
                    (name, value)
                };
                Value::Object(members.into_iter().map(member).collect())
            }
            other => other,
        }
    }

    /// Where any of it still is, the entries of search included.
    async fn left(&self, tx: &Transaction<'_>) -> Result<Option<String>, RedactionError> {
        if let Some(place) = self.places(tx).await?.first() {
            return Ok(Some(place.column.clone()));
        }
        let question =
            "SELECT FROM search_entry e, unnest($1::text[]) sought WHERE position(sought IN e::text) > 0 LIMIT 1";
        Ok(tx.query_opt(question, &[&self.texts]).await?.map(|_| "search_entry".to_owned()))
    }

    fn sought(&self, column: &Column) -> &(dyn tokio_postgres::types::ToSql + Sync) {
        match column.kind.as_str() {
            "json" | "bytes" => &self.escaped,
            _ => &self.texts,
        }
    }
}

/// Whether a text is an id, a day, an instant or a decimal as the registry writes them: nobody's words, and records would
/// lose each other without them. Numbers of telephones are written in other ways.
fn is_of_the_registry(text: &str) -> bool {
    let is_decimal = || {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, rest) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        all_digits(whole) && all_digits(rest) && (whole == "0" || !whole.starts_with('0'))
    };
    let is_day = || {
        let day = text.split_once('T').map_or(text, |(day, _)| day);
        let parts: Vec<&str> = day.split('-').collect();
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        [&[4][..], &[4, 2], &[4, 2, 2]].contains(&lengths.as_slice())
            && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    text.parse::<Uuid>().is_ok() || is_day() || is_decimal()
}

impl Column {
    /// Whether a row has any of `$1`.
    fn condition(&self) -> String {
        let name = &self.name;
        let found = match self.kind.as_str() {
            "text" => format!("position(sought IN {name}) > 0"),
            "list" => format!("position(sought IN array_to_string({name}, chr(31))) > 0"),
            "bytes" => format!("position(convert_to(sought, 'UTF8') IN {name}) > 0"),
            _ => format!("position(sought IN {name}::text) > 0"),
        };
        format!("EXISTS (SELECT FROM unnest($1::text[]) sought WHERE {found})")
    }

    /// The value as text: JSON, but for plain text.
    fn as_text(&self) -> String {
        let name = &self.name;
        match self.kind.as_str() {
            "text" => name.clone(),
            "list" => format!("to_json({name})::text"),
            "bytes" => format!("convert_from({name}, 'UTF8')"),
            _ => format!("{name}::text"),
        }
    }

    /// The value of that text.
    fn value_of(&self, text: &str) -> String {
        match self.kind.as_str() {
            "text" => text.to_owned(),
            "list" => format!("ARRAY(SELECT jsonb_array_elements_text({text}::jsonb))"),
            "bytes" => format!("convert_to({text}, 'UTF8')"),
            _ => format!("{text}::jsonb"),
        }
    }

    /// The collection whose members the value has.
    fn collection(&self) -> String {
        match self.table.as_str() {
            "revision" => "type".into(),
            "idempotency_key" => "coalesce((SELECT r.type FROM record r WHERE r.id::text
                = substring(convert_from(body, 'UTF8') FROM '\"id\":\\s*\"([0-9a-f-]{36})\"')), '')"
                .into(),
            table => format!("'{}'::text", collection_of(table)),
        }
    }
}

/// Keeps the redaction, and gives each record a version that marks it: followers and search hear of it as of any change.
/// Who may know of that are those who could last. Says how many got one; the others were deleted before.
async fn mark(
    tx: &Transaction<'_>,
    id: Uuid,
    by: &str,
    reason: &str,
    records: &[Uuid],
) -> Result<usize, RedactionError> {
    tx.execute("INSERT INTO redaction (id, by, reason) VALUES ($1, $2, $3)", &[&id, &by, &reason]).await?;
    let versions = "
        WITH raised AS (
            UPDATE record SET version = version + 1, updated_at = now() WHERE id = ANY ($1) RETURNING id, version
        )
        INSERT INTO revision (record_id, version, type, op, body, kept, visibility, city_ids)
        SELECT n.id, n.version, r.type, 'update', r.body || jsonb_build_object('version', n.version,
                'updated_at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')),
            r.kept, t.visibility::visibility, t.city_ids
        FROM raised n
        JOIN revision r ON r.record_id = n.id AND r.version = n.version - 1
        CROSS JOIN LATERAL audience_told(n.id) t";
    let marked = tx.execute(versions, &[&records]).await?;
    let changes = "INSERT INTO change (record_id, version)
        SELECT r.id, r.version FROM record r WHERE r.id = ANY ($1) ORDER BY r.id";
    tx.execute(changes, &[&records]).await?;
    let marks = "INSERT INTO redaction_mark (redaction_id, record_id, version)
        SELECT $2, r.record_id, max(r.version) FROM revision r WHERE r.record_id = ANY ($1) GROUP BY r.record_id";
    tx.execute(marks, &[&records, &id]).await?;
    tx.execute("SELECT search_refresh($1)", &[&records]).await?;
    // Rows that ended are kept for pages that were begun; these would show it.
    let ended = "DELETE FROM search_entry WHERE ended IS NOT NULL
        AND (record_id = ANY ($1) OR names && $1 OR parents && $1 OR ended = pg_current_xact_id())";
    tx.execute(ended, &[&records]).await?;
    Ok(usize::try_from(marked).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn redaction(texts: &[&str]) -> Redaction {
        let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
        Redaction { escaped: texts.clone(), texts, columns: vec![], optional: HashMap::new() }
    }

    #[test]
    fn what_may_be_absent_goes_as_a_whole_and_the_rest_is_marked() {
        let one = redaction(&["jane@example.org", "Jane Doe"]);
        assert_eq!(one.text("Jane Doe", true), None);
        assert_eq!(one.text("https://x.example/?mail=jane@example.org", true), None);
        assert_eq!(one.text("Ask Jane Doe.", true).as_deref(), Some("Ask [redacted]."));
        assert_eq!(one.text("Jane Doe", false).as_deref(), Some("[redacted]"));
        let id = "015aca1d-6405-7000-8000-000000000005";
        assert_eq!(redaction(&["7000"]).text(id, true).as_deref(), Some(id));
        assert_eq!(one.text("nothing", true).as_deref(), Some("nothing"));
    }

    #[test]
    fn days_and_numbers_of_the_registry_are_nobodys_words() {
        for own in
            ["2026-12-01", "2026", "2026-12-01T08:53:06.852684Z", "98", "-0.5", "015aca1d-6405-7000-8000-000000000005"]
        {
            assert!(is_of_the_registry(own), "{own}");
        }
        for words in ["+4930123456", "030123456", "93402-7000", "Jane", "12 34", "1.2.3.4", ""] {
            assert!(!is_of_the_registry(words), "{words}");
        }
    }

    #[test]
    fn json_is_searched_to_its_depth_and_numbers_keep_their_digits() {
        let optional: HashSet<String> = ["email".to_owned()].into();
        let before: Value = serde_json::from_str(
            r#"{"email": "Jane", "name": "Jane", "tags": ["a Jane", "b"], "sites": [{"name": "At Jane's"}], "n": 1.50}"#,
        )
        .expect("JSON");
        let after = redaction(&["Jane"]).json(before, &optional);
        assert_eq!(
            after.to_string(),
            r#"{"email":null,"name":"[redacted]","tags":["b"],"sites":[{"name":"At [redacted]'s"}],"n":1.50}"#
        );
    }

    #[test]
    fn texts_of_a_member_are_all_that_it_holds() {
        let mut texts = BTreeSet::new();
        collect(&json!({"a": ["one", {"b": "two"}], "c": 3, "d": MARK}), &mut texts);
        assert_eq!(texts.into_iter().collect::<Vec<_>>(), ["one", "two"]);
    }
}
