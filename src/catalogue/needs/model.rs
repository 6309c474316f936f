//! What is stored, sent and answered.

use crate::database::records::record;
use crate::http::body::input;
use crate::http::paging::TitleSort;
use crate::values::{AreaCode, CategoryCode, CityRef, Line, Prose, Tag, labels};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

labels! {
    /// Whether a need is still one.
    NeedStatus {
        /// looking for a pilot
        Open = "open",
        /// a pilot was found
        Met = "met",
        /// no longer looked for
        Withdrawn = "withdrawn",
    }
}

record! {
    /// What a city would like to test.
    Need = "needs", "need", need_view {
        /// The city that has it.
        #[schema(example = "ESBCN")]
        city: String,
        /// The field of cooperation it belongs to.
        #[schema(example = "public_transport")]
        area: String,
        /// What kind of service is looked for.
        #[schema(example = "fare_collection")]
        category: Option<String>,
        /// Its title.
        #[schema(example = "Paying on buses without cash")]
        title: String,
        /// As long as needed.
        description: Option<String>,
        /// Free words to find it by.
        tags: Vec<String>,
        /// Whether it is still one.
        status: NeedStatus,
    }
    kept { city_id: Uuid }
}

input! {
    /// A need to register or change.
    #[schema(example = json!({
        "city": "ESBCN",
        "area": "public_transport",
        "category": "fare_collection",
        "title": "Paying on buses without cash",
        "description": "Passengers should board through every door and pay within a second.",
        "tags": ["buses", "payment"]
    }))]
    NeedInput {
        /// The city that has it.
        city: CityRef,
        /// The field of cooperation it belongs to.
        area: AreaCode,
        /// What kind of service is looked for.
        category: Option<CategoryCode>,
        /// Its title.
        title: Line,
        /// As long as needed.
        description: Option<Prose>,
        /// Free words to find it by, without `;`.
        #[serde(default)]
        #[schema(max_items = 50)]
        tags: Vec<Tag>,
        /// Whether it is still one; `open` if absent.
        status: Option<NeedStatus>,
    }
}

/// Filters of needs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NeedFilter {
    /// Cities that have them; repeat for several.
    pub(super) city: Option<Vec<CityRef>>,
    /// Fields of cooperation; repeat for several.
    pub(super) area: Option<Vec<AreaCode>>,
    /// Kinds of service; repeat for several.
    pub(super) category: Option<Vec<CategoryCode>>,
    /// Whether they are still needs; repeat for several.
    pub(super) status: Option<Vec<NeedStatus>>,
    /// Tags; repeat for several.
    #[param(example = json!(["buses"]))]
    pub(super) tags: Option<Vec<String>>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    pub(super) sort: Option<TitleSort>,
}
