//! Every kind of record by the name of its collection: for what concerns them all, such as expanding what a record
//! names. What a kind is, and what its members name, its schema says.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use chrono::NaiveDate;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, LocalBoxFuture};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::path::Parameter;
use uuid::Uuid;

use crate::access::Caller;
use crate::catalogue::applicability::Applicability;
use crate::catalogue::needs::Need;
use crate::catalogue::pilots::Pilot;
use crate::cooperation::activities::Activity;
use crate::cooperation::agreements::Agreement;
use crate::cooperation::initiatives::Initiative;
use crate::cooperation::partnerships::Partnership;
use crate::database::records::{self, Op, Record};
use crate::database::{Conn, Tx};
use crate::directory::cities::City;
use crate::directory::documents::Document;
use crate::directory::organisations::Organisation;
use crate::directory::programmes::Programme;
use crate::directory::terms::Term;
use crate::hosting::compliance::Compliance;
use crate::hosting::hostings::Hosting;
use crate::http::editing::Editable;
use crate::http::paging::Listed;
use crate::http::{Answer, Call, Problem, bringing};
use crate::ids::REFERS_TO;
use crate::outcomes::evaluations::Evaluation;
use crate::outcomes::indicators::Indicator;
use crate::outcomes::observations::Observation;
use crate::outcomes::outcome::Outcome;
use crate::sync::exports::{self, Format};

/// Records as they are shown to a caller, by id.
pub type Shown = BTreeMap<Uuid, Value>;

/// Reads records as they are shown to a caller on a day.
pub type Load = for<'c> fn(&'c mut Conn, &'c Caller, &'c [Uuid], NaiveDate) -> BoxFuture<'c, Result<Shown, Problem>>;

/// Brings rows of an import in, in their order.
pub type Bring = for<'c> fn(&'c mut Tx, Vec<Value>) -> LocalBoxFuture<'c, Result<Vec<bringing::Outcome>, Problem>>;

/// One kind of record.
pub struct Collection {
    /// Its name, as in the path.
    pub name: &'static str,
    /// The name of its schema.
    pub schema: String,
    /// Those of the records that a caller may see, as they are shown to them.
    pub load: Load,
    /// Answers its list as a whole, as a file.
    pub export: fn(Call, Format) -> LocalBoxFuture<'static, Answer>,
    /// Filters that its export has in the place of its list's path.
    pub within: fn() -> Vec<Parameter>,
    /// Writes the revision and the change of a record that something else changed.
    pub revise: for<'c> fn(&'c mut Tx, Uuid) -> LocalBoxFuture<'c, Result<(), Problem>>,
    /// Brings rows of an import in, in the name of the transaction's caller; what became of each, in their order.
    pub bring: Bring,
    /// The name of the schema of what is sent to make one.
    pub input: String,
}

impl Collection {
    fn of<R: Listed + Editable>() -> Self {
        Self {
            name: R::TYPE,
            schema: R::name().into(),
            load: load::<R>,
            export: |call, format| exports::export::<R>(call, format).boxed_local(),
            within: R::within,
            revise: revise::<R>,
            bring: |tx, rows| R::bring_all(tx, rows).boxed_local(),
            input: R::Input::name().into(),
        }
    }
}

/// All of them.
pub static ALL: LazyLock<Vec<Collection>> = LazyLock::new(|| {
    vec![
        Collection::of::<City>(),
        Collection::of::<Organisation>(),
        Collection::of::<Programme>(),
        Collection::of::<Document>(),
        Collection::of::<Term>(),
        Collection::of::<Pilot>(),
        Collection::of::<Need>(),
        Collection::of::<Applicability>(),
        Collection::of::<Partnership>(),
        Collection::of::<Initiative>(),
        Collection::of::<Activity>(),
        Collection::of::<Agreement>(),
        Collection::of::<Hosting>(),
        Collection::of::<Compliance>(),
        Collection::of::<Indicator>(),
        Collection::of::<Outcome>(),
        Collection::of::<Observation>(),
        Collection::of::<Evaluation>(),
    ]
});

/// The collection of this name.
pub fn named(name: &str) -> Option<&'static Collection> {
    ALL.iter().find(|one| one.name == name)
}

fn load<'c, R: Record>(
    conn: &'c mut Conn,
    caller: &'c Caller,
    ids: &'c [Uuid],
    day: NaiveDate,
) -> BoxFuture<'c, Result<Shown, Problem>> {
    async move {
        let found = R::find_all(conn, caller, ids).await?;
        Ok(found.into_iter().map(|record| (record.id(), records::shown(record, caller, day))).collect())
    }
    .boxed()
}

fn revise<R: Record>(tx: &mut Tx, id: Uuid) -> LocalBoxFuture<'_, Result<(), Problem>> {
    async move {
        tx.next_version(id).await?;
        tx.recorded::<R>(id, Op::Update).await.map(|_| ())
    }
    .boxed_local()
}

/// A member that names other records, and the name under which those are shown with `expand`.
pub struct Expansion {
    /// `pilot`, `documents`.
    pub name: String,
    /// `pilot_id`, `document_ids`.
    pub member: String,
    /// Whether it names several.
    pub is_many: bool,
    /// What it names.
    pub target: &'static Collection,
}

static EXPANSIONS: LazyLock<HashMap<&'static str, Vec<Expansion>>> = LazyLock::new(|| {
    let schemas = &super::schemas()["components"]["schemas"];
    ALL.iter().map(|one| (one.name, expansions_in(schemas, &one.schema))).collect()
});

/// What `expand` may be for a collection.
pub fn expansions_of(collection: &str) -> &'static [Expansion] {
    EXPANSIONS.get(collection).map_or(&[], Vec::as_slice)
}

/// The same from the schemas alone, for the document while it is made.
pub fn expansions_in(schemas: &Value, schema: &str) -> Vec<Expansion> {
    let members = schemas[schema]["properties"].as_object().into_iter().flatten();
    let expansion = |(member, property): (&String, &Value)| {
        let is_many = member.ends_with("_ids");
        let name =
            member.strip_suffix("_ids").map(|one| format!("{one}s")).or(member.strip_suffix("_id").map(Into::into))?;
        let target = named(refers_to(schemas, if is_many { &property["items"] } else { property })?)?;
        Some(Expansion { name, member: member.clone(), is_many, target })
    };
    members.filter_map(expansion).collect()
}

fn refers_to<'s>(schemas: &'s Value, schema: &'s Value) -> Option<&'s str> {
    if let Some(collection) = schema[REFERS_TO].as_str() {
        return Some(collection);
    }
    if let Some(reference) = schema["$ref"].as_str() {
        return refers_to(schemas, &schemas[reference.rsplit('/').next()?]);
    }
    schema["oneOf"].as_array()?.iter().find_map(|one| refers_to(schemas, one))
}
