//! Lists by keyset (api.md, conventions 7 and 8).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Actor, App, founding, new_pilot, path};

fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["id"].as_str().unwrap()).collect()
}

async fn cursor_of(actor: &Actor, path: &str) -> String {
    actor.get(path).await.ok()["next"].as_str().unwrap_or_else(|| panic!("{path} has one page")).to_owned()
}

/// The list by the addresses in its header Link.
async fn by_link(actor: &Actor, first: &str) -> Vec<Value> {
    let (mut path, mut items) = (first.to_owned(), vec![]);
    loop {
        let answer = actor.get(&path).await;
        let link = answer.header("link").map(str::to_owned);
        let page = answer.ok();
        items.extend(page["items"].as_array().unwrap().clone());
        let Some(link) = link else {
            assert_eq!(page["next"], Value::Null);
            return items;
        };
        let next = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).unwrap();
        assert!(next.contains(page["next"].as_str().unwrap()), "{link}");
        path = next.to_owned();
    }
}

#[tokio::test]
async fn a_walk_sees_every_record_once_in_order_of_id() {
    let app = App::start().await;
    let anyone = app.anonymous();
    let whole = anyone.get("/v1/indicators?limit=500").await.ok();
    let whole = whole["items"].as_array().unwrap();
    assert!(whole.len() >= 64);
    assert!(ids(whole).is_sorted());
    for limit in [1, 7, whole.len() - 1, whole.len()] {
        let walked = by_link(&anyone, &format!("/v1/indicators?limit={limit}")).await;
        assert_eq!(ids(&walked), ids(whole), "limit={limit}");
    }
}

#[tokio::test]
async fn a_page_has_50_records_unless_asked_for_more() {
    let app = App::start().await;
    let anyone = app.anonymous();
    assert_eq!(anyone.get("/v1/indicators").await.ok()["items"].as_array().unwrap().len(), 50);
    assert!(anyone.get("/v1/indicators?limit=500").await.ok()["items"].as_array().unwrap().len() > 50);
}

#[tokio::test]
async fn a_cursor_alone_carries_filters_and_order() {
    let app = App::start().await;
    let anyone = app.anonymous();
    let filter = "/v1/indicators?direction=up&sort=-name";
    let whole = anyone.get(&format!("{filter}&limit=500")).await.ok()["items"].as_array().unwrap().clone();
    let cursor = cursor_of(&anyone, &format!("{filter}&limit=3")).await;
    for rest in [format!("/v1/indicators?cursor={cursor}"), format!("{filter}&limit=500&cursor={cursor}")] {
        let page = anyone.get(&rest).await.ok();
        assert_eq!(ids(page["items"].as_array().unwrap()), ids(&whole[3..]), "{rest}");
    }
}

#[tokio::test]
async fn a_cursor_continues_only_the_list_it_came_from() {
    let app = App::start().await;
    let anyone = app.anonymous();
    let cursor = cursor_of(&anyone, "/v1/indicators?direction=up&limit=3").await;
    let terms = cursor_of(&anyone, "/v1/vocabularies/areas/terms?limit=1").await;
    let mut altered = cursor.clone().into_bytes();
    altered[10] = if altered[10] == b'A' { b'B' } else { b'A' };
    let refused = [
        format!("/v1/indicators?direction=down&cursor={cursor}"),
        format!("/v1/indicators?direction=up&direction=down&cursor={cursor}"),
        format!("/v1/indicators?direction=up&sort=name&cursor={cursor}"),
        format!("/v1/pilots?cursor={cursor}"),
        format!("/v1/vocabularies/categories/terms?cursor={terms}"),
        format!("/v1/indicators?cursor={}", String::from_utf8(altered).unwrap()),
        format!("/v1/indicators?cursor={}", &cursor[..cursor.len() - 2]),
        format!("/v1/indicators?cursor={cursor}AA"),
        "/v1/indicators?cursor=".to_owned(),
        "/v1/indicators?cursor=1".to_owned(),
    ];
    for path in refused {
        let answer = anyone.get(&path).await;
        assert_eq!(answer.status, 400, "{path}");
        answer.problem(400, "invalid_cursor");
    }
}

#[tokio::test]
async fn a_record_that_exists_throughout_a_walk_is_seen_exactly_once_while_others_write() {
    let app = App::start().await;
    let busan = app.busan().await;
    let mut lasting = vec![];
    for _ in 0..20 {
        lasting.push(new_pilot(&busan, json!({})).await);
    }
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let (mut next, mut passing) = ("/v1/pilots?limit=3".to_owned(), None);
    for round in 0.. {
        let page = busan.get(&next).await.ok();
        for id in ids(page["items"].as_array().unwrap()) {
            *seen.entry(id.to_owned()).or_default() += 1;
        }
        // Between the pages others change records before and after the place, delete one and make another.
        for one in [round % 20, 19 - round % 20] {
            busan.patch(&path("pilots", &lasting[one]), json!({"summary": format!("round {round}")})).await.ok();
        }
        if let Some(pilot) = passing.replace(new_pilot(&busan, json!({})).await) {
            assert_eq!(busan.delete(&path("pilots", &pilot)).await.status, 204);
        }
        match page["next"].as_str().filter(|_| round < 40) {
            Some(cursor) => next = format!("/v1/pilots?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    for pilot in &lasting {
        assert_eq!(seen.get(pilot["id"].as_str().unwrap()), Some(&1), "{}", pilot["title"]);
    }
    assert_eq!(seen.get(founding::STREETLIGHTS), Some(&1));
}

#[tokio::test]
async fn ties_are_in_order_of_id_and_a_minus_reverses_the_order() {
    let app = App::start().await;
    let busan = app.busan().await;
    for title in ["beta", "alpha", "beta", "gamma", "alpha", "beta", "alpha"] {
        busan.post("/v1/documents", json!({"title": title, "city": "KRPUS"})).await.created();
    }
    let key = |item: &Value| (item["title"].to_string(), item["id"].to_string());
    for (sort, reversed) in [("title", false), ("-title", true)] {
        let walked = by_link(&busan, &format!("/v1/documents?city=KRPUS&sort={sort}&limit=2")).await;
        let mut keys: Vec<_> = walked.iter().map(key).collect();
        assert_eq!(keys.len(), 7);
        if reversed {
            keys.reverse();
        }
        assert!(keys.is_sorted(), "{sort}: {keys:?}");
    }
}

#[tokio::test]
async fn the_order_of_last_change_has_the_latest_at_its_end() {
    let app = App::start().await;
    let busan = app.busan().await;
    let first = new_pilot(&busan, json!({"tags": ["turns"]})).await;
    let second = new_pilot(&busan, json!({"tags": ["turns"]})).await;
    busan.patch(&path("pilots", &first), json!({"trl": 2})).await.ok();
    for (sort, expected) in [("updated_at", [&second, &first]), ("-updated_at", [&first, &second])] {
        let walked = by_link(&busan, &format!("/v1/pilots?tags=turns&sort={sort}&limit=1")).await;
        assert_eq!(ids(&walked), expected.map(|one| one["id"].as_str().unwrap()), "{sort}");
    }
}

#[tokio::test]
async fn count_exact_counts_all_that_fit_and_that_the_caller_may_see() {
    let app = App::start().await;
    let busan = app.busan().await;
    for visibility in ["public", "partners", "private"] {
        new_pilot(&busan, json!({"tags": ["counted"], "visibility": visibility})).await;
    }
    let list = "/v1/pilots?tags=counted&limit=1";
    assert!(busan.get(list).await.ok().get("count").is_none());
    for (actor, count) in [(app.anonymous(), 1), (app.reader().await, 2), (app.barcelona().await, 2), (busan, 3)] {
        let page = actor.get(&format!("{list}&count=exact")).await.ok();
        assert_eq!((page["count"].as_i64(), page["items"].as_array().unwrap().len()), (Some(count), 1));
    }
}

#[tokio::test]
async fn a_second_key_orders_what_the_first_has_in_common() {
    let app = App::start().await;
    let busan = app.busan().await;
    // The founding pilots were loaded at one instant; these come later.
    for title in ["Zebra lights", "Air sensors"] {
        new_pilot(&busan, json!({"title": title})).await;
    }
    for sort in ["-updated_at,title", "updated_at,-title", "title,-updated_at", "-title,updated_at"] {
        let mut walked = vec![];
        let mut page = busan.get(&format!("/v1/pilots?sort={sort}&limit=2")).await.ok();
        loop {
            walked.extend(page["items"].as_array().unwrap().clone());
            let Some(next) = page["next"].as_str() else { break };
            page = busan.get(&format!("/v1/pilots?limit=2&cursor={next}")).await.ok();
        }
        let mut expected = busan.all("/v1/pilots").await;
        expected.sort_by(|a, b| {
            let compare = |key: &str| {
                let name = key.trim_start_matches('-');
                let order = a[name].as_str().cmp(&b[name].as_str());
                if key.starts_with('-') { order.reverse() } else { order }
            };
            sort.split(',').map(compare).fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        });
        assert_eq!(walked, expected, "{sort}");
    }
    busan.get("/v1/pilots?sort=title,slug").await.problem(400, "bad_parameter");
}
