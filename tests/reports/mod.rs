//! Reports say what the lists say, to everybody what they may see.

mod applicability;
mod data_quality;
mod indicator_comparison;
mod lessons;
mod overdue;
mod positions;
mod progress;
mod told;
