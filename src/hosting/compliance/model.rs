//! What is stored, sent and answered.

use crate::database::records::record;
use crate::http::body::inputs;
use crate::http::paging::UpdatedSort;
use crate::ids::{DocumentId, HostingId, OrganisationId};
use crate::values::{Line, PartialDate, Prose, labels};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

labels! {
    /// What is asked for.
    ComplianceKind {
        /// data protection impact assessment (GDPR Art. 35), for hosts in the EEA
        Dpia = "dpia",
        /// privacy impact assessment, elsewhere
        Pia = "pia",
        /// legal basis of the processing
        LegalBasis = "legal_basis",
        /// procurement
        Procurement = "procurement",
        /// permit
        Permit = "permit",
        /// information security
        Security = "security",
        /// ethics
        Ethics = "ethics",
    }
}

labels! {
    /// How far it is.
    ComplianceStatus {
        /// not started
        NotStarted = "not_started",
        /// in progress
        InProgress = "in_progress",
        /// approved
        Approved = "approved",
        /// rejected
        Rejected = "rejected",
        /// not required, with a text that says why; does not satisfy the privacy rule
        NotRequired = "not_required",
    }
}

record! {
    /// One thing that the law or procurement asks of a hosting.
    Compliance = "compliance", "compliance", compliance_view {
        /// The hosting.
        hosting_id: HostingId,
        /// What is asked for.
        kind: ComplianceKind,
        /// How far it is.
        status: ComplianceStatus,
        /// When it was decided.
        decided_on: Option<PartialDate>,
        /// The legal basis.
        legal_basis: Option<String>,
        /// The class of the data.
        data_class: Option<String>,
        /// For how many days data are kept.
        retention_days: Option<i32>,
        /// The controller of the data.
        controller_id: Option<OrganisationId>,
        /// The document of the decision.
        document_id: Option<DocumentId>,
        /// Anything else; why it is not required.
        text: Option<String>,
    }
    kept { host_city_id: Uuid }
}

inputs! {
    /// A compliance item to add.
    #[schema(example = json!({"kind": "permit", "status": "in_progress", "text": "Works on the public way, district 2."}))]
    ComplianceInput {
        /// The hosting; that of the path may be left out.
        hosting_id: Option<HostingId>,
        /// What is asked for.
        kind: ComplianceKind,
    } checked by super::queries::check;
    /// What can be changed of a compliance item.
    #[schema(example = json!({"status": "in_progress"}))]
    ComplianceChange {
        /// How far it is; `not_started` if absent.
        status: Option<ComplianceStatus>,
        /// When it was decided.
        decided_on: Option<PartialDate>,
        /// The legal basis.
        legal_basis: Option<Line>,
        /// The class of the data.
        data_class: Option<Line>,
        /// For how many days data are kept.
        #[schema(minimum = 0, maximum = 100_000)]
        retention_days: Option<i32>,
        /// The controller of the data.
        controller_id: Option<OrganisationId>,
        /// The document of the decision.
        document_id: Option<DocumentId>,
        /// Anything else; why it is not required.
        text: Option<Prose>,
    } checked by super::queries::check_change
}

/// Filters of compliance items.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ComplianceFilter {
    /// What is asked for; repeat for several.
    pub(super) kind: Option<Vec<ComplianceKind>>,
    /// How far they are; repeat for several.
    pub(super) status: Option<Vec<ComplianceStatus>>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    pub(super) sort: Option<UpdatedSort>,
}
