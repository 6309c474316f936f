//! Reports say what the lists say, to everybody what they may see.

mod indicator_comparison;
mod positions;
mod progress;
mod told;
