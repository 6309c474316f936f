//! A request as a handler sees it: who calls, what for, and the one transaction it may have.

use std::cell::Cell;
use std::time::Duration;

use actix_web::http::{Method, header};
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev, web};
use aws_lc_rs::digest;
use futures_util::future::{Ready, ready};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::accept;
use super::body::BodyHash;
use super::conditional::{self, IfMatch};
use super::consistency::{self, Consistency};
use super::idempotency;
use super::merging;
use super::middleware::{Context, filters};
use super::paging::{Cursor, Page, SortKey, sort_keys};
use super::presentation;
use super::problem::{Code, Problem};
use super::reply::Reply;
use crate::access::Caller;
use crate::app::State;
use crate::database::positions::{AsOf, Moment, Reader};
use crate::database::records::{self, Record};
use crate::database::search::Narrowing;
use crate::database::{Conn, Tx};
use crate::ids;

/// A query, which was checked against the document, as this type.
///
/// # Errors
/// 400 if a value does not fit after all.
pub fn query_as<T: DeserializeOwned>(query: &Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(query).map_err(|error| {
        let name = error.path().to_string();
        Problem::bad_parameters(vec![super::Fault::of_parameter(name, "invalid", error.inner().to_string())])
    })
}

/// What a handler answers.
pub type Answer = Result<Reply, Problem>;

/// The request: permission is already checked against the table when a handler holds one.
pub struct Call {
    request: HttpRequest,
    state: web::Data<State>,
    pub(super) context: Context,
    if_match: IfMatch,
    idempotency_key: Option<String>,
    snapshot: Cell<Option<Reader>>,
}

impl FromRequest for Call {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        ready(Self::new(request))
    }
}

impl Call {
    fn new(request: &HttpRequest) -> Result<Self, Problem> {
        let context =
            request.extensions().get::<Context>().cloned().expect("the middleware admits before a handler runs");
        let key = idempotency::of(request.headers())?;
        Ok(Self {
            state: request.app_data::<web::Data<State>>().expect("the application has its state").clone(),
            if_match: IfMatch::of(request)?,
            idempotency_key: key.filter(|_| request.method() == Method::POST),
            request: request.clone(),
            context,
            snapshot: Cell::default(),
        })
    }

    /// The application.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Who calls.
    pub fn caller(&self) -> &Caller {
        &self.context.caller
    }

    /// Whose request it is: an account's, or without one an address's.
    pub fn client(&self) -> String {
        match self.caller().account_id() {
            Some(id) => id.to_string(),
            None => self.state.rates.address(&self.request),
        }
    }

    /// The query as this type; the document has already been checked against.
    ///
    /// # Errors
    /// 400 if a value does not fit after all.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        query_as(&self.context.query)
    }

    /// The path of the request.
    pub fn path(&self) -> &str {
        self.request.path()
    }

    /// The ETag under which the client has what this one stands for [RFC 9110 13.1.2].
    pub fn knows(&self, etag: &str) -> Option<String> {
        conditional::known_as(&self.request, etag)
    }

    /// Where the list goes on.
    pub fn cursor(&self) -> Option<&Cursor> {
        self.context.cursor.as_ref()
    }

    /// The order asked for; none: by id.
    pub fn sort(&self) -> Vec<SortKey> {
        sort_keys(self.context.query["sort"].as_str().unwrap_or_default())
    }

    /// The query as JSON of the types that the document states.
    pub fn raw_query(&self) -> &Value {
        &self.context.query
    }

    /// What reads: the registry as it is, or with `as_of` as it was.
    ///
    /// # Errors
    /// 503 if no connection is free within a second, 400 for a past that is not settled.
    pub async fn reader(&self) -> Result<Reader, Problem> {
        if let Some(snapshot) = self.snapshot.take() {
            return Ok(snapshot);
        }
        match self.as_of()? {
            // A copy that lags has not yet seen the end of that past.
            Some(as_of) => Reader::past(self.state.database.connection().await?, as_of, self.state.clock.now()).await,
            None => Ok(Reader::present(self.nearby().await?)),
        }
    }

    /// A connection that reads the present: of the replica, if it may and has what the client wrote.
    pub(super) async fn nearby(&self) -> Result<Conn, Problem> {
        match self.copy().await {
            Some(conn) => Ok(conn),
            None => self.connection().await,
        }
    }

    async fn copy(&self) -> Option<Conn> {
        let replica = self.state.database.replica().filter(|_| self.context.may_read_copy)?;
        replica.connection(self.context.consistency.and_then(|consistency| consistency.change)).await
    }

    /// What the query names as past.
    fn as_of(&self) -> Result<Option<AsOf>, Problem> {
        let bad = |detail| Problem::bad_parameters(vec![super::Fault::of_parameter("as_of", "bad_format", detail)]);
        self.context.query["as_of"].as_str().map(|as_of| as_of.parse().map_err(bad)).transpose()
    }

    /// A snapshot that may be read for long, with pauses of this length, on a connection apart from those of other
    /// requests.
    ///
    /// # Errors
    /// 503 if no such connection is free within a second, 400 for a past that is not settled.
    pub async fn snapshot(&self, pause: Duration) -> Result<(Reader, Moment), Problem> {
        let (as_of, conn) = (self.as_of()?, self.state.database.connection_apart().await?);
        Reader::snapshot(conn, as_of, self.state.clock.now(), pause).await
    }

    /// Like [`Call::snapshot`], for an answer that is made at once and tells nobody where to follow: the replica may make
    /// the present.
    ///
    /// # Errors
    /// As [`Call::snapshot`].
    pub async fn still(&self, pause: Duration) -> Result<(Reader, Moment), Problem> {
        if self.as_of()?.is_none()
            && let Some(conn) = self.copy().await
        {
            return Reader::snapshot_of_copy(conn, pause).await;
        }
        self.snapshot(pause).await
    }

    /// Takes this snapshot as the next reader.
    #[must_use]
    pub fn reading(self, snapshot: Reader) -> Self {
        self.snapshot.set(Some(snapshot));
        self
    }

    /// How many records a page may have; none where the answer is no page.
    pub fn limit(&self) -> Option<i64> {
        self.context.operation.is_list.then(|| self.context.query["limit"].as_i64().unwrap_or(50))
    }

    /// Whether the client takes this media type.
    ///
    /// # Errors
    /// 406.
    pub fn check_accept(&self, media: &str) -> Result<(), Problem> {
        accept::check(self.request.headers(), [media])
    }

    /// The media type that the client likes best.
    ///
    /// # Errors
    /// 406.
    pub fn preferred<'m>(&self, answers: &[&'m str]) -> Result<&'m str, Problem> {
        accept::preferred(self.request.headers(), answers)
    }

    /// A connection for reading: to the database, or while that is away to its copy, where this request may read it.
    ///
    /// # Errors
    /// 503 if there is none within a second.
    pub async fn connection(&self) -> Result<Conn, Problem> {
        match self.context.may_read_copy {
            true => {
                self.state.database.readable(self.context.consistency.and_then(|consistency| consistency.change)).await
            }
            false => self.state.database.connection().await,
        }
    }

    /// One transaction for the whole request: what `work` did is kept if it answers, and undone if it does not.
    ///
    /// # Errors
    /// Those of `work`, of the idempotency key and of the database.
    pub async fn write(&self, work: impl AsyncFn(&mut Tx) -> Answer) -> Answer {
        const AGAIN: usize = 2;
        for _ in 0..AGAIN {
            match self.attempt(&work).await {
                // The checks found nothing, a constraint or a lock did: now they find the record that was faster.
                Err(problem) if problem.is_race() => {}
                answer => return answer,
            }
        }
        self.attempt(&work).await
    }

    /// The stored answer of an earlier request with the same Idempotency-Key, for work that cannot be undone.
    ///
    /// # Errors
    /// Those of the idempotency key and of the database.
    pub async fn replayed(&self) -> Result<Option<Reply>, Problem> {
        let Some(key) = self.idempotency() else { return Ok(None) };
        let now = self.state.clock.now();
        let mut tx = self.state.database.begin(self.caller().clone(), self.if_match.clone(), now).await?;
        let stored = idempotency::replay(&mut tx, &key).await;
        tx.roll_back().await;
        stored
    }

    fn idempotency(&self) -> Option<idempotency::Key> {
        let (key, account_id) = (self.idempotency_key.clone()?, self.caller().account_id()?);
        Some(idempotency::Key { account_id, key, request_hash: self.request_hash() })
    }

    async fn attempt(&self, work: &impl AsyncFn(&mut Tx) -> Answer) -> Answer {
        let mut tx =
            self.state.database.begin(self.caller().clone(), self.if_match.clone(), self.state.clock.now()).await?;
        match self.in_transaction(&mut tx, work).await {
            Ok(reply) => tx.commit().await.map(|()| reply),
            Err(problem) => {
                tx.roll_back().await;
                Err(problem)
            }
        }
    }

    async fn in_transaction(&self, tx: &mut Tx, work: &impl AsyncFn(&mut Tx) -> Answer) -> Answer {
        let Some(key) = self.idempotency() else { return work(tx).await.map(|reply| self.consistent(reply, tx)) };
        if let Some(reply) = idempotency::replay(tx, &key).await? {
            return Ok(reply);
        }
        let reply = self.consistent(work(tx).await?, tx);
        idempotency::store(tx, &key, &reply).await?;
        Ok(reply)
    }

    /// The answer to a write, with the token by which nothing older is read.
    fn consistent(&self, reply: Reply, tx: &Tx) -> Reply {
        let token = Consistency { server: self.state.id, change: tx.last_change() };
        reply.header(consistency::HEADER, &token.encode(&self.state.secrets))
    }

    fn request_hash(&self) -> Vec<u8> {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(self.request.method().as_str().as_bytes());
        context.update(self.request.uri().to_string().as_bytes());
        if let Some(BodyHash(hash)) = self.request.extensions().get::<BodyHash>() {
            context.update(hash);
        }
        context.finish().as_ref().to_vec()
    }

    /// Answers one record, or 304 if the client has it; a duplicate that was merged, by where it went.
    ///
    /// # Errors
    /// 404 and 410.
    pub async fn one<R: Record>(&self, id: Uuid) -> Answer {
        let mut reader = self.reader().await?;
        let record = match records::read::<R>(&mut reader, self.caller(), id, self.state.clock.today()).await {
            Ok(record) => record,
            Err(problem) if !matches!(problem.code(), Code::NotFound | Code::Gone) => return Err(problem),
            Err(problem) => {
                let elsewhere = merging::redirected::<R>(&mut reader, self.caller(), id).await?;
                return elsewhere.ok_or(problem);
            }
        };
        let reply = self.present(&mut reader, record).await?;
        let reply = self.of_past(reply, &reader);
        reader.finish().await?;
        Ok(self.known(reply))
    }

    fn of_past(&self, reply: Reply, reader: &Reader) -> Reply {
        match reader.position {
            Some(position) => reply.header(presentation::AS_OF_POSITION, &position.seq.to_string()),
            None => reply,
        }
    }

    /// One page of a list.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn page<R: Record>(
        &self,
        mut reader: Reader,
        mut items: Vec<R>,
        limit: i64,
        count: Option<i64>,
        fuzzy: bool,
        key: impl Fn(&R) -> Value,
    ) -> Answer {
        let next = self.cut(&mut items, limit, fuzzy, |last| (key(last), last.id()));
        let day = reader.day(self.state.clock.today());
        items.iter_mut().for_each(|item| item.complete(day));
        let reply = if self.wants_more() {
            let items = self.presented(&mut reader, items).await?;
            let languages = presentation::served_languages(&items);
            let page = Page { items, next: next.clone(), count, fuzzy: fuzzy.then_some(true) };
            presentation::with_languages(self.list(&page, next.as_deref()), &languages)
        } else {
            items.iter_mut().for_each(|item| records::show(item, self.caller()));
            let page = Page { items, next: next.clone(), count, fuzzy: fuzzy.then_some(true) };
            self.list(&page, next.as_deref())
        };
        let reply = self.of_past(reply, &reader);
        reader.finish().await?;
        Ok(reply)
    }

    /// The cursor of what comes after this record in this list.
    pub fn cursor_after(&self, id: Uuid, key: Value, fuzzy: bool) -> String {
        let path = self.request.path().to_owned();
        Cursor { path, filters: filters(&self.context.query), key, id, fuzzy }.encode(&self.state.secrets)
    }

    /// One page of a list of what is no record; `place` is where an item stands in its order: its key and an id.
    ///
    /// # Errors
    /// None at present; pages are answers like others.
    pub fn page_of<T: Serialize>(
        &self,
        mut items: Vec<T>,
        limit: i64,
        count: Option<i64>,
        place: impl Fn(&T) -> (Value, Uuid),
    ) -> Answer {
        let next = self.cut(&mut items, limit, false, place);
        Ok(self.list(&Page { items, next: next.clone(), count, fuzzy: None }, next.as_deref()))
    }

    /// Takes off the row beyond the limit; the cursor of the next page, if there was one.
    fn cut<T>(
        &self,
        items: &mut Vec<T>,
        limit: i64,
        fuzzy: bool,
        place: impl Fn(&T) -> (Value, Uuid),
    ) -> Option<String> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        items.last().filter(|_| more).map(|last| {
            let (key, id) = place(last);
            self.cursor_after(id, key, fuzzy)
        })
    }

    /// What narrows this list beside its own filters: `q` and `near`.
    ///
    /// # Errors
    /// 400 for a position that does not exist.
    pub async fn narrowing(&self, collection: &'static str, conn: &mut Conn) -> Result<Narrowing, Problem> {
        let known = self.cursor().map(|cursor| cursor.fuzzy);
        Narrowing::of(conn, self.caller(), collection, &self.context.query, known).await
    }

    /// A list with its ETag and its Link [RFC 8288] to the next page.
    pub fn list(&self, body: &impl Serialize, next: Option<&str>) -> Reply {
        let mut reply = Reply::ok(body);
        if let Some(next) = next {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("cursor", next);
            // What a cursor does not carry.
            for name in ["limit", "wait", "include"] {
                match &self.context.query[name] {
                    Value::Null => {}
                    Value::String(text) => drop(query.append_pair(name, text)),
                    other => drop(query.append_pair(name, &other.to_string())),
                }
            }
            let query = query.finish();
            reply = reply.header(header::LINK, &format!("<{}?{query}>; rel=\"next\"", self.request.path()));
        }
        let etag = conditional::etag_of_list(&reply.body);
        self.known(reply.header(header::ETAG, &etag))
    }

    /// 304 if the client already has this representation [RFC 9110 13.1.2].
    pub fn known(&self, reply: Reply) -> Reply {
        let etag = reply.headers.get(header::ETAG).and_then(|etag| etag.to_str().ok()).unwrap_or_default();
        match self.knows(etag) {
            Some(known) => conditional::unchanged(&known, &reply.headers),
            None => reply,
        }
    }
}

/// The id in a path.
///
/// # Errors
/// 404: what is not an id names nothing.
pub fn path_id(text: &str) -> Result<Uuid, Problem> {
    ids::parse(text).ok_or_else(|| {
        Problem::new(
            Code::NotFound,
            "the path has no id in canonical form; ids look like 015aca1d-640d-7000-8000-00000000000d",
        )
    })
}
