//! Typed ids: the only place where ids are made and where a reference to another record gets its type.

use std::fmt;

use diesel::pg::{Pg, PgValue};
use diesel::serialize::{Output, ToSql};
use diesel::{deserialize, serialize, sql_types};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{KnownFormat, RefOr};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

/// A fresh UUIDv7 [RFC 9562]: ids made later sort later, so the order by id is the order of creation.
#[expect(clippy::disallowed_methods, reason = "the one place where ids are made")]
pub fn fresh() -> Uuid {
    Uuid::now_v7()
}

/// The UUIDv7 that this instant and these random bytes make: for generated worlds, whose ids follow from their seed.
pub fn made_of(unix_milliseconds: u64, random: &[u8; 10]) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(unix_milliseconds, random).into_uuid()
}

/// The id in a path or a filter; anything but the canonical form is refused.
pub fn parse(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok()?;
    (id.hyphenated().to_string() == text).then_some(id)
}

/// The canonical form of a UUID [RFC 9562 4].
const CANONICAL: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

/// The key of the schema extension that says which collection a value refers to; bodies are checked by it.
pub const REFERS_TO: &str = "x-refers-to";

/// The schema of a string that names a record of `collection`.
pub fn reference_schema(collection: &str, object: ObjectBuilder) -> RefOr<Schema> {
    let extensions = ExtensionsBuilder::new().add(REFERS_TO, json!(collection)).build();
    object.schema_type(Type::String).extensions(Some(extensions)).into()
}

/// The id of a record of a known collection.
pub trait Id: Copy {
    /// The collection.
    const COLLECTION: &'static str;
    /// The id itself.
    fn uuid(self) -> Uuid;
}

macro_rules! ids {
    ($($name:ident => $collection:literal),* $(,)?) => {$(
        #[doc = concat!("The id of a record of `", $collection, "`.")]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize,
                 diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
        #[diesel(sql_type = sql_types::Uuid)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl Id for $name {
            const COLLECTION: &'static str = $collection;
            fn uuid(self) -> Uuid {
                self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl ToSql<sql_types::Uuid, Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                ToSql::<sql_types::Uuid, Pg>::to_sql(&self.0, out)
            }
        }
        impl deserialize::FromSql<sql_types::Uuid, Pg> for $name {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                deserialize::FromSql::<sql_types::Uuid, Pg>::from_sql(value).map($name)
            }
        }
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                reference_schema($collection, ObjectBuilder::new()
                    .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
                    .pattern(Some(CANONICAL))
                    .description(Some(concat!("The id of a record of `", $collection, "`."))))
            }
        }
        impl ToSchema for $name {}
    )*};
}

ids! {
    OrganisationId => "organisations",
    ProgrammeId => "programmes",
    DocumentId => "documents",
    PilotId => "pilots",
    PartnershipId => "partnerships",
    InitiativeId => "initiatives",
    ActivityId => "activities",
    AgreementId => "agreements",
    NeedId => "needs",
    HostingId => "hostings",
    IndicatorId => "indicators",
    OutcomeId => "outcomes",
    ObservationId => "observations",
}
