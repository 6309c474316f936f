//! What is stored, sent and answered.

use crate::database::records::record;
use crate::http::body::input;
use crate::http::paging::TitleSort;
use crate::ids::{ActivityId, InitiativeId, OrganisationId, PartnershipId};
use crate::values::{AreaCode, CityRef, Json, Line, PartialDate, labels};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

labels! {
    /// What kind of activity.
    ActivityKind {
        /// a session of all
        Plenary = "plenary",
        /// a meeting
        Meeting = "meeting",
        /// a meeting about work in hand
        WorkingMeeting = "working_meeting",
        /// a visit to a place
        SiteVisit = "site_visit",
        /// a visit of one city to another
        Delegation = "delegation",
        /// a workshop
        Workshop = "workshop",
        /// an event
        Event = "event",
    }
}

labels! {
    /// What a city or an organisation does in an activity.
    ParticipantRole {
        /// receives the others
        Host = "host",
        /// comes
        Guest = "guest",
        /// arranges it
        Organiser = "organiser",
        /// looks on
        Observer = "observer",
    }
}

/// A place.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Its name.
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\n\t]*\S[^\n\t]*$", example = "Busan City Hall")]
    pub name: String,
    /// WGS 84, degrees north; with longitude or not at all.
    #[schema(minimum = -90, maximum = 90, example = 35.1798)]
    pub latitude: Option<f64>,
    /// WGS 84, degrees east.
    #[schema(minimum = -180, maximum = 180, example = 129.0750)]
    pub longitude: Option<f64>,
}

/// A city or an organisation that takes part; one of the two. Persons are not named.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Participant {
    /// The city.
    pub city: Option<CityRef>,
    /// The organisation.
    pub organisation_id: Option<OrganisationId>,
    /// What it does.
    pub role: ParticipantRole,
    /// How many people come.
    #[schema(minimum = 1, maximum = 1_000_000, example = 12)]
    pub headcount: Option<i32>,
}

record! {
    /// Something that happens: cities meet.
    Activity = "activities", "activity", activity_view {
        /// What kind.
        kind: ActivityKind,
        /// Its title.
        #[schema(example = "Visit of the Barcelona delegation to Busan")]
        title: String,
        /// Its theme.
        theme: Option<String>,
        /// The city it happens in.
        #[schema(example = "KRPUS")]
        city: Option<String>,
        /// Where in the city.
        #[schema(value_type = Vec<Place>)]
        places: Json<Vec<Place>>,
        /// When it begins.
        starts_on: Option<PartialDate>,
        /// When it ends.
        ends_on: Option<PartialDate>,
        /// The activity it is part of.
        parent_id: Option<ActivityId>,
        /// The partnership it belongs to.
        partnership_id: Option<PartnershipId>,
        /// The initiatives it serves.
        initiative_ids: Vec<InitiativeId>,
        /// The fields of cooperation it belongs to.
        #[schema(example = json!(["clean_energy"]))]
        areas: Vec<String>,
        /// Who takes part.
        #[schema(value_type = Vec<Participant>)]
        participants: Json<Vec<Participant>>,
    }
    kept {}
}

impl Activity {
    /// The cities that take part.
    pub fn cities(&self) -> &[Uuid] {
        &self.city_ids
    }
}

input! {
    /// An activity to register or change.
    #[schema(example = json!({
        "kind": "workshop",
        "title": "Workshop on solar thermal ordinances",
        "city": "KRPUS",
        "places": [{"name": "Busan City Hall", "latitude": 35.1798, "longitude": 129.075}],
        "starts_on": "2027-05-10",
        "ends_on": "2027-05-11",
        "partnership_id": "015aca1d-7401-7000-8000-000000000001",
        "initiative_ids": ["015aca1d-7405-7000-8000-000000000005"],
        "areas": ["clean_energy"],
        "participants": [{"city": "KRPUS", "role": "host"}, {"city": "ESBCN", "role": "guest", "headcount": 6}]
    }))]
    ActivityInput {
        /// What kind.
        kind: ActivityKind,
        /// Its title.
        title: Line,
        /// Its theme.
        theme: Option<Line>,
        /// The city it happens in.
        city: Option<CityRef>,
        /// Where in the city.
        #[serde(default)]
        #[schema(max_items = 100)]
        places: Vec<Place>,
        /// When it begins.
        starts_on: Option<PartialDate>,
        /// When it ends.
        ends_on: Option<PartialDate>,
        /// The activity it is part of, and within whose dates it lies.
        parent_id: Option<ActivityId>,
        /// The partnership it belongs to.
        partnership_id: Option<PartnershipId>,
        /// The initiatives it serves.
        #[serde(default)]
        #[schema(max_items = 100)]
        initiative_ids: Vec<InitiativeId>,
        /// The fields of cooperation it belongs to.
        #[serde(default)]
        #[schema(max_items = 20)]
        areas: Vec<AreaCode>,
        /// Who takes part, each once in a role.
        #[serde(default)]
        #[schema(max_items = 200)]
        participants: Vec<Participant>,
    }
    checked by super::queries::check
}

/// Filters of activities.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ActivityFilter {
    /// What kind; repeat for several.
    pub(super) kind: Option<Vec<ActivityKind>>,
    /// Cities they happen in; repeat for several.
    pub(super) city: Option<Vec<CityRef>>,
    /// That begin at or after this day.
    pub(super) starts_on_from: Option<PartialDate>,
    /// That begin at or before this day.
    pub(super) starts_on_to: Option<PartialDate>,
    /// That end at or after this day.
    pub(super) ends_on_from: Option<PartialDate>,
    /// That end at or before this day.
    pub(super) ends_on_to: Option<PartialDate>,
    /// Activities they are part of; repeat for several.
    #[param(example = json!(["015aca1d-740d-7000-8000-00000000000d"]))]
    pub(super) parent_id: Option<Vec<ActivityId>>,
    /// Partnerships they belong to; repeat for several.
    #[param(example = json!(["015aca1d-7401-7000-8000-000000000001"]))]
    pub(super) partnership_id: Option<Vec<PartnershipId>>,
    /// Initiatives they serve; repeat for several, of which one is enough.
    #[param(example = json!(["015aca1d-7405-7000-8000-000000000005"]))]
    pub(super) initiative_ids: Option<Vec<InitiativeId>>,
    /// Fields of cooperation; repeat for several.
    pub(super) areas: Option<Vec<AreaCode>>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    pub(super) sort: Option<TitleSort>,
}
