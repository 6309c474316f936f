//! THE table of permissions: operation × role. Printed in the docs, enforced before a handler runs, and walked by a
//! test over the OpenAPI document: an operation without a row does not start.
//!
//! `Own` lets the request in; the handler then asserts the city by [`crate::database::Tx::act_for`]. Administrators may
//! do everything. What can be read is narrowed by visibility, not by this table.

use crate::access::{Caller, Role, token_needed};
use crate::app::State;
use crate::http::{Code, Problem};

/// What a role may do with an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May {
    /// Not at all.
    No,
    /// Yes.
    Yes,
    /// For the cities that the account acts for.
    Own,
}
use May::{No, Own, Yes};

/// One row.
#[derive(Debug)]
pub struct Row {
    /// operationId.
    pub operation: &'static str,
    /// Without a token.
    pub anonymous: May,
    /// With the role reader.
    pub reader: May,
    /// With the role editor.
    pub editor: May,
    /// With the role verifier.
    pub verifier: May,
}

const fn row(operation: &'static str, anonymous: May, reader: May, editor: May, verifier: May) -> Row {
    Row { operation, anonymous, reader, editor, verifier }
}

/// The table.
#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    //                                      anonymous reader editor verifier
    row("get_service",                      Yes, Yes, Yes, Yes),
    row("get_liveness",                     Yes, Yes, Yes, Yes),
    row("get_readiness",                    Yes, Yes, Yes, Yes),
    row("create_token",                     Yes, Yes, Yes, Yes),
    row("get_keys",                         Yes, Yes, Yes, Yes),
    row("get_authorization_server",         Yes, Yes, Yes, Yes),
    row("get_protected_resource",           Yes, Yes, Yes, Yes),
    row("get_me",                           No,  Yes, Yes, Yes),
    row("list_inbox",                       No,  Yes, Yes, Yes),
    row("list_accounts",                    No,  No,  No,  No),
    row("create_account",                   No,  No,  No,  No),
    row("get_account",                      No,  No,  No,  No),
    row("update_account",                   No,  No,  No,  No),
    row("rotate_account_secret",            No,  No,  No,  No),

    row("report_overview",                  Yes, Yes, Yes, Yes),
    row("report_progress",                  Yes, Yes, Yes, Yes),
    row("report_indicator_comparison",      Yes, Yes, Yes, Yes),
    row("report_applicability",             Yes, Yes, Yes, Yes),
    row("report_lessons",                   Yes, Yes, Yes, Yes),
    row("report_overdue",                   Yes, Yes, Yes, Yes),
    row("report_data_quality",              Yes, Yes, Yes, Yes),
    row("report_hosting_matrix",            Yes, Yes, Yes, Yes),
    row("report_exchange_flows",            Yes, Yes, Yes, Yes),
    row("report_hosting_funnel",            Yes, Yes, Yes, Yes),
    row("report_activity_timeline",         Yes, Yes, Yes, Yes),
    row("report_city_profile",              Yes, Yes, Yes, Yes),
    row("report_pilot_profile",             Yes, Yes, Yes, Yes),
    row("list_changes",                     Yes, Yes, Yes, Yes),
    row("list_webhooks",                    No,  Yes, Yes, Yes),
    row("create_webhook",                   No,  Yes, Yes, Yes),
    row("get_webhook",                      No,  Yes, Yes, Yes),
    row("update_webhook",                   No,  Yes, Yes, Yes),
    row("delete_webhook",                   No,  Yes, Yes, Yes),
    row("rotate_webhook_secret",            No,  Yes, Yes, Yes),
    row("test_webhook",                     No,  Yes, Yes, Yes),
    row("replay_webhook",                   No,  Yes, Yes, Yes),
    row("list_webhook_deliveries",          No,  Yes, Yes, Yes),
    row("replay_webhook_delivery",          No,  Yes, Yes, Yes),

    row("list_cities",                      Yes, Yes, Yes, Yes),
    row("get_city",                         Yes, Yes, Yes, Yes),
    row("list_city_history",                Yes, Yes, Yes, Yes),
    row("create_city",                      No,  No,  No,  No),
    row("upsert_city",                      No,  No,  No,  No),
    row("update_city",                      No,  No,  Own, No),
    row("delete_city",                      No,  No,  No,  No),
    row("list_organisations",               Yes, Yes, Yes, Yes),
    row("get_organisation",                 Yes, Yes, Yes, Yes),
    row("list_organisation_history",        Yes, Yes, Yes, Yes),
    row("create_organisation",              No,  No,  Own, No),
    row("upsert_organisation",              No,  No,  Own, No),
    row("update_organisation",              No,  No,  Own, No),
    row("delete_organisation",              No,  No,  Own, No),
    row("merge_organisation",               No,  No,  Own, No),
    row("list_programmes",                  Yes, Yes, Yes, Yes),
    row("get_programme",                    Yes, Yes, Yes, Yes),
    row("list_programme_history",           Yes, Yes, Yes, Yes),
    row("create_programme",                 No,  No,  No,  No),
    row("upsert_programme",                 No,  No,  No,  No),
    row("update_programme",                 No,  No,  No,  No),
    row("delete_programme",                 No,  No,  No,  No),
    row("list_documents",                   Yes, Yes, Yes, Yes),
    row("get_document",                     Yes, Yes, Yes, Yes),
    row("list_document_history",            Yes, Yes, Yes, Yes),
    row("list_document_citations",          Yes, Yes, Yes, Yes),
    row("create_document",                  No,  No,  Own, No),
    row("upsert_document",                  No,  No,  Own, No),
    row("update_document",                  No,  No,  Own, No),
    row("delete_document",                  No,  No,  Own, No),
    row("list_terms",                       Yes, Yes, Yes, Yes),
    row("get_term",                         Yes, Yes, Yes, Yes),
    row("list_term_history",                Yes, Yes, Yes, Yes),
    row("create_term",                      No,  No,  No,  No),
    row("upsert_term",                      No,  No,  No,  No),
    row("update_term",                      No,  No,  No,  No),

    row("list_pilots",                      Yes, Yes, Yes, Yes),
    row("get_pilot",                        Yes, Yes, Yes, Yes),
    row("list_pilot_history",               Yes, Yes, Yes, Yes),
    row("create_pilot",                     No,  No,  Own, No),
    row("upsert_pilot",                     No,  No,  Own, No),
    row("update_pilot",                     No,  No,  Own, No),
    row("delete_pilot",                     No,  No,  Own, No),
    row("merge_pilot",                      No,  No,  Own, No),
    row("list_needs",                       Yes, Yes, Yes, Yes),
    row("get_need",                         Yes, Yes, Yes, Yes),
    row("list_need_history",                Yes, Yes, Yes, Yes),
    row("create_need",                      No,  No,  Own, No),
    row("upsert_need",                      No,  No,  Own, No),
    row("update_need",                      No,  No,  Own, No),
    row("delete_need",                      No,  No,  Own, No),
    row("list_applicability",               Yes, Yes, Yes, Yes),
    row("get_applicability",                Yes, Yes, Yes, Yes),
    row("list_applicability_history",       Yes, Yes, Yes, Yes),
    row("create_applicability",             No,  No,  Own, No),
    row("upsert_applicability",             No,  No,  Own, No),
    row("update_applicability",             No,  No,  Own, No),
    row("delete_applicability",             No,  No,  Own, No),
    row("search_records",                   Yes, Yes, Yes, Yes),
    row("list_matches",                     Yes, Yes, Yes, Yes),

    row("list_partnerships",                Yes, Yes, Yes, Yes),
    row("get_partnership",                  Yes, Yes, Yes, Yes),
    row("list_partnership_history",         Yes, Yes, Yes, Yes),
    row("create_partnership",               No,  No,  Own, No),
    row("upsert_partnership",               No,  No,  Own, No),
    row("update_partnership",               No,  No,  Own, No),
    row("delete_partnership",               No,  No,  Own, No),
    row("list_initiatives",                 Yes, Yes, Yes, Yes),
    row("get_initiative",                   Yes, Yes, Yes, Yes),
    row("list_initiative_history",          Yes, Yes, Yes, Yes),
    row("create_initiative",                No,  No,  Own, No),
    row("upsert_initiative",                No,  No,  Own, No),
    row("update_initiative",                No,  No,  Own, No),
    row("delete_initiative",                No,  No,  Own, No),
    row("list_initiative_transitions",      Yes, Yes, Yes, Yes),
    row("create_initiative_transition",     No,  No,  Own, No),
    row("list_activities",                  Yes, Yes, Yes, Yes),
    row("get_activity",                     Yes, Yes, Yes, Yes),
    row("list_activity_history",            Yes, Yes, Yes, Yes),
    row("create_activity",                  No,  No,  Own, No),
    row("upsert_activity",                  No,  No,  Own, No),
    row("update_activity",                  No,  No,  Own, No),
    row("delete_activity",                  No,  No,  Own, No),
    row("list_agreements",                  Yes, Yes, Yes, Yes),
    row("get_agreement",                    Yes, Yes, Yes, Yes),
    row("list_agreement_history",           Yes, Yes, Yes, Yes),
    row("create_agreement",                 No,  No,  Own, No),
    row("upsert_agreement",                 No,  No,  Own, No),
    row("update_agreement",                 No,  No,  Own, No),
    row("delete_agreement",                 No,  No,  Own, No),

    row("list_hostings",                    Yes, Yes, Yes, Yes),
    row("get_hosting",                      Yes, Yes, Yes, Yes),
    row("list_hosting_history",             Yes, Yes, Yes, Yes),
    row("create_hosting",                   No,  No,  Own, No),
    row("upsert_hosting",                   No,  No,  Own, No),
    row("update_hosting",                   No,  No,  Own, No),
    row("delete_hosting",                   No,  No,  Own, No),
    row("list_transitions",                 Yes, Yes, Yes, Yes),
    row("create_transition",                No,  No,  Own, No),
    row("list_compliance",                  No,  No,  Own, Yes),
    row("get_compliance",                   No,  No,  Own, Yes),
    row("list_compliance_history",          No,  No,  Own, Yes),
    row("create_compliance",                No,  No,  Own, No),
    row("upsert_compliance",                No,  No,  Own, No),
    row("update_compliance",                No,  No,  Own, No),
    row("delete_compliance",                No,  No,  Own, No),

    row("list_indicators",                  Yes, Yes, Yes, Yes),
    row("get_indicator",                    Yes, Yes, Yes, Yes),
    row("list_indicator_history",           Yes, Yes, Yes, Yes),
    row("create_indicator",                 No,  No,  Own, No),
    row("upsert_indicator",                 No,  No,  Own, No),
    row("update_indicator",                 No,  No,  Own, No),
    row("delete_indicator",                 No,  No,  Own, No),
    row("list_outcomes",                    Yes, Yes, Yes, Yes),
    row("get_outcome",                      Yes, Yes, Yes, Yes),
    row("list_outcome_history",             Yes, Yes, Yes, Yes),
    row("create_outcome",                   No,  No,  Own, No),
    row("upsert_outcome",                   No,  No,  Own, No),
    row("update_outcome",                   No,  No,  Own, No),
    row("delete_outcome",                   No,  No,  Own, No),
    row("list_outcome_observations",        Yes, Yes, Yes, Yes),
    row("create_observation",               No,  No,  Own, No),
    row("upsert_observation",               No,  No,  Own, No),
    row("list_observations",                Yes, Yes, Yes, Yes),
    row("get_observation",                  Yes, Yes, Yes, Yes),
    row("list_observation_history",         Yes, Yes, Yes, Yes),
    row("create_observations",              No,  No,  Own, No),
    row("update_observation",               No,  No,  Own, No),
    row("delete_observation",               No,  No,  Own, No),
    row("list_observation_transitions",     Yes, Yes, Yes, Yes),
    row("create_observation_transition",    No,  No,  Own, Yes),
    row("list_hosting_evaluations",         Yes, Yes, Yes, Yes),
    row("list_evaluations",                 Yes, Yes, Yes, Yes),
    row("get_evaluation",                   Yes, Yes, Yes, Yes),
    row("list_evaluation_history",          Yes, Yes, Yes, Yes),
    row("create_evaluation",                No,  No,  Own, Own),
    row("upsert_evaluation",                No,  No,  Own, Own),
    row("update_evaluation",                No,  No,  Own, Own),
    row("delete_evaluation",                No,  No,  Own, Own),

    row("export_cities",                     Yes, Yes, Yes, Yes),
    row("export_organisations",              Yes, Yes, Yes, Yes),
    row("export_programmes",                 Yes, Yes, Yes, Yes),
    row("export_documents",                  Yes, Yes, Yes, Yes),
    row("export_terms",                      Yes, Yes, Yes, Yes),
    row("export_pilots",                     Yes, Yes, Yes, Yes),
    row("export_needs",                      Yes, Yes, Yes, Yes),
    row("export_applicability",              Yes, Yes, Yes, Yes),
    row("export_partnerships",               Yes, Yes, Yes, Yes),
    row("export_initiatives",                Yes, Yes, Yes, Yes),
    row("export_activities",                 Yes, Yes, Yes, Yes),
    row("export_agreements",                 Yes, Yes, Yes, Yes),
    row("export_hostings",                   Yes, Yes, Yes, Yes),
    row("export_compliance",                 No,  No,  Yes, Yes),
    row("export_indicators",                 Yes, Yes, Yes, Yes),
    row("export_outcomes",                   Yes, Yes, Yes, Yes),
    row("export_observations",               Yes, Yes, Yes, Yes),
    row("export_evaluations",                Yes, Yes, Yes, Yes),
    row("get_catalogue",                    Yes, Yes, Yes, Yes),
    row("list_imports",                     No,  No,  Yes, No),
    row("create_import",                    No,  No,  Yes, No),
    row("get_import",                       No,  No,  Own, No),
    row("list_import_errors",               No,  No,  Own, No),
    row("get_import_report",                No,  No,  Own, No),
    row("cancel_import",                    No,  No,  Own, No),
];

/// The row of an operation.
pub fn row_of(operation: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.operation == operation)
}

/// What a caller may do with an operation.
pub fn may(row: &Row, caller: &Caller) -> May {
    match caller.role() {
        _ if caller.is_administrator() => Yes,
        None => row.anonymous,
        Some(Role::Reader) => row.reader,
        Some(Role::Editor) => row.editor,
        Some(Role::Verifier) => row.verifier,
        Some(Role::Administrator) => Yes,
    }
}

/// Lets a caller in or not.
///
/// # Errors
/// 401 without a token where one is needed, 403 where the role is not enough.
pub fn check(row: &Row, caller: &Caller, state: &State) -> Result<(), Problem> {
    match (may(row, caller), caller.role()) {
        (Yes | Own, _) => Ok(()),
        (No, None) => Err(token_needed(&format!(
            "an access token is needed; get one from POST {}/oauth/token",
            state.config.public_url
        ))),
        (No, Some(role)) => Err(Problem::new(
            Code::Forbidden,
            format!("an account with the role {role} may not do this; see {}/docs/", state.config.public_url),
        )),
    }
}

/// The table in Markdown, for the head of the OpenAPI document.
pub fn as_markdown() -> String {
    let word = |may: May| match may {
        No => "–",
        Yes => "yes",
        Own => "own",
    };
    let mut text =
        String::from("| operation | anonymous | reader | editor | verifier |\n| --- | --- | --- | --- | --- |\n");
    for row in TABLE {
        let cells = [row.anonymous, row.reader, row.editor, row.verifier].map(word).join(" | ");
        text.push_str(&format!("| `{}` | {cells} |\n", row.operation));
    }
    text
}
