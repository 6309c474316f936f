//! Values that name other records: checked together for a whole body or query, so that all faults are told at once.

use std::collections::{BTreeMap, HashMap, HashSet};

use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use super::rows::Prepared;
use super::{Conn, Tx};
use crate::access::{Caller, Sight};
use crate::http::schemas::Reference;
use crate::http::{Fault, Problem};
use crate::ids;
use crate::values::{CityRef, PartialDate, Visibility};

/// Cities and terms that were asked for, so that many bodies which name the same ask once.
#[derive(Debug, Default)]
pub struct Known {
    /// By the name used; `None` if there is no such city.
    cities: HashMap<String, Option<Uuid>>,
    /// By scheme and code: whether it is retired; `None` if there is no such term.
    terms: HashMap<(String, String), Option<bool>>,
}

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

/// Resolves references in a transaction, by what it knows already if it keeps that ([`Tx::known`]); see [`resolve_in`].
///
/// # Errors
/// Those of the database.
pub async fn resolve(
    tx: &mut Tx,
    references: Vec<Reference>,
    unchanged: impl Fn(&Reference) -> bool,
    faults: &mut Vec<Fault>,
) -> Result<Resolved, Problem> {
    let mut unkept = Known::default();
    let known = tx.known.as_mut().unwrap_or(&mut unkept);
    resolve_by(known, &mut tx.conn, &tx.caller, references, unchanged, faults).await
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
    resolve_by(&mut Known::default(), conn, caller, references, unchanged, faults).await
}

async fn resolve_by(
    known: &mut Known,
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
    known.ask(conn, &by_collection).await?;
    let mut resolved = Resolved::default();
    for (collection, references) in by_collection {
        if collection == "cities" {
            resolved.cities = known.cities(&references, faults);
        } else if let Some(scheme) = collection.strip_prefix("terms/") {
            known.check_terms(scheme, &references, &unchanged, faults);
        } else {
            let references: Vec<_> = references.into_iter().filter(|reference| !unchanged(reference)).collect();
            find_records(conn, caller, &collection, &references, faults).await?;
        }
    }
    Ok(resolved)
}

/// A city or a term that there is.
#[derive(QueryableByName)]
struct Named {
    /// None of a city.
    #[diesel(sql_type = Nullable<Text>)]
    scheme: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    code: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    retired_on: Option<PartialDate>,
}

impl Known {
    /// Asks for the cities and terms among these references that are not known yet, all at once.
    async fn ask(&mut self, conn: &mut Conn, references: &BTreeMap<String, Vec<Reference>>) -> Result<(), Problem> {
        const QUESTION: &str = "
            SELECT NULL AS scheme, c.code, c.id, NULL AS retired_on FROM city c WHERE c.code = ANY ($1) OR c.id = ANY ($2)
            UNION ALL
            SELECT t.scheme, t.code, NULL, t.retired_on FROM term t
            JOIN (SELECT DISTINCT * FROM unnest($3, $4) w (scheme, code)) w USING (scheme, code)";
        let (mut cities, mut schemes, mut codes) = (vec![], vec![], vec![]);
        for (collection, references) in references {
            let values = references.iter().map(|reference| reference.value.as_str());
            if collection == "cities" {
                cities.extend(values.filter(|name| !self.cities.contains_key(*name)));
            } else if let Some(scheme) = collection.strip_prefix("terms/") {
                codes.extend(values.filter(|code| !self.terms.contains_key(&of_scheme(scheme, code))));
                schemes.resize(codes.len(), scheme);
            }
        }
        if cities.is_empty() && codes.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = cities.iter().filter_map(|name| ids::parse(name)).collect();
        self.cities.extend(cities.iter().map(|name| ((*name).to_owned(), None)));
        self.terms.extend(schemes.iter().zip(&codes).map(|(scheme, code)| (of_scheme(scheme, code), None)));
        let question = diesel::sql_query(QUESTION)
            .bind::<Array<Text>, _>(cities)
            .bind::<Array<SqlUuid>, _>(ids)
            .bind::<Array<Text>, _>(schemes)
            .bind::<Array<Text>, _>(codes);
        let found: Vec<Named> = Prepared(question).load(conn).await?;
        let today = chrono::Utc::now().date_naive();
        for Named { scheme, code, id, retired_on } in found {
            if let (Some(scheme), Some(code)) = (scheme, &code) {
                let is_retired = retired_on.is_some_and(|date| date.last_day() <= today);
                self.terms.insert((scheme, code.clone()), Some(is_retired));
            } else if let Some(id) = id {
                self.cities.insert(id.to_string(), Some(id));
                self.cities.extend(code.map(|code| (code, Some(id))));
            }
        }
        Ok(())
    }

    fn cities(&self, references: &[Reference], faults: &mut Vec<Fault>) -> HashMap<String, Uuid> {
        let mut cities = HashMap::new();
        for reference in references {
            if let Some(Some(id)) = self.cities.get(&reference.value) {
                cities.insert(reference.value.clone(), *id);
                continue;
            }
            let detail = format!(
                "there is no city {:?}; a city is named by its UN/LOCODE, such as KRPUS (see /v1/cities)",
                reference.value
            );
            faults.push(Fault::at(&reference.pointer, "unknown_city", detail));
        }
        cities
    }

    fn check_terms(
        &self,
        scheme: &str,
        references: &[Reference],
        unchanged: &impl Fn(&Reference) -> bool,
        faults: &mut Vec<Fault>,
    ) {
        let place = format!("see /v1/vocabularies/{scheme}/terms");
        for reference in references {
            match self.terms.get(&of_scheme(scheme, &reference.value)) {
                None | Some(None) => {
                    let detail = format!("the vocabulary {scheme} has no term {:?}; {place}", reference.value);
                    faults.push(Fault::at(&reference.pointer, "unknown_term", detail));
                }
                Some(Some(true)) if !unchanged(reference) => {
                    faults.push(Fault::at(&reference.pointer, "retired_term", format!("the term is retired; {place}")));
                }
                Some(Some(_)) => {}
            }
        }
    }
}

fn of_scheme(scheme: &str, code: &str) -> (String, String) {
    (scheme.to_owned(), code.to_owned())
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
    let question = diesel::sql_query(format!(
        "SELECT v.id FROM {} v WHERE v.id = ANY ($1) AND {condition} AND $2::uuid[] IS NOT NULL",
        shown.view
    ));
    let question = question.bind::<Array<SqlUuid>, _>(wanted).bind::<Array<SqlUuid>, _>(caller.cities());
    let found: Vec<Found> = Prepared(question).load(conn).await?;
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
    let found = if wanted.is_empty() { HashSet::new() } else { seen(conn, caller, collection, wanted).await? };
    for reference in references {
        if !ids::parse(&reference.value).is_some_and(|id| found.contains(&id)) {
            let detail = format!("there is no record of {collection} with this id that you may see");
            faults.push(Fault::at(&reference.pointer, "unknown_record", detail));
        }
    }
    Ok(())
}
