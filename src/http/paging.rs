//! Lists by keyset, never by OFFSET: the cursor names the last record seen, carries the filters, and is authenticated.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::IntoParams;
use uuid::Uuid;

use super::problem::{Code, Problem};
use crate::access::secrets::Secrets;
use crate::values::labels;

labels! {
    /// Whether to count.
    Count {
        /// the answer has `count`, the number of all records that fit
        Exact = "exact",
    }
}

labels! {
    /// The order of the list; by id, that is by creation, if absent. Ties are in order of id.
    TitleSort {
        /// by title
        Title = "title",
        /// by title, last first
        TitleDescending = "-title",
        /// by last change
        UpdatedAt = "updated_at",
        /// by last change, newest first
        UpdatedAtDescending = "-updated_at",
    }
}

labels! {
    /// The order of the list; by id, that is by creation, if absent. Ties are in order of id.
    NameSort {
        /// by name
        Name = "name",
        /// by name, last first
        NameDescending = "-name",
        /// by last change
        UpdatedAt = "updated_at",
        /// by last change, newest first
        UpdatedAtDescending = "-updated_at",
    }
}

labels! {
    /// The order of the list; by id, that is by creation, if absent. Ties are in order of id.
    UpdatedSort {
        /// by last change
        UpdatedAt = "updated_at",
        /// by last change, newest first
        UpdatedAtDescending = "-updated_at",
    }
}

/// What every list takes.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// How many records at most.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: Option<i64>,
    /// Where to go on: `next` of the page before. It carries the filters, which may be left out or must be the same.
    #[param(max_length = 4000)]
    pub cursor: Option<String>,
    /// `exact` adds `count`.
    pub count: Option<Count>,
    /// Only records that were changed at or after this instant [RFC 3339].
    #[param(example = "2026-01-01T00:00:00Z")]
    pub updated_since: Option<DateTime<Utc>>,
}

impl Paging {
    /// How many records to answer.
    pub fn limit(&self) -> i64 {
        self.limit.unwrap_or(50)
    }
}

/// One page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The records.
    pub items: Vec<T>,
    /// The cursor of the next page; null on the last one.
    pub next: Option<String>,
    /// How many there are in all, with `count=exact`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<i64>,
}

/// The last record of a page, and the list it belongs to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cursor {
    /// The path of the list.
    pub path: String,
    /// The query without cursor, limit and count.
    pub filters: Value,
    /// The sort key of the last record; null in the order by id.
    pub key: Value,
    /// The id of the last record.
    pub id: Uuid,
}

impl Cursor {
    /// As text that only this registry can make.
    pub fn encode(&self, secrets: &Secrets) -> String {
        let mut bytes = serde_json::to_vec(self).expect("a cursor is plain data");
        let tag = secrets.cursor_tag(&bytes);
        bytes.extend_from_slice(&tag);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// # Errors
    /// 400 if it is not a cursor of this list.
    pub fn decode(text: &str, path: &str, secrets: &Secrets) -> Result<Self, Problem> {
        let invalid = || Problem::new(Code::InvalidCursor, Code::InvalidCursor.meaning());
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let (content, tag) =
            bytes.split_at_checked(bytes.len().saturating_sub(Secrets::TAG_BYTES)).ok_or_else(invalid)?;
        if !secrets.is_cursor_tag(content, tag) {
            return Err(invalid());
        }
        let cursor: Self = serde_json::from_slice(content).map_err(|_| invalid())?;
        if cursor.path == path { Ok(cursor) } else { Err(invalid()) }
    }

    /// The sort key as the column's type.
    ///
    /// # Errors
    /// 400 if it is of another type.
    pub fn key<T: serde::de::DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_value(self.key.clone())
            .map_err(|_| Problem::new(Code::InvalidCursor, Code::InvalidCursor.meaning()))
    }
}

/// Answers one page of `$query` (a boxed query over `$view`, written so that it can be made twice).
macro_rules! page {
    ($call:ident, $paging:ident, $record:ty, $view:ident, $query:expr, sort $($name:literal => $column:ident: $type:ty),* $(,)?) => {{
        use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, SelectableHelper as _};
        use diesel_async::RunQueryDsl as _;
        let mut conn = $call.connection().await?;
        let filtered = || {
            let mut query = $query;
            if let Some(since) = $paging.updated_since {
                query = query.filter(crate::database::schema::$view::updated_at.ge(since));
            }
            query
        };
        let count: Option<i64> = match $paging.count {
            Some(_) => Some(filtered().count().get_result(&mut conn).await?),
            None => None,
        };
        let (sort, descending) = $call.sort();
        let mut query = filtered().select(<$record>::as_select()).limit($paging.limit() + 1);
        match sort.as_str() {
            $($name => {
                use crate::database::schema::$view::{$column as column, id};
                if let Some(cursor) = $call.cursor() {
                    let key: $type = cursor.key()?;
                    query = if descending {
                        query.filter(column.lt(key.clone()).or(column.eq(key).and(id.lt(cursor.id))))
                    } else {
                        query.filter(column.gt(key.clone()).or(column.eq(key).and(id.gt(cursor.id))))
                    };
                }
                query = if descending { query.order((column.desc(), id.desc())) } else { query.order((column.asc(), id.asc())) };
            })*
            _ => {
                use crate::database::schema::$view::id;
                if let Some(cursor) = $call.cursor() {
                    query = query.filter(id.gt(cursor.id));
                }
                query = query.order(id.asc());
            }
        }
        let items: Vec<$record> = query.load(&mut conn).await?;
        let key = |record: &$record| match sort.as_str() {
            $($name => serde_json::json!(record.$column),)*
            _ => serde_json::Value::Null,
        };
        $call.page(items, $paging.limit(), count, key)
    }};
}
pub(crate) use page;
