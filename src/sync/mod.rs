//! What partner systems load and follow: whole collections as files, in and out, changes, and catalogues that portals harvest.

pub mod changes;
pub mod exports;
pub mod harvest;
pub mod imports;
pub mod webhooks;
pub mod worker;

use crate::values::labels;

labels! {
    /// The type of a record: the name of its collection.
    RecordType {
        /// cities
        Cities = "cities",
        /// organisations
        Organisations = "organisations",
        /// programmes
        Programmes = "programmes",
        /// documents
        Documents = "documents",
        /// terms of vocabularies
        Terms = "terms",
        /// pilots
        Pilots = "pilots",
        /// needs
        Needs = "needs",
        /// assessments of applicability
        Applicability = "applicability",
        /// partnerships
        Partnerships = "partnerships",
        /// initiatives
        Initiatives = "initiatives",
        /// activities
        Activities = "activities",
        /// agreements
        Agreements = "agreements",
        /// hostings
        Hostings = "hostings",
        /// compliance of hostings
        Compliance = "compliance",
        /// indicators
        Indicators = "indicators",
        /// outcomes
        Outcomes = "outcomes",
        /// observations
        Observations = "observations",
        /// evaluations
        Evaluations = "evaluations",
    }
}
