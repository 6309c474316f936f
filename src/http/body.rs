//! A request's body: read once, checked once, for create, upsert, patch and import alike.

use std::collections::BTreeSet;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::Deref;
use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::web::{Bytes, Payload};
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev};
use aws_lc_rs::digest;
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::merge;
use super::problem::{Code, Fault, Problem};
pub use super::rules::Rules;
use super::rules::{check_external_ids, check_translations};
use super::schemas::{Reference, Schema, base_name};
use super::text;
use crate::database::Tx;
use crate::database::records::Record;
use crate::database::references::{self, Resolved};
use crate::values::CityRef;

/// The most bytes a body may have.
pub const MAX_BYTES: usize = 1024 * 1024;

/// What can be sent in a body. Records' are made by the macro `input!`.
pub trait Input: DeserializeOwned + ToSchema {
    /// The rules that its schema does not say; all that does not hold is told together with the schema's faults.
    fn check(_tx: &mut Tx, _input: &Checked<Self>, _rules: &mut Rules) -> impl Future<Output = Result<(), Problem>> {
        std::future::ready(Ok(()))
    }
}

/// The SHA-256 of the body's bytes, kept with the request for the idempotency key.
#[derive(Clone)]
pub struct BodyHash(pub [u8; 32]);

/// A JSON body that was read but not yet checked.
#[derive(Debug, Clone)]
pub struct Body<T> {
    value: Value,
    faults: Vec<Fault>,
    /// Whether it says all members of the record as they shall be, so that objects replace instead of merging.
    replaces: bool,
    kind: PhantomData<T>,
}

impl<T: 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        let payload = Payload::from_request(&request, payload);
        Box::pin(async move {
            let payload = payload.await.map_err(|error| Problem::new(Code::MalformedJson, error.to_string()))?;
            let bytes = read(payload).await?;
            let hash = digest::digest(&digest::SHA256, &bytes);
            request.extensions_mut().insert(BodyHash(hash.as_ref().try_into().expect("SHA-256 has 32 bytes")));
            let value = text::parse_json(&bytes).map_err(|detail| Problem::new(Code::MalformedJson, detail))?;
            Ok(Self::from_value(value))
        })
    }
}

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(15);

/// Reads a body of at most [`MAX_BYTES`].
///
/// # Errors
/// 408 if it takes too long, 413 if it is too large.
pub async fn read(payload: Payload) -> Result<Bytes, Problem> {
    let late = |_| Problem::new(Code::Timeout, Code::Timeout.meaning());
    tokio::time::timeout(PATIENCE, read_all(payload)).await.map_err(late)?
}

async fn read_all(mut payload: Payload) -> Result<Bytes, Problem> {
    let mut bytes = actix_web::web::BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| Problem::new(Code::MalformedJson, broken_off(&error)))?;
        if bytes.len() + chunk.len() > MAX_BYTES {
            return Err(Problem::new(Code::TooLarge, Code::TooLarge.meaning()));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// What the client is told of a body that did not come to its end; the server's own words are for the log.
pub fn broken_off(error: &PayloadError) -> &'static str {
    tracing::debug!(%error, "a body broke off");
    "the body broke off, or is not in the transfer coding that its headers say"
}

impl<T> Body<T> {
    /// A body that did not come over HTTP: a row of an import, a record of the founding data.
    pub fn from_value(mut value: Value) -> Self {
        let faults = text::normalise(&mut value);
        Self { value, faults, replaces: false, kind: PhantomData }
    }

    fn with(&self, change: impl FnOnce(&mut Map<String, Value>)) -> Self {
        let (value, faults) = (self.value.clone(), self.faults.clone());
        let mut body = Self { value, faults, replaces: self.replaces, kind: PhantomData };
        body.edit(change);
        body
    }

    /// Changes the members, if it is an object.
    pub fn edit(&mut self, change: impl FnOnce(&mut Map<String, Value>)) {
        if let Value::Object(members) = &mut self.value {
            change(members);
        }
    }

    /// What it says as it came, brought to NFC.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The items of a list in it, each a body of its own.
    ///
    /// # Errors
    /// 422 with what is wrong around the items.
    pub fn items<I>(&self, member: &str) -> Result<Vec<Body<I>>, Problem>
    where
        T: ToSchema,
    {
        let within = format!("/{member}/");
        let is_of_item = |fault: &Fault| fault.pointer.as_deref().is_some_and(|pointer| pointer.starts_with(&within));
        let mut faults = Schema::named(&T::name()).faults(&self.value);
        faults.retain(|fault| !is_of_item(fault));
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        let items = self.value[member].as_array().map_or(&[][..], Vec::as_slice);
        Ok(items.iter().cloned().map(Body::from_value).collect())
    }

    /// A member as it was sent; null if it was not.
    pub fn member(&self, name: &str) -> &Value {
        &self.value[name]
    }

    /// The body with a fault that was found elsewhere.
    #[must_use]
    pub fn with_fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// The body with a member that it does not state.
    #[must_use]
    pub fn or_member(&self, name: &str, value: &str) -> Self {
        self.with(|members| {
            members.entry(name).or_insert_with(|| value.into());
        })
    }

    /// The body with this external id among those it states; `only_if_stated` leaves a body without any as it is.
    #[must_use]
    pub fn with_external_id(&self, source: &str, value: &str, only_if_stated: bool) -> Self {
        self.with(|members| {
            if only_if_stated && !members.contains_key("external_ids") {
                return;
            }
            let one = json!({"source": source, "value": value});
            if let Value::Array(ids) = members.entry("external_ids").or_insert_with(|| json!([]))
                && !ids.contains(&one)
            {
                ids.push(one);
            }
        })
    }

    /// The body as a change to what it says: of its members those that `C` has; those that it leaves out and that
    /// can be empty are emptied.
    pub fn replacing<C: ToSchema>(&self) -> Body<C> {
        let schema = Schema::named(&C::name());
        let body = self.with(|object| {
            object.retain(|name, _| schema.members.contains(name));
            for name in &schema.clearable {
                object.entry(name.as_str()).or_insert(Value::Null);
            }
        });
        Body { value: body.value, faults: body.faults, replaces: true, kind: PhantomData }
    }

    /// Whether the body says everything of a record, as an upsert does.
    pub fn replaces(&self) -> bool {
        self.replaces
    }

    /// Whether the body changes no other members of a record than these. A patch says what it changes; a body that
    /// says everything changes what it says otherwise.
    pub fn touches_only<R: Record>(&self, current: &R, members: &[&str]) -> bool {
        let now = self.replaces.then(|| current.writable());
        let allowed = |(name, value): (&String, &Value)| {
            members.contains(&name.as_str()) || now.as_ref().is_some_and(|now| now[name.as_str()] == *value)
        };
        self.value.as_object().is_some_and(|object| object.iter().all(allowed))
    }

    /// The body with what the path says already: the member may be left out, but not differ.
    #[must_use]
    pub fn of_path(&self, member: &str, value: &str) -> Self {
        let mut body = self.or_member(member, value);
        if body.value.is_object() && body.value[member] != value {
            let code = format!("other_{}", member.trim_end_matches("_id"));
            body.faults.push(Fault::at(format!("/{member}"), &code, "must be the one of the path, or be left out"));
        }
        body
    }
}

/// A body that is acceptable, with the cities it names resolved to their ids.
#[derive(Debug)]
pub struct Checked<T> {
    input: T,
    resolved: Resolved,
}

impl<T> Deref for Checked<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.input
    }
}

impl<T> Checked<T> {
    /// The id of a city that the body names.
    pub fn city(&self, city: &CityRef) -> Uuid {
        self.resolved.city(city)
    }
    /// The id of a city that the body names, if there is such a city: for rules, which are checked even if not.
    pub fn known_city(&self, city: &CityRef) -> Option<Uuid> {
        self.resolved.known_city(city)
    }
    /// The id of a city that the body may name.
    pub fn optional_city(&self, city: Option<&CityRef>) -> Option<Uuid> {
        city.map(|city| self.city(city))
    }
}

impl<T: Input> Body<T> {
    /// Checks the body as a whole new record.
    ///
    /// # Errors
    /// 422 with everything that is wrong.
    pub async fn checked(&self, tx: &mut Tx) -> Result<Checked<T>, Problem> {
        check(tx, self.value.clone(), self.faults.clone(), None).await
    }

    /// Checks many bodies as whole new records, each by itself; what they name is asked for all at once.
    ///
    /// # Errors
    /// Those of the database. What is wrong with a body stands in its place.
    pub async fn checked_all(tx: &mut Tx, bodies: Vec<Self>) -> Result<Vec<Result<Checked<T>, Problem>>, Problem> {
        let schema = Schema::named(&T::name());
        let (mut found, mut begun) = (vec![], vec![]);
        for (index, body) in bodies.into_iter().enumerate() {
            let mut rules = Rules(body.faults);
            let own = references_of(schema, &body.value, &mut rules).into_iter();
            found.extend(own.map(|one| Reference { pointer: format!("/{index}{}", one.pointer), ..one }));
            begun.push((body.value, rules));
        }
        let mut faults = vec![];
        let resolved = references::resolve(tx, found, |_| false, &mut faults).await?;
        for fault in faults {
            let pointer = fault.pointer.as_deref().unwrap_or_default().trim_start_matches('/');
            let (index, own) = pointer.split_once('/').unwrap_or((pointer, ""));
            if let Some((_, rules)) = index.parse().ok().and_then(|index: usize| begun.get_mut(index)) {
                rules.0.push(Fault { pointer: Some(format!("/{own}")), ..fault });
            }
        }
        let mut checked = Vec::with_capacity(begun.len());
        for (value, rules) in begun {
            checked.push(finish(tx, schema, value, rules, resolved.clone()).await);
        }
        Ok(checked)
    }

    /// Checks the body as a whole record that takes the place of `current`.
    ///
    /// # Errors
    /// 422 with everything that is wrong.
    pub async fn checked_beside<R: Record>(&self, tx: &mut Tx, current: &R) -> Result<Checked<T>, Problem> {
        check(tx, self.value.clone(), self.faults.clone(), Some(&current.writable())).await
    }

    /// Applies the body to a record as a merge patch [RFC 7396] and checks the result;
    /// `None` when it changes nothing.
    ///
    /// # Errors
    /// 422 with everything that is wrong.
    pub async fn merged<R: Record>(&self, tx: &mut Tx, current: &R) -> Result<Option<Checked<T>>, Problem> {
        self.merged_with(tx, current.writable()).await
    }

    /// Whether the body says of a record what it says already; whether it may say so is not asked.
    pub fn is_said_by<R: Record>(&self, current: &R) -> bool {
        let before = merge::writable::<T>(current.writable());
        self.faults.is_empty() && merge::applied(&before, &self.value, self.replaces) == before
    }

    /// Like [`Body::merged`], for what is not a record: `current` is its JSON.
    ///
    /// # Errors
    /// 422 with everything that is wrong.
    pub async fn merged_with(&self, tx: &mut Tx, current: Value) -> Result<Option<Checked<T>>, Problem> {
        if !self.value.is_object() {
            return Err(Problem::invalid(vec![Fault::at("", "wrong_type", "must be an object")]));
        }
        // Merging takes null members away; what the record does not have must be refused before.
        let patch = format!("{}Patch", base_name(&T::name()));
        let mut faults = Schema::named(&patch).faults(&self.value);
        faults.retain(|fault| matches!(fault.code.as_str(), "unknown_member" | "read_only"));
        faults.extend(self.faults.clone());
        let before = merge::writable::<T>(current);
        let after = merge::applied(&before, &self.value, self.replaces);
        let unchanged = after == before && faults.is_empty();
        let checked = check(tx, after, faults, Some(&before)).await?;
        Ok((!unchanged).then_some(checked))
    }
}

async fn check<T: Input>(
    tx: &mut Tx,
    value: Value,
    faults: Vec<Fault>,
    before: Option<&Value>,
) -> Result<Checked<T>, Problem> {
    let schema = Schema::named(&T::name());
    let mut rules = Rules(faults);
    let found = references_of(schema, &value, &mut rules);
    let kept = before.map(|before| schema.references(before)).unwrap_or_default();
    let unchanged = |reference: &Reference| {
        kept.iter().any(|one| one.collection == reference.collection && one.value == reference.value)
    };
    let resolved = references::resolve(tx, found, unchanged, &mut rules.0).await?;
    finish(tx, schema, value, rules, resolved).await
}

/// What is wrong by the schema; and what the value names, as far as it is not wrong already.
fn references_of(schema: &Schema, value: &Value, rules: &mut Rules) -> Vec<Reference> {
    rules.0.extend(schema.faults(value));
    if rules.is_too_much() {
        return vec![];
    }
    let bad: BTreeSet<&str> = rules.0.iter().filter_map(|fault| fault.pointer.as_deref()).collect();
    schema.references(value).into_iter().filter(|one| !bad.contains(one.pointer.as_str())).collect()
}

/// The last checks, once it is known what the value names.
async fn finish<T: Input>(
    tx: &mut Tx,
    schema: &Schema,
    value: Value,
    mut rules: Rules,
    resolved: Resolved,
) -> Result<Checked<T>, Problem> {
    if rules.is_too_much() {
        return Err(rules.problem());
    }
    check_translations(schema, &value, &mut rules);
    check_external_ids(&value, &mut rules);
    match serde_path_to_error::deserialize(value) {
        Ok(input) => {
            let checked = Checked { input, resolved };
            T::check(tx, &checked, &mut rules).await?;
            rules.done().map(|()| checked)
        }
        Err(error) => {
            // A body that the schema refuses need not fit the struct; one that it accepts must.
            if rules.0.is_empty() {
                let pointer = error.path().iter().map(|segment| format!("/{segment}")).collect::<String>();
                rules.0.push(unfit(pointer, &error.inner().to_string()));
            }
            Err(rules.problem())
        }
    }
}

/// What the schema takes and the struct does not. A number is one that JSON Schema counts as an integer (`1.0`, `1e3`),
/// or that is beyond ours.
fn unfit(pointer: String, error: &str) -> Fault {
    match error {
        "invalid number" => Fault::at(pointer, "wrong_type", "must be an integer in plain digits, of 18 at most"),
        other => Fault::at(pointer, "invalid", other),
    }
}

/// Declares a body: the members given, and those that every record's body may have.
macro_rules! input {
    ($(#[$meta:meta])* $name:ident { $($(#[$member_meta:meta])* $member:ident: $type:ty),* $(,)? } $(checked by $check:path)?) => {
        #[derive(Debug, Clone, serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields)]
        $(#[$meta])*
        pub struct $name {
            $($(#[$member_meta])* pub $member: $type,)*
            /// The ids of this record in partners' systems.
            #[serde(default)]
            #[schema(max_items = 20)]
            pub external_ids: Vec<crate::values::common::ExternalId>,
            /// Where its facts come from.
            #[serde(default)]
            #[schema(max_items = 50)]
            pub citations: Vec<crate::values::common::Citation>,
            /// The language of its texts [BCP 47]; `en` if absent.
            #[serde(default)]
            #[schema(pattern = "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length = 35, example = "en")]
            pub language: Option<String>,
            /// Its texts in other languages, by language and member.
            #[serde(default)]
            #[schema(value_type = Option<crate::values::TranslationsSchema>)]
            pub translations: Option<crate::values::common::Translations>,
        }

        impl $name {
            /// The members that every record has.
            pub fn common(&self) -> crate::values::common::Common {
                crate::values::common::Common {
                    language: self.language.clone().unwrap_or_else(|| "en".into()),
                    translations: self.translations.clone().unwrap_or_default(),
                    external_ids: self.external_ids.clone(),
                    citations: self.citations.clone(),
                }
            }
        }

        impl crate::http::body::Input for $name {
            $(async fn check(
                tx: &mut crate::database::Tx,
                input: &crate::http::Checked<Self>,
                rules: &mut crate::http::body::Rules,
            ) -> Result<(), crate::http::Problem> {
                $check(tx, input, rules).await
            })?
        }
    };
}
pub(crate) use input;

/// Declares the two bodies of a record of which some members are given once and for all: the first is what is sent to
/// make one and has both lists of members, the second is what can be changed.
macro_rules! inputs {
    (
        $(#[$meta:meta])* $name:ident
        { $($(#[$only_meta:meta])* $only:ident: $only_type:ty),* $(,)? } $(checked by $check:path)?;
        $(#[$change_meta:meta])* $change:ident
        { $($(#[$member_meta:meta])* $member:ident: $type:ty),* $(,)? } $(checked by $change_check:path)?
    ) => {
        crate::http::body::input! {
            $(#[$meta])* $name {
                $($(#[$only_meta])* $only: $only_type,)*
                $($(#[$member_meta])* $member: $type,)*
            } $(checked by $check)?
        }
        crate::http::body::input! {
            $(#[$change_meta])* $change { $($(#[$member_meta])* $member: $type,)* } $(checked by $change_check)?
        }

        impl From<&$name> for $change {
            fn from(input: &$name) -> Self {
                let input = input.clone();
                Self {
                    $($member: input.$member,)*
                    external_ids: input.external_ids,
                    citations: input.citations,
                    language: input.language,
                    translations: input.translations,
                }
            }
        }
    };
}
pub(crate) use inputs;
