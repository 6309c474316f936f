//! What cities offer, what they need, and what fits where: pilots, needs, applicability; how it is found and matched.

pub mod applicability;
pub mod matching;
pub mod needs;
pub mod pilots;
pub mod search;
