//! The snapshot cache: whole answers of reads that nobody needs a token for, kept until something that they were read from
//! changes.
//!
//! An answer is kept under the generation of the collections that it was read from ([`News::records`]), taken before the
//! reading began, and under its day. A change ends the generation, so what was read before is not found any more: at once
//! where this server made the change, within [`BOUND`](crate::database::news::BOUND) where another did; a server that does
//! not hear of changes neither keeps nor finds anything. Whoever asks while an answer is being made waits for that one.
//! Nothing is kept of, or given to, a caller with a token; problems are never kept.
//!
//! [`News::records`]: crate::database::news::News::records

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};
use chrono::NaiveDate;
use prometheus_client::metrics::counter::Counter;
use quick_cache::sync::{Cache, DefaultLifecycle, PlaceholderGuard};
use quick_cache::{DefaultHashBuilder, Weighter};

use self::kept::{Kept, Made, Wanted};
use super::idempotency;
use super::middleware::Context;
use crate::app::State;
use crate::database::news::Generation;

mod kept;

/// How long a request waits for the answer that another one is making before it makes its own: longer than nearly all
/// take, so that many who ask for something slow at once do not take all connections.
const PATIENCE: Duration = Duration::from_secs(5);

/// What an answer has on average, for a first guess of how many there will be.
const AVERAGE_BYTES: u64 = 16 * 1024;

/// What an entry costs beside its bytes.
const ENTRY_BYTES: u64 = 400;

/// What an answer is found by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    generation: Generation,
    day: NaiveDate,
    /// Path, query and cursor as they were understood, and the media types where they make a difference.
    asked: Arc<str>,
    is_zipped: bool,
}

/// An answer; none if it was made and cannot be kept.
type Slot = Option<Arc<Kept>>;

#[derive(Debug, Clone)]
struct Bytes;

impl Weighter<Key, Slot> for Bytes {
    fn weight(&self, key: &Key, slot: &Slot) -> u64 {
        let asked = u64::try_from(key.asked.len()).unwrap_or(u64::MAX);
        asked + slot.as_ref().map_or(0, |kept| kept.bytes()) + ENTRY_BYTES
    }
}

/// The answers that one server keeps.
pub struct Answers {
    /// None where the cache is switched off.
    slots: Option<Slots>,
    /// Answers that were found.
    pub hits: Counter,
    /// Answers that were made to be kept.
    pub misses: Counter,
}

type Slots = Cache<Key, Slot, Bytes>;

type Turn<'c> = PlaceholderGuard<'c, Key, Slot, Bytes, DefaultHashBuilder, DefaultLifecycle<Key, Slot>>;

/// What became of looking for an answer.
enum Found<'c> {
    Here(Arc<Kept>),
    /// It is to be made; others wait for it.
    Turn(Turn<'c>),
    /// Whoever made it could not keep it, or takes too long: everybody makes their own.
    Nothing,
}

impl Answers {
    /// A cache of at most so many MiB; 0 is none.
    pub fn new(megabytes: u32) -> Self {
        let most = u64::from(megabytes) * 1024 * 1024;
        let guess = usize::try_from(most / AVERAGE_BYTES).unwrap_or(usize::MAX);
        Self {
            slots: (most > 0).then(|| Cache::with_weighter(guess, most, Bytes)),
            hits: Counter::default(),
            misses: Counter::default(),
        }
    }

    /// How many bytes and answers it has.
    pub fn size(&self) -> (u64, u64) {
        let count = |slots: &Slots| u64::try_from(slots.len()).unwrap_or(u64::MAX);
        self.slots.as_ref().map_or((0, 0), |slots| (slots.weight(), count(slots)))
    }

    /// What the answer to this request is found by, if it may be kept at all.
    fn key(&self, request: &ServiceRequest, context: &Context, state: &State) -> Option<Key> {
        self.slots.as_ref()?;
        let headers = request.headers();
        // Headers that a handler may refuse are left to it.
        let is_plain = !headers.contains_key(header::IF_MATCH) && !headers.contains_key(idempotency::HEADER);
        let is_present = context.query.get("as_of").is_none();
        // Another server's change may not have been heard of yet.
        let is_elsewhere = context.consistency.is_some_and(|consistency| consistency.server != state.id);
        if is_elsewhere || !context.operation.is_kept || !context.caller.is_anonymous() || !is_plain || !is_present {
            return None;
        }
        // The generation before anything else: what changes from here on ends it.
        let generation = state.database.news.records(context.operation.collection_read(&context.query))?;
        let mut asked = format!("{}\n{}", request.path(), context.query);
        if let Some(cursor) = &context.cursor {
            asked.push_str(&serde_json::to_string(cursor).ok()?);
        }
        if context.operation.answers.len() > 1 {
            let mut accept = headers.get_all(header::ACCEPT);
            asked.push('\n');
            asked.push_str(accept.next().map_or(Ok("*/*"), |accept| accept.to_str()).ok()?);
        }
        Some(Key { generation, day: state.clock.today(), asked: asked.into(), is_zipped: false })
    }

    async fn find<'c>(&self, slots: &'c Slots, key: &Key) -> Found<'c> {
        match tokio::time::timeout(PATIENCE, slots.get_value_or_guard_async(key)).await {
            Ok(Ok(Some(kept))) => Found::Here(kept),
            Ok(Err(turn)) => Found::Turn(turn),
            Ok(Ok(None)) | Err(_) => Found::Nothing,
        }
    }

    fn count(&self, is_hit: bool) {
        let counter = if is_hit { &self.hits } else { &self.misses };
        counter.inc();
    }
}

/// Ends a turn: with the answer, or without one. Those who wait then make their own, and whoever comes later begins anew.
fn end(slots: &Slots, turn: Turn<'_>, key: &Key, kept: Slot) {
    let is_nothing = kept.is_none();
    if turn.insert(kept).is_ok() && is_nothing {
        slots.remove_if(key, Option::is_none);
    }
}

/// What handlers answer to this request, kept or made.
///
/// # Errors
/// Those of the handlers.
pub async fn answer<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
    mut context: Context,
    state: &State,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let answers = &state.answers;
    let (Some(key), Some(slots)) = (answers.key(&request, &context, state), &answers.slots) else {
        return made(request, next, context).await;
    };
    context.may_read_copy = false;
    let wanted = Wanted::of(&request);
    let turn = match answers.find(slots, &Key { is_zipped: wanted.is_zipped, ..key.clone() }).await {
        Found::Here(kept) => {
            answers.count(true);
            return Ok(request.into_response(kept.response(&wanted)));
        }
        Found::Nothing => return made(request, next, context).await,
        Found::Turn(turn) => turn,
    };
    // What is kept is the whole answer, whatever the client has already.
    request.headers_mut().remove(header::IF_NONE_MATCH);
    let asked = Asked { request, next, context };
    let made = match wanted.is_zipped {
        true => asked.zipped_for(answers, slots, turn, key).await?,
        false => asked.made_for(answers, slots, turn, &key).await?,
    };
    Ok(match made {
        Ok((request, kept)) => ServiceResponse::new(request, kept.response(&wanted)),
        Err(response) => *response,
    })
}

/// A request whose answer is to be made.
struct Asked<B> {
    request: ServiceRequest,
    next: Next<B>,
    context: Context,
}

impl<B: MessageBody + 'static> Asked<B> {
    /// Makes the answer for all who wait for it.
    async fn made_for(self, answers: &Answers, slots: &Slots, turn: Turn<'_>, key: &Key) -> Result<Made, Error> {
        answers.count(false);
        // If this fails, or nobody is left who asks, the turn is given to the next who waits.
        let made = Kept::of(made(self.request, self.next, self.context).await?);
        end(slots, turn, key, made.as_ref().ok().map(|(_, kept)| kept.clone()));
        Ok(made)
    }

    /// Makes the compressed answer for all who wait for it, of the plain one.
    async fn zipped_for(self, answers: &Answers, slots: &Slots, turn: Turn<'_>, key: Key) -> Result<Made, Error> {
        let plain = match answers.find(slots, &key).await {
            Found::Here(kept) => {
                answers.count(true);
                Ok((self.request.into_parts().0, kept))
            }
            Found::Turn(turn) => self.made_for(answers, slots, turn, &key).await?,
            Found::Nothing => Kept::of(made(self.request, self.next, self.context).await?),
        };
        let zipped = match plain {
            Ok((request, kept)) if kept.can_be_zipped() => Ok((request, Arc::new(kept.zipped().await))),
            plain => plain,
        };
        end(slots, turn, &Key { is_zipped: true, ..key }, zipped.as_ref().ok().map(|(_, kept)| kept.clone()));
        Ok(zipped)
    }
}

async fn made<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
    context: Context,
) -> Result<ServiceResponse<BoxBody>, Error> {
    request.extensions_mut().insert(context);
    next.call(request).await.map(ServiceResponse::map_into_boxed_body)
}
