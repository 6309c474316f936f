//! Pages for people, in a real browser.

mod content;
mod people;
mod reports;
mod swagger;
mod week;
mod world;
