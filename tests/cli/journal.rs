//! A client that keeps a journal of its writes, and the audit of what became of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::Response;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::support::process::until;
use crate::support::{Actor, try_sql, unique};

/// What the client knows of a write.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// Sent, and no answer to build on.
    Unknown,
    /// Answered 201 with this record.
    Acknowledged(Value),
    /// Answered 4xx.
    Refused,
}

/// The writes by their Idempotency-Key, which is the title of the pilot too.
#[derive(Default)]
struct Shared {
    writes: Mutex<BTreeMap<String, (Value, Fate)>>,
    acknowledged: AtomicUsize,
    unavailable: AtomicUsize,
    /// Answers that no fault may cause.
    violations: Mutex<Vec<String>>,
    stopped: AtomicBool,
}

/// Several writers at work.
pub struct Journal {
    shared: Arc<Shared>,
    writers: JoinSet<()>,
}

impl Journal {
    /// Four writers in the name of this actor, until [`Journal::finish`].
    pub fn start(actor: &Actor) -> Self {
        let shared = Arc::new(Shared::default());
        let mut writers = JoinSet::new();
        for _ in 0..4 {
            writers.spawn(write(actor.clone(), shared.clone()));
        }
        Self { shared, writers }
    }

    pub fn acknowledged(&self) -> usize {
        self.shared.acknowledged.load(Ordering::SeqCst)
    }

    /// How often 503 was answered.
    pub fn unavailable(&self) -> usize {
        self.shared.unavailable.load(Ordering::SeqCst)
    }

    /// Waits until so many more writes are acknowledged.
    pub async fn advance(&self, more: usize, patience: Duration) {
        let goal = self.acknowledged() + more;
        until(&format!("{more} more acknowledged"), patience, async || self.acknowledged() >= goal).await;
    }

    /// Lets the writers end, and checks what the service has made of their writes.
    pub async fn finish(mut self, actor: &Actor, postgres_url: &str) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        while let Some(ended) = self.writers.join_next().await {
            ended.unwrap();
        }
        audit(&*self.shared.writes.lock().await, actor, postgres_url).await;
        assert_eq!(*self.shared.violations.lock().await, Vec::<String>::new(), "answers that no fault may cause");
    }
}

async fn write(actor: Actor, shared: Arc<Shared>) {
    for number in 0.. {
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        let key = format!("journal-{}", unique());
        let mut body = json!({"title": key, "origin_city": "KRPUS", "category": "other"});
        if number % 7 == 6 {
            body["trl"] = json!(99);
        }
        // Intent, before anything is sent.
        shared.writes.lock().await.insert(key.clone(), (body.clone(), Fate::Unknown));
        let fate = match post(&actor, &key, &body).await {
            Ok(response) => judge(response, &shared).await,
            Err(_) => {
                // Nobody there for the moment: no need to ask a thousand times a second.
                tokio::time::sleep(Duration::from_millis(10)).await;
                Fate::Unknown
            }
        };
        if matches!(fate, Fate::Acknowledged(_)) {
            shared.acknowledged.fetch_add(1, Ordering::SeqCst);
        }
        shared.writes.lock().await.insert(key, (body, fate));
    }
}

async fn post(actor: &Actor, key: &str, body: &Value) -> reqwest::Result<Response> {
    let request = actor.request("POST", "/v1/pilots").header("idempotency-key", key).json(body);
    request.timeout(Duration::from_secs(20)).send().await
}

async fn judge(response: Response, shared: &Shared) -> Fate {
    let status = response.status().as_u16();
    let retry_after = response.headers().contains_key("retry-after");
    let Ok(text) = response.text().await else {
        return Fate::Unknown;
    };
    let json: Value = serde_json::from_str(&text).unwrap_or_default();
    match status {
        201 => Fate::Acknowledged(json["id"].clone()),
        422 => Fate::Refused,
        503 if retry_after && json["code"] == "unavailable" => {
            shared.unavailable.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(10)).await;
            Fate::Unknown
        }
        _ => {
            shared.violations.lock().await.push(format!("{status}: {text}"));
            Fate::Unknown
        }
    }
}

/// The ids of the journal's pilots, by title.
async fn served(actor: &Actor) -> BTreeMap<String, Vec<Value>> {
    let mut served: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for pilot in actor.all("/v1/pilots?limit=500").await {
        served.entry(pilot["title"].as_str().unwrap().to_owned()).or_default().push(pilot["id"].clone());
    }
    served
}

async fn audit(writes: &BTreeMap<String, (Value, Fate)>, actor: &Actor, postgres_url: &str) {
    let before = served(actor).await;
    let count = |fate: fn(&Fate) -> bool| writes.values().filter(|(_, one)| fate(one)).count();
    let unknown = count(|fate| *fate == Fate::Unknown);
    println!("{} writes, {unknown} of them unknown", writes.len());
    assert!(count(|fate| *fate == Fate::Refused) > 0, "no write was refused: the audit proves less than it says");
    for (key, (body, fate)) in writes {
        let found = before.get(key).map_or(&[][..], Vec::as_slice);
        match fate {
            Fate::Acknowledged(id) => assert_eq!(found, std::slice::from_ref(id), "{key} was acknowledged"),
            Fate::Refused => assert!(found.is_empty(), "{key} was refused and is there"),
            Fate::Unknown => {
                assert!(found.len() <= 1, "{key} is there {} times", found.len());
                let again = post(actor, key, body).await.unwrap();
                let expected = if body["trl"] == 99 { 422 } else { 201 };
                assert_eq!(again.status(), expected, "{key} sent again");
            }
        }
    }
    let after = served(actor).await;
    for (key, (body, _)) in writes {
        let expected = usize::from(body["trl"] != 99);
        assert_eq!(after.get(key).map_or(0, Vec::len), expected, "{key} after a retry");
    }
    check_history(after.len(), postgres_url).await;
}

/// Each pilot has one revision and one change, and there are none of pilots that are not.
async fn check_history(pilots: usize, postgres_url: &str) {
    let counts = "SELECT count(*), count(DISTINCT r.record_id), count(c.id), count(DISTINCT c.id), count(p.id)
        FROM revision r LEFT JOIN change c USING (record_id, version) LEFT JOIN pilot p ON p.id = r.record_id
        WHERE r.type = 'pilots'";
    let counts = try_sql(postgres_url, counts).await.unwrap().remove(0);
    assert_eq!(counts, vec![Some(pilots.to_string()); 5], "revisions and changes of {pilots} pilots");
}
