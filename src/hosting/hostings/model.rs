//! What is stored, sent and answered.

use crate::access::Caller;
use crate::database::records::record;
use crate::database::references::Link;
use crate::hosting::lifecycle::HostingStatus;
use crate::http::body::inputs;
use crate::http::paging::UpdatedSort;
use crate::ids::{AgreementId, HostingId, InitiativeId, OrganisationId, PartnershipId, PilotId, ProgrammeId};
use crate::values::{AreaCode, CityRef, Json, PartialDate, Prose, Visibility, labels};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

labels! {
    /// Whether the pilot is at home.
    HostingKind {
        /// in its own city
        HomeTest = "home_test",
        /// in another city
        Exchange = "exchange",
    }
}

/// A place in the host city.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Its name.
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\n\t]*\S[^\n\t]*$", example = "Passeig de Gràcia")]
    pub name: String,
    /// WGS 84, degrees north; with longitude or not at all.
    #[schema(minimum = -90, maximum = 90, example = 41.3917)]
    pub latitude: Option<f64>,
    /// WGS 84, degrees east.
    #[schema(minimum = -180, maximum = 180, example = 2.1649)]
    pub longitude: Option<f64>,
}

record! {
    /// A pilot run in one host city.
    Hosting = "hostings", "hosting", hosting_view {
        /// The pilot.
        pilot_id: PilotId,
        /// The city that offers the pilot.
        #[schema(example = "KRPUS")]
        origin_city: String,
        /// The city that hosts it.
        #[schema(example = "ESBCN")]
        host_city: String,
        /// `home_test` when host and origin are the same city.
        kind: HostingKind,
        /// The city that proposed it; the other one agrees.
        #[schema(example = "KRPUS")]
        proposed_by_city: String,
        /// Where it is in its life; moved by POST …/transitions.
        status: HostingStatus,
        /// Where it was before it was suspended.
        suspended_from: Option<HostingStatus>,
        /// Why it has no outcome with a baseline.
        no_outcome_reason: Option<String>,
        /// When it is planned to begin.
        planned_start: Option<PartialDate>,
        /// When it is planned to end.
        planned_end: Option<PartialDate>,
        /// When it began.
        actual_start: Option<PartialDate>,
        /// When it ended.
        actual_end: Option<PartialDate>,
        /// Where in the city.
        #[schema(value_type = Vec<Site>)]
        sites: Json<Vec<Site>>,
        /// The organisation that leads it.
        lead_organisation_id: Option<OrganisationId>,
        /// The agreement it rests on.
        #[schema(value_type = Option<AgreementId>)]
        agreement_id: Option<Json<Link>>,
        /// The initiative it comes from.
        initiative_id: Option<InitiativeId>,
        /// How large it is.
        scale_note: Option<String>,
        /// The earlier hosting that it follows.
        follows_id: Option<HostingId>,
        /// Whether it was entered after the fact, by an administrator.
        historical: bool,
        /// The guards it was excused from.
        guards_waived: Vec<String>,
        /// Whether it is live and its privacy rule is not met any more: the assessment was revoked, or the pilot's
        /// privacy flag changed.
        gate_broken: bool,
        /// Who may see it; never wider than its pilot, and while proposed never wider than `partners`.
        visibility: Visibility,
    }
    kept { origin_city_id: Uuid, host_city_id: Uuid, proposed_by_city_id: Uuid, consenting_city_id: Uuid }
    with {
        fn shown_to(&mut self, caller: &Caller) {
            self.agreement_id.take_if(|link| !link.is_seen_by(caller, "agreements"));
        }
    }
}

impl Hosting {
    /// The cities involved.
    pub fn cities(&self) -> [Uuid; 2] {
        [self.origin_city_id, self.host_city_id]
    }
}

inputs! {
    /// A hosting to propose.
    #[schema(example = json!({
        "pilot_id": "015aca1d-640d-7000-8000-00000000000d",
        "host_city": "ESBCN",
        "planned_start": "2027-03",
        "planned_end": "2028-02",
        "sites": [{"name": "Passeig de Gràcia", "latitude": 41.3917, "longitude": 2.1649}],
        "scale_note": "120 luminaires on one avenue"
    }))]
    HostingInput {
        /// The pilot.
        pilot_id: PilotId,
        /// The city that would host it.
        host_city: CityRef,
        /// The city that proposes: the origin or the host. The account's own one if absent.
        proposed_by_city: Option<CityRef>,
        /// Only with `historical`: where it is in its life.
        status: Option<HostingStatus>,
        /// For administrators: entered after the fact; guards that the source is silent on are recorded as waived.
        #[serde(default)]
        historical: bool,
    } checked by super::queries::check;
    /// What can be changed of a hosting. Its status moves by POST …/transitions.
    #[schema(example = json!({"planned_start": "2027-04", "planned_end": "2028-03"}))]
    HostingChange {
        /// Why it has no outcome with a baseline.
        no_outcome_reason: Option<Prose>,
        /// When it is planned to begin.
        planned_start: Option<PartialDate>,
        /// When it is planned to end.
        planned_end: Option<PartialDate>,
        /// When it began.
        actual_start: Option<PartialDate>,
        /// When it ended.
        actual_end: Option<PartialDate>,
        /// Where in the city.
        #[serde(default)]
        #[schema(max_items = 100)]
        sites: Vec<Site>,
        /// The organisation that leads it.
        lead_organisation_id: Option<OrganisationId>,
        /// The agreement it rests on.
        agreement_id: Option<AgreementId>,
        /// The initiative it comes from.
        initiative_id: Option<InitiativeId>,
        /// How large it is.
        scale_note: Option<Prose>,
        /// The earlier hosting that it follows; of the same pilot and host.
        follows_id: Option<HostingId>,
        /// Who may see it; `public` if absent.
        visibility: Option<Visibility>,
    } checked by super::queries::check_change
}

/// Filters of hostings.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HostingFilter {
    /// Their pilots; repeat for several.
    #[param(example = json!(["015aca1d-640d-7000-8000-00000000000d"]))]
    pub(super) pilot_id: Option<Vec<PilotId>>,
    /// Cities that host; repeat for several.
    pub(super) host_city: Option<Vec<CityRef>>,
    /// Cities that offer the pilot; repeat for several.
    pub(super) origin_city: Option<Vec<CityRef>>,
    /// At home or in another city; repeat for both.
    pub(super) kind: Option<Vec<HostingKind>>,
    /// Cities that proposed them; repeat for several.
    pub(super) proposed_by_city: Option<Vec<CityRef>>,
    /// The earlier hostings that they follow; repeat for several.
    #[param(example = json!(["015aca1d-6412-7000-8000-000000000012"]))]
    pub(super) follows_id: Option<Vec<HostingId>>,
    /// Planned to begin at or after this day.
    pub(super) planned_start_from: Option<PartialDate>,
    /// Planned to begin at or before this day.
    pub(super) planned_start_to: Option<PartialDate>,
    /// Planned to end at or after this day.
    pub(super) planned_end_from: Option<PartialDate>,
    /// Planned to end at or before this day.
    pub(super) planned_end_to: Option<PartialDate>,
    /// Began at or after this day.
    pub(super) actual_start_from: Option<PartialDate>,
    /// Began at or before this day.
    pub(super) actual_start_to: Option<PartialDate>,
    /// Ended at or after this day.
    pub(super) actual_end_from: Option<PartialDate>,
    /// Ended at or before this day.
    pub(super) actual_end_to: Option<PartialDate>,
    /// Where they are in their life; repeat for several.
    pub(super) status: Option<Vec<HostingStatus>>,
    /// States that they ever were in, as far as their moves were recorded; repeat for several, of which one is enough.
    pub(super) reached: Option<Vec<HostingStatus>>,
    /// The organisations that lead them; repeat for several.
    #[param(example = json!(["015aca1d-6409-7000-8000-000000000009"]))]
    pub(super) lead_organisation_id: Option<Vec<OrganisationId>>,
    /// The agreements they rest on; repeat for several.
    #[param(example = json!(["015aca1d-740a-7000-8000-00000000000a"]))]
    pub(super) agreement_id: Option<Vec<AgreementId>>,
    /// The initiatives they come from; repeat for several.
    #[param(example = json!(["015aca1d-7402-7000-8000-000000000002"]))]
    pub(super) initiative_id: Option<Vec<InitiativeId>>,
    /// Whether their privacy rule is broken.
    pub(super) gate_broken: Option<bool>,
    /// Whether they were entered after the fact.
    pub(super) historical: Option<bool>,
    /// Who may see them; repeat for several.
    pub(super) visibility: Option<Vec<Visibility>>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    pub(super) sort: Option<UpdatedSort>,
}

/// Filter by hosting, where the path does not name it.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OfHostings {
    /// Their hostings; repeat for several.
    #[param(example = json!(["015aca1d-6412-7000-8000-000000000012"]))]
    pub hosting_id: Option<Vec<HostingId>>,
}

/// What hostings are narrowed by in reports, and in the lists that figures of reports lead to.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HostingScope {
    /// Cities that offer the pilot or host it; repeat for several.
    pub(super) city: Option<Vec<CityRef>>,
    /// Partnerships whose initiatives they come from; repeat for several.
    #[param(example = json!(["015aca1d-7401-7000-8000-000000000001"]))]
    pub(super) partnership_id: Option<Vec<PartnershipId>>,
    /// Programmes whose partnerships' initiatives they come from; repeat for several.
    #[param(example = json!(["015aca1d-6407-7000-8000-000000000007"]))]
    pub(super) programme_id: Option<Vec<ProgrammeId>>,
    /// Areas that their pilots serve; repeat for several.
    pub(super) areas: Option<Vec<AreaCode>>,
    /// Ran, or were planned to, on or after this day; those without any date did not.
    pub(super) from: Option<PartialDate>,
    /// Began, or were planned to, on or before this day.
    pub(super) to: Option<PartialDate>,
}
