//! What is stored, sent and answered.

use crate::database::records::record;
use crate::http::body::{Input, input};
use crate::http::paging::TitleSort;
use crate::ids::{OrganisationId, PilotId};
use crate::values::{AreaCode, CategoryCode, CityRef, Json, Line, Prose, Tag, Visibility, WebAddress, labels};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

labels! {
    /// How far a pilot is.
    PilotStatus {
        /// an idea
        Idea = "idea",
        /// under test
        InTest = "in_test",
        /// in regular operation
        Operational = "operational",
        /// no longer run
        Retired = "retired",
    }
}

/// An organisation that provides a pilot.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// What it does for the pilot.
    #[schema(min_length = 1, max_length = 100, example = "operator")]
    pub role: Option<String>,
}

record! {
    /// A service that a city of origin offers for exchange.
    Pilot = "pilots", "pilot", pilot_view {
        /// Its name in addresses; unique per city of origin.
        #[schema(example = "smart-streetlights")]
        slug: String,
        /// Its title.
        #[schema(example = "Smart streetlights")]
        title: String,
        /// One or two sentences.
        summary: Option<String>,
        /// As long as needed.
        description: Option<String>,
        /// The city that offers it.
        #[schema(example = "KRPUS")]
        origin_city: String,
        /// What kind of service.
        #[schema(example = "smart_street_lighting")]
        category: String,
        /// The fields of cooperation it belongs to.
        #[schema(example = json!(["smart_cities"]))]
        areas: Vec<String>,
        /// Who provides it.
        #[schema(value_type = Vec<Provider>)]
        providers: Json<Vec<Provider>>,
        /// Technology readiness level, 1 to 9.
        trl: Option<i16>,
        /// How far it is.
        status: PilotStatus,
        /// Free words to find it by.
        tags: Vec<String>,
        /// The standards it follows.
        standards: Vec<String>,
        /// Where its data model is described.
        data_model_uri: Option<String>,
        /// Whether it processes personal data; null: not stated, which counts as yes where privacy is gated.
        processes_personal_data: Option<bool>,
        /// Licence and terms of intellectual property.
        ip_terms: Option<String>,
        /// What it costs.
        cost_note: Option<String>,
        /// Its web site.
        website: Option<String>,
        /// Who may see it.
        visibility: Visibility,
    }
    kept { origin_city_id: Uuid }
}

input! {
    /// A pilot to register or change.
    #[schema(example = json!({
        "title": "Adaptive crossing lights",
        "summary": "Pedestrian lights that see who is waiting and how fast they walk.",
        "origin_city": "KRPUS",
        "category": "mobility_data",
        "areas": ["smart_cities", "public_transport"],
        "trl": 7,
        "status": "in_test",
        "tags": ["pedestrians", "lidar"],
        "processes_personal_data": false
    }))]
    PilotInput {
        /// Its name in addresses; made from the title if absent; unique per city of origin.
        #[schema(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", max_length = 80)]
        slug: Option<String>,
        /// Its title.
        title: Line,
        /// One or two sentences.
        summary: Option<Prose>,
        /// As long as needed.
        description: Option<Prose>,
        /// The city that offers it.
        origin_city: CityRef,
        /// What kind of service.
        category: CategoryCode,
        /// The fields of cooperation it belongs to.
        #[serde(default)]
        #[schema(max_items = 20)]
        areas: Vec<AreaCode>,
        /// Who provides it.
        #[serde(default)]
        #[schema(max_items = 50)]
        providers: Vec<Provider>,
        /// Technology readiness level.
        #[schema(minimum = 1, maximum = 9)]
        trl: Option<i16>,
        /// How far it is; `idea` if absent.
        status: Option<PilotStatus>,
        /// Free words to find it by, without `;`.
        #[serde(default)]
        #[schema(max_items = 50)]
        tags: Vec<Tag>,
        /// The standards it follows, without `;`.
        #[serde(default)]
        #[schema(max_items = 50)]
        standards: Vec<Tag>,
        /// Where its data model is described.
        data_model_uri: Option<WebAddress>,
        /// Whether it processes personal data; absent: not stated, which counts as yes where privacy is gated.
        processes_personal_data: Option<bool>,
        /// Licence and terms of intellectual property.
        ip_terms: Option<Prose>,
        /// What it costs.
        cost_note: Option<Prose>,
        /// Its web site.
        website: Option<WebAddress>,
        /// Who may see it; `public` if absent.
        visibility: Option<Visibility>,
    }
    checked by super::queries::check
}

/// Where a duplicate goes.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"into_id": "015aca1d-6411-7000-8000-000000000011"}))]
pub struct PilotMerge {
    /// The record that is left.
    pub into_id: PilotId,
}

impl Input for PilotMerge {}

/// Filters of pilots.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PilotFilter {
    /// Cities that offer them; repeat for several.
    pub(super) origin_city: Option<Vec<CityRef>>,
    /// Kinds of service; repeat for several.
    pub(super) category: Option<Vec<CategoryCode>>,
    /// Fields of cooperation; repeat for several.
    pub(super) areas: Option<Vec<AreaCode>>,
    /// How far they are; repeat for several.
    pub(super) status: Option<Vec<PilotStatus>>,
    /// Tags; repeat for several.
    #[param(example = json!(["lidar"]))]
    pub(super) tags: Option<Vec<String>>,
    /// Their names in addresses; repeat for several.
    #[param(example = json!(["smart-streetlights"]))]
    pub(super) slug: Option<Vec<String>>,
    /// Whether they process personal data.
    pub(super) processes_personal_data: Option<bool>,
    /// Who may see them; repeat for several.
    pub(super) visibility: Option<Vec<Visibility>>,
    /// Readiness level from.
    #[param(minimum = 1, maximum = 9, example = 4)]
    pub(super) trl_from: Option<i16>,
    /// Readiness level up to.
    #[param(minimum = 1, maximum = 9, example = 9)]
    pub(super) trl_to: Option<i16>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    pub(super) sort: Option<TitleSort>,
}
