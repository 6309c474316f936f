//! What this server has heard of changes, its own and those of others: what it remembers is good only while it hears.
//!
//! A change that this server makes is told here after it is committed and before anybody is answered. Those of other
//! servers come over one connection that listens, and asks as well ([`listening`](super::listening)): whoever was answered
//! has heard of everything that was committed before the question. If the last answer belongs to a question from longer ago
//! than [`BOUND`], this server may have missed something, and uses nothing that it remembers until it hears again.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

/// How old news may be; who has heard nothing for longer asks the database itself.
pub const BOUND: Duration = Duration::from_secs(1);

/// The point up to which something is known: what was learned at one is good as long as it is the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Generation {
    /// Of what was read from anywhere: so many times was anything changed.
    Whole(u64),
    /// Of what was read from some collections: so many times was any of them changed.
    Part(u64),
}

/// What a transaction changes, for those who remember.
#[derive(Debug, Default)]
pub struct Changed {
    /// Whether it changes what tokens are good for: an account, say.
    pub access: bool,
    /// The collections of the records that it changes.
    pub collections: BTreeSet<Cow<'static, str>>,
    /// The id of the last change.
    pub last: Option<i64>,
}

/// What this server has heard.
#[derive(Debug)]
pub struct News {
    begun: Instant,
    /// Nanoseconds after `begun` at which the last question that was answered had been asked; 0 if none was.
    heard: AtomicU64,
    access: AtomicU64,
    whole: AtomicU64,
    parts: RwLock<Parts>,
}

#[derive(Debug, Default)]
struct Parts {
    /// How often each collection was changed.
    changed: HashMap<String, u64>,
    /// From which collections each is read.
    reads: HashMap<String, Vec<String>>,
}

impl Default for News {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            heard: AtomicU64::new(0),
            access: AtomicU64::new(0),
            whole: AtomicU64::new(0),
            parts: RwLock::default(),
        }
    }
}

impl News {
    /// Whether it has heard of everything that was committed longer ago than [`BOUND`].
    pub fn is_current(&self) -> bool {
        let heard = Duration::from_nanos(self.heard.load(Ordering::Acquire));
        !heard.is_zero() && self.begun.elapsed().saturating_sub(heard) < BOUND
    }

    /// The generation of what is known of accounts, logins and keys, to be taken before they are read; none while this
    /// server does not hear of changes.
    pub fn access(&self) -> Option<Generation> {
        self.is_current().then(|| Generation::Whole(self.access.load(Ordering::Acquire)))
    }

    /// The generation of what is read of a collection, or of all of them, to be taken before that is read; none while this
    /// server does not hear of changes.
    pub fn records(&self, collection: Option<&str>) -> Option<Generation> {
        if !self.is_current() {
            return None;
        }
        let parts = self.parts.read().unwrap_or_else(PoisonError::into_inner);
        let reads = collection.and_then(|collection| parts.reads.get(collection));
        Some(match reads {
            // All of them only grow, so the same sum is the same state of all of them.
            Some(reads) => Generation::Part(reads.iter().filter_map(|one| parts.changed.get(one)).sum()),
            None => Generation::Whole(self.whole.load(Ordering::Acquire)),
        })
    }

    /// Something was changed: what was known of it is to be asked again.
    pub fn changed(&self, changed: &Changed) {
        if changed.access {
            self.access.fetch_add(1, Ordering::AcqRel);
        }
        if !changed.collections.is_empty() {
            let mut parts = self.parts.write().unwrap_or_else(PoisonError::into_inner);
            for collection in &changed.collections {
                *parts.changed.entry(collection.to_string()).or_default() += 1;
            }
            self.whole.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// An account, a login or a key was changed.
    pub fn access_changed(&self) {
        self.changed(&Changed { access: true, ..Changed::default() });
    }

    /// Any record may have been changed.
    pub(super) fn records_changed(&self) {
        let collections = {
            let parts = self.parts.read().unwrap_or_else(PoisonError::into_inner);
            parts.reads.keys().chain(parts.changed.keys()).cloned().map(Cow::Owned).collect()
        };
        self.changed(&Changed { collections, ..Changed::default() });
        self.whole.fetch_add(1, Ordering::AcqRel);
    }

    /// From which collections each is read, as the schema has it.
    pub(super) fn learn(&self, reads: HashMap<String, Vec<String>>) {
        self.parts.write().unwrap_or_else(PoisonError::into_inner).reads = reads;
    }

    /// A question that was asked then has been answered, and all news before it have come.
    pub(super) fn heard(&self, asked: Instant) {
        let nanoseconds = asked.saturating_duration_since(self.begun).as_nanos();
        self.heard.store(u64::try_from(nanoseconds).unwrap_or(u64::MAX).max(1), Ordering::Release);
    }

    /// The listening connection is lost.
    pub(super) fn lost(&self) {
        self.heard.store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(collections: &[&str]) -> Changed {
        Changed {
            collections: collections.iter().map(|&one| Cow::Owned(one.to_owned())).collect(),
            ..Changed::default()
        }
    }

    #[test]
    fn a_change_ends_what_was_read_from_its_collection_and_nothing_else() {
        let news = News::default();
        assert_eq!(news.records(Some("pilots")), None, "nothing was heard yet");
        news.learn(HashMap::from([("pilots".into(), vec!["pilots".into(), "cities".into()])]));
        news.heard(Instant::now());
        let before = [news.records(Some("pilots")), news.records(None), news.access()];
        news.changed(&of(&["outcomes"]));
        assert_eq!(news.records(Some("pilots")), before[0]);
        assert_ne!(news.records(None), before[1]);
        news.changed(&of(&["cities"]));
        assert_ne!(news.records(Some("pilots")), before[0]);
        assert_eq!(news.access(), before[2]);
        news.access_changed();
        assert_ne!(news.access(), before[2]);
        news.lost();
        assert_eq!([news.records(Some("pilots")), news.records(None), news.access()], [None; 3]);
    }
}
