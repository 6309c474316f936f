//! Every filter of every list (api.md, convention 8).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::openapi::operations;
use crate::support::{App, ended, founding, new_assessment, new_hosting, new_outcome, new_pilot, path};

/// A list, the record to find in it, and for each filter a value that finds the record and one that does not.
type Case = (&'static str, String, Value, Vec<(&'static str, String, &'static str)>);

/// What leaves nothing out by itself. `radius_km` belongs to `near`.
const PAGING: &[&str] =
    &["limit", "cursor", "count", "sort", "updated_since", "lang", "expand", "as_of", "facets", "radius_km"];
const PROGRAMME: &str = "015aca1d-6407-7000-8000-000000000007";
const NOWHERE: &str = "-35,-60";
/// What narrows hostings, and what is told of them, as reports do.
const OF_SCOPE: [(&str, &str, &str); 6] = [
    ("city", "ESBCN", "KRSEL"),
    ("partnership_id", founding::PARTNERSHIP, NO_ID),
    ("programme_id", PROGRAMME, NO_ID),
    ("areas", "public_transport", "clean_energy"),
    ("from", "2026-11", "2026-12"),
    ("to", "2026-02", "2026-01"),
];
const NO_ID: &str = "015aca1d-0000-7000-8000-000000000000";

fn filters(list: &[(&'static str, &str, &'static str)]) -> Vec<(&'static str, String, &'static str)> {
    list.iter().map(|(name, yes, no)| (*name, (*yes).to_owned(), *no)).collect()
}

async fn directory(app: &App) -> Vec<Case> {
    let admin = app.admin().await;
    let hash = "a".repeat(64);
    let document = json!({"title": "Plan", "city": "KRPUS", "sha256": hash, "visibility": "partners"});
    let document = admin.post("/v1/documents", document).await.created();
    let terms = "/v1/vocabularies/areas/terms";
    let term = json!({"code": "lamps", "label": "Lamps", "broader": "clean_energy", "retired_on": "2020"});
    let term = admin.post(terms, term).await.created();
    let organisation = json!({"name": "Lamp Makers", "kind": "company", "city": "ESBCN"});
    let organisation = admin.post("/v1/organisations", organisation).await.created();
    let programme = admin.post("/v1/programmes", json!({"name": "Lamps of the world"})).await.created();
    let city = admin.get("/v1/cities/KRPUS").await.ok();
    let account = admin.get("/v1/me").await.ok();
    let none = "b".repeat(64).leak();
    vec![
        ("list_accounts", "/v1/accounts".into(), account, filters(&[("role", "administrator", "reader")])),
        (
            "list_cities",
            "/v1/cities".into(),
            city,
            filters(&[
                ("code", "KRPUS", "ESBCN"),
                ("country", "KR", "ES"),
                ("name", "busan", "Seoul"),
                ("q", "busan", "zzyzxqq"),
                ("near", "35,129", NOWHERE),
            ]),
        ),
        (
            "list_documents",
            "/v1/documents".into(),
            document,
            filters(&[
                ("city", "KRPUS", "ESBCN"),
                ("visibility", "partners", "public"),
                ("sha256", &hash, none),
                ("q", "plan", "zzyzxqq"),
                ("near", "35,129", NOWHERE),
            ]),
        ),
        (
            "list_terms",
            terms.into(),
            term,
            filters(&[
                ("code", "lamps", "clean_energy"),
                ("broader", "clean_energy", "smart_cities"),
                ("retired", "true", "false"),
            ]),
        ),
        (
            "list_organisations",
            "/v1/organisations".into(),
            organisation,
            filters(&[
                ("kind", "company", "agency"),
                ("city", "ESBCN", "KRPUS"),
                ("name", "lamp makers", "KISWIRE"),
                ("q", "lamp maker", "zzyzxqq"),
                ("near", "41.4,2.2", NOWHERE),
            ]),
        ),
        (
            "list_programmes",
            "/v1/programmes".into(),
            programme,
            filters(&[("name", "lamps of the world", "World Cities"), ("q", "lamps world", "zzyzxqq")]),
        ),
    ]
}

async fn catalogue(app: &App) -> Vec<Case> {
    let barcelona = app.barcelona().await;
    let need = json!({"city": "ESBCN", "area": "public_transport", "category": "fare_collection", "title": "Paying",
                      "tags": ["buses"], "status": "met"});
    let need = barcelona.post("/v1/needs", need).await.created();
    let pilot = new_pilot(&app.busan().await, json!({})).await;
    let assessment =
        json!({"verdict": "with_changes", "reason": "cost", "assessed_on": "2026-05", "visibility": "partners"});
    let assessment = new_assessment(&barcelona, &pilot, assessment).await;
    vec![
        (
            "list_needs",
            "/v1/needs".into(),
            need,
            filters(&[
                ("city", "ESBCN", "KRPUS"),
                ("area", "public_transport", "clean_energy"),
                ("category", "fare_collection", "waste"),
                ("status", "met", "open"),
                ("tags", "buses", "none"),
                ("q", "buses", "zzyzxqq"),
                ("near", "41.4,2.2", NOWHERE),
            ]),
        ),
        (
            "list_applicability",
            "/v1/applicability".into(),
            assessment,
            filters(&[
                ("pilot_id", pilot["id"].as_str().unwrap(), NO_ID),
                ("city", "ESBCN", "KRSEL"),
                ("verdict", "with_changes", "applicable"),
                ("reason", "cost", "regulation"),
                ("current", "true", "false"),
                ("visibility", "partners", "public"),
                ("assessed_on_from", "2026-05-31", "2026-06"),
                ("assessed_on_to", "2026-05", "2026-05-30"),
                ("q", "pilot", "zzyzxqq"),
            ]),
        ),
    ]
}

async fn exchange(app: &App) -> Vec<Case> {
    let (admin, barcelona) = (app.admin().await, app.barcelona().await);
    let pilot = json!({"title": "Lamps", "slug": "lamps", "category": "video_analysis", "areas": ["public_transport"], "status": "in_test",
                       "tags": ["lamps"], "processes_personal_data": true, "visibility": "partners", "trl": 5});
    let pilot = new_pilot(&admin, pilot).await;
    let earlier = new_hosting(&admin, &pilot, json!({"historical": true, "status": "closed"})).await;
    let historical = json!({"historical": true, "status": "live", "lead_organisation_id": founding::BUSAN_CITY_HALL,
        "agreement_id": founding::AGREEMENT, "initiative_id": founding::BUS_FARES,
        "visibility": "private", "follows_id": earlier["id"], "planned_start": "2026-02", "planned_end": "2026-12",
        "actual_start": "2026-02", "actual_end": "2026-11"});
    let hosting = new_hosting(&admin, &pilot, historical).await;
    let at = path("hostings", &hosting);
    let compliance = json!({"kind": "permit", "status": "in_progress"});
    let compliance = barcelona.post(&format!("{at}/compliance"), compliance).await.created();
    let evaluation =
        json!({"kind": "self", "on": "2026", "summary": "It works.", "decision": "scale", "rationale": "It pays."});
    let evaluation = barcelona.post(&format!("{at}/evaluations"), evaluation).await.created();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    vec![
        (
            "list_pilots",
            "/v1/pilots".into(),
            pilot.clone(),
            filters(&[
                ("origin_city", "KRPUS", "ESBCN"),
                ("category", "video_analysis", "waste"),
                ("areas", "public_transport", "clean_energy"),
                ("status", "in_test", "retired"),
                ("tags", "lamps", "none"),
                ("slug", "lamps", "none"),
                ("processes_personal_data", "true", "false"),
                ("visibility", "partners", "public"),
                ("trl_from", "5", "6"),
                ("trl_to", "5", "4"),
                ("q", "lamps", "zzyzxqq"),
                ("near", "35,129", NOWHERE),
            ]),
        ),
        (
            "list_hostings",
            "/v1/hostings".into(),
            hosting.clone(),
            [
                filters(&OF_SCOPE),
                filters(&[
                    ("pilot_id", &text(&pilot["id"]), NO_ID),
                    ("host_city", "ESBCN", "KRSEL"),
                    ("origin_city", "KRPUS", "ESBCN"),
                    ("kind", "exchange", "home_test"),
                    ("status", "live", "closed"),
                    ("reached", "live", "agreed"),
                    ("lead_organisation_id", founding::BUSAN_CITY_HALL, NO_ID),
                    ("historical", "true", "false"),
                    ("agreement_id", founding::AGREEMENT, NO_ID),
                    ("initiative_id", founding::BUS_FARES, NO_ID),
                    ("gate_broken", "false", "true"),
                    ("proposed_by_city", "KRPUS", "ESBCN"),
                    ("follows_id", &text(&earlier["id"]), NO_ID),
                    ("planned_start_from", "2026-01", "2026-03"),
                    ("planned_start_to", "2026-02-28", "2026-02-27"),
                    ("planned_end_from", "2026-12", "2027-01"),
                    ("planned_end_to", "2026", "2026-11"),
                    ("actual_start_from", "2026-02", "2026-03"),
                    ("actual_start_to", "2026-02", "2026-01"),
                    ("actual_end_from", "2026-11", "2026-12"),
                    ("actual_end_to", "2026-11", "2026-10"),
                    ("visibility", "private", "public"),
                    ("q", "lamps", "zzyzxqq"),
                    ("near", "41.4,2.2", NOWHERE),
                ]),
            ]
            .concat(),
        ),
        (
            "search_records",
            "/v1/search".into(),
            hosting.clone(),
            filters(&[
                ("q", "lamps", "zzyzxqq"),
                ("near", "41.4,2.2", NOWHERE),
                ("types", "hostings", "pilots"),
                ("city", "ESBCN", "KRSEL"),
                ("country", "ES", "FR"),
                ("area", "public_transport", "clean_energy"),
                ("areas", "public_transport", "clean_energy"),
                ("category", "video_analysis", "waste"),
                ("status", "live", "closed"),
            ]),
        ),
        (
            "list_compliance",
            format!("{at}/compliance"),
            compliance,
            filters(&[("kind", "permit", "dpia"), ("status", "in_progress", "approved")]),
        ),
        (
            "list_hosting_evaluations",
            format!("{at}/evaluations"),
            evaluation.clone(),
            filters(&[
                ("kind", "self", "peer"),
                ("decision", "scale", "stop"),
                ("decided", "true", "false"),
                ("q", "it works", "zzyzxqq"),
            ]),
        ),
        (
            "list_evaluations",
            "/v1/evaluations".into(),
            evaluation,
            [
                filters(&OF_SCOPE),
                filters(&[
                    ("kind", "self", "peer"),
                    ("decision", "scale", "stop"),
                    ("decided", "true", "false"),
                    ("hosting_id", &text(&hosting["id"]), NO_ID),
                    ("pilot_id", &text(&pilot["id"]), NO_ID),
                    ("host_city", "ESBCN", "KRPUS"),
                    ("q", "it works", "zzyzxqq"),
                ]),
            ]
            .concat(),
        ),
    ]
}

async fn cooperation(app: &App) -> Vec<Case> {
    let admin = app.admin().await;
    let body = json!({"title": "Lamps", "programme_id": PROGRAMME, "cities": ["KRPUS", "KRSEL"], "status": "dormant",
                      "since": "2020-05"});
    let partnership = admin.post("/v1/partnerships", body).await.created();
    let body = json!({"partnership_id": partnership["id"], "area": "clean_energy", "kind": "benchmarking", "title": "Lamps",
                      "from_city": "KRPUS", "to_city": "KRSEL", "stage": "agreed", "pilot_ids": [founding::STREETLIGHTS],
                      "document_ids": [founding::DOCUMENT]});
    let initiative = admin.post("/v1/initiatives", body).await.created();
    let body = json!({"kind": "contract", "title": "Lamps", "parties": [{"city": "KRPUS"}, {"city": "KRSEL"}],
                      "initiative_id": initiative["id"], "status": "expired", "signed_on": "2020-05",
                      "valid_until": "2021", "document_id": founding::DOCUMENT, "visibility": "partners"});
    let agreement = admin.post("/v1/agreements", body).await.created();
    let body = json!({"kind": "event", "title": "Lamps", "starts_on": "2020", "ends_on": "2021"});
    let parent = admin.post("/v1/activities", body).await.created();
    let body = json!({"kind": "workshop", "title": "Lamps", "city": "KRSEL", "starts_on": "2020-05", "ends_on": "2020-06",
                      "parent_id": parent["id"], "partnership_id": partnership["id"],
                      "initiative_ids": [initiative["id"]], "areas": ["clean_energy"]});
    let activity = admin.post("/v1/activities", body).await.created();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (of_partnership, of_initiative) = (text(&partnership["id"]), text(&initiative["id"]));
    vec![
        (
            "list_partnerships",
            "/v1/partnerships".into(),
            partnership,
            filters(&[
                ("programme_id", PROGRAMME, NO_ID),
                ("cities", "KRSEL", "ESBCN"),
                ("status", "dormant", "active"),
                ("since_from", "2020-05-31", "2020-06"),
                ("since_to", "2020-05", "2020-04"),
                ("q", "lamps", "zzyzxqq"),
                ("near", "35,129", NOWHERE),
            ]),
        ),
        (
            "list_initiatives",
            "/v1/initiatives".into(),
            initiative,
            filters(&[
                ("partnership_id", &of_partnership, NO_ID),
                ("area", "clean_energy", "smart_cities"),
                ("kind", "benchmarking", "model_transfer"),
                ("from_city", "KRPUS", "KRSEL"),
                ("to_city", "KRSEL", "KRPUS"),
                ("stage", "agreed", "done"),
                ("pilot_ids", founding::STREETLIGHTS, NO_ID),
                ("agreement_ids", &text(&agreement["id"]), NO_ID),
                ("document_ids", founding::DOCUMENT, NO_ID),
                ("q", "lamps", "zzyzxqq"),
            ]),
        ),
        (
            "list_activities",
            "/v1/activities".into(),
            activity,
            filters(&[
                ("kind", "workshop", "event"),
                ("city", "KRSEL", "KRPUS"),
                ("starts_on_from", "2020-05", "2020-06"),
                ("starts_on_to", "2020-05", "2020-04"),
                ("ends_on_from", "2020-06", "2020-07"),
                ("ends_on_to", "2020-06", "2020-05"),
                ("parent_id", &text(&parent["id"]), NO_ID),
                ("partnership_id", &of_partnership, NO_ID),
                ("initiative_ids", &of_initiative, NO_ID),
                ("areas", "clean_energy", "smart_cities"),
                ("q", "lamps", "zzyzxqq"),
                ("near", "37.5,127", NOWHERE),
            ]),
        ),
        (
            "list_agreements",
            "/v1/agreements".into(),
            agreement,
            filters(&[
                ("kind", "contract", "mou"),
                ("initiative_id", &of_initiative, NO_ID),
                ("status", "expired", "signed"),
                ("signed_on_from", "2020-05", "2020-06"),
                ("signed_on_to", "2020-05", "2020-04"),
                ("valid_until_from", "2021", "2022"),
                ("valid_until_to", "2021", "2020"),
                ("document_id", founding::DOCUMENT, NO_ID),
                ("visibility", "partners", "public"),
                ("q", "lamps", "zzyzxqq"),
            ]),
        ),
    ]
}

async fn inbox(app: &App) -> Vec<Case> {
    let pilot = new_pilot(&app.busan().await, json!({})).await;
    let hosting = new_hosting(&app.busan().await, &pilot, json!({})).await;
    vec![("list_inbox", "/v1/inbox".into(), hosting, filters(&[("kind", "proposal", "verification")]))]
}

async fn imports(app: &App) -> Vec<Case> {
    let admin = app.admin().await;
    let import = ended(&admin, admin.post("/v1/imports?type=needs", json!([])).await.json).await;
    vec![(
        "list_imports",
        "/v1/imports".into(),
        import,
        filters(&[("status", "done", "queued"), ("type", "needs", "pilots")]),
    )]
}

async fn outcomes(app: &App) -> Vec<Case> {
    let admin = app.admin().await;
    let own = json!({"vocabulary": "own", "city": "KRPUS", "code": "SL-GLARE", "name": "Glare", "definition": "Complaints.",
                     "unit": "n", "measure": "number", "direction": "down", "aggregation": "sum", "areas": ["clean_energy"]});
    let indicator = admin.post("/v1/indicators", own).await.created();
    let rest = json!({"frequency": "yearly", "responsible_organisation_id": founding::BUSAN_CITY_HALL, "visibility": "partners"});
    let of_hosting = new_outcome(&admin, "hosting", &json!(founding::STREETLIGHTS_AT_HOME), rest).await;
    let of_pilot = new_outcome(&admin, "pilot", &json!(founding::STREETLIGHTS), json!({})).await;
    let of_partnership = new_outcome(&admin, "partnership", &json!(founding::PARTNERSHIP), json!({})).await;
    let of_initiative = new_outcome(&admin, "initiative", &json!(founding::BUS_FARES), json!({})).await;
    let of_city = admin.get(&format!("/v1/outcomes/{}", founding::SERVICES_UNDER_TEST)).await.ok();
    let observations = format!("/v1/outcomes/{}/observations", founding::SERVICES_UNDER_TEST);
    let body = json!({"starts_on": "2026-01", "ends_on": "2026-06", "value": "27"});
    let observation = admin.post(&observations, body).await.created();
    let of_period = [
        ("status", "draft", "verified"),
        ("starts_on_from", "2026-01", "2026-02"),
        ("starts_on_to", "2026-01-31", "2026-01-30"),
        ("ends_on_from", "2026-06-30", "2026-07-01"),
        ("ends_on_to", "2026-06-30", "2026-06-29"),
        ("superseded", "false", "true"),
    ];
    let mut of_outcome = of_period.to_vec();
    of_outcome.push(("outcome_id", founding::SERVICES_UNDER_TEST, founding::SELF_SUFFICIENCY));
    let indicator_id = of_hosting["indicator_id"].as_str().unwrap().to_owned();
    vec![
        (
            "list_indicators",
            "/v1/indicators".into(),
            indicator,
            filters(&[
                ("vocabulary", "own", "SDG"),
                ("city", "KRPUS", "ESBCN"),
                ("code", "SL-GLARE", "SL-01"),
                ("unit", "n", "pct"),
                ("measure", "number", "percentage"),
                ("direction", "down", "up"),
                ("aggregation", "sum", "mean"),
                ("areas", "clean_energy", "culture_tourism"),
                ("q", "complaints", "zzyzxqq"),
            ]),
        ),
        (
            "list_outcomes",
            "/v1/outcomes".into(),
            of_hosting,
            filters(&[
                ("indicator_id", &indicator_id, NO_ID),
                ("hosting_id", founding::STREETLIGHTS_AT_HOME, NO_ID),
                ("level", "outcome", "impact"),
                ("frequency", "yearly", "monthly"),
                ("responsible_organisation_id", founding::BUSAN_CITY_HALL, NO_ID),
                ("visibility", "partners", "private"),
            ]),
        ),
        (
            "list_outcomes",
            "/v1/outcomes".into(),
            of_pilot,
            filters(&[("pilot_id", founding::STREETLIGHTS, founding::CCTV)]),
        ),
        (
            "list_outcomes",
            "/v1/outcomes".into(),
            of_partnership,
            filters(&[("partnership_id", founding::PARTNERSHIP, NO_ID)]),
        ),
        (
            "list_outcomes",
            "/v1/outcomes".into(),
            of_initiative,
            filters(&[("initiative_id", founding::BUS_FARES, NO_ID)]),
        ),
        ("list_outcomes", "/v1/outcomes".into(), of_city, filters(&[("city", "KRPUS", "ESBCN")])),
        ("list_outcome_observations", observations, observation.clone(), filters(&of_period)),
        ("list_observations", "/v1/observations".into(), observation, filters(&of_outcome)),
    ]
}

#[tokio::test]
async fn every_filter_finds_what_fits_and_leaves_out_what_does_not() {
    let app = App::start().await;
    let admin = app.admin().await;
    let mut cases = directory(&app).await;
    cases.extend(catalogue(&app).await);
    cases.extend(exchange(&app).await);
    cases.extend(cooperation(&app).await);
    cases.extend(inbox(&app).await);
    cases.extend(imports(&app).await);
    cases.extend(outcomes(&app).await);
    let mut tried: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (operation, list, record, filters) in &cases {
        for (name, yes, no) in filters {
            tried.insert((operation, name));
            for (value, wanted) in [(yes.as_str(), true), (no, false)] {
                let found = admin.all(&format!("{list}?{name}={}", value.replace(' ', "%20"))).await;
                let found = found.iter().any(|item| item["id"] == record["id"]);
                assert_eq!(found, wanted, "{operation}: {name}={value}");
            }
        }
    }
    for (method, _, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap();
        let tag = &operation["tags"][0];
        if method != "get" || id == "list_matches" || tag == "reports" || (tag == "sync" && id != "list_imports") {
            continue; // No lists of records; what they take is tried in rules::matching, in reports and in sync.
        }
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        for name in parameters.filter(|one| one["in"] == "query").map(|one| one["name"].as_str().unwrap()) {
            assert!(PAGING.contains(&name) || tried.contains(&(id, name)), "{id}: {name} is not tried");
        }
    }
}
