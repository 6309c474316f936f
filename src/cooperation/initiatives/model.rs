//! What is stored, sent and answered.

use crate::access::Caller;
use crate::cooperation::stages::Stage;
use crate::database::records::record;
use crate::database::references::Link;
use crate::http::body::inputs;
use crate::http::paging::TitleSort;
use crate::ids::{AgreementId, DocumentId, PartnershipId, PilotId};
use crate::values::{AreaCode, CityRef, Json, Line, Prose, labels};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

labels! {
    /// What the cities mean to do.
    InitiativeKind {
        /// test each other's pilots
        PilotExchange = "pilot_exchange",
        /// tell each other facts
        InformationExchange = "information_exchange",
        /// tell each other how it went
        ExperienceExchange = "experience_exchange",
        /// measure one against the other
        Benchmarking = "benchmarking",
        /// bring a model of one city to another
        ModelTransfer = "model_transfer",
        /// universities and research centres work together
        ResearchCollaboration = "research_collaboration",
        /// host an event of another city
        EventHosting = "event_hosting",
    }
}

record! {
    /// Something that the cities of a partnership mean to do together.
    Initiative = "initiatives", "initiative", initiative_view {
        /// The partnership.
        partnership_id: PartnershipId,
        /// The field of cooperation.
        #[schema(example = "clean_energy")]
        area: String,
        /// What they mean to do.
        kind: InitiativeKind,
        /// The city that gives; null with to_city: it is mutual.
        #[schema(example = "ESBCN")]
        from_city: Option<String>,
        /// The city that takes.
        #[schema(example = "KRPUS")]
        to_city: Option<String>,
        /// Its title.
        #[schema(example = "Benchmarking of solar thermal ordinances")]
        title: String,
        /// As long as needed.
        description: Option<String>,
        /// How far it is; moved by POST …/transitions.
        stage: Stage,
        /// Where it was before it was put on hold.
        on_hold_from: Option<Stage>,
        /// Why it was declined or put on hold.
        reason: Option<String>,
        /// The pilots it is about.
        #[schema(value_type = Vec<PilotId>)]
        pilot_ids: Json<Vec<Link>>,
        /// The agreements that belong to it, by their `initiative_id`.
        #[schema(value_type = Vec<AgreementId>)]
        agreement_ids: Json<Vec<Link>>,
        /// The documents about it.
        #[schema(value_type = Vec<DocumentId>)]
        document_ids: Json<Vec<Link>>,
    }
    kept { from_city_id: Option<Uuid>, to_city_id: Option<Uuid> }
    with {
        fn shown_to(&mut self, caller: &Caller) {
            self.pilot_ids.0.retain(|link| link.is_seen_by(caller, "pilots"));
            self.agreement_ids.0.retain(|link| link.is_seen_by(caller, "agreements"));
            self.document_ids.0.retain(|link| link.is_seen_by(caller, "documents"));
        }
    }
}

impl Initiative {
    /// The cities of its partnership.
    pub fn cities(&self) -> &[Uuid] {
        &self.city_ids
    }
}

inputs! {
    /// An initiative to register.
    #[schema(example = json!({
        "partnership_id": "015aca1d-7401-7000-8000-000000000001",
        "area": "clean_energy",
        "kind": "benchmarking",
        "from_city": "ESBCN",
        "to_city": "KRPUS",
        "title": "Rooftop solar on public buildings",
        "description": "How Barcelona chose the buildings, what it paid, and what they yield.",
        "document_ids": ["015aca1d-6401-7000-8000-000000000001"]
    }))]
    InitiativeInput {
        /// `exploring` if absent; another one may be given by administrators.
        stage: Option<Stage>,
        /// With the stage `declined` or `on_hold`: why.
        reason: Option<Prose>,
    } checked by super::queries::check;
    /// What can be changed of an initiative. Its stage moves by POST …/transitions.
    #[schema(example = json!({"title": "Rooftop solar on public buildings"}))]
    InitiativeChange {
        /// The partnership.
        partnership_id: PartnershipId,
        /// The field of cooperation.
        area: AreaCode,
        /// What they mean to do.
        kind: InitiativeKind,
        /// The city that gives, with to_city; without both it is mutual.
        from_city: Option<CityRef>,
        /// The city that takes.
        to_city: Option<CityRef>,
        /// Its title.
        title: Line,
        /// As long as needed.
        description: Option<Prose>,
        /// The pilots it is about. Links to pilots that you may not see stay.
        #[serde(default)]
        #[schema(max_items = 100)]
        pilot_ids: Vec<PilotId>,
        /// The agreements that belong to it: sets `initiative_id` of each, which you must be allowed to change. Those
        /// that you may not see stay.
        #[serde(default)]
        #[schema(max_items = 100)]
        agreement_ids: Vec<AgreementId>,
        /// The documents about it. Links to documents that you may not see stay.
        #[serde(default)]
        #[schema(max_items = 100)]
        document_ids: Vec<DocumentId>,
    } checked by super::queries::check_change
}

/// Filters of initiatives.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InitiativeFilter {
    /// Their partnerships; repeat for several.
    #[param(example = json!(["015aca1d-7401-7000-8000-000000000001"]))]
    pub(super) partnership_id: Option<Vec<PartnershipId>>,
    /// Fields of cooperation; repeat for several.
    pub(super) area: Option<Vec<AreaCode>>,
    /// What the cities mean to do; repeat for several.
    pub(super) kind: Option<Vec<InitiativeKind>>,
    /// Cities that give; repeat for several.
    pub(super) from_city: Option<Vec<CityRef>>,
    /// Cities that take; repeat for several.
    pub(super) to_city: Option<Vec<CityRef>>,
    /// How far they are; repeat for several.
    pub(super) stage: Option<Vec<Stage>>,
    /// Pilots they are about; repeat for several, of which one is enough.
    #[param(example = json!(["015aca1d-640d-7000-8000-00000000000d"]))]
    pub(super) pilot_ids: Option<Vec<PilotId>>,
    /// Agreements that belong to them; repeat for several, of which one is enough.
    #[param(example = json!(["015aca1d-740a-7000-8000-00000000000a"]))]
    pub(super) agreement_ids: Option<Vec<AgreementId>>,
    /// Documents about them; repeat for several, of which one is enough.
    #[param(example = json!(["015aca1d-6401-7000-8000-000000000001"]))]
    pub(super) document_ids: Option<Vec<DocumentId>>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    pub(super) sort: Option<TitleSort>,
}
