//! What came of it: indicators, outcomes with baseline and targets, observations, progress, evaluations.

pub mod evaluations;
pub mod indicators;
pub mod observations;
pub mod outcome;
pub mod progress;
pub mod verification;
