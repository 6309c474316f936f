//! One test binary over the real application and a real PostgreSQL. See `support` for how a test is made.

mod support;

mod api;
mod cli;
mod database;
mod pages;
mod rules;
