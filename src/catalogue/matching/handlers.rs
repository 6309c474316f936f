//! Its operation.

use super::model::*;
use super::queries::{Subject, find};
use crate::catalogue::needs::Need;
use crate::catalogue::pilots::Pilot;
use crate::database::records::Record;
use crate::http::{Answer, Call, Fault, Problem};
use actix_web::get;
use serde_json::json;

/// Match pilots and cities
///
/// For a city or one of its needs: the pilots that would suit it. For a pilot: the cities that it would suit. Best
/// first, each with its reasons in plain sentences; the score is the sum of their weights. Pilots of the city itself,
/// retired ones and those that it is hosting already are left out; what speaks against a pilot is told, not hidden.
/// Only records that you may see count.
///
/// {{reasons}}
#[utoipa::path(tag = "catalogue", params(MatchQuery), responses((status = 200, description = "A page of matches", body = Matches)))]
#[get("/v1/matches")]
pub async fn list_matches(call: Call) -> Answer {
    let (query, resolved): (MatchQuery, _) = (call.query()?, call.resolved().await?);
    let mut conn = call.connection().await?;
    let unknown = |parameter: &str| {
        let detail = "there is no such record that you may see";
        Problem::bad_parameters(vec![Fault::of_parameter(parameter, "unknown_record", detail)])
    };
    let subject = match (query.need_id, &query.city, query.pilot_id) {
        (Some(need), None, None) => {
            let need = Need::find(&mut conn, call.caller(), need.0).await?.ok_or_else(|| unknown("need_id"))?;
            Subject::Need(need.id, need.city_id)
        }
        (None, Some(city), None) => Subject::City(resolved.city(city)),
        (None, None, Some(pilot)) => {
            let pilot = Pilot::find(&mut conn, call.caller(), pilot.0).await?.ok_or_else(|| unknown("pilot_id"))?;
            Subject::Pilot(pilot.id)
        }
        _ => {
            let detail = "exactly one of need_id, city and pilot_id must be given";
            return Err(Problem::bad_parameters(
                ["need_id", "city", "pilot_id"].map(|name| Fault::of_parameter(name, "one_of", detail)).to_vec(),
            ));
        }
    };
    let after = match call.cursor() {
        Some(cursor) => Some((cursor.key::<i64>()?, cursor.id)),
        None => None,
    };
    let limit = query.limit.unwrap_or(50);
    let mut found = find(&mut conn, call.caller(), subject, call.state().clock.today(), after, limit).await?;
    let more = i64::try_from(found.len()).is_ok_and(|found| found > limit);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = found.last().filter(|_| more).map(|last| call.cursor_after(last.id(subject), json!(last.score), false));
    let items = found.into_iter().map(|found| found.into_match(subject)).collect();
    Ok(call.list(&Matches { items, next: next.clone() }, next.as_deref()))
}
