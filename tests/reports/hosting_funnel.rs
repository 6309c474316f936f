//! How far hostings come.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Seen, figures, follow, readers, rows, with, worlds};
use crate::support::life::Exchange;
use crate::support::{App, position, sql};

const STATES: [&str; 8] = ["proposed", "agreed", "preparing", "live", "suspended", "evaluating", "closed", "cancelled"];

/// The moves of each hosting, in order: to which state, and when.
type Moves = BTreeMap<String, Vec<(String, DateTime<Utc>)>>;

async fn moves(app: &App) -> Moves {
    let statement = "SELECT record_id::text, to_status, extract(epoch FROM at)::numeric * 1000000 FROM transition
        JOIN hosting ON hosting.id = record_id ORDER BY transition.id";
    let mut moves = Moves::new();
    for row in sql(&app.database, statement).await {
        let [id, to, at] = [0, 1, 2].map(|column| row[column].clone().unwrap());
        let micros = at.split('.').next().unwrap().parse().unwrap();
        moves.entry(id).or_default().push((to, DateTime::from_timestamp_micros(micros).unwrap()));
    }
    moves
}

/// Now, reached, the days that it took, for each state.
fn funnel(hostings: &[Value], moves: &Moves) -> Vec<(usize, usize, Vec<f64>)> {
    let of = |state: &&str| {
        let now = hostings.iter().filter(|hosting| hosting["status"] == *state).count();
        let (mut reached, mut days) = (0, vec![]);
        for hosting in hostings {
            let moves = &moves[hosting["id"].as_str().unwrap()];
            let Some(first) = moves.iter().position(|(to, _)| to == state) else { continue };
            reached += 1;
            if first > 0 {
                days.push((moves[first].1 - moves[first - 1].1).num_microseconds().unwrap() as f64 / 86_400e6);
            }
        }
        days.sort_by(f64::total_cmp);
        (now, reached, days)
    };
    STATES.iter().map(of).collect()
}

fn median(days: &[f64]) -> Option<f64> {
    let half = days.len() / 2;
    match days.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(days[half]),
        _ => Some(f64::midpoint(days[half - 1], days[half])),
    }
}

fn assert_is(rows: &[Value], expected: &[(usize, usize, Vec<f64>)], at: &str) {
    for ((row, state), (now, reached, days)) in rows.iter().zip(STATES).zip(expected) {
        let figures = [&row["status"], &row["now"], &row["reached"], &row["timed"]];
        assert_eq!(figures, [&json!(state), &json!(now), &json!(reached), &json!(days.len())], "{at}");
        let said = row["median_days"].as_str().map(|days| days.parse::<f64>().unwrap());
        let is_near = said.zip(median(days)).is_some_and(|(said, days)| (said - days).abs() < 0.051);
        assert!(is_near || said.is_none() && days.is_empty(), "{at}: {row} is not {days:?}");
    }
    assert_eq!(rows.len(), STATES.len(), "{at}");
}

#[tokio::test]
async fn states_are_counted_and_timed_by_the_moves_that_were_made() {
    for (world, app) in worlds().await {
        let moves = moves(&app).await;
        let mut timed = 0;
        for (name, reader) in &readers(&app).await {
            let seen = Seen::by(reader).await;
            for filter in seen.filters() {
                let hostings = seen.narrowed(&filter).hostings;
                for kind in ["home_test", "exchange", ""] {
                    let is_chosen = |hosting: &&Value| kind.is_empty() || hosting["kind"] == kind;
                    let chosen: Vec<Value> = hostings.iter().filter(is_chosen).cloned().collect();
                    let own = if kind.is_empty() { String::new() } else { format!("kind={kind}") };
                    let path = with(&filter.of("/v1/reports/hosting-funnel"), &own);
                    let (rows, expected) = (rows(reader, &path).await, funnel(&chosen, &moves));
                    assert_is(&rows, &expected, &format!("{path} as {name}, {world}"));
                    timed += expected.iter().map(|(_, _, days)| days.len()).sum::<usize>();
                    if *name == "barcelona" || *name == "anonymous" && kind.is_empty() {
                        follow(reader, &path).await;
                    }
                }
            }
        }
        assert!(timed > 0 || world == "the founding data", "nothing took any time in {world}");
    }
}

#[tokio::test]
async fn the_past_has_the_moves_of_the_past_also_of_a_hosting_that_was_taken_back() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let (proposed, agreed) = (exchange.hosting_at("proposed").await, exchange.hosting_at("agreed").await);
    let path = "/v1/reports/hosting-funnel";
    let then = figures(&exchange.busan, path).await;
    let past = with(path, &format!("as_of={}", position(&exchange.busan).await));
    let at = |hosting: &Value| format!("/v1/hostings/{}", hosting["id"].as_str().unwrap());
    exchange.busan.delete(&at(&proposed)).await;
    exchange.barcelona.transition(&at(&agreed), json!({"to": "preparing"})).await.ok();
    assert_eq!(figures(&exchange.busan, &past).await, then);
    let reached = |rows: &[Value]| rows.iter().map(|row| row["reached"].as_i64().unwrap()).collect::<Vec<_>>();
    assert_eq!(reached(&then), [2, 1, 0, 3, 0, 0, 0, 0]);
    assert_eq!(reached(&figures(&exchange.busan, path).await), [1, 1, 1, 3, 0, 0, 0, 0]);
    assert_eq!(follow(&exchange.busan, &past).await, 16);
}
