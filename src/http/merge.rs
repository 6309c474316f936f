//! A body applied to what it changes: as a merge patch [RFC 7396], or in the place of the whole.

use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::schemas::Schema;

/// The record as somebody would send it: its writable members that are stated.
pub(super) fn writable<T: ToSchema>(mut current: Value) -> Value {
    let members = &Schema::named(&T::name()).members;
    if let Value::Object(object) = &mut current {
        object.retain(|name, value| members.contains(name) && !value.is_null());
    }
    current
}

/// What `before` is with a patch; one that `replaces` says members as a whole.
pub fn applied(before: &Value, patch: &Value, replaces: bool) -> Value {
    let mut after = before.clone();
    match (&mut after, patch) {
        (Value::Object(after), Value::Object(members)) if replaces => {
            after.extend(members.clone());
            after.retain(|_, member| !member.is_null());
        }
        (after, patch) => merge(after, patch.clone()),
    }
    after
}

fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let object = target.as_object_mut().expect("made so above");
    for (name, value) in patch {
        if value.is_null() {
            object.shift_remove(&name);
        } else {
            merge(object.entry(name).or_insert(Value::Null), value);
        }
    }
}
