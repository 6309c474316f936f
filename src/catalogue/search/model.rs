//! What is asked and answered.

use crate::database::search::Searchable;
use crate::values::{AreaCode, CategoryCode, CityRef, labels};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

labels! {
    /// What hits are counted by.
    Facet {
        /// the collection
        Type = "type",
        /// the city that a record is of; of hostings and evaluations, host and origin
        City = "city",
        /// the country of these cities
        Country = "country",
        /// the fields of cooperation
        Area = "area",
        /// the kind of service
        Category = "category",
        /// the status, the verdict of applicability, the decision of evaluations
        Status = "status",
    }
}

/// Filters of search.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchFilter {
    /// Collections to search in; several by comma or repeated.
    pub(super) types: Option<Vec<Searchable>>,
    /// Cities that records are of; several by comma or repeated.
    pub(super) city: Option<Vec<CityRef>>,
    /// Their countries [ISO 3166-1 alpha-2]; several by comma or repeated.
    #[param(inline)]
    pub(super) country: Option<Vec<CountryCode>>,
    /// Fields of cooperation; several by comma or repeated.
    pub(super) area: Option<Vec<AreaCode>>,
    /// The same as `area`, under the name that records have.
    pub(super) areas: Option<Vec<AreaCode>>,
    /// Kinds of service; several by comma or repeated.
    pub(super) category: Option<Vec<CategoryCode>>,
    /// Statuses of pilots, needs and hostings, verdicts of applicability, decisions of evaluations; several by comma or repeated.
    #[param(inline)]
    pub(super) status: Option<Vec<StatusCode>>,
    /// What to count hits by; all if absent.
    pub(super) facets: Option<Vec<Facet>>,
    /// How many hits at most.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub(super) limit: Option<i64>,
    /// Where to go on: `next` of the page before. It carries the filters, which may be left out or must be the same.
    /// It ends an hour after the first page.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    #[param(max_length = 4000)]
    pub(super) cursor: Option<String>,
}

/// A country.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(pattern = "^[A-Z]{2}$", example = "KR")]
pub struct CountryCode(pub(super) String);

/// A status.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(pattern = "^[a-z_]{1,40}$", example = "live")]
pub struct StatusCode(pub(super) String);

/// A record that was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct Hit {
    /// Its collection.
    #[serde(rename = "type")]
    pub type_: Searchable,
    /// Its id.
    pub id: Uuid,
    /// Its title or name; of hostings and evaluations, that of the pilot.
    #[schema(example = "Smart streetlights")]
    pub title: String,
    /// A part of its texts as HTML: escaped, with `<mark>` around the words found.
    #[schema(example = "One of the 26 services that <mark>Busan</mark> is testing.")]
    pub snippet: String,
    /// How well it fits, 0 to 1; null without `q`.
    #[schema(example = 0.379291)]
    pub score: Option<f64>,
}

/// How many hits have a value.
#[derive(Debug, Serialize, ToSchema)]
pub struct FacetCount {
    /// The value.
    #[schema(example = "pilots")]
    pub value: String,
    /// Hits that have it.
    #[schema(minimum = 0)]
    pub count: i64,
}

/// Hits counted by what they have in common; each facet as if it were not filtered by itself. On the first page only.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Facets {
    /// By collection.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<Vec<FacetCount>>,
    /// By city.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<Vec<FacetCount>>,
    /// By country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<Vec<FacetCount>>,
    /// By field of cooperation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area: Option<Vec<FacetCount>>,
    /// By kind of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Vec<FacetCount>>,
    /// By status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Vec<FacetCount>>,
}

impl Facets {
    /// The place of a facet.
    pub(super) fn of(&mut self, facet: Facet) -> &mut Option<Vec<FacetCount>> {
        match facet {
            Facet::Type => &mut self.type_,
            Facet::City => &mut self.city,
            Facet::Country => &mut self.country,
            Facet::Area => &mut self.area,
            Facet::Category => &mut self.category,
            Facet::Status => &mut self.status,
        }
    }
}

/// A page of hits.
#[derive(Debug, Serialize, ToSchema)]
pub struct Hits {
    /// The hits, best first; without `q` in order of registration.
    pub items: Vec<Hit>,
    /// How many there are of what.
    pub facets: Facets,
    /// The cursor of the next page; null on the last one.
    pub next: Option<String>,
    /// Nothing has these words; these are spelled alike.
    pub fuzzy: bool,
    /// There are so many hits that the facets count only some of them.
    pub estimated: bool,
}
