//! What cities offer: pilots; how it is found.

pub mod pilots;
pub mod search;
