//! The command line: the real binary, its refusals, and what it keeps when it is killed.

mod backup;
mod commands;
mod demo;
mod generate;
mod keys;
mod recovery;
mod redact;
mod settings;
