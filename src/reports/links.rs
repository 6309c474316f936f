//! Links of a row: where the records behind a figure are.

use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::row::NamedRow;
use serde::{Serialize, Serializer};

use super::Asked;
use crate::hosting::lifecycle::HostingStatus;
use crate::outcomes::progress::ProgressStatus;

/// States of hostings that are neither closed nor cancelled.
pub const OPEN: &[HostingStatus] = &[
    HostingStatus::Proposed,
    HostingStatus::Agreed,
    HostingStatus::Preparing,
    HostingStatus::Live,
    HostingStatus::Suspended,
    HostingStatus::Evaluating,
];

/// The columns of hostings that profiles have, each with the states that it counts; none: all.
pub const OF_HOSTINGS: [(&str, &[HostingStatus]); 6] = [
    ("hostings", &[]),
    ("hostings_proposed", &[HostingStatus::Proposed]),
    ("hostings_open", OPEN),
    ("hostings_live", &[HostingStatus::Live]),
    ("hostings_closed", &[HostingStatus::Closed]),
    ("hostings_cancelled", &[HostingStatus::Cancelled]),
];

const OF_OUTCOMES: [(&str, ProgressStatus); 5] = [
    ("outcomes_achieved", ProgressStatus::Achieved),
    ("outcomes_on_track", ProgressStatus::OnTrack),
    ("outcomes_at_risk", ProgressStatus::AtRisk),
    ("outcomes_off_track", ProgressStatus::OffTrack),
    ("outcomes_no_data", ProgressStatus::NoData),
];

/// Links by the name of the column that leads there; of an id, to that record. A statement says nothing of them: they are
/// added to the rows that it answers.
#[derive(Debug, Default)]
pub struct Links(Vec<(&'static str, String)>);

impl Links {
    /// A column leads there.
    pub fn add(&mut self, column: &'static str, link: String) {
        self.0.push((column, link));
    }

    /// Where a column leads.
    pub fn get(&self, column: &str) -> Option<&String> {
        self.0.iter().find(|(name, _)| *name == column).map(|(_, link)| link)
    }

    /// Columns that count outcomes by how they stand lead to them in the report of progress.
    pub fn add_outcomes(&mut self, asked: &Asked, of: (&str, &str)) {
        self.add("outcomes", asked.report("progress", &[of]));
        for (column, status) in OF_OUTCOMES {
            self.add(column, asked.report("progress", &[of, ("progress_status", status.label())]));
        }
    }

    /// Columns that count hostings lead to them, of the states that are named with each; none: all.
    pub fn add_hostings(&mut self, asked: &Asked, of: &[(&str, &str)], columns: &[(&'static str, &[HostingStatus])]) {
        for (column, states) in columns {
            let states: Vec<_> = states.iter().map(|state| ("status", state.label())).collect();
            self.add(column, asked.listed("hostings", &[of, &states].concat()));
        }
    }
}

impl Serialize for Links {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(column, link)| (column, link)))
    }
}

impl QueryableByName<Pg> for Links {
    fn build<'a>(_: &impl NamedRow<'a, Pg>) -> diesel::deserialize::Result<Self> {
        Ok(Self::default())
    }
}
