//! The rules of the domain, each seen to hold over the API.

mod applicability;
mod compliance;
mod cooperation_activities;
mod cooperation_agreements;
mod cooperation_initiatives;
mod cooperation_partnerships;
mod cooperation_subjects;
mod directory;
mod directory_pilots;
mod evaluations;
mod exchange;
mod founding_document;
mod inbox;
mod indicators;
mod lifecycle;
mod lifecycle_history;
mod lifecycle_rules;
mod merging;
mod needs;
mod observations;
mod partitions;
mod permissions;
mod progress;
mod visibility;
mod visibility_chain;
