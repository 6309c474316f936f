//! What partner systems load and follow: whole collections as files, changes, and catalogues that portals harvest.

pub mod changes;
pub mod exports;
pub mod harvest;
pub mod webhooks;
pub mod worker;
