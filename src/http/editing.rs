//! How records are written: created from a body, changed by a body. A single call, an upsert and a row of an import go
//! through the same two functions of a slice, so they check the same.

use std::future::Future;

use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::body::{Body, Checked, Input, Rules};
use super::bringing::{self, Outcome};
use super::call::{Answer, Call};
use super::conditional::IfMatch;
use super::problem::{Code, Problem};
use crate::database::Tx;
use crate::database::external_ids;
use crate::database::records::Record;

/// A record that clients write.
pub trait Editable: Record + ToSchema {
    /// The body that makes one.
    type Input: Input + 'static;
    /// The body that changes one; the same as [`Editable::Input`] unless some members are given once and for all.
    type Change: Input + 'static;

    /// Makes one in the name of the caller: permission, body, rules, rows. Its revision is written by [`Call::create`].
    fn create(tx: &mut Tx, body: &Body<Self::Input>) -> impl Future<Output = Result<Uuid, Problem>>;

    /// Changes one that is locked: permission, precondition, body, rules, rows. False if the body changes nothing.
    fn change(tx: &mut Tx, current: &Self, body: &Body<Self::Change>) -> impl Future<Output = Result<bool, Problem>>;

    /// That an upsert names the same record in the members that are given once and for all.
    fn check_fixed(
        _tx: &mut Tx,
        _current: &Self,
        _input: &Checked<Self::Input>,
        _rules: &mut Rules,
    ) -> impl Future<Output = Result<(), Problem>> {
        std::future::ready(Ok(()))
    }

    /// Reads a row of an import as it would be sent: takes out what an export shows of the record beside that.
    fn reread(_row: &mut Map<String, Value>, _current: Option<&Self>) {}

    /// Brings the rows of an import in, in their order; each by itself unless a kind has a faster way.
    fn bring_all(tx: &mut Tx, rows: Vec<Value>) -> impl Future<Output = Result<Vec<Outcome>, Problem>> {
        bringing::bring_each::<Self>(tx, rows)
    }
}

impl Call {
    /// POST: makes a record.
    ///
    /// # Errors
    /// Those of the slice.
    pub async fn create<R: Editable>(&self, body: &Body<R::Input>) -> Answer {
        self.write(async |tx| {
            let id = R::create(tx, body).await?;
            tx.created::<R>(id).await
        })
        .await
    }

    /// PATCH: changes a record.
    ///
    /// # Errors
    /// 404, 410, and those of the slice.
    pub async fn change<R: Editable>(&self, id: Uuid, body: &Body<R::Change>) -> Answer {
        self.write(async |tx| {
            let current = tx.target::<R>(id).await?;
            change(tx, current, body).await
        })
        .await
    }

    /// PUT by external id: makes the record that a partner knows by this id, or changes it to what the body says.
    ///
    /// # Errors
    /// 409 if the id belongs to a record that the caller cannot see, and those of the slice.
    pub async fn upsert<R: Editable>(&self, source: &str, value: &str, body: &Body<R::Input>) -> Answer {
        self.write(async |tx| upsert::<R>(tx, source, value, body).await).await
    }
}

async fn change<R: Editable>(tx: &mut Tx, current: R, body: &Body<R::Change>) -> Answer {
    if R::change(tx, &current, body).await? { tx.updated(current).await } else { Ok(tx.unchanged(current)) }
}

/// Makes a record, or changes it, by its id in a partner's system. If-Match is honoured but not needed.
///
/// # Errors
/// 409 if the id belongs to a record that the caller cannot see, and those of the slice.
pub async fn upsert<R: Editable>(tx: &mut Tx, source: &str, value: &str, body: &Body<R::Input>) -> Answer {
    let Some(id) = tx.find_external(R::TYPE, source, value).await? else {
        let id = match R::create(tx, &body.with_external_id(source, value, false)).await {
            Ok(id) => id,
            Err(problem) => {
                // Perhaps another request made it in the meantime: done again, this one finds it.
                let is_there = matches!(tx.find_external(R::TYPE, source, value).await, Ok(Some(_)));
                return Err(if is_there { problem.raced() } else { problem });
            }
        };
        tx.if_match.check_nothing()?;
        return tx.created::<R>(id).await;
    };
    let current = match tx.target::<R>(id).await {
        Err(problem) if problem.code() == Code::NotFound => return Err(external_ids::taken(source, value)),
        current => current?,
    };
    tx.precondition_if_sent(&current)?;
    if tx.if_match == IfMatch::Absent {
        tx.if_match = IfMatch::Any;
    }
    let body = body.with_external_id(source, value, true);
    if replace(tx, &current, &body).await? { tx.updated(current).await } else { Ok(tx.unchanged(current)) }
}

/// Changes a record to what a body says of the whole of it. False if that changes nothing; see [`is_same`].
pub(super) async fn replace<R: Editable>(tx: &mut Tx, current: &R, body: &Body<R::Input>) -> Result<bool, Problem> {
    let input = body.checked_beside(tx, current).await?;
    let mut rules = Rules::new();
    R::check_fixed(tx, current, &input, &mut rules).await?;
    rules.done()?;
    R::change(tx, current, &body.replacing::<R::Change>()).await
}

/// Declares the operation that upserts a kind of record by external id.
macro_rules! upsert_operation {
    ($(#[$meta:meta])* $name:ident: $record:ident from $input:ident, $tag:tt, $path:tt) => {
        $(#[$meta])*
        #[utoipa::path(
            tag = $tag,
            request_body = $input,
            responses(
                (status = 200, description = "It was there; this is how it is now", body = $record),
                (status = 201, description = "It is new", body = $record),
            )
        )]
        #[put($path)]
        pub async fn $name(
            call: crate::http::Call,
            path: actix_web::web::Path<(String, String)>,
            body: crate::http::Body<$input>,
        ) -> crate::http::Answer {
            call.upsert::<$record>(&path.0, &path.1, &body).await
        }
    };
}
pub(crate) use upsert_operation;
