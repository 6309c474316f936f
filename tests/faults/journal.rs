//! A client that keeps a journal of its writes on disk, and the audit of what became of them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::Response;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::report;
use crate::support::process::{Folder, until};
use crate::support::{Actor, try_sql, unique};

/// What the client knows of a write.
#[derive(Clone, Debug, PartialEq)]
enum Fate {
    /// Sent, and no answer to build on.
    Unknown,
    /// Answered 201 with the record of this id.
    Acknowledged(Value),
    /// Answered 4xx.
    Refused,
}

/// What was written and what became of it.
#[derive(Debug)]
pub struct Found {
    pub acknowledged: usize,
    pub unknown: usize,
    pub refused: usize,
    /// How often 503 was answered.
    pub unavailable: usize,
    /// The longest that an answer took.
    pub worst: Duration,
}

struct Shared {
    /// One line for each intent, before it is sent, and one for what became of it.
    file: Mutex<File>,
    acknowledged: AtomicUsize,
    unavailable: AtomicUsize,
    worst_milliseconds: AtomicU64,
    /// Answers that no fault may cause.
    violations: Mutex<Vec<String>>,
    stopped: AtomicBool,
}

/// Several writers at work. The key of a write is the title of its pilot too.
pub struct Journal {
    shared: Arc<Shared>,
    writers: JoinSet<()>,
    path: PathBuf,
    _folder: Folder,
}

impl Journal {
    /// Four writers in the name of this actor, until [`Journal::finish`].
    pub fn start(actor: &Actor) -> Self {
        Self::start_at(vec![actor.clone()], 4)
    }

    /// So many writers, each with these servers: the next is tried where one does not answer.
    pub fn start_at(servers: Vec<Actor>, count: usize) -> Self {
        let folder = Folder::new();
        let path = folder.0.join("journal.ndjson");
        let shared = Arc::new(Shared {
            file: Mutex::new(File::create(&path).unwrap()),
            acknowledged: AtomicUsize::default(),
            unavailable: AtomicUsize::default(),
            worst_milliseconds: AtomicU64::default(),
            violations: Mutex::default(),
            stopped: AtomicBool::default(),
        });
        let mut writers = JoinSet::new();
        for first in 0..count {
            writers.spawn(write(servers.clone(), first, shared.clone()));
        }
        Self { shared, writers, path, _folder: folder }
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

    /// Lets the writers end, checks what the service has made of their writes, and reports it under the name of the fault.
    pub async fn finish(mut self, fault: &str, injected: usize, actor: &Actor, postgres_url: &str) -> Found {
        self.shared.stopped.store(true, Ordering::SeqCst);
        while let Some(ended) = self.writers.join_next().await {
            ended.unwrap();
        }
        let writes = read(&self.path);
        let count = |fate: fn(&Fate) -> bool| writes.values().filter(|(_, one)| fate(one)).count();
        let found = Found {
            acknowledged: count(|fate| matches!(fate, Fate::Acknowledged(_))),
            unknown: count(|fate| *fate == Fate::Unknown),
            refused: count(|fate| *fate == Fate::Refused),
            unavailable: self.unavailable(),
            worst: Duration::from_millis(self.shared.worst_milliseconds.load(Ordering::SeqCst)),
        };
        assert_eq!(found.acknowledged, self.acknowledged(), "the journal on disk is whole");
        assert!(found.refused > 0, "no write was refused: the audit proves less than it says");
        let (lost, doubled) = audit(&writes, actor).await;
        let served = served(actor).await;
        check_history(served.values().map(Vec::len).sum(), postgres_url).await;
        report(
            fault,
            &[
                ("injected", &injected),
                ("acknowledged", &found.acknowledged),
                ("unknown", &found.unknown),
                ("refused", &found.refused),
                ("answered 503", &found.unavailable),
                ("lost", &lost),
                ("doubled", &doubled),
                ("worst wait ms", &found.worst.as_millis()),
            ],
        );
        assert_eq!((lost, doubled), (0, 0));
        let violations = self.shared.violations.lock().unwrap().clone();
        assert_eq!(violations, Vec::<String>::new(), "answers that no fault may cause");
        found
    }
}

async fn write(servers: Vec<Actor>, first: usize, shared: Arc<Shared>) {
    let mut server = first;
    for number in 0.. {
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        let key = format!("journal-{}", unique());
        let mut body = json!({"title": key, "origin_city": "KRPUS", "category": "other"});
        if number % 7 == 6 {
            body["trl"] = json!(99);
        }
        note(&shared, &json!({"key": key, "intent": body}));
        let began = Instant::now();
        let fate = match post(&servers[server % servers.len()], &key, &body).await {
            Ok(response) => judge(response, &shared).await,
            Err(_) => {
                // Nobody there for the moment: no need to ask a thousand times a second.
                tokio::time::sleep(Duration::from_millis(10)).await;
                Fate::Unknown
            }
        };
        let milliseconds = began.elapsed().as_millis().try_into().unwrap();
        shared.worst_milliseconds.fetch_max(milliseconds, Ordering::SeqCst);
        match &fate {
            Fate::Unknown => server += 1,
            Fate::Refused => note(&shared, &json!({"key": key, "refused": true})),
            Fate::Acknowledged(id) => {
                note(&shared, &json!({"key": key, "acknowledged": id}));
                shared.acknowledged.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
}

fn note(shared: &Shared, line: &Value) {
    writeln!(shared.file.lock().unwrap(), "{line}").unwrap();
}

/// The writes of a journal by their key.
fn read(path: &Path) -> BTreeMap<String, (Value, Fate)> {
    let mut writes = BTreeMap::new();
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let key = line["key"].as_str().unwrap().to_owned();
        if let Some(body) = line.get("intent") {
            writes.insert(key, (body.clone(), Fate::Unknown));
        } else if let Some(id) = line.get("acknowledged") {
            writes.get_mut(&key).unwrap().1 = Fate::Acknowledged(id.clone());
        } else {
            writes.get_mut(&key).unwrap().1 = Fate::Refused;
        }
    }
    writes
}

async fn post(actor: &Actor, key: &str, body: &Value) -> reqwest::Result<Response> {
    let request = actor.request("POST", "/v1/pilots").header("idempotency-key", key).json(body);
    request.timeout(Duration::from_secs(30)).send().await
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
            shared.violations.lock().unwrap().push(format!("{status}: {text}"));
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

/// How many writes are lost, and how many have an effect that they should not have: what was acknowledged is there once,
/// under its id; what was refused is not; what is unknown is there at most once, and once when it is sent again.
async fn audit(writes: &BTreeMap<String, (Value, Fate)>, actor: &Actor) -> (usize, usize) {
    let before = served(actor).await;
    let (mut lost, mut doubled) = (0, 0);
    for (key, (body, fate)) in writes {
        let found = before.get(key).map_or(&[][..], Vec::as_slice);
        match fate {
            Fate::Acknowledged(id) => {
                lost += usize::from(!found.contains(id));
                doubled += found.iter().filter(|one| *one != id).count();
            }
            Fate::Refused => doubled += found.len(),
            Fate::Unknown => {
                doubled += found.len().saturating_sub(1);
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
    (lost, doubled)
}

/// Each pilot has one revision and one change, and there are none of pilots that are not.
async fn check_history(pilots: usize, postgres_url: &str) {
    let counts = "SELECT count(*), count(DISTINCT r.record_id), count(c.id), count(DISTINCT c.id), count(p.id)
        FROM revision r LEFT JOIN change c USING (record_id, version) LEFT JOIN pilot p ON p.id = r.record_id
        WHERE r.type = 'pilots'";
    let counts = try_sql(postgres_url, counts).await.unwrap().remove(0);
    assert_eq!(counts, vec![Some(pilots.to_string()); 5], "revisions and changes of {pilots} pilots");
}
