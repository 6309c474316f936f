//! What is stored, sent and answered.

use crate::database::records::record;
use crate::http::body::input;
use crate::http::paging::NameSort;
use crate::values::{AreaCode, CityRef, Line, UnitCode, labels};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

labels! {
    /// Where an indicator's code comes from.
    IndicatorVocabulary {
        /// United for Smart Sustainable Cities (ITU-T Y.4903)
        U4ssc = "U4SSC",
        /// Sustainable Development Goals
        Sdg = "SDG",
        /// ISO 37122, by reference
        Iso37122 = "ISO37122",
        /// this registry's, or a city's own
        Own = "own",
    }
}

labels! {
    /// What kind of quantity.
    Measure {
        /// a number
        Number = "number",
        /// a percentage
        Percentage = "percentage",
        /// money, in the outcome's currency
        Currency = "currency",
        /// a rank
        Ordinal = "ordinal",
        /// words
        Qualitative = "qualitative",
    }
}

labels! {
    /// Which way is better.
    Direction {
        /// more is better
        Up = "up",
        /// less is better
        Down = "down",
        /// as it is
        Hold = "hold",
        /// neither: context
        None = "none",
    }
}

labels! {
    /// How observations of several periods come together.
    Aggregation {
        /// added up
        Sum = "sum",
        /// averaged
        Mean = "mean",
        /// the newest counts
        Latest = "latest",
        /// they do not; the newest is shown
        None = "none",
    }
}

record! {
    /// A coded quantity.
    Indicator = "indicators", "indicator", indicator_view {
        /// Where its code comes from.
        vocabulary: IndicatorVocabulary,
        /// Whose it is, for a city's own.
        #[schema(example = "KRPUS")]
        city: Option<String>,
        /// Its code; unique within vocabulary and city.
        #[schema(example = "SL-01")]
        code: String,
        /// Its name.
        #[schema(example = "Energy per luminaire")]
        name: String,
        /// One line that says what is measured.
        definition: String,
        /// A term of the vocabulary `units`.
        #[schema(example = "kWh/luminaire/yr")]
        unit: String,
        /// What kind of quantity.
        measure: Measure,
        /// Which way is better.
        direction: Direction,
        /// How periods come together.
        aggregation: Aggregation,
        /// The fields of cooperation it is about.
        areas: Vec<String>,
    }
    kept { city_id: Option<Uuid> }
}

input! {
    /// An indicator to add or change.
    #[schema(example = json!({
        "vocabulary": "own", "city": "KRPUS", "code": "SL-GLARE", "name": "Glare complaints",
        "definition": "Complaints about glare per thousand luminaires in a year.",
        "unit": "n", "measure": "number", "direction": "down", "aggregation": "sum", "areas": ["smart_cities"]
    }))]
    IndicatorInput {
        /// Where its code comes from.
        vocabulary: IndicatorVocabulary,
        /// Whose it is, for a city's own.
        city: Option<CityRef>,
        /// Its code; unique within vocabulary and city.
        #[schema(min_length = 1, max_length = 60, pattern = r"^[^;\n\t]*[^;\s][^;\n\t]*$")]
        code: String,
        /// Its name.
        name: Line,
        /// One line that says what is measured.
        definition: Line,
        /// A term of the vocabulary `units`.
        unit: UnitCode,
        /// What kind of quantity.
        measure: Measure,
        /// Which way is better.
        direction: Direction,
        /// How periods come together.
        aggregation: Aggregation,
        /// The fields of cooperation it is about.
        #[serde(default)]
        #[schema(max_items = 20)]
        areas: Vec<AreaCode>,
    }
    checked by super::queries::check
}

/// Filters of indicators.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct IndicatorFilter {
    /// Where the codes come from; repeat for several.
    pub(super) vocabulary: Option<Vec<IndicatorVocabulary>>,
    /// Whose they are; repeat for several.
    pub(super) city: Option<Vec<CityRef>>,
    /// Codes; repeat for several.
    #[param(example = json!(["SL-01"]))]
    pub(super) code: Option<Vec<String>>,
    /// Units; repeat for several.
    pub(super) unit: Option<Vec<UnitCode>>,
    /// Kinds of quantity; repeat for several.
    pub(super) measure: Option<Vec<Measure>>,
    /// Which way is better; repeat for several.
    pub(super) direction: Option<Vec<Direction>>,
    /// How periods come together; repeat for several.
    pub(super) aggregation: Option<Vec<Aggregation>>,
    /// Fields of cooperation; repeat for several.
    pub(super) areas: Option<Vec<AreaCode>>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    pub(super) sort: Option<NameSort>,
}
