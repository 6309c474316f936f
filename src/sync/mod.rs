//! What partner systems load and follow.

pub mod imports;
