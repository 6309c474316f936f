//! Lists by keyset, never by OFFSET: the cursor names the last record seen, carries the filters, and is authenticated.

use std::future::Future;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::query_builder::QueryFragment;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::IntoParams;
use utoipa::openapi::path::Parameter;
use uuid::Uuid;

use super::call::{Answer, Call};
use super::problem::{Code, Problem};
use crate::access::secrets::Secrets;
use crate::database::positions::Reader;
use crate::database::records::Record;
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
        /// by title, then by last change
        TitleThenUpdatedAt = "title,updated_at",
        /// by last change, then by title
        UpdatedAtThenTitle = "updated_at,title",
        /// by title, then by last change, newest first
        TitleThenUpdatedAtDescending = "title,-updated_at",
        /// by last change, newest first, then by title
        UpdatedAtDescendingThenTitle = "-updated_at,title",
        /// by title, last first, then by last change
        TitleDescendingThenUpdatedAt = "-title,updated_at",
        /// by last change, then by title, last first
        UpdatedAtThenTitleDescending = "updated_at,-title",
        /// by title, last first, then by last change, newest first
        TitleDescendingThenUpdatedAtDescending = "-title,-updated_at",
        /// by last change, newest first, then by title, last first
        UpdatedAtDescendingThenTitleDescending = "-updated_at,-title",
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
        /// by name, then by last change
        NameThenUpdatedAt = "name,updated_at",
        /// by last change, then by name
        UpdatedAtThenName = "updated_at,name",
        /// by name, then by last change, newest first
        NameThenUpdatedAtDescending = "name,-updated_at",
        /// by last change, newest first, then by name
        UpdatedAtDescendingThenName = "-updated_at,name",
        /// by name, last first, then by last change
        NameDescendingThenUpdatedAt = "-name,updated_at",
        /// by last change, then by name, last first
        UpdatedAtThenNameDescending = "updated_at,-name",
        /// by name, last first, then by last change, newest first
        NameDescendingThenUpdatedAtDescending = "-name,-updated_at",
        /// by last change, newest first, then by name, last first
        UpdatedAtDescendingThenNameDescending = "-updated_at,-name",
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

/// What a list of something else than records takes.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Steps {
    /// How many items at most.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: Option<i64>,
    /// Where to go on: `next` of the page before. It carries the filters, which may be left out or must be the same.
    #[param(max_length = 4000)]
    pub cursor: Option<String>,
    /// `exact` adds `count`.
    pub count: Option<Count>,
}

impl Steps {
    /// How many items to answer.
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
    /// With `q`, if nothing has these words: these are spelled alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuzzy: Option<bool>,
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
    /// Whether `q` found what is spelled alike only.
    #[serde(default)]
    pub fuzzy: bool,
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

/// A list as a request asks for it: what the caller may see of a collection, filtered and in order. It is read as a page,
/// or walked as a whole.
pub struct List<R> {
    /// What reads it.
    pub reader: Reader,
    /// The statement; for a page it ends one row after the limit.
    pub query: Box<dyn QueryFragment<Pg> + Send>,
    /// How many there are in all, if that was asked.
    pub count: Option<i64>,
    /// Whether `q` found what is spelled alike only.
    pub is_fuzzy: bool,
    /// Where a record stands in the order.
    pub key: Box<dyn Fn(&R) -> Value>,
}

/// A record whose collection has a list.
pub trait Listed: Record {
    /// The list that a request asks for.
    fn list(call: &Call) -> impl Future<Output = Result<List<Self>, Problem>>;

    /// Filters that a request has in the place of the list's path, where that names what the records belong to.
    fn within() -> Vec<Parameter> {
        vec![]
    }
}

impl<R: Record> List<R> {
    /// Answers the page that the request asks for.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn page(mut self, call: &Call) -> Answer {
        let items = R::load(&mut self.reader.conn, self.query).await?;
        call.page(self.reader, items, call.limit().unwrap_or(i64::MAX), self.count, self.is_fuzzy, self.key).await
    }
}

/// The list of `$query` (a boxed query over `$view`, written so that it can be made twice).
macro_rules! list {
    ($call:ident, $paging:ident, $record:ty, $view:ident, $query:expr, sort $($name:literal => $column:ident: $type:ty),* $(,)?) => {{
        use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, SelectableHelper as _};
        use diesel_async::RunQueryDsl as _;
        let mut reader = $call.reader().await?;
        let narrowing = $call.narrowing(<$record as crate::database::records::Record>::TYPE, &mut reader.conn).await?;
        let filtered = || {
            let mut query = crate::database::search::narrowed!($query, narrowing, $view);
            if let Some(since) = $paging.updated_since {
                query = query.filter(crate::database::schema::$view::updated_at.ge(since));
            }
            query
        };
        let count: Option<i64> = match $paging.count {
            Some(_) => Some(filtered().count().get_result(&mut reader.conn).await?),
            None => None,
        };
        let sort = $call.sort();
        let query = filtered().select(<$record>::as_select());
        let query = match $call.limit() {
            Some(limit) => query.limit(limit + 1),
            None => query,
        };
        let query = match sort.as_slice() {
            [] => {
                use crate::database::schema::$view::id;
                match $call.cursor() {
                    Some(cursor) => query.filter(id.gt(cursor.id)),
                    None => query,
                }
                .order(id.asc())
            }
            [first] => crate::http::paging::ordered!(query, $call, $view, first, [$($name => $column: $type),*]),
            [first, second, ..] => crate::http::paging::ordered_by_two!(
                query, $call, $view, first, second, [$($name => $column: $type),*], [$($name => $column: $type),*]
            ),
        };
        let member = |record: &$record, name: &str| match name {
            $($name => serde_json::json!(record.$column),)*
            _ => serde_json::Value::Null,
        };
        let key = move |record: &$record| match sort.as_slice() {
            [] => serde_json::Value::Null,
            [first] => member(record, &first.name),
            [first, second, ..] => serde_json::json!([member(record, &first.name), member(record, &second.name)]),
        };
        let (query, key, is_fuzzy) = (Box::new(query), Box::new(key), narrowing.is_fuzzy);
        Ok(crate::http::paging::List { reader, query, count, is_fuzzy, key })
    }};
}
pub(crate) use list;

/// One key of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey {
    /// The member.
    pub name: String,
    /// Whether the largest comes first.
    pub descending: bool,
}

/// The keys of `sort`, such as `-updated_at,name`; the document has checked them against its closed list.
pub fn sort_keys(sort: &str) -> Vec<SortKey> {
    let keys = sort.split(',').filter(|key| !key.is_empty());
    keys.map(|key| SortKey { name: key.trim_start_matches('-').into(), descending: key.starts_with('-') }).collect()
}

/// A query in the order of one key, then id, after the cursor.
macro_rules! ordered {
    ($query:ident, $call:ident, $view:ident, $first:ident, [$($name:literal => $column:ident: $type:ty),*]) => {
        match $first.name.as_str() {
            $($name => {
                use crate::database::schema::$view::{$column as one, id};
                let mut query = $query;
                if let Some(cursor) = $call.cursor() {
                    let key: $type = cursor.key()?;
                    query = if $first.descending {
                        query.filter(one.lt(key.clone()).or(one.eq(key).and(id.lt(cursor.id))))
                    } else {
                        query.filter(one.gt(key.clone()).or(one.eq(key).and(id.gt(cursor.id))))
                    };
                }
                if $first.descending { query.order((one.desc(), id.desc())) } else { query.order((one.asc(), id.asc())) }
            })*
            _ => $query,
        }
    };
}
pub(crate) use ordered;

/// A query in the order of two keys, then id, after the cursor. The list is needed once for each key.
macro_rules! ordered_by_two {
    ($query:ident, $call:ident, $view:ident, $first:ident, $second:ident,
     [$($name:literal => $column:ident: $type:ty),*], $all:tt) => {
        match $first.name.as_str() {
            $($name => crate::http::paging::ordered_then!($query, $call, $view, $first, $second, $column: $type, $all),)*
            _ => $query,
        }
    };
}
pub(crate) use ordered_by_two;

/// The second step of [`ordered_by_two`]. "After (a, b, id)" is written as three conditions that all hold, since a
/// boxed query takes conditions one by one.
macro_rules! ordered_then {
    ($query:ident, $call:ident, $view:ident, $first:ident, $second:ident, $one:ident: $one_type:ty,
     [$($name:literal => $column:ident: $type:ty),*]) => {
        match $second.name.as_str() {
            $($name => {
                use crate::database::schema::$view::{$one as one, $column as two, id};
                let query = $query;
                let query = match ($call.cursor(), $first.descending, $second.descending) {
                    (None, ..) => query,
                    (Some(cursor), false, false) => {
                        let (a, b): ($one_type, $type) = cursor.key()?;
                        let query = query.filter(one.ge(a.clone())).filter(one.gt(a.clone()).or(two.ge(b.clone())));
                        query.filter(one.gt(a).or(two.gt(b)).or(id.gt(cursor.id)))
                    }
                    (Some(cursor), false, true) => {
                        let (a, b): ($one_type, $type) = cursor.key()?;
                        let query = query.filter(one.ge(a.clone())).filter(one.gt(a.clone()).or(two.le(b.clone())));
                        query.filter(one.gt(a).or(two.lt(b)).or(id.lt(cursor.id)))
                    }
                    (Some(cursor), true, false) => {
                        let (a, b): ($one_type, $type) = cursor.key()?;
                        let query = query.filter(one.le(a.clone())).filter(one.lt(a.clone()).or(two.ge(b.clone())));
                        query.filter(one.lt(a).or(two.gt(b)).or(id.gt(cursor.id)))
                    }
                    (Some(cursor), true, true) => {
                        let (a, b): ($one_type, $type) = cursor.key()?;
                        let query = query.filter(one.le(a.clone())).filter(one.lt(a.clone()).or(two.le(b.clone())));
                        query.filter(one.lt(a).or(two.lt(b)).or(id.lt(cursor.id)))
                    }
                };
                match ($first.descending, $second.descending) {
                    (false, false) => query.order((one.asc(), two.asc(), id.asc())),
                    (false, true) => query.order((one.asc(), two.desc(), id.desc())),
                    (true, false) => query.order((one.desc(), two.asc(), id.asc())),
                    (true, true) => query.order((one.desc(), two.desc(), id.desc())),
                }
            })*
            _ => $query,
        }
    };
}
pub(crate) use ordered_then;
