//! What every record goes through: found only by those who may see it, written with its revision and its change.

use std::future::Future;

use actix_web::http::{StatusCode, header};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::QueryFragment;
use diesel::sql_types::Uuid as SqlUuid;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::external_ids::Added;
pub use super::history::Op;
use super::positions::{Position, Reader};
use super::rows::Prepared;
use super::schema::{change, citation, record as register, revision};
use super::{Conn, Tx};
use crate::access::Caller;
use crate::http::{Answer, Code, Fault, Problem, Reply, conditional};
use crate::ids;
use crate::values::common::{Common, ShownCitation};

/// A kind of record: a row of its view, which is its JSON. Made by the macro `record!`.
pub trait Record: Serialize + Send + Sized + 'static {
    /// The collection's name, as in the path, the feed and the export.
    const TYPE: &'static str;
    /// The table that has its own members.
    const TABLE: &'static str;
    /// Its id.
    fn id(&self) -> Uuid;
    /// From 1.
    fn version(&self) -> i32;
    /// What its view has beside what is shown: with the members it is a whole row again, see the schema `as_of`.
    fn kept(&self) -> Value;
    /// Who may see it: the visibility along its chain, and the cities involved.
    fn audience(&self) -> (&str, &[Uuid]);
    /// The record if the caller may see it.
    fn find(conn: &mut Conn, caller: &Caller, id: Uuid) -> impl Future<Output = QueryResult<Option<Self>>>;
    /// Those of these records that the caller may see, in order of id.
    fn find_all(conn: &mut Conn, caller: &Caller, ids: &[Uuid]) -> impl Future<Output = QueryResult<Vec<Self>>> + Send;
    /// Reads whole rows of its view by any statement that answers them.
    fn load(conn: &mut Conn, statement: impl QueryFragment<Pg> + Send) -> impl Future<Output = QueryResult<Vec<Self>>>;
    /// Fills what depends on the day.
    fn complete(&mut self, _today: NaiveDate) {}
    /// Its citations.
    fn citations(&mut self) -> &mut Vec<ShownCitation>;
    /// Takes out what this caller may not see of its own members.
    fn shown_to(&mut self, _caller: &Caller) {}
    /// The record's members as somebody would send them.
    fn writable(&self) -> Value {
        json!(self)
    }
    /// The path of the record.
    fn path(&self) -> String {
        format!("/v1/{}/{}", Self::TYPE, self.id())
    }
}

/// The record for this caller.
///
/// # Errors
/// 404 if there is none that the caller may see, 410 if there was one.
pub async fn find<R: Record>(conn: &mut Conn, caller: &Caller, id: Uuid, today: NaiveDate) -> Result<R, Problem> {
    found(conn, caller, id, today, None).await
}

/// The record for this caller as the reader reads it: now, or in the past.
///
/// # Errors
/// 404 if there is none that the caller may see, 410 if it was deleted.
pub async fn read<R: Record>(reader: &mut Reader, caller: &Caller, id: Uuid, today: NaiveDate) -> Result<R, Problem> {
    let (day, position) = (reader.day(today), reader.position);
    found(&mut reader.conn, caller, id, day, position).await
}

async fn found<R: Record>(
    conn: &mut Conn,
    caller: &Caller,
    id: Uuid,
    day: NaiveDate,
    position: Option<Position>,
) -> Result<R, Problem> {
    match R::find(conn, caller, id).await? {
        Some(mut record) => {
            record.complete(day);
            Ok(record)
        }
        None => Err(absent::<R>(conn, caller, id, position).await?),
    }
}

async fn absent<R: Record>(
    conn: &mut Conn,
    caller: &Caller,
    id: Uuid,
    position: Option<Position>,
) -> Result<Problem, Problem> {
    let mut revisions = revision::table
        .inner_join(
            change::table.on(change::record_id.eq(revision::record_id).and(change::version.eq(revision::version))),
        )
        .filter(revision::record_id.eq(id).and(revision::type_.eq(R::TYPE)))
        .into_boxed();
    if let Some(position) = position {
        revisions = revisions.filter(change::seq.le(position.seq));
    }
    let last: Option<(String, String, Vec<Uuid>)> = revisions
        .order(revision::version.desc())
        .select((revision::op, revision::visibility, revision::city_ids))
        .first(conn)
        .await
        .optional()?;
    Ok(match last {
        Some((op, visibility, cities)) if op == "delete" && caller.may_see(R::TYPE, &visibility, &cities) => {
            Problem::new(Code::Gone, Code::Gone.meaning())
        }
        _ => Problem::not_found(),
    })
}

/// Takes out of a record what this caller may not see: members that are private, citations of hidden documents.
pub fn show<R: Record>(record: &mut R, caller: &Caller) {
    record.shown_to(caller);
    record.citations().retain(|one| caller.may_see("documents", one.visibility.label(), one.city_id.as_slice()));
}

/// The record as JSON for this caller on this day.
pub fn shown<R: Record>(mut record: R, caller: &Caller, day: NaiveDate) -> Value {
    record.complete(day);
    show(&mut record, caller);
    json!(record)
}

/// The record as an answer to this caller, with its ETag.
pub fn reply<R: Record>(status: StatusCode, mut record: R, caller: &Caller) -> Reply {
    show(&mut record, caller);
    let reply = Reply::json(status, &record);
    let etag = conditional::etag(record.version(), &reply.body);
    reply.header(header::ETAG, &etag)
}

impl Tx {
    /// The record that the request is about, locked until the end of the transaction.
    ///
    /// # Errors
    /// 404 and 410.
    pub async fn target<R: Record>(&mut self, id: Uuid) -> Result<R, Problem> {
        let _: Option<i32> = register::table
            .find(id)
            .filter(register::type_.eq(R::TYPE))
            .select(register::version)
            .for_update()
            .first(&mut self.conn)
            .await
            .optional()?;
        let (today, caller) = (self.today(), self.caller.clone());
        find(&mut self.conn, &caller, id, today).await
    }

    /// The record that a body names, locked like [`Tx::target`].
    ///
    /// # Errors
    /// 422 at `pointer` if it names none that the caller may see.
    pub async fn named<R: Record>(&mut self, pointer: &str, id: Option<Uuid>) -> Result<R, Problem> {
        let Some(id) = id else {
            return Err(Problem::invalid(vec![Fault::at(pointer, "required", "must be given")]));
        };
        self.target(id).await
    }

    /// The record as it is now, whoever may see it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn reload<R: Record>(&mut self, id: Uuid) -> Result<R, Problem> {
        let mut record = R::find(&mut self.conn, &Caller::registry(), id).await?.ok_or_else(Problem::not_found)?;
        record.complete(self.today());
        Ok(record)
    }

    /// If-Match, which has to be there and name this version.
    ///
    /// # Errors
    /// 428 and 412.
    pub fn precondition<R: Record>(&self, current: &R) -> Result<(), Problem> {
        self.if_match.check(current.version(), || self.etag_of(current))
    }

    /// If-Match, where it may be left out.
    ///
    /// # Errors
    /// 412.
    pub fn precondition_if_sent<R: Record>(&self, current: &R) -> Result<(), Problem> {
        self.if_match.check_if_present(current.version(), || self.etag_of(current))
    }

    fn etag_of<R: Record>(&self, current: &R) -> String {
        conditional::etag(current.version(), json!(current).to_string().as_bytes())
    }

    /// Registers a new record; its own row is inserted by the slice, then [`Tx::created`] answers it.
    ///
    /// # Errors
    /// 409 for an external id that another record has.
    pub async fn register<R: Record>(&mut self, common: &Common) -> Result<Uuid, Problem> {
        self.register_as::<R>(ids::fresh(), common).await
    }

    /// Like [`Tx::register`], with an id that is given: shipped and founding data have fixed ones.
    ///
    /// # Errors
    /// 409 for an external id that another record has.
    pub async fn register_as<R: Record>(&mut self, id: Uuid, common: &Common) -> Result<Uuid, Problem> {
        diesel::insert_into(register::table)
            .values((
                register::id.eq(id),
                register::type_.eq(R::TYPE),
                register::language.eq(&common.language),
                register::translations.eq(json!(common.translations)),
            ))
            .execute(&mut self.conn)
            .await?;
        let city_id = self.acting.city_id;
        let external: Vec<_> =
            common.external_ids.iter().map(|one| Added { record_id: id, city_id, id: one }).collect();
        self.add_external_ids(R::TYPE, &external).await?;
        self.cite(id, common).await?;
        Ok(id)
    }

    /// Changes the members that every record has; its own row is updated by the slice, then [`Tx::updated`] answers it.
    ///
    /// # Errors
    /// 409 for an external id that another record has.
    pub async fn revise<R: Record>(&mut self, id: Uuid, common: &Common) -> Result<(), Problem> {
        let members = (register::language.eq(&common.language), register::translations.eq(json!(common.translations)));
        Prepared(diesel::update(register::table.find(id)).set(members)).execute(&mut self.conn).await?;
        self.replace_external_ids(R::TYPE, id, &common.external_ids).await?;
        diesel::delete(citation::table.filter(citation::record_id.eq(id))).execute(&mut self.conn).await?;
        self.cite(id, common).await
    }

    /// Takes the next version of a record.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn next_version(&mut self, id: Uuid) -> Result<(), Problem> {
        let next = (register::version.eq(register::version + 1), register::updated_at.eq(diesel::dsl::now));
        Prepared(diesel::update(register::table.find(id)).set(next)).execute(&mut self.conn).await?;
        Ok(())
    }

    async fn cite(&mut self, id: Uuid, common: &Common) -> Result<(), Problem> {
        let citations: Vec<_> = common
            .citations
            .iter()
            .zip(0i16..)
            .map(|(one, position)| {
                (
                    citation::record_id.eq(id),
                    citation::position.eq(position),
                    citation::document_id.eq(one.document_id),
                    citation::locator.eq(&one.locator),
                    citation::quote.eq(&one.quote),
                )
            })
            .collect();
        if !citations.is_empty() {
            diesel::insert_into(citation::table).values(citations).execute(&mut self.conn).await?;
        }
        Ok(())
    }

    /// Writes the revision and the change of a new record, and answers it: 201, Location, ETag.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn created<R: Record>(&mut self, id: Uuid) -> Answer {
        let record = self.recorded::<R>(id, Op::Create).await?;
        let location = record.path();
        Ok(reply(StatusCode::CREATED, record, &self.caller).header(header::LOCATION, &location))
    }

    /// Writes the revision and the change of a record whose rows were changed, and answers it: 200, ETag.
    /// What comes out the same, if spelled otherwise, stays at its version.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn updated<R: Record>(&mut self, current: R) -> Answer {
        match self.settled(&current).await? {
            Some(record) => Ok(reply(StatusCode::OK, record, &self.caller)),
            None => Ok(self.unchanged(current)),
        }
    }

    /// Like [`Tx::updated`], without an answer: the next version, if there is one.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn settled<R: Record>(&mut self, current: &R) -> Result<Option<R>, Problem> {
        let id = current.id();
        if self.reload::<R>(id).await?.writable() == current.writable() {
            return Ok(None);
        }
        self.next_version(id).await?;
        self.recorded::<R>(id, Op::Update).await.map(Some)
    }

    /// Writes the revision and the change of a record that was moved to its next version, and answers it: 200, ETag.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn moved<R: Record>(&mut self, id: Uuid) -> Answer {
        let record = self.recorded::<R>(id, Op::Update).await?;
        Ok(reply(StatusCode::OK, record, &self.caller))
    }

    /// Answers a record that the request left as it was: 200 with the same version.
    pub fn unchanged<R: Record>(&self, current: R) -> Reply {
        reply(StatusCode::OK, current, &self.caller)
    }

    /// Writes the revision and the change of a record as it is now, and gives it back.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn recorded<R: Record>(&mut self, id: Uuid, op: Op) -> Result<R, Problem> {
        let record = self.reload::<R>(id).await?;
        self.write_change(&record, op, record.version()).await?;
        Ok(record)
    }

    /// Deletes a record that nothing refers to: 204. Its last revision stays, and the feed tells of it.
    ///
    /// # Errors
    /// 409 with counts if other records refer to it.
    pub async fn deleted<R: Record>(&mut self, current: R) -> Answer {
        let id = current.id();
        self.check_references::<R>(id).await?;
        self.write_change(&current, Op::Delete, current.version() + 1).await?;
        diesel::sql_query(format!("DELETE FROM {} WHERE id = $1", R::TABLE))
            .bind::<SqlUuid, _>(id)
            .execute(&mut self.conn)
            .await?;
        diesel::delete(register::table.find(id)).execute(&mut self.conn).await?;
        self.refresh_search(R::TYPE, &[id]).await?;
        Ok(Reply::empty(StatusCode::NO_CONTENT))
    }
}

/// 409 that names the record which has the key, if the caller may see it.
///
/// # Errors
/// Those of the database.
pub async fn duplicate<R: Record>(tx: &mut Tx, what: &str, existing: Option<Uuid>) -> Result<Problem, Problem> {
    let problem = Problem::new(Code::Duplicate, format!("there is one with the same {what} already"));
    let Some(id) = existing else {
        return Ok(problem);
    };
    let caller = tx.caller.clone();
    Ok(match R::find(&mut tx.conn, &caller, id).await? {
        Some(_) => problem.with("existing_id", id),
        None => problem,
    })
}

/// The type of `updated_at`, by which every list can be sorted.
pub type Instant = DateTime<Utc>;

/// Declares a record: the members given, those that every record has, and what is kept from the client.
/// `$view` is its view; its rows are the JSON.
macro_rules! record {
    (
        $(#[$meta:meta])* $name:ident = $collection:literal, $table:literal, $view:ident
        { $($(#[$member_meta:meta])* $member:ident: $type:ty),* $(,)? }
        kept { $($kept:ident: $kept_type:ty),* $(,)? }
        $(with { $($extra:item)* })?
    ) => {
        #[derive(Debug, Clone, diesel::Queryable, diesel::Selectable, serde::Serialize, utoipa::ToSchema)]
        #[diesel(table_name = crate::database::schema::$view, check_for_backend(diesel::pg::Pg))]
        $(#[$meta])*
        pub struct $name {
            /// Its id.
            pub id: uuid::Uuid,
            /// From 1; the first part of the ETag.
            #[schema(minimum = 1)]
            pub version: i32,
            /// When it was registered.
            pub created_at: chrono::DateTime<chrono::Utc>,
            /// When it was changed last.
            pub updated_at: chrono::DateTime<chrono::Utc>,
            $($(#[$member_meta])* pub $member: $type,)*
            /// The ids of this record in partners' systems.
            #[schema(value_type = Vec<crate::values::common::ExternalId>)]
            pub external_ids: crate::values::Json<Vec<crate::values::common::ExternalId>>,
            /// Where its facts come from.
            #[schema(value_type = Vec<crate::values::common::Citation>)]
            pub citations: crate::values::Json<Vec<crate::values::common::ShownCitation>>,
            /// The language of its texts [BCP 47].
            pub language: String,
            /// Its texts in other languages, by language and member.
            #[schema(value_type = crate::values::TranslationsSchema)]
            pub translations: crate::values::Json<crate::values::common::Translations>,
            $(#[doc = "Kept from the client."] #[serde(skip)] pub $kept: $kept_type,)*
            #[serde(skip)]
            pub(crate) effective_visibility: String,
            #[serde(skip)]
            pub(crate) city_ids: Vec<uuid::Uuid>,
        }

        impl $name {
            /// The records that a caller may see: the only way to ask for them.
            pub fn visible(caller: &crate::access::Caller) -> crate::database::schema::$view::BoxedQuery<'static, diesel::pg::Pg> {
                use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _};
                use crate::database::schema::$view::{city_ids, effective_visibility, table};
                let all = table.into_boxed();
                match caller.sight($collection) {
                    crate::access::Sight::Everything => all,
                    crate::access::Sight::Public => all.filter(effective_visibility.eq("public")),
                    crate::access::Sight::Partners => all.filter(effective_visibility.ne("private")),
                    crate::access::Sight::Cities(own) => {
                        use diesel::PgArrayExpressionMethods as _;
                        all.filter(effective_visibility.ne("private").or(city_ids.overlaps_with(own)))
                    }
                }
            }
        }

        impl crate::database::records::Record for $name {
            const TYPE: &'static str = $collection;
            const TABLE: &'static str = $table;
            fn id(&self) -> uuid::Uuid {
                self.id
            }
            fn version(&self) -> i32 {
                self.version
            }
            fn citations(&mut self) -> &mut Vec<crate::values::common::ShownCitation> {
                &mut self.citations.0
            }
            fn kept(&self) -> serde_json::Value {
                serde_json::json!({ $(stringify!($kept): self.$kept),* })
            }
            fn audience(&self) -> (&str, &[uuid::Uuid]) {
                (&self.effective_visibility, &self.city_ids)
            }
            async fn find(
                conn: &mut crate::database::Conn,
                caller: &crate::access::Caller,
                id: uuid::Uuid,
            ) -> diesel::QueryResult<Option<Self>> {
                use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, SelectableHelper as _};
                use diesel_async::RunQueryDsl as _;
                Self::visible(caller)
                    .filter(crate::database::schema::$view::id.eq(id))
                    .select(Self::as_select())
                    .first(conn)
                    .await
                    .optional()
            }
            async fn find_all(
                conn: &mut crate::database::Conn,
                caller: &crate::access::Caller,
                ids: &[uuid::Uuid],
            ) -> diesel::QueryResult<Vec<Self>> {
                use diesel::{ExpressionMethods as _, QueryDsl as _, SelectableHelper as _};
                use diesel_async::RunQueryDsl as _;
                Self::visible(caller)
                    .filter(crate::database::schema::$view::id.eq_any(ids.to_vec()))
                    .order(crate::database::schema::$view::id)
                    .select(Self::as_select())
                    .load(conn)
                    .await
            }
            async fn load(
                conn: &mut crate::database::Conn,
                statement: impl diesel::query_builder::QueryFragment<diesel::pg::Pg> + Send,
            ) -> diesel::QueryResult<Vec<Self>> {
                use diesel_async::RunQueryDsl as _;
                type Types = diesel::dsl::SqlTypeOf<diesel::dsl::AsSelect<$name, diesel::pg::Pg>>;
                crate::database::rows::Rows::<Types, _>::of(statement).load(conn).await
            }
            $($($extra)*)?
        }
    };
}
pub(crate) use record;
