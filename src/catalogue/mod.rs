//! What cities offer, what they need, and what fits where: pilots, needs, applicability.

pub mod applicability;
pub mod needs;
pub mod pilots;
