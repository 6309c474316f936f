//! Its operation.

use super::model::*;
use super::queries::{Found, Mode, Place, Search};
use crate::access::Caller;
use crate::database::Conn;
use crate::database::search::{self, ByPlace, ByText};
use crate::http::naming::resolved_in;
use crate::http::operation::OPERATIONS;
use crate::http::{Answer, Call, Code, Problem};
use actix_web::get;
use actix_web::http::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// How long a walk may take, in seconds. Entries that ended are kept for twice as long.
const WALK: i64 = 3600;

/// Search the registry
///
/// Everything that you may see, by words and by filters. Words are found in every language that texts are in, whatever
/// `lang` you read in: titles count most, then summaries, tags and labels of categories and areas, then descriptions,
/// then all other texts. If nothing that you may see has the words, records whose titles, tags or labels are spelled
/// alike are found, and the answer says `fuzzy: true`.
///
/// Each facet counts the hits as if it were not filtered by itself, so that a choice can be widened; beyond 50,000 hits
/// the counts are of 50,000 of them, and the answer says `estimated: true`. Facets come with the first page.
///
/// A walk through the pages goes on in the list as it was at the first page: a record that exists throughout is found
/// exactly once, whatever is written meanwhile. Its cursor ends after an hour.
#[utoipa::path(tag = "catalogue", params(ByText, ByPlace, SearchFilter), responses((status = 200, description = "A page of hits", body = Hits)))]
#[get("/v1/search")]
pub async fn search_records(call: Call) -> Answer {
    let (text, place, filter): (ByText, ByPlace, SearchFilter) = (call.query()?, call.query()?, call.query()?);
    let (circle, resolved) = (place.circle()?, call.resolved().await?);
    let now = call.state().clock.now().timestamp();
    let walk = match call.cursor() {
        Some(cursor) => Some((cursor.key::<Place>()?, cursor.id, cursor.fuzzy)),
        None => None,
    };
    if walk.as_ref().is_some_and(|(place, ..)| place.began + WALK < now) {
        return Err(Problem::new(Code::CursorExpired, Code::CursorExpired.meaning()));
    }
    let mut conn = call.connection().await?;
    let mode = match (&text.q, &walk) {
        (None, _) => Mode::All,
        (_, Some((_, _, true))) => Mode::Fuzzy,
        (_, Some(_)) => Mode::Exact,
        (Some(q), None) if search::is_fuzzy(&mut conn, call.caller(), q, None).await? => Mode::Fuzzy,
        (Some(_), None) => Mode::Exact,
    };
    let limit = filter.limit.unwrap_or(50);
    let search = Search { caller: call.caller(), q: text.q, mode, filter: &filter, resolved: &resolved, circle };
    let mut found = search.page(&mut conn, walk.as_ref().map(|(place, id, _)| (place, *id)), limit).await?;
    let more = i64::try_from(found.len()).is_ok_and(|found| found > limit);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = found.last().filter(|_| more).map(|last| {
        let (snapshot, began) = match &walk {
            Some((place, ..)) => (place.snapshot.clone(), place.began),
            None => (last.snapshot.clone(), now),
        };
        let place = Place { snapshot, began, score: last.score.clone() };
        call.cursor_after(last.id, json!(place), mode == Mode::Fuzzy)
    });
    let wanted = filter.facets.as_deref().unwrap_or(Facet::ALL);
    let (facets, estimated) = match walk {
        Some(_) => Default::default(),
        None => search.facets(&mut conn, wanted).await?,
    };
    let items = found.into_iter().map(Hit::from).collect();
    let hits = Hits { items, facets, next: next.clone(), fuzzy: mode == Mode::Fuzzy, estimated };
    Ok(call.list(&hits, next.as_deref()))
}

/// The first page of hits, for a page for people; the query is checked as that of the operation is.
///
/// # Errors
/// 400 for a query that the operation does not take.
pub async fn first_page(conn: &mut Conn, caller: &Caller, query: &str) -> Result<Hits, Problem> {
    let operation = OPERATIONS.get("/v1/search").and_then(|methods| methods.get(&Method::GET));
    let operation = operation.expect("search is an operation");
    let query = operation.parse_query(query)?;
    let resolved = resolved_in(operation, &query, conn, caller).await?;
    let (text, place, filter): (ByText, ByPlace, SearchFilter) = (read(&query)?, read(&query)?, read(&query)?);
    let circle = place.circle()?;
    let mode = match &text.q {
        None => Mode::All,
        Some(q) if search::is_fuzzy(conn, caller, q, None).await? => Mode::Fuzzy,
        Some(_) => Mode::Exact,
    };
    let limit = filter.limit.unwrap_or(50);
    let search = Search { caller, q: text.q, mode, filter: &filter, resolved: &resolved, circle };
    let mut found = search.page(conn, None, limit).await?;
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let (facets, estimated) = search.facets(conn, Facet::ALL).await?;
    let items = found.into_iter().map(Hit::from).collect();
    Ok(Hits { items, facets, next: None, fuzzy: mode == Mode::Fuzzy, estimated })
}

fn read<T: DeserializeOwned>(query: &Value) -> Result<T, Problem> {
    T::deserialize(query).map_err(|error| Problem::new(Code::BadParameter, error.to_string()))
}

impl From<Found> for Hit {
    fn from(found: Found) -> Self {
        let score = found.score.and_then(|score| score.parse().ok());
        Self { type_: found.type_, id: found.id, title: found.title, snippet: found.snippet, score }
    }
}
