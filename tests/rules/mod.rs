//! The rules of the domain, each seen to hold over the API.

mod applicability;
mod compliance;
mod directory;
mod directory_pilots;
mod evaluations;
mod exchange;
mod indicators;
mod lifecycle;
mod lifecycle_history;
mod lifecycle_rules;
mod matching;
mod needs;
mod observations;
mod partitions;
mod permissions;
mod progress;
mod search;
mod search_walk;
mod visibility;
mod visibility_chain;
