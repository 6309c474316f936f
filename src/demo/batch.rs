//! How a batch of records is written: their rows, then their revisions and changes from what is read back, so that a
//! generated record has the history that one made through the API has.

use diesel::sql_types::Jsonb;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use uuid::Uuid;

use super::dice::{day, instant};
use crate::access::Caller;
use crate::database::history::Signature;
use crate::database::records::{Op, Record};
use crate::database::{Acting, Tx};
use crate::http::Problem;

/// How many records are written by one statement.
pub const BATCH: usize = 500;

/// Who does something.
#[derive(Debug, Clone, Copy)]
pub struct Hand {
    /// The account.
    pub account_id: Uuid,
    /// The city it acts for; none: an administrator's or a verifier's.
    pub city_id: Option<Uuid>,
    /// Whether it is an administrator.
    pub as_administrator: bool,
}

/// A version of a record: made when and by whom.
#[derive(Debug, Clone, Copy)]
pub struct Made {
    pub id: Uuid,
    pub at: i64,
    pub by: Hand,
}

/// What every record has, of a new one.
#[derive(Debug)]
pub struct New {
    pub made: Made,
    pub language: &'static str,
    pub translations: Value,
    /// Its id at the generator; observations and what hangs on hostings have none.
    pub external: Option<String>,
    /// Its id in another system.
    pub elsewhere: Option<(&'static str, String)>,
}

impl New {
    /// In English, without translations.
    pub fn plain(made: Made, external: Option<String>) -> Self {
        Self { made, language: "en", translations: json!({}), external, elsewhere: None }
    }
}

/// Rows of one table: its name, the columns given, the rows.
pub type Rows = (&'static str, &'static str, Vec<Value>);

/// Inserts rows that are given as JSON.
pub async fn insert(tx: &mut Tx, (table, columns, rows): Rows) -> Result<(), Problem> {
    tx.insert_rows(table, columns, rows).await
}

/// Runs a statement over rows that are given as JSON.
pub async fn update(tx: &mut Tx, statement: &str, rows: Vec<Value>) -> Result<(), Problem> {
    if !rows.is_empty() {
        diesel::sql_query(statement).bind::<Jsonb, _>(json!(rows)).execute(&mut tx.conn).await?;
    }
    Ok(())
}

/// Makes records: version 1.
pub async fn create<R: Record>(tx: &mut Tx, new: &[New], rows: Vec<Rows>) -> Result<(), Problem> {
    let registered = new.iter().map(|one| {
        let at = instant(one.made.at);
        json!({"id": one.made.id, "type": R::TYPE, "version": 1, "created_at": at, "updated_at": at,
               "language": one.language, "translations": one.translations})
    });
    let columns = "id, type, version, created_at, updated_at, language, translations";
    insert(tx, ("record", columns, registered.collect())).await?;
    let mut external = vec![];
    for one in new {
        let mut add = |source: &str, value: &str| {
            external.push(json!({"record_id": one.made.id, "type": R::TYPE, "source": source, "value": value}));
        };
        if let Some(value) = &one.external {
            add("generated", value);
        }
        if let Some((source, value)) = &one.elsewhere {
            add(source, value);
        }
    }
    let sources = "INSERT INTO external_source (source, created_at)
        SELECT one ->> 'source', min(r.created_at) FROM jsonb_array_elements($1) one
        JOIN record r ON r.id = (one ->> 'record_id')::uuid GROUP BY 1 ORDER BY 1 ON CONFLICT DO NOTHING";
    update(tx, sources, external.clone()).await?;
    insert(tx, ("external_id", "record_id, type, source, value", external)).await?;
    for one in rows {
        insert(tx, one).await?;
    }
    let made: Vec<Made> = new.iter().map(|one| one.made).collect();
    tell::<R>(tx, Op::Create, &made).await
}

/// Takes the next version of records whose rows were changed.
pub async fn change<R: Record>(tx: &mut Tx, made: &[Made]) -> Result<(), Problem> {
    let rows = made.iter().map(|one| json!({"id": one.id, "at": instant(one.at)})).collect();
    let statement = "UPDATE record r SET version = r.version + 1, updated_at = n.at
        FROM jsonb_to_recordset($1) AS n (id uuid, at timestamptz) WHERE r.id = n.id";
    update(tx, statement, rows).await?;
    tell::<R>(tx, Op::Update, made).await
}

/// Writes the revisions and changes of records as they are now.
async fn tell<R: Record>(tx: &mut Tx, op: Op, made: &[Made]) -> Result<(), Problem> {
    for chunk in made.chunks(BATCH) {
        let mut chunk = chunk.to_vec();
        chunk.sort_by_key(|one| one.id);
        let ids: Vec<Uuid> = chunk.iter().map(|one| one.id).collect();
        let records = R::find_all(&mut tx.conn, &Caller::registry(), &ids).await?;
        debug_assert_eq!(records.len(), ids.len(), "what was written can be read");
        let told: Vec<(R, Signature)> = records
            .into_iter()
            .zip(chunk)
            .map(|(mut record, one)| {
                record.complete(day(one.at));
                let acting = Acting { city_id: one.by.city_id, as_administrator: one.by.as_administrator };
                (record, Signature { account_id: Some(one.by.account_id), acting, at: Some(instant(one.at)) })
            })
            .collect();
        tx.write_changes(op, &told).await?;
    }
    Ok(())
}

/// A move of a record through its states.
#[derive(Debug, Clone)]
pub struct Moved {
    pub made: Made,
    pub from: Option<&'static str>,
    pub to: &'static str,
    /// A term of `hosting_reasons`.
    pub reason: Option<&'static str>,
    /// In free text.
    pub because: Option<&'static str>,
    pub day: Option<String>,
}

/// Keeps moves, in this order.
pub async fn keep_moves(tx: &mut Tx, moves: &[Moved]) -> Result<(), Problem> {
    let rows = moves.iter().map(|one| {
        json!({"record_id": one.made.id, "from_status": one.from, "to_status": one.to, "day": one.day,
               "at": instant(one.made.at), "account_id": one.made.by.account_id,
               "acting_city_id": one.made.by.city_id, "as_administrator": one.made.by.as_administrator,
               "reason": one.reason.or(one.because), "reason_scheme": one.reason.map(|_| "hosting_reasons"),
               "guards_waived": []})
    });
    let columns = "record_id, from_status, to_status, day, at, account_id, acting_city_id, as_administrator, reason, \
                   reason_scheme, guards_waived";
    insert(tx, ("transition", columns, rows.collect())).await
}
