//! A pilot run in a host city: the centre of the registry. Its life from proposal to closing, and what the law asks.

pub mod compliance;
pub mod hostings;
pub mod lifecycle;
pub mod transitions;
