//! Pages for people, in a real browser.

mod content;
mod people;
mod swagger;
mod world;
