//! The values that members are made of: dates with precision, exact decimals, checked text, coded labels.
//! Each is named once and is the same in SQL, Rust, JSON and the OpenAPI document.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::Sign;
use chrono::{Datelike, Days, Months, NaiveDate};
use diesel::deserialize::FromSql;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{Output, ToSql};
use diesel::sql_types::{Jsonb, Numeric, Text};
use diesel::{deserialize, serialize};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::ids::reference_schema;

/// A date known to the year, the month or the day [ISO 8601]: `2017`, `2017-03`, `2017-03-15`; 1800 to 2200.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(transparent)]
pub struct PartialDate(String);

impl PartialDate {
    /// The first day it can mean.
    pub fn first_day(&self) -> NaiveDate {
        Self::span(&self.0).expect("checked when made").0
    }

    /// The last day it can mean; a date counts as this day where a day is needed.
    pub fn last_day(&self) -> NaiveDate {
        Self::span(&self.0).expect("checked when made").1
    }

    fn span(text: &str) -> Option<(NaiveDate, NaiveDate)> {
        if !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
            return None;
        }
        let first = match text.len() {
            4 => NaiveDate::from_ymd_opt(text.parse().ok()?, 1, 1)?,
            7 => NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").ok()?,
            10 => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?,
            _ => return None,
        };
        let last = match text.len() {
            4 => first + Months::new(12) - Days::new(1),
            7 => first + Months::new(1) - Days::new(1),
            _ => first,
        };
        (1800..=2200).contains(&first.year()).then_some((first, last))
    }
}

impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PartialDate {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::span(text)
            .map(|_| Self(text.to_owned()))
            .ok_or("must be a date from 1800 to 2200 as YYYY, YYYY-MM or YYYY-MM-DD")
    }
}

impl From<NaiveDate> for PartialDate {
    fn from(day: NaiveDate) -> Self {
        Self(day.to_string())
    }
}

impl<'de> Deserialize<'de> for PartialDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl ToSql<Text, Pg> for PartialDate {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Text, Pg>::to_sql(self.0.as_str(), out)
    }
}

impl FromSql<Text, Pg> for PartialDate {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(FromSql::<Text, Pg>::from_sql(value)?))
    }
}

/// The name of the format in the OpenAPI document; the validator knows it.
pub const PARTIAL_DATE: &str = "partial-date";

impl PartialSchema for PartialDate {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom(PARTIAL_DATE.into())))
            .description(Some(
                "A date known to the year, the month or the day (1800 to 2200): 2017, 2017-03 or 2017-03-15. \
                 It counts as the last day it can mean where a day is needed.",
            ))
            .examples(["2017-03"])
            .into()
    }
}
impl ToSchema for PartialDate {}

/// An exact decimal: at most 18 digits before the point and 12 after it. In JSON a string in canonical form
/// (`"98"`, `"0.5"`); a JSON number is accepted and read by its own digits.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = Numeric)]
pub struct Decimal(pub BigDecimal);

impl FromStr for Decimal {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const MESSAGE: &str = "must be a decimal number with at most 18 digits before the point and 12 after it";
        if text.len() > 64 {
            return Err(MESSAGE);
        }
        let number = BigDecimal::from_str(text).map_err(|_| MESSAGE)?;
        // Bounds come from the digits alone: aligning 1e999999999 with another number would fill the memory.
        let (digits, scale) = number.as_bigint_and_exponent();
        if digits.sign() == Sign::NoSign {
            return Ok(Self(BigDecimal::from(0)));
        }
        let text = digits.magnitude().to_string();
        let significant = text.trim_end_matches('0').len() as i64;
        let before_point = (text.len() as i64).saturating_sub(scale);
        let after_point = significant.saturating_sub(before_point);
        if before_point > 18 || after_point > 12 {
            return Err(MESSAGE);
        }
        Ok(Self(number.normalized()))
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.normalized().to_plain_string())
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Value::deserialize(deserializer)? {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            _ => return Err(D::Error::custom("must be a decimal number")),
        };
        text.parse().map_err(D::Error::custom)
    }
}

impl ToSql<Numeric, Pg> for Decimal {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Numeric, Pg>::to_sql(&self.0, &mut out.reborrow())
    }
}

impl FromSql<Numeric, Pg> for Decimal {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(FromSql::<Numeric, Pg>::from_sql(value)?))
    }
}

/// The name of the format in the OpenAPI document; the validator knows it.
pub const DECIMAL: &str = "decimal";

impl PartialSchema for Decimal {
    fn schema() -> RefOr<Schema> {
        OneOfBuilder::new()
            .item(
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .format(Some(SchemaFormat::Custom(DECIMAL.into())))
                    .description(Some("A number with at most 18 digits before the point and 12 after it, as text."))
                    .pattern(Some(r"^-?0*[0-9]{1,18}(\.[0-9]{1,12}0*)?$"))
                    .max_length(Some(64)),
            )
            .item(ObjectBuilder::new().schema_type(Type::Number))
            .description(Some(
                "An exact decimal with at most 18 digits before the point and 12 after it. Answers hold a string in \
                 canonical form (\"98\", \"0.5\"); a JSON number is accepted and read by its own digits.",
            ))
            .examples(["98"])
            .into()
    }
}
impl ToSchema for Decimal {}

/// JSON in a column of SQL as a Rust value.
#[derive(Debug, Clone, Serialize, Deserialize, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
#[diesel(sql_type = Jsonb)]
#[serde(transparent, bound = "")]
pub struct Json<T: Serialize + DeserializeOwned + std::fmt::Debug>(pub T);

impl<T: Serialize + DeserializeOwned + std::fmt::Debug> ToSql<Jsonb, Pg> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let value = serde_json::to_value(&self.0)?;
        ToSql::<Jsonb, Pg>::to_sql(&value, &mut out.reborrow())
    }
}

impl<T: Serialize + DeserializeOwned + std::fmt::Debug> FromSql<Jsonb, Pg> for Json<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let value = <Value as FromSql<Jsonb, Pg>>::from_sql(value)?;
        Ok(Self(serde_json::from_value(value)?))
    }
}

impl<T: Serialize + DeserializeOwned + std::fmt::Debug> Deref for Json<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

/// A string of its own kind: the same type in bodies, SQL and the OpenAPI document.
macro_rules! text_type {
    ($(#[doc = $doc:literal])* $name:ident, $schema:expr) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
                 diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
        #[diesel(sql_type = Text)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl Deref for $name {
            type Target = str;
            fn deref(&self) -> &str {
                &self.0
            }
        }
        impl ToSql<Text, Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                ToSql::<Text, Pg>::to_sql(self.0.as_str(), out)
            }
        }
        impl FromSql<Text, Pg> for $name {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                FromSql::<Text, Pg>::from_sql(value).map($name)
            }
        }
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let object = ObjectBuilder::new().schema_type(Type::String).description(Some(concat!($($doc, "\n"),*).trim()));
                #[allow(clippy::redundant_closure_call)]
                ($schema)(object)
            }
        }
        impl ToSchema for $name {}
    };
}

text_type!(
    /// One line of text: 1 to 300 characters, not blank.
    Line, |object: ObjectBuilder| object.min_length(Some(1)).max_length(Some(300)).pattern(Some(r"^[^\n\t]*\S[^\n\t]*$")).into());
text_type!(
    /// Text that may have several lines: 1 to 10,000 characters, not blank.
    Prose, |object: ObjectBuilder| object.min_length(Some(1)).max_length(Some(10_000)).pattern(Some(r"\S")).into());
text_type!(
    /// A word or two: 1 to 60 characters, not blank, without `;`.
    Tag, |object: ObjectBuilder| object.min_length(Some(1)).max_length(Some(60)).pattern(Some(r"^[^;\n\t]*[^;\s][^;\n\t]*$")).into());
text_type!(
    /// A web address: http or https, at most 2,000 characters.
    WebAddress, |object: ObjectBuilder| object.max_length(Some(2_000)).format(Some(SchemaFormat::Custom("uri".into())))
        .pattern(Some(r"^https?://[^\s]+$")).examples(["https://example.org/streetlights"]).into());
text_type!(
    /// A city: its UN/LOCODE (`KRPUS`), or its id where it has no code.
    CityRef, |object: ObjectBuilder| reference_schema("cities", object.max_length(Some(36)).examples(["KRPUS"])));
text_type!(
    /// The code of a term of the vocabulary `areas`.
    AreaCode, |object: ObjectBuilder| reference_schema("terms/areas", object.max_length(Some(60)).examples(["smart_cities"])));
text_type!(
    /// The code of a term of the vocabulary `categories`.
    CategoryCode, |object: ObjectBuilder| reference_schema("terms/categories", object.max_length(Some(60)).examples(["smart_street_lighting"])));
text_type!(
    /// The code of a term of the vocabulary `applicability_reasons`.
    ApplicabilityReason, |object: ObjectBuilder| reference_schema("terms/applicability_reasons", object.max_length(Some(60)).examples(["local_alternative_exists"])));
text_type!(
    /// The code of a term of the vocabulary `hosting_reasons`.
    HostingReason, |object: ObjectBuilder| reference_schema("terms/hosting_reasons", object.max_length(Some(60)).examples(["funding"])));
text_type!(
    /// The code of a term of the vocabulary `units`.
    UnitCode, |object: ObjectBuilder| reference_schema("terms/units", object.max_length(Some(60)).examples(["pct"])));

/// A closed list of labels: one place for the Rust value, its JSON and SQL spelling, and what it means.
macro_rules! labels {
    ($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $meaning:literal])* $variant:ident = $label:literal),* $(,)? }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
        #[diesel(sql_type = diesel::sql_types::Text)]
        pub enum $name { $($(#[doc = $meaning])* $variant),* }

        impl $name {
            /// All of them, in the order of their documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// The spelling in JSON and SQL.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label),* }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.label())
            }
        }
        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|value| value.label() == text)
                    .ok_or_else(|| format!("must be one of {}", [$($label),*].join(", ")))
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.label())
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
        impl diesel::serialize::ToSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>) -> diesel::serialize::Result {
                diesel::serialize::ToSql::<diesel::sql_types::Text, diesel::pg::Pg>::to_sql(self.label(), out)
            }
        }
        impl diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn from_sql(value: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                Ok(std::str::from_utf8(value.as_bytes())?.parse::<Self>()?)
            }
        }
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                let meanings: &[(&str, &str)] = &[$(($label, concat!($($meaning),*))),*];
                let mut text = concat!($($doc, "\n"),*).trim().to_owned();
                for (label, meaning) in meanings {
                    text.push_str(&format!("\n- `{label}`:{meaning}"));
                }
                utoipa::openapi::schema::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .enum_values(Some([$($label),*]))
                    .description(Some(text))
                    .into()
            }
        }
        impl utoipa::ToSchema for $name {}
    };
}
pub(crate) use labels;

labels! {
    /// Who may see a record. Along a chain of records the strictest wins.
    Visibility {
        /// everybody
        Public = "public",
        /// everybody with an account
        Partners = "partners",
        /// the cities involved
        Private = "private",
    }
}

/// The schema of translations: by language [BCP 47], then member.
pub struct TranslationsSchema;

impl PartialSchema for TranslationsSchema {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(10_000));
        let language = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .property_names(Some(language))
            .additional_properties(Some(
                ObjectBuilder::new().schema_type(Type::Object).additional_properties(Some(text)),
            ))
            .max_properties(Some(50))
            .description(Some("Texts of the record in other languages, by language (BCP 47) and member."))
            .examples([json!({"ko": {"title": "스마트 가로등"}})])
            .into()
    }
}
impl ToSchema for TranslationsSchema {
    fn name() -> Cow<'static, str> {
        "Translations".into()
    }
}

/// What external ids, citations and translations look like everywhere.
pub mod common {
    use std::collections::BTreeMap;

    use super::*;
    use crate::ids::DocumentId;

    /// The id of this record in a partner's system.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    pub struct ExternalId {
        /// The partner system; a name of its own that stays the same.
        #[schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9._-]+$", example = "busan-open-data")]
        pub source: String,
        /// The id in that system.
        #[schema(min_length = 1, max_length = 200, pattern = r"^\S+$", example = "SL-2017-01")]
        pub value: String,
    }

    /// Where a fact comes from.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    pub struct Citation {
        /// The document that says it.
        pub document_id: DocumentId,
        /// Where in the document.
        #[schema(min_length = 1, max_length = 300, example = "Areas of Future Cooperation, item 1")]
        pub locator: Option<String>,
        /// Its words, at most 300 characters.
        #[schema(min_length = 1, max_length = 300, example = "Busan is currently testing 26 services")]
        pub quote: Option<String>,
    }

    /// A citation with what is needed to tell who may see its document.
    #[derive(Debug, Clone, Serialize, Deserialize)]
    pub struct ShownCitation {
        document_id: DocumentId,
        locator: Option<String>,
        quote: Option<String>,
        /// That of the document.
        #[serde(skip_serializing)]
        pub visibility: Visibility,
        /// That of the document.
        #[serde(skip_serializing)]
        pub city_id: Option<uuid::Uuid>,
    }

    /// Texts of the record in other languages: `{"ko": {"title": "스마트 가로등"}}`.
    pub type Translations = BTreeMap<String, BTreeMap<String, String>>;

    /// The members that every record's body may have.
    #[derive(Debug, Clone)]
    pub struct Common {
        /// BCP 47.
        pub language: String,
        /// By language, then member.
        pub translations: Translations,
        /// Unique per (type, source, value).
        pub external_ids: Vec<ExternalId>,
        /// In the order given.
        pub citations: Vec<Citation>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_beyond_all_bounds_is_refused() {
        for text in ["1e9223372036854775807", "-10e9223372036854775806", "1e-9223372036854775807", "1e19", "1e-13"] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
        assert_eq!("0e9223372036854775807".parse::<Decimal>().unwrap().to_string(), "0");
    }
}
