//! What is stored, sent and answered.

use crate::database::records::record;
use crate::http::body::input;
use crate::http::paging::TitleSort;
use crate::ids::ProgrammeId;
use crate::values::{CityRef, Line, PartialDate, labels};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

labels! {
    /// How a partnership stands.
    PartnershipStatus {
        /// being formed
        Forming = "forming",
        /// at work
        Active = "active",
        /// resting
        Dormant = "dormant",
        /// over
        Ended = "ended",
    }
}

record! {
    /// Cities that work together.
    Partnership = "partnerships", "partnership", partnership_view {
        /// Its title.
        #[schema(example = "Barcelona–Busan")]
        title: String,
        /// The programme it belongs to.
        programme_id: Option<ProgrammeId>,
        /// The cities, in order of their codes.
        #[schema(example = json!(["ESBCN", "KRPUS"]))]
        cities: Vec<String>,
        /// How it stands.
        status: PartnershipStatus,
        /// Since when.
        since: Option<PartialDate>,
    }
    kept {}
}

impl Partnership {
    /// The cities.
    pub fn cities(&self) -> &[Uuid] {
        &self.city_ids
    }
}

input! {
    /// A partnership to register or change.
    #[schema(example = json!({
        "title": "Busan–Seoul",
        "programme_id": "015aca1d-6407-7000-8000-000000000007",
        "cities": ["KRPUS", "KRSEL"],
        "status": "active",
        "since": "2019-05"
    }))]
    PartnershipInput {
        /// Its title.
        title: Line,
        /// The programme it belongs to; one partnership per programme and set of cities.
        programme_id: Option<ProgrammeId>,
        /// The cities, two or more.
        #[schema(min_items = 2, max_items = 100)]
        cities: Vec<CityRef>,
        /// How it stands; `forming` if absent.
        status: Option<PartnershipStatus>,
        /// Since when.
        since: Option<PartialDate>,
    }
    checked by super::queries::check
}

/// Filters of partnerships.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PartnershipFilter {
    /// Their programmes; repeat for several.
    #[param(example = json!(["015aca1d-6407-7000-8000-000000000007"]))]
    pub(super) programme_id: Option<Vec<ProgrammeId>>,
    /// Cities that take part; repeat for several, of which one is enough.
    pub(super) cities: Option<Vec<CityRef>>,
    /// How they stand; repeat for several.
    pub(super) status: Option<Vec<PartnershipStatus>>,
    /// Since this day or later.
    pub(super) since_from: Option<PartialDate>,
    /// Since this day or earlier.
    pub(super) since_to: Option<PartialDate>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    pub(super) sort: Option<TitleSort>,
}
