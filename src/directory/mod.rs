//! Who and what everything refers to: cities, organisations, programmes, documents, vocabularies.

pub mod cities;
pub mod citations;
pub mod documents;
pub mod organisations;
pub mod programmes;
pub mod terms;
