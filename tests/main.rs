//! One test binary over the real application and a real PostgreSQL. See `support` for how a test is made.

#![allow(clippy::needless_pass_by_value, reason = "bodies are written with json! where they are sent")]

mod support;

mod api;
mod cli;
mod database;
mod faults;
mod hostile;
mod model;
mod pages;
mod reports;
mod rules;
mod sync;
