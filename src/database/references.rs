//! Values that name other records: checked together for a whole body or query, so that all faults are told at once.

use std::collections::{BTreeMap, HashMap, HashSet};

use diesel::prelude::*;
use diesel::sql_types::{Array, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use super::schema::{city, term};
use super::{Conn, Tx};
use crate::access::{Caller, Sight};
use crate::http::schemas::Reference;
use crate::http::{Fault, Problem};
use crate::ids;
use crate::values::{CityRef, PartialDate, Visibility};

/// The cities that were named, by the name used.
#[derive(Debug, Clone, Default)]
pub struct Resolved {
    cities: HashMap<String, Uuid>,
}

impl Resolved {
    /// The id of a city that was named.
    ///
    /// # Panics
    /// If the city was not among the references that were checked: a schema without its reference.
    pub fn city(&self, city: &CityRef) -> Uuid {
        self.cities[&city.0]
    }

    /// The id of a city that was named, if there is such a city.
    pub fn known_city(&self, city: &CityRef) -> Option<Uuid> {
        self.cities.get(&city.0).copied()
    }

    /// The ids of the cities that a filter names; `None` when it names none.
    pub fn cities(&self, names: Option<&Vec<CityRef>>) -> Option<Vec<Uuid>> {
        names.map(|names| names.iter().map(|name| self.city(name)).collect())
    }
}

/// Where the records of a collection are read.
#[derive(Debug)]
pub struct Shown {
    /// The collection.
    pub collection: &'static str,
    /// Its view.
    pub view: &'static str,
    /// What a row `v` of the view is called, as SQL. It may name only what those who see the row may see.
    pub title: &'static str,
}

const fn shown(collection: &'static str, view: &'static str, title: &'static str) -> Shown {
    Shown { collection, view, title }
}

/// Every collection, in order of work.
pub const VIEWS: &[Shown] = &[
    shown("cities", "city_view", "v.name"),
    shown("organisations", "organisation_view", "v.name"),
    shown("programmes", "programme_view", "v.name"),
    shown("documents", "document_view", "v.title"),
    shown("terms", "term_view", "v.label"),
    shown("pilots", "pilot_view", "v.title"),
    shown("needs", "need_view", "v.title"),
    shown("applicability", "applicability_view", "(SELECT p.title FROM pilot p WHERE p.id = v.pilot_id)"),
    shown("partnerships", "partnership_view", "v.title"),
    shown("initiatives", "initiative_view", "v.title"),
    shown("activities", "activity_view", "v.title"),
    shown("agreements", "agreement_view", "v.title"),
    shown("hostings", "hosting_view", "(SELECT p.title FROM pilot p WHERE p.id = v.pilot_id)"),
    shown("compliance", "compliance_view", "v.kind"),
    shown("indicators", "indicator_view", "v.name"),
    shown("outcomes", "outcome_view", "(SELECT i.name FROM indicator i WHERE i.id = v.indicator_id)"),
    shown(
        "observations",
        "observation_view",
        "(SELECT i.name FROM outcome o JOIN indicator i ON i.id = o.indicator_id WHERE o.id = v.outcome_id)",
    ),
    shown("evaluations", "evaluation_view", "left(v.summary, 300)"),
];

/// The condition, as SQL, under which a caller sees a row `v` of a collection's view; parameter `$n` of the statement is
/// the caller's cities.
pub fn sight_condition(caller: &Caller, collection: &str, n: usize) -> String {
    match caller.sight(collection) {
        Sight::Everything => "true".into(),
        Sight::Public => "v.effective_visibility = 'public'".into(),
        Sight::Partners => "v.effective_visibility <> 'private'".into(),
        Sight::Cities(_) => format!("(v.effective_visibility <> 'private' OR v.city_ids && ${n})"),
    }
}

/// A link to a record that not everybody may see, with what is needed to tell who may. In JSON it is the id.
#[derive(Debug, Clone, Deserialize)]
pub struct Link {
    /// The id of the record.
    pub id: Uuid,
    visibility: Visibility,
    city_ids: Vec<Uuid>,
}

impl Link {
    /// Whether a caller may see the record it leads to.
    pub fn is_seen_by(&self, caller: &Caller, collection: &str) -> bool {
        caller.may_see(collection, self.visibility.label(), &self.city_ids)
    }
}

impl Serialize for Link {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.id.serialize(serializer)
    }
}

/// Resolves references in a transaction; see [`resolve_in`].
///
/// # Errors
/// Those of the database.
pub async fn resolve(
    tx: &mut Tx,
    references: Vec<Reference>,
    unchanged: impl Fn(&Reference) -> bool,
    faults: &mut Vec<Fault>,
) -> Result<Resolved, Problem> {
    let caller = tx.caller.clone();
    resolve_in(&mut tx.conn, &caller, references, unchanged, faults).await
}

/// Adds a fault for each reference to a record that does not exist, is not visible to the caller, or is a retired
/// term (unless it stood there before).
///
/// # Errors
/// Those of the database.
pub async fn resolve_in(
    conn: &mut Conn,
    caller: &Caller,
    references: Vec<Reference>,
    unchanged: impl Fn(&Reference) -> bool,
    faults: &mut Vec<Fault>,
) -> Result<Resolved, Problem> {
    let mut by_collection: BTreeMap<String, Vec<Reference>> = BTreeMap::new();
    for reference in references {
        by_collection.entry(reference.collection.clone()).or_default().push(reference);
    }
    let mut resolved = Resolved::default();
    for (collection, references) in by_collection {
        if collection == "cities" {
            resolved.cities = find_cities(conn, &references, faults).await?;
        } else if let Some(scheme) = collection.strip_prefix("terms/") {
            find_terms(conn, scheme, &references, &unchanged, faults).await?;
        } else {
            let references: Vec<_> = references.into_iter().filter(|reference| !unchanged(reference)).collect();
            find_records(conn, caller, &collection, &references, faults).await?;
        }
    }
    Ok(resolved)
}

fn values(references: &[Reference]) -> Vec<&str> {
    references.iter().map(|reference| reference.value.as_str()).collect()
}

async fn find_cities(
    conn: &mut Conn,
    references: &[Reference],
    faults: &mut Vec<Fault>,
) -> Result<HashMap<String, Uuid>, Problem> {
    let named: Vec<Uuid> = references.iter().filter_map(|reference| ids::parse(&reference.value)).collect();
    let found: Vec<(Uuid, Option<String>)> = city::table
        .filter(city::code.eq_any(values(references)).or(city::id.eq_any(named)))
        .select((city::id, city::code))
        .load(conn)
        .await?;
    let mut cities = HashMap::new();
    for (id, code) in found {
        cities.insert(id.to_string(), id);
        cities.extend(code.map(|code| (code, id)));
    }
    for reference in references.iter().filter(|reference| !cities.contains_key(&reference.value)) {
        let detail = format!(
            "there is no city {:?}; a city is named by its UN/LOCODE, such as KRPUS (see /v1/cities)",
            reference.value
        );
        faults.push(Fault::at(&reference.pointer, "unknown_city", detail));
    }
    Ok(cities)
}

async fn find_terms(
    conn: &mut Conn,
    scheme: &str,
    references: &[Reference],
    unchanged: &impl Fn(&Reference) -> bool,
    faults: &mut Vec<Fault>,
) -> Result<(), Problem> {
    let today = chrono::Utc::now().date_naive();
    let found: HashMap<String, bool> = term::table
        .filter(term::scheme.eq(scheme).and(term::code.eq_any(values(references))))
        .select((term::code, term::retired_on))
        .load::<(String, Option<PartialDate>)>(conn)
        .await?
        .into_iter()
        .map(|(code, retired_on)| (code, retired_on.is_some_and(|date| date.last_day() <= today)))
        .collect();
    for reference in references {
        let place = format!("see /v1/vocabularies/{scheme}/terms");
        match found.get(&reference.value) {
            None => {
                let detail = format!("the vocabulary {scheme} has no term {:?}; {place}", reference.value);
                faults.push(Fault::at(&reference.pointer, "unknown_term", detail));
            }
            Some(true) if !unchanged(reference) => {
                faults.push(Fault::at(&reference.pointer, "retired_term", format!("the term is retired; {place}")));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Those of these records of a collection that a caller may see.
///
/// # Errors
/// Those of the database.
pub async fn seen(
    conn: &mut Conn,
    caller: &Caller,
    collection: &str,
    wanted: Vec<Uuid>,
) -> Result<HashSet<Uuid>, Problem> {
    let shown = VIEWS.iter().find(|one| one.collection == collection).expect("every collection has a view");
    let condition = sight_condition(caller, collection, 2);
    let found = diesel::sql_query(format!(
        "SELECT v.id FROM {} v WHERE v.id = ANY ($1) AND {condition} AND $2::uuid[] IS NOT NULL",
        shown.view
    ))
    .bind::<Array<SqlUuid>, _>(wanted)
    .bind::<Array<SqlUuid>, _>(caller.cities())
    .load::<Found>(conn)
    .await?;
    Ok(found.into_iter().map(|found| found.id).collect())
}

async fn find_records(
    conn: &mut Conn,
    caller: &Caller,
    collection: &str,
    references: &[Reference],
    faults: &mut Vec<Fault>,
) -> Result<(), Problem> {
    let wanted: Vec<Uuid> = references.iter().filter_map(|reference| ids::parse(&reference.value)).collect();
    let found = seen(conn, caller, collection, wanted).await?;
    for reference in references {
        if !ids::parse(&reference.value).is_some_and(|id| found.contains(&id)) {
            let detail = format!("there is no record of {collection} with this id that you may see");
            faults.push(Fault::at(&reference.pointer, "unknown_record", detail));
        }
    }
    Ok(())
}
