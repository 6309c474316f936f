//! Who and what everything refers to: cities, organisations, programmes, documents, vocabularies.

pub mod citations;
pub mod cities;
pub mod documents;
pub mod organisations;
pub mod programmes;
pub mod terms;
