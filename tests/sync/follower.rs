//! A partner system that follows: it keeps what it was told, and where it is.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Actor, App, sql};

/// Records by collection and id, with their versions.
pub type Records = BTreeMap<(String, String), i64>;

/// What a partner keeps on disk.
#[derive(Default, Clone)]
pub struct Follower {
    pub cursor: Option<String>,
    pub records: Records,
    pub last: i64,
}

impl Follower {
    /// Where it asks next.
    pub fn path(&self, query: &str) -> String {
        match &self.cursor {
            Some(cursor) => format!("/v1/changes?cursor={cursor}&{query}"),
            None => format!("/v1/changes?{query}"),
        }
    }

    /// Applies what was answered. Nothing may come twice or out of order.
    pub fn apply(&mut self, answer: &Value) {
        for change in answer["items"].as_array().unwrap() {
            let seq = change["seq"].as_i64().unwrap();
            assert!(seq > self.last, "{seq} after {}", self.last);
            self.last = seq;
            let key = ["type", "id"].map(|name| change[name].as_str().unwrap().to_owned());
            let key = (key[0].clone(), key[1].clone());
            let version = change["version"].as_i64().unwrap();
            match change["op"].as_str().unwrap() {
                // What was hidden before this follower came is told as gone, too.
                "delete" => drop(self.records.remove(&key)),
                "create" => assert_eq!(self.records.insert(key, version), None, "created twice: {change}"),
                _ => assert!(self.records.insert(key, version) <= Some(version), "never created: {change}"),
            }
        }
        self.cursor = Some(answer["next"].as_str().unwrap().to_owned());
    }

    /// Follows until there is nothing more.
    pub async fn catch_up(&mut self, actor: &Actor) {
        loop {
            let answer = actor.get(&self.path("limit=100")).await.ok();
            self.apply(&answer);
            if answer["has_more"] == false {
                return;
            }
        }
    }
}

/// What an actor may see of the registry, one by one.
pub async fn registry(app: &App, actor: &Actor) -> Records {
    let mut records = Records::new();
    let rows = sql(&app.database, "SELECT type, id::text, version::text FROM record").await;
    for row in rows {
        let [collection, id, version] = [0, 1, 2].map(|n| row[n].clone().unwrap());
        if collection == "terms" {
            // Codes of units are hard to write into a path; terms are for everybody.
            records.insert((collection, id), version.parse().unwrap());
            continue;
        }
        let answer = actor.get(&format!("/v1/{collection}/{id}")).await;
        if answer.status == 200 {
            records.insert((collection, id), answer.json["version"].as_i64().unwrap());
        }
    }
    records
}

/// That somebody has what is there.
#[track_caller]
pub fn same(found: &Records, expected: &Records, at: &str) {
    let missing: Vec<_> = expected.iter().filter(|(key, version)| found.get(key) != Some(version)).collect();
    let left: Vec<_> = found.iter().filter(|(key, version)| expected.get(key) != Some(version)).collect();
    assert!(missing.is_empty() && left.is_empty(), "{at}\nmissing {missing:?}\nleft {left:?}");
}
