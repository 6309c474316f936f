//! The conventions of the interface.

mod cache;
mod cache_of_all;
mod conditional;
mod consistency;
mod examples;
mod filters;
mod filters_of_all;
mod headers;
mod idempotency;
mod issuers;
mod login;
mod metrics;
pub mod openapi;
mod paging;
mod panics;
mod presentation;
mod problems;
mod records;
mod remembered;
mod security_document;
mod text;
pub mod token_attacks;
mod tokens;
mod upsert;
