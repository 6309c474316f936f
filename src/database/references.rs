//! Values that name other records: checked together for a whole body or query, so that all faults are told at once.

use std::collections::{BTreeMap, HashMap, HashSet};

use diesel::prelude::*;
use diesel::sql_types::{Array, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::schema::{city, term};
use super::{Conn, Tx};
use crate::access::{Caller, Sight};
use crate::http::schemas::Reference;
use crate::http::{Fault, Problem};
use crate::ids;
use crate::values::{CityRef, PartialDate};

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

/// The collections whose records can be referred to by id, and where to look.
const VIEWS: &[(&str, &str)] = &[
    ("organisations", "organisation_view"),
    ("documents", "document_view"),
    ("pilots", "pilot_view"),
    ("needs", "need_view"),
    ("hostings", "hosting_view"),
    ("indicators", "indicator_view"),
    ("outcomes", "outcome_view"),
    ("observations", "observation_view"),
];

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

async fn find_records(
    conn: &mut Conn,
    caller: &Caller,
    collection: &str,
    references: &[Reference],
    faults: &mut Vec<Fault>,
) -> Result<(), Problem> {
    let wanted: Vec<Uuid> = references.iter().filter_map(|reference| ids::parse(&reference.value)).collect();
    let view =
        VIEWS.iter().find(|(name, _)| *name == collection).map(|(_, view)| *view).expect("every collection has a view");
    let (visible, cities): (&[&str], Vec<Uuid>) = match caller.sight(collection) {
        Sight::Public => (&["public"], vec![]),
        Sight::Partners => (&["public", "partners"], vec![]),
        Sight::Cities(cities) => (&["public", "partners"], cities),
        Sight::Everything => (&["public", "partners", "private"], vec![]),
    };
    let found: HashSet<Uuid> = diesel::sql_query(format!(
        "SELECT id FROM {view} WHERE id = ANY ($1) AND (effective_visibility = ANY ($2) OR city_ids && $3)"
    ))
    .bind::<Array<SqlUuid>, _>(wanted)
    .bind::<Array<Text>, _>(visible)
    .bind::<Array<SqlUuid>, _>(cities)
    .load::<Found>(conn)
    .await?
    .into_iter()
    .map(|found| found.id)
    .collect();
    for reference in references {
        if !ids::parse(&reference.value).is_some_and(|id| found.contains(&id)) {
            let detail = format!("there is no record of {collection} with this id that you may see");
            faults.push(Fault::at(&reference.pointer, "unknown_record", detail));
        }
    }
    Ok(())
}
