//! Who may do what with whose record: role × operation × object, for every operation of the OpenAPI document.

use pilot_exchange::access::table::{self, May, Row};
use pilot_exchange::api;
use serde_json::{Value, json};

use super::permission_world::{Objects, Whose};
use super::permissions::WITHOUT_BODY;
use crate::support::{Actor, Answer, unique};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Role {
    Anonymous,
    Reader,
    /// Of Busan.
    Editor,
    Verifier,
    Administrator,
}

use Role::{Administrator, Anonymous, Editor, Reader, Verifier};

impl Role {
    const ALL: [Role; 5] = [Anonymous, Reader, Editor, Verifier, Administrator];

    fn may(self, row: &Row) -> May {
        match self {
            Anonymous => row.anonymous,
            Reader => row.reader,
            Editor => row.editor,
            Verifier => row.verifier,
            Administrator => May::Yes,
        }
    }

    /// Whether the role sees such a record of a collection.
    fn sees(self, collection: &str, whose: Whose) -> bool {
        let is_own = self == Editor && whose == Whose::Own;
        match collection {
            // Of the account itself.
            "webhooks" | "imports" => is_own || self == Administrator,
            "compliance" => is_own || matches!(self, Verifier | Administrator),
            _ => match whose {
                Whose::Own | Whose::Others => true,
                Whose::Partners => self != Anonymous,
                Whose::Hidden | Whose::HiddenChild | Whose::Draft => {
                    let verifies = self == Verifier && matches!(collection, "outcomes" | "observations");
                    verifies || self == Administrator
                }
            },
        }
    }

    /// Whether the role may write such a record that it sees, where the table lets it in at all.
    fn acts(self, operation: &str, row: &Row, whose: Whose) -> bool {
        match self {
            Administrator => true,
            Editor => whose == Whose::Own,
            // An evaluation of its own; those in this world are the hosts'.
            Verifier if self.may(row) == May::Own => matches!(operation, "create_evaluation" | "upsert_evaluation"),
            Verifier => self.may(row) == May::Yes,
            Anonymous | Reader => false,
        }
    }
}

/// What must be answered.
#[derive(Debug, PartialEq)]
enum Cell {
    /// 401: a token is needed.
    Token,
    /// 403: seen, but not theirs to do.
    Forbidden,
    /// 404: not there.
    Hidden,
    /// 422: the body refers to what is not there.
    UnknownRecord,
    /// An answer by the rules of the record, whichever it is.
    LetIn,
}

/// Of an operation on the record in its path.
fn cell(row: &Row, method: &str, collection: &str, whose: Whose, role: Role) -> Cell {
    // A list of what is private to the cities involved is theirs, as a write is.
    let needs_part = method != "get" || row.operation == "list_compliance";
    match (role.may(row), role) {
        (May::No, Anonymous) => Cell::Token,
        (May::No, _) => Cell::Forbidden,
        _ if !role.sees(collection, whose) => Cell::Hidden,
        _ if needs_part && collection != "webhooks" && !role.acts(row.operation, row, whose) => Cell::Forbidden,
        _ => Cell::LetIn,
    }
}

/// Of an operation whose body says whose the record shall be, or to which record it belongs.
fn cell_of_body(row: &Row, parent: Option<&str>, whose: Whose, role: Role) -> Cell {
    match (role.may(row), role, parent) {
        (May::No, Anonymous, _) => Cell::Token,
        (May::No, ..) => Cell::Forbidden,
        (_, _, Some(parent)) if !role.sees(parent, whose) => Cell::UnknownRecord,
        _ if !role.acts(row.operation, row, whose) => Cell::Forbidden,
        _ => Cell::LetIn,
    }
}

fn found(answer: &Answer) -> Cell {
    let code = answer.json["code"].as_str().unwrap_or_default();
    let has_fault = |code: &str| answer.json["errors"].as_array().into_iter().flatten().any(|one| one["code"] == code);
    match (answer.status, code) {
        (401, "unauthenticated") => Cell::Token,
        (403, "forbidden") => Cell::Forbidden,
        (404, "not_found") => Cell::Hidden,
        (422, "invalid") if has_fault("unknown_record") => Cell::UnknownRecord,
        (400..=406 | 415 | 429 | 500.., _) => panic!("{}: {} {}", answer.request, answer.status, answer.text),
        _ => Cell::LetIn,
    }
}

/// Operations that are about no record that is anybody's: they have a row in the table of operation × role, and lists show
/// nothing hidden (`visibility_paths`).
fn is_about_nobodys_record(method: &str, template: &str, id: &str) -> bool {
    let is_read_of_many = method == "get" && !template.contains("{id}");
    let is_for_itself = matches!(id, "create_token" | "create_webhook" | "create_import");
    is_read_of_many || is_for_itself
}

/// A body that is acceptable, so that only permission can be in the way.
fn body_at(id: &str, role: Role) -> Value {
    let kind = if role == Verifier { "external" } else { "self" };
    match id {
        "create_compliance" => json!({"kind": "permit"}),
        "create_evaluation" => json!({"kind": kind, "on": "2026-10-01", "summary": "It works."}),
        "create_observation" => json!({"starts_on": "2026", "ends_on": "2026", "value": "1"}),
        "create_transition" => json!({"to": "agreed"}),
        "create_initiative_transition" => json!({"to": "negotiating"}),
        // A city submits its own; to verify them is another's.
        "create_observation_transition" if role == Editor => json!({"to": "submitted"}),
        "create_observation_transition" => json!({"to": "verified"}),
        "replay_webhook" => json!({"from": 1}),
        _ => json!({}),
    }
}

/// Calls an operation on the record in its path. Whoever may change it names a version that it never had: nothing changes.
async fn call(actor: &Actor, method: &str, path: &str, id: &str, body: &Value) -> Answer {
    let request = actor.request(&method.to_uppercase(), path);
    let request = match method {
        "patch" => {
            request.header("if-match", "\"v999\"").header("content-type", "application/merge-patch+json").body("{}")
        }
        "delete" => request.header("if-match", "\"v999\""),
        "post" | "put" if !WITHOUT_BODY.contains(&id) => request.json(body),
        _ => request,
    };
    actor.send(request).await
}

/// Every operation: path template, method, id.
fn operations() -> Vec<(String, String, String)> {
    let paths = api::document()["paths"].as_object().unwrap();
    let of = |template: &String, item: &Value| {
        let of_method = |(method, operation): (&String, &Value)| {
            (template.clone(), method.clone(), operation["operationId"].as_str().unwrap().to_owned())
        };
        item.as_object().unwrap().iter().map(of_method).collect::<Vec<_>>()
    };
    paths.iter().flat_map(|(template, item)| of(template, item)).collect()
}

async fn actors(objects: &Objects) -> Vec<(Role, Actor)> {
    let mut actors = vec![];
    for role in Role::ALL {
        let actor = match role {
            Anonymous => objects.app.anonymous(),
            Reader => objects.app.reader().await,
            Editor => objects.app.busan().await,
            Verifier => objects.app.verifier().await,
            Administrator => objects.app.admin().await,
        };
        actors.push((role, actor));
    }
    actors
}

/// Compares a cell, and counts it.
fn compare(answer: &Answer, expected: &Cell, what: &str, wrong: &mut Vec<String>, cells: &mut usize) {
    *cells += 1;
    let found = found(answer);
    if found != *expected {
        wrong.push(format!("{what}: {found:?} instead of {expected:?}: {} {}", answer.status, answer.text));
    }
}

#[tokio::test]
async fn every_role_may_do_with_each_kind_of_record_what_the_table_says_and_no_more() {
    let objects = Objects::make().await;
    let actors = actors(&objects).await;
    let (mut wrong, mut cells, mut missing) = (vec![], 0, vec![]);
    for (template, method, id) in operations() {
        let row = table::row_of(&id).unwrap_or_else(|| panic!("{id} has no row in the table of permissions"));
        let collection = template.split('/').nth(2).unwrap_or_default();
        let mut has_cells = is_about_nobodys_record(&method, &template, &id);
        for whose in Whose::ALL {
            let (path, body) = match template.contains("{id}") {
                true => (objects.path(&template, collection, whose), None),
                false => (Some(template.clone()), objects.body_of(&id, whose)),
            };
            let Some(path) = path.filter(|_| template.contains("{id}") || body.is_some()) else { continue };
            has_cells = true;
            for (role, actor) in &actors {
                let (expected, body) = match &body {
                    Some((body, parent)) => (cell_of_body(row, *parent, whose, *role), with_kind(body, *role)),
                    None if id.starts_with("merge_") => {
                        (cell(row, &method, collection, whose, *role), json!({"into_id": path.split('/').nth(3)}))
                    }
                    None => (cell(row, &method, collection, whose, *role), body_at(&id, *role)),
                };
                // A namespace of external ids belongs to whom used it first.
                let source = format!("test-{role:?}-{whose:?}");
                let path = path.replace("{scheme}", "areas").replace("{source}", &source).replace("{value}", &unique());
                let answer = call(actor, &method, &path, &id, &body).await;
                compare(&answer, &expected, &format!("{role:?} {id} {whose:?}"), &mut wrong, &mut cells);
            }
        }
        if !has_cells {
            missing.push(id);
        }
    }
    assert!(wrong.is_empty(), "{} of {cells} cells:\n{}", wrong.len(), wrong.join("\n"));
    assert!(missing.is_empty(), "of no record in this world: {missing:?}");
    assert!(cells > 1000, "{cells} cells");
}

/// An evaluation is the verifier's as an external one only.
fn with_kind(body: &Value, role: Role) -> Value {
    let mut body = body.clone();
    if role == Verifier && body["kind"] == "self" {
        body["kind"] = json!("external");
    }
    body
}
