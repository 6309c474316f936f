//! What was acknowledged is served afterwards, once, whatever was killed, cut or flooded meanwhile.
//!
//! Each test has a short form, and a long one with `FAULTS=full` (`make faults`). Whatever is random prints its `SEED=…`, with
//! which it can be run again. `FAULTS_REPORT` names a file to which each adds what it did and found.

use std::fmt::Display;
use std::fs::File;
use std::io::Write;
use std::time::Duration;

mod contention;
mod database;
mod journal;
mod migrating;
mod overload;
mod postgresql;
mod read_only;
mod rolling;
mod server;
mod wire;

const PATIENCE: Duration = Duration::from_secs(20);

/// How often, or how much: in the short form and in the full one.
fn times(short: usize, full: usize) -> usize {
    match std::env::var("FAULTS").as_deref() {
        Ok("full") => full,
        _ => short,
    }
}

/// Where chance begins; `SEED` runs the same one again.
fn seed() -> u64 {
    let given = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
    let seed = given.unwrap_or_else(|| chrono::Utc::now().timestamp_micros().unsigned_abs());
    println!("SEED={seed}");
    seed
}

/// Adds a line to the report: the fault, and what was found as `name value` pairs.
pub fn report(fault: &str, found: &[(&str, &dyn Display)]) {
    let found: Vec<String> = found.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let line = format!("| {fault} | {} |\n", found.join(" · "));
    print!("{line}");
    if let Some(path) = std::env::var_os("FAULTS_REPORT") {
        let mut file = File::options().create(true).append(true).open(path).unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
}
