//! Pages for people, in a real browser.

mod swagger;
