//! Events: their types, the filters that choose them, and their form on the way.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use crate::access::Caller;
use crate::api::collections;
use crate::database::Conn;
use crate::http::Problem;
use crate::sync::changes::{Change, Wanted, changes_after};

/// The type of the event that a test sends.
pub(super) const TEST: &str = "registry.webhook.test";

const OPERATIONS: [&str; 3] = ["created", "updated", "deleted"];

/// The type of the event that tells of a change.
pub(super) fn type_of(change: &Change) -> String {
    format!("registry.{}.{}d", change.type_, change.op.label())
}

/// Which events are wanted: one of a closed list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventFilter(pub String);

impl PartialSchema for EventFilter {
    fn schema() -> RefOr<Schema> {
        let mut values = vec!["*".to_owned()];
        let mut text = "Which events are wanted.\n- `*`: all".to_owned();
        for collection in collections::ALL.iter() {
            let name = collection.name;
            let of = |operation: &str| format!("registry.{name}.{operation}");
            let exact = OPERATIONS.map(of);
            text.push_str(&format!("\n- `{}`: all of {name}; `{}`", of("*"), exact.join("`, `")));
            values.push(of("*"));
            values.extend(exact);
        }
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(values))
            .description(Some(text))
            .examples(["registry.hostings.*"])
            .into()
    }
}
impl ToSchema for EventFilter {}

/// Whether filters choose this type of event.
pub(super) fn chooses(filters: &[String], event_type: &str) -> bool {
    filters.iter().any(|filter| match filter.strip_suffix('*') {
        Some(beginning) => event_type.starts_with(beginning),
        None => filter == event_type,
    })
}

/// The collections of which filters choose events; none: all of them.
pub(super) fn collections_of(filters: &[String]) -> Vec<String> {
    let collection = |filter: &String| filter.split('.').nth(1).map(str::to_owned);
    filters.iter().map(collection).collect::<Option<_>>().unwrap_or_default()
}

/// An event as it is sent [CloudEvents 1.0].
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "specversion": "1.0", "id": "015aca1d-6412-7000-8000-0000000000ff", "source": "https://pilots.example.org",
    "type": "registry.hostings.updated", "subject": "hostings/015aca1d-6412-7000-8000-000000000012",
    "time": "2026-11-24T09:00:00Z", "datacontenttype": "application/json",
    "data": {"seq": 1024, "type": "hostings", "id": "015aca1d-6412-7000-8000-000000000012", "op": "update", "version": 2,
             "at": "2026-11-24T09:00:00Z", "by": "demo-busan", "record": {"id": "015aca1d-6412-7000-8000-000000000012", "version": 2}}
}))]
pub struct Event {
    /// Always 1.0.
    #[schema(example = "1.0")]
    specversion: &'static str,
    /// The same as webhook-id: an event that was seen already can be left aside by it.
    id: Uuid,
    /// The public URL of the registry.
    #[schema(example = "https://pilots.example.org")]
    source: String,
    /// `registry.<collection>.<created|updated|deleted>`, or `registry.webhook.test`.
    #[serde(rename = "type")]
    #[schema(example = "registry.hostings.updated")]
    pub(super) type_: String,
    /// The collection and the id of the record.
    #[schema(example = "hostings/015aca1d-6412-7000-8000-000000000012")]
    subject: String,
    /// When the change was made.
    time: DateTime<Utc>,
    /// Always application/json.
    #[schema(example = "application/json")]
    datacontenttype: &'static str,
    /// The change as the feed shows it, with the record as you may see it when it is sent; null for a test.
    data: Option<Change>,
}

impl Event {
    fn new(id: Uuid, source: &str, type_: String, subject: String, time: DateTime<Utc>) -> Self {
        let source = source.to_owned();
        let datacontenttype = "application/json";
        Self { specversion: "1.0", id, source, type_, subject, time, datacontenttype, data: None }
    }

    /// The event of a test.
    pub(super) fn test(id: Uuid, source: &str, webhook: Uuid, now: DateTime<Utc>) -> Self {
        Self::new(id, source, TEST.into(), format!("webhooks/{webhook}"), now)
    }

    /// The event of a change as this caller may see it now; `None` if they may not know of it any more.
    pub(super) async fn of_change(
        conn: &mut Conn,
        caller: &Caller,
        (id, source): (Uuid, &str),
        (seq, event_type): (i64, &str),
        today: NaiveDate,
    ) -> Result<Option<Self>, Problem> {
        let types = collections_of(&[event_type.to_owned()]);
        let wanted = Wanted { types, cities: vec![], limit: 1, with_records: true };
        let found = changes_after(conn, caller, seq - 1, &wanted, today).await?.changes.into_iter().next();
        Ok(found.filter(|change| change.seq == seq).map(|change| {
            let subject = format!("{}/{}", change.type_, change.id);
            let event = Self::new(id, source, type_of(&change), subject, change.at);
            Self { data: Some(change), ..event }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn a_filter_chooses_all_a_collection_or_exactly_one() {
        let hosting = "registry.hostings.updated";
        assert!(chooses(&filters(&["*"]), hosting));
        assert!(chooses(&filters(&["registry.pilots.*", "registry.hostings.*"]), hosting));
        assert!(chooses(&filters(&[hosting]), hosting));
        assert!(!chooses(&filters(&["registry.hostings.created", "registry.pilots.*"]), hosting));
    }

    #[test]
    fn collections_narrow_what_is_read_unless_everything_is_wanted() {
        assert_eq!(collections_of(&filters(&["registry.pilots.*", "registry.needs.created"])), ["pilots", "needs"]);
        assert_eq!(collections_of(&filters(&["registry.pilots.*", "*"])), Vec::<String>::new());
    }
}
