//! What is kept of any list and any record is what is there, whatever happens: that each answer was read from all that the
//! cache believes is asked of every kind.

use serde_json::Value;

use super::openapi::operations;
use crate::support::histories::{Event, Histories, World};
use crate::support::{Actor, App, Options};

/// Records looked at of each list: the newest are those that something happens to.
const OF_EACH: usize = 3;

/// The lists that need nothing to be asked for.
fn lists() -> Vec<&'static str> {
    let is_list = |(method, path, operation): &(&str, &str, &Value)| {
        let parameters = || operation["parameters"].as_array().into_iter().flatten();
        let takes = |name: &str| parameters().any(|one| one["name"] == name);
        *method == "get"
            && !path.contains('{')
            && takes("limit")
            && takes("updated_since")
            && parameters().all(|one| one["required"] != true)
    };
    operations().filter(is_list).map(|(_, path, _)| path).collect()
}

/// The pages that a history may change: each list, and records of it.
async fn pages(reader: &Actor) -> Vec<String> {
    let mut pages = vec![];
    for list in lists() {
        pages.push(format!("{list}?limit=500"));
        let records = reader.all(&format!("{list}?limit=500")).await;
        let ids = records.iter().rev().take(OF_EACH).map(|record| record["id"].as_str().unwrap());
        pages.extend(ids.map(|id| format!("{list}/{id}")));
    }
    pages
}

#[tokio::test]
async fn what_is_kept_of_any_kind_is_what_is_there() {
    let app = App::start().await;
    let without = Options { database: Some(app.database.clone()), cache_megabytes: Some(0), ..Options::default() };
    let without = App::start_with(without).await;
    let (here, there) = (app.anonymous(), without.anonymous());
    let mut histories = Histories::new();
    let mut world = World::of(&app).await;
    // An outcome that everybody sees follows its observations, in every history.
    let events = [vec![Event::Cancel, Event::Observe(7), Event::Verify], histories.next(12)].concat();
    assert!(lists().len() >= 15, "{:?}", lists());
    for event in &events {
        let pages = pages(&there).await;
        for page in &pages {
            here.get(page).await;
        }
        world.happens(event).await;
        for page in &pages {
            let (kept, made) = (here.get(page).await, there.get(page).await);
            let at = format!("{page} after {event:?}, SEED={}", histories.seed);
            assert_eq!((kept.status, &kept.json["items"]), (made.status, &made.json["items"]), "{at}");
            assert_eq!(kept.headers.get("etag"), made.headers.get("etag"), "{at}");
        }
    }
}
