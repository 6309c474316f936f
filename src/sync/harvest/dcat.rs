//! The catalogue in the words of DCAT-AP 3: <https://semiceu.github.io/DCAT-AP/releases/3.0.0/>.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Double, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};

use crate::access::table::{self, May};
use crate::api;
use crate::api::collections::{self, Collection};
use crate::config::Config;
use crate::database::Conn;
use crate::database::references::VIEWS;
use crate::http::Problem;
use crate::sync::exports::Format;

/// The European Union's vocabularies.
const EU: &str = "http://publications.europa.eu/resource/authority";

/// Themes of collections [EU data-theme]; the others are about government alone.
const THEMES: &[(&str, &[&str])] = &[
    ("cities", &["REGI"]),
    ("pilots", &["TECH", "REGI"]),
    ("needs", &["REGI"]),
    ("applicability", &["TECH", "REGI"]),
    ("hostings", &["TECH", "REGI"]),
    ("indicators", &["REGI"]),
    ("outcomes", &["TECH", "REGI"]),
    ("observations", &["TECH", "REGI"]),
    ("evaluations", &["TECH", "GOVE"]),
];

/// What the catalogue says of the data themselves.
pub struct Facts {
    /// When a public record of each collection was changed last.
    modified: BTreeMap<&'static str, DateTime<Utc>>,
    /// West, south, east and north of the cities.
    bounds: Option<[f64; 4]>,
}

#[derive(QueryableByName)]
struct Modified {
    #[diesel(sql_type = Nullable<Timestamptz>)]
    at: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct Bounds {
    #[diesel(sql_type = Nullable<Double>)]
    west: Option<f64>,
    #[diesel(sql_type = Nullable<Double>)]
    south: Option<f64>,
    #[diesel(sql_type = Nullable<Double>)]
    east: Option<f64>,
    #[diesel(sql_type = Nullable<Double>)]
    north: Option<f64>,
}

/// The collections of which everybody may see something.
fn public() -> impl Iterator<Item = &'static Collection> {
    let is_public = |name: &str| table::row_of(&format!("export_{name}")).is_some_and(|row| row.anonymous != May::No);
    collections::ALL.iter().filter(move |collection| is_public(collection.name))
}

/// Looks at the data.
///
/// # Errors
/// Those of the database.
pub async fn facts(conn: &mut Conn) -> Result<Facts, Problem> {
    let mut modified = BTreeMap::new();
    for collection in public() {
        let Some(shown) = VIEWS.iter().find(|view| view.collection == collection.name) else { continue };
        // The condition on type finds the index by type and time.
        let last = format!(
            "SELECT (SELECT updated_at FROM {} WHERE type = $1 AND effective_visibility = 'public' \
             ORDER BY updated_at DESC LIMIT 1) AS at",
            shown.view
        );
        let last: Modified = diesel::sql_query(last).bind::<Text, _>(collection.name).get_result(conn).await?;
        modified.extend(last.at.map(|at| (collection.name, at)));
    }
    let bounds = "SELECT min(longitude) AS west, min(latitude) AS south, max(longitude) AS east, max(latitude) AS north \
        FROM city";
    let bounds: Bounds = diesel::sql_query(bounds).get_result(conn).await?;
    let bounds = match bounds {
        Bounds { west: Some(west), south: Some(south), east: Some(east), north: Some(north) } => {
            Some([west, south, east, north])
        }
        _ => None,
    };
    Ok(Facts { modified, bounds })
}

/// The catalogue.
pub fn catalogue(config: &Config, facts: &Facts) -> Value {
    let base = &config.public_url;
    let modified = facts.modified.values().max();
    let datasets: Vec<Value> = public().map(|collection| dataset(config, facts, collection)).collect();
    let mut catalogue = json!({
        "@context": {
            "dcat": "http://www.w3.org/ns/dcat#",
            "dcatap": "http://data.europa.eu/r5r/",
            "dct": "http://purl.org/dc/terms/",
            "foaf": "http://xmlns.com/foaf/0.1/",
            "gsp": "http://www.opengis.net/ont/geosparql#",
            "vcard": "http://www.w3.org/2006/vcard/ns#",
            "xsd": "http://www.w3.org/2001/XMLSchema#",
        },
        "@id": format!("{base}/catalog.jsonld"),
        "@type": "dcat:Catalog",
        "dct:title": english("Pilot Exchange"),
        "dct:description": english("The registry through which cities lend each other their smart-city pilots: who offers what, who hosts it, and what came of it."),
        "dct:publisher": publisher(config),
        "dct:license": licence(config),
        "dct:language": language(),
        "foaf:homepage": {"@id": format!("{base}/"), "@type": "foaf:Document"},
        "dcat:themeTaxonomy": {"@id": format!("{EU}/data-theme"), "@type": "http://www.w3.org/2004/02/skos/core#ConceptScheme"},
        "dcat:service": service(config),
        "dcat:dataset": datasets,
    });
    add(&mut catalogue, "dct:modified", modified.map(instant));
    add(&mut catalogue, "dct:spatial", facts.bounds.map(spatial));
    catalogue
}

fn dataset(config: &Config, facts: &Facts, collection: &Collection) -> Value {
    let (base, name) = (&config.public_url, collection.name);
    let described = &api::schemas()["components"]["schemas"][&collection.schema]["description"];
    let themes = THEMES.iter().find(|(one, _)| *one == name).map_or(&["GOVE"] as &[&str], |(_, themes)| themes);
    let themes: Vec<Value> = themes.iter().map(|theme| concept(&format!("{EU}/data-theme/{theme}"))).collect();
    let modified = facts.modified.get(name).map(instant);
    let distributions: Vec<Value> =
        Format::of(name).map(|format| distribution(config, collection, format, modified.clone())).collect();
    let mut dataset = json!({
        "@id": format!("{base}/catalog.jsonld#{name}"),
        "@type": "dcat:Dataset",
        "dct:identifier": format!("{base}/catalog.jsonld#{name}"),
        "dct:title": english(&format!("Pilot Exchange: {name}")),
        "dct:description": english(described.as_str().unwrap_or(name)),
        "dct:publisher": publisher(config),
        "dct:accessRights": {"@id": format!("{EU}/access-right/PUBLIC"), "@type": "dct:RightsStatement"},
        "dct:accrualPeriodicity": {"@id": format!("{EU}/frequency/CONT"), "@type": "dct:Frequency"},
        "dct:language": language(),
        "dcat:contactPoint": {
            "@id": format!("{base}/catalog.jsonld#contact"),
            "@type": "vcard:Organization",
            "vcard:fn": config.publisher_name,
            "vcard:hasURL": {"@id": publisher_url(config)},
        },
        "dcat:keyword": [english("smart city"), english(name)],
        "dcat:theme": themes,
        "dcat:landingPage": {"@id": format!("{base}/"), "@type": "foaf:Document"},
        "dcat:distribution": distributions,
    });
    add(&mut dataset, "dct:modified", modified);
    add(&mut dataset, "dct:spatial", facts.bounds.map(spatial));
    dataset
}

fn distribution(config: &Config, collection: &Collection, format: Format, modified: Option<Value>) -> Value {
    let (base, name) = (&config.public_url, collection.name);
    let url = format!("{base}/v1/exports/{name}.{format}");
    let mut distribution = json!({
        "@id": url,
        "@type": "dcat:Distribution",
        "dct:title": english(&format!("{name} as {format}")),
        "dct:description": english("All public records, from one snapshot."),
        "dcat:accessURL": {"@id": url},
        "dcat:downloadURL": {"@id": url},
        "dcat:accessService": {"@id": format!("{base}/v1")},
        "dcat:mediaType": {
            "@id": format!("https://www.iana.org/assignments/media-types/{}", format.media_type()),
            "@type": "dct:MediaType",
        },
        "dct:license": licence(config),
        "dcatap:availability": concept(&format!("{EU}/planned-availability/AVAILABLE")),
    });
    // The file types that the vocabulary has; the media type says the others.
    let file_type = match format {
        Format::Csv => Some("CSV"),
        Format::Xlsx => Some("XLSX"),
        Format::Geojson => Some("GEOJSON"),
        Format::Ndjson | Format::Parquet => None,
    };
    let file_type =
        file_type.map(|one| json!({"@id": format!("{EU}/file-type/{one}"), "@type": "dct:MediaTypeOrExtent"}));
    add(&mut distribution, "dct:format", file_type);
    add(&mut distribution, "dct:modified", modified);
    distribution
}

fn service(config: &Config) -> Value {
    let base = &config.public_url;
    let served: Vec<Value> =
        public().map(|one| json!({"@id": format!("{base}/catalog.jsonld#{}", one.name)})).collect();
    json!({
        "@id": format!("{base}/v1"),
        "@type": "dcat:DataService",
        "dct:title": english("Pilot Exchange API"),
        "dct:description": english("Reads and writes records, one by one and in lists, and exports collections."),
        "dct:publisher": publisher(config),
        "dct:license": licence(config),
        "dcat:endpointURL": {"@id": format!("{base}/v1")},
        "dcat:endpointDescription": {"@id": format!("{base}/openapi.json")},
        "dcat:landingPage": {"@id": format!("{base}/docs/"), "@type": "foaf:Document"},
        "dcat:servesDataset": served,
    })
}

fn publisher_url(config: &Config) -> String {
    config.publisher_url.clone().unwrap_or_else(|| format!("{}/", config.public_url))
}

fn publisher(config: &Config) -> Value {
    let url = publisher_url(config);
    json!({
        "@id": format!("{}/catalog.jsonld#publisher", config.public_url),
        "@type": "foaf:Agent",
        "foaf:name": config.publisher_name,
        "foaf:homepage": {"@id": url, "@type": "foaf:Document"},
    })
}

/// The licence by its IRI: its own, that of the European vocabulary, or that of SPDX.
fn licence(config: &Config) -> Value {
    let iri = match config.data_licence.as_str() {
        licence if licence.starts_with("http://") || licence.starts_with("https://") => licence.to_owned(),
        "CC-BY-4.0" => format!("{EU}/licence/CC_BY_4_0"),
        "CC-BY-SA-4.0" => format!("{EU}/licence/CC_BYSA_4_0"),
        "CC0-1.0" => format!("{EU}/licence/CC0"),
        spdx => format!(
            "https://spdx.org/licenses/{}",
            percent_encoding::utf8_percent_encode(spdx, percent_encoding::NON_ALPHANUMERIC)
        ),
    };
    json!({"@id": iri, "@type": "dct:LicenseDocument", "dct:title": config.data_licence})
}

fn language() -> Value {
    json!({"@id": format!("{EU}/language/ENG"), "@type": "dct:LinguisticSystem"})
}

fn concept(iri: &str) -> Value {
    json!({"@id": iri, "@type": "http://www.w3.org/2004/02/skos/core#Concept"})
}

fn english(text: &str) -> Value {
    json!({"@value": text, "@language": "en"})
}

fn instant(at: &DateTime<Utc>) -> Value {
    json!({"@value": at.to_rfc3339_opts(SecondsFormat::Micros, true), "@type": "xsd:dateTime"})
}

/// The rectangle around all cities.
fn spatial([west, south, east, north]: [f64; 4]) -> Value {
    let polygon = format!("POLYGON(({west} {south},{east} {south},{east} {north},{west} {north},{west} {south}))");
    json!({"@type": "dct:Location", "dcat:bbox": {"@value": polygon, "@type": "gsp:wktLiteral"}})
}

fn add(node: &mut Value, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        node[name] = value;
    }
}
