//! What cities offer: pilots.

pub mod pilots;
