//! THE table of findings of the report `data-quality`: what may be missing or contradictory, how much it weighs, and what
//! to do about it.

use crate::values::labels;

labels! {
    /// What is missing or contradicts itself.
    Finding {
        /// nobody states how many people live in the city
        CityWithoutPopulation = "city_without_population",
        /// the city has no web address
        CityWithoutWebsite = "city_without_website",
        /// the pilot has no summary
        PilotWithoutSummary = "pilot_without_summary",
        /// the pilot has no description
        PilotWithoutDescription = "pilot_without_description",
        /// nobody states how mature the pilot is
        PilotWithoutTrl = "pilot_without_trl",
        /// nobody states whether the pilot processes personal data
        PilotWithoutPersonalDataStatement = "pilot_without_personal_data_statement",
        /// the pilot serves no area
        PilotWithoutArea = "pilot_without_area",
        /// nobody provides the pilot
        PilotWithoutProvider = "pilot_without_provider",
        /// the hosting is prepared or further, and nobody leads it
        HostingWithoutLead = "hosting_without_lead",
        /// the hosting is prepared or further, and lacks the day on which it should begin or end
        HostingWithoutPlannedDates = "hosting_without_planned_dates",
        /// the hosting was live, and nobody states since when
        HostingWithoutActualStart = "hosting_without_actual_start",
        /// the hosting has ended, and nobody states when
        HostingWithoutActualEnd = "hosting_without_actual_end",
        /// the hosting is live after the day on which it should have ended
        HostingBeyondPlannedEnd = "hosting_beyond_planned_end",
        /// the hosting is live, has no outcome, and nobody says why
        HostingWithoutOutcome = "hosting_without_outcome",
        /// the hosting is live, and its privacy rule is not met
        HostingPrivacyGateBroken = "hosting_privacy_gate_broken",
        /// the hosting has ended, and no evaluation decides
        HostingWithoutDecision = "hosting_without_decision",
        /// nobody states where the outcome began
        OutcomeWithoutBaseline = "outcome_without_baseline",
        /// nobody states where the outcome should go
        OutcomeWithoutTarget = "outcome_without_target",
        /// nothing was observed that counts
        OutcomeWithoutObservation = "outcome_without_observation",
        /// the parts of a partition are more than 0.5 % less than their total
        OutcomePartitionGap = "outcome_partition_gap",
        /// nobody states what kind of organisation it is
        OrganisationWithoutKind = "organisation_without_kind",
        /// nobody states under which licence the document may be used
        DocumentWithoutLicence = "document_without_licence",
    }
}

labels! {
    /// How much a finding matters.
    Severity {
        /// others are misled by it, or a rule is broken; weighs 3
        High = "high",
        /// the record cannot be judged without it; weighs 2
        Medium = "medium",
        /// it would help; weighs 1
        Low = "low",
    }
}

impl Severity {
    /// How much it weighs in the score.
    pub const fn weight(self) -> i64 {
        match self {
            Self::High => 3,
            Self::Medium => 2,
            Self::Low => 1,
        }
    }
}

impl Finding {
    /// How much it matters.
    pub const fn severity(self) -> Severity {
        self.rule().0
    }

    /// What to do about it.
    pub const fn advice(self) -> &'static str {
        self.rule().1
    }

    #[rustfmt::skip]
    const fn rule(self) -> (Severity, &'static str) {
        use Severity::{High, Low, Medium};
        match self {
            Self::CityWithoutPopulation => (Low, "State the population of the city."),
            Self::CityWithoutWebsite => (Low, "Add the web address of the city."),
            Self::PilotWithoutSummary => (Medium, "Summarise the pilot in a sentence or two."),
            Self::PilotWithoutDescription => (Low, "Describe the pilot."),
            Self::PilotWithoutTrl => (Low, "State the technology readiness level of the pilot."),
            Self::PilotWithoutPersonalDataStatement => (High, "State whether the pilot processes personal data; until then it is treated as if it did."),
            Self::PilotWithoutArea => (Medium, "Name the areas that the pilot serves."),
            Self::PilotWithoutProvider => (Medium, "Name the organisations that provide the pilot."),
            Self::HostingWithoutLead => (Medium, "Name the organisation that leads the hosting."),
            Self::HostingWithoutPlannedDates => (Medium, "State when the hosting is planned to begin and to end."),
            Self::HostingWithoutActualStart => (High, "State when the hosting began."),
            Self::HostingWithoutActualEnd => (Medium, "State when the hosting ended."),
            Self::HostingBeyondPlannedEnd => (Medium, "Move the planned end, or end the hosting."),
            Self::HostingWithoutOutcome => (High, "Add an outcome with a baseline, or say why there is none."),
            Self::HostingPrivacyGateBroken => (High, "Have the privacy assessment approved, or suspend the hosting."),
            Self::HostingWithoutDecision => (High, "Evaluate the hosting, and decide."),
            Self::OutcomeWithoutBaseline => (Medium, "State the baseline and its day; without it progress cannot be computed."),
            Self::OutcomeWithoutTarget => (Medium, "Set a target and by when it is due; without it progress cannot be computed."),
            Self::OutcomeWithoutObservation => (Medium, "Record an observation, and have it verified."),
            Self::OutcomePartitionGap => (High, "Add the parts that are missing, or correct the total."),
            Self::OrganisationWithoutKind => (Low, "State what kind of organisation it is."),
            Self::DocumentWithoutLicence => (Low, "State the licence of the document."),
        }
    }
}
