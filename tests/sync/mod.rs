//! What partner systems load and follow.

mod imports;
mod imports_files;
mod imports_resumed;
mod observations;
