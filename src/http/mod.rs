//! Mechanisms of the interface, each in one place: problems, bodies, queries, paging, conditional requests,
//! idempotency, answers, and the middleware that every request walks through.

pub mod accept;
pub mod body;
pub mod bringing;
pub mod cache;
pub mod call;
pub mod conditional;
pub mod consistency;
pub mod editing;
pub mod formats;
pub mod history;
pub mod idempotency;
pub mod load;
pub mod merge;
pub mod merging;
pub mod metrics;
pub mod middleware;
pub mod naming;
pub mod operation;
pub mod outgoing;
pub mod paging;
pub mod presentation;
pub mod problem;
pub mod rates;
pub mod reply;
pub mod rules;
pub mod schemas;
pub mod text;

pub use body::{Body, Checked};
pub use call::{Answer, Call};
pub use paging::Paging;
pub use problem::{Code, Fault, Problem};
pub use reply::Reply;
