//! What is stored, sent and answered.

use crate::access::Caller;
use crate::database::records::record;
use crate::database::references::Link;
use crate::http::body::input;
use crate::http::paging::TitleSort;
use crate::ids::{DocumentId, InitiativeId, OrganisationId};
use crate::values::{CityRef, Json, Line, PartialDate, Visibility, labels};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

labels! {
    /// What kind of agreement.
    AgreementKind {
        /// a memorandum of understanding
        Mou = "mou",
        /// a letter of intent
        LetterOfIntent = "letter_of_intent",
        /// on working together
        Collaboration = "collaboration",
        /// on sharing data
        DataSharing = "data_sharing",
        /// a contract
        Contract = "contract",
    }
}

labels! {
    /// How an agreement stands.
    AgreementStatus {
        /// somebody is interested
        Interest = "interest",
        /// being written, by two parties or more
        Drafting = "drafting",
        /// signed
        Signed = "signed",
        /// in force
        InForce = "in_force",
        /// its time is over
        Expired = "expired",
        /// ended before its time
        Terminated = "terminated",
    }
}

/// A city or an organisation that is party to an agreement; one of the two.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// The city.
    pub city: Option<CityRef>,
    /// The organisation.
    pub organisation_id: Option<OrganisationId>,
}

record! {
    /// What cities and organisations put in writing.
    Agreement = "agreements", "agreement", agreement_view {
        /// What kind.
        kind: AgreementKind,
        /// Its title.
        #[schema(example = "Memorandum on smart street lighting")]
        title: String,
        /// Who makes it.
        #[schema(value_type = Vec<Party>)]
        parties: Json<Vec<Party>>,
        /// The initiative it belongs to.
        initiative_id: Option<InitiativeId>,
        /// How it stands.
        status: AgreementStatus,
        /// When it was signed.
        signed_on: Option<PartialDate>,
        /// How long it holds.
        valid_until: Option<PartialDate>,
        /// Its text.
        #[schema(value_type = Option<DocumentId>)]
        document_id: Option<Json<Link>>,
        /// Who may see it.
        visibility: Visibility,
    }
    kept {}
    with {
        fn shown_to(&mut self, caller: &Caller) {
            self.document_id.take_if(|link| !link.is_seen_by(caller, "documents"));
        }
    }
}

impl Agreement {
    /// The cities involved.
    pub fn cities(&self) -> &[Uuid] {
        &self.city_ids
    }
}

input! {
    /// An agreement to register or change.
    #[schema(example = json!({
        "kind": "mou",
        "title": "Memorandum on smart street lighting",
        "parties": [{"city": "KRPUS"}, {"city": "ESBCN"}],
        "initiative_id": "015aca1d-7402-7000-8000-000000000002",
        "status": "signed",
        "signed_on": "2027-03-15",
        "valid_until": "2030-03"
    }))]
    AgreementInput {
        /// What kind.
        kind: AgreementKind,
        /// Its title.
        title: Line,
        /// Who makes it, each once; two or more from `drafting` on.
        #[serde(default)]
        #[schema(max_items = 100)]
        parties: Vec<Party>,
        /// The initiative it belongs to, of a partnership that you act for.
        initiative_id: Option<InitiativeId>,
        /// How it stands; `interest` if absent.
        status: Option<AgreementStatus>,
        /// When it was signed; must be given from `signed` on.
        signed_on: Option<PartialDate>,
        /// How long it holds.
        valid_until: Option<PartialDate>,
        /// Its text.
        document_id: Option<DocumentId>,
        /// Who may see it; `public` if absent.
        visibility: Option<Visibility>,
    }
    checked by super::queries::check
}

/// Filters of agreements.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AgreementFilter {
    /// What kind; repeat for several.
    pub(super) kind: Option<Vec<AgreementKind>>,
    /// Initiatives they belong to; repeat for several.
    #[param(example = json!(["015aca1d-7408-7000-8000-000000000008"]))]
    pub(super) initiative_id: Option<Vec<InitiativeId>>,
    /// How they stand; repeat for several.
    pub(super) status: Option<Vec<AgreementStatus>>,
    /// Signed at or after this day.
    pub(super) signed_on_from: Option<PartialDate>,
    /// Signed at or before this day.
    pub(super) signed_on_to: Option<PartialDate>,
    /// Valid until this day or longer.
    pub(super) valid_until_from: Option<PartialDate>,
    /// Valid until this day or shorter.
    pub(super) valid_until_to: Option<PartialDate>,
    /// Their texts; repeat for several.
    #[param(example = json!(["015aca1d-6401-7000-8000-000000000001"]))]
    pub(super) document_id: Option<Vec<DocumentId>>,
    /// Who may see them; repeat for several.
    pub(super) visibility: Option<Vec<Visibility>>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    pub(super) sort: Option<TitleSort>,
}
