//! What partner systems load and follow: whole collections as files, in and out, changes, and catalogues that portals harvest.

pub mod changes;
pub mod exports;
pub mod harvest;
pub mod imports;
pub mod webhooks;
pub mod worker;
