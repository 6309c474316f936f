//! GeoJSON [RFC 7946]: each record a feature where it is. The member `position` of its properties says whose position
//! that is; publisher, licence and the snapshot stand beside the features.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::About;
use super::transfer::Writer;
use crate::database::Conn;
use crate::database::schema::city_view;
use crate::http::formats::Lines;
use crate::http::{Code, Problem};

/// Where the records of a collection are: the member with the city that stands for them, if not a city themselves.
const PLACES: &[(&str, Option<&str>)] =
    &[("cities", None), ("pilots", Some("origin_city")), ("hostings", Some("host_city"))];

/// Whether the records of a collection have a place.
pub fn has_place(collection: &str) -> bool {
    PLACES.iter().any(|(name, _)| *name == collection)
}

/// A collection of features on its way.
pub struct GeoJson {
    about: About,
    city_member: Option<&'static str>,
    /// Longitude and latitude of the cities met so far.
    cities: HashMap<String, [f64; 2]>,
    is_first: bool,
}

#[derive(Deserialize)]
struct Site {
    latitude: Option<f64>,
    longitude: Option<f64>,
}

impl GeoJson {
    /// Nothing yet.
    pub fn new(collection: &str, about: About) -> Self {
        let city_member = PLACES.iter().find(|(name, _)| *name == collection).and_then(|(_, member)| *member);
        Self { about, city_member, cities: HashMap::new(), is_first: true }
    }

    /// Where a record is, and whose position that is.
    fn place(&self, record: &Map<String, Value>) -> (Value, &'static str) {
        let Some(member) = self.city_member else {
            return (point(&record["longitude"], &record["latitude"]), "city");
        };
        let sites: Vec<Site> = record.get("sites").and_then(|sites| Vec::deserialize(sites).ok()).unwrap_or_default();
        let sites: Vec<[f64; 2]> = sites.iter().filter_map(|site| Some([site.longitude?, site.latitude?])).collect();
        match (sites.as_slice(), record[member].as_str().and_then(|city| self.cities.get(city))) {
            ([[longitude, latitude]], _) => (point(&json!(longitude), &json!(latitude)), "sites"),
            ([], Some([longitude, latitude])) => (point(&json!(longitude), &json!(latitude)), member),
            ([], None) => (Value::Null, member),
            (several, _) => (json!({"type": "MultiPoint", "coordinates": several}), "sites"),
        }
    }

    /// Reads the positions of cities that were not met before.
    async fn meet(&mut self, records: &[Map<String, Value>], conn: &mut Conn) -> Result<(), Problem> {
        let Some(member) = self.city_member else { return Ok(()) };
        let named = records.iter().filter_map(|record| record[member].as_str());
        let mut new: Vec<&str> = named.filter(|city| !self.cities.contains_key(*city)).collect();
        new.sort_unstable();
        new.dedup();
        if new.is_empty() {
            return Ok(());
        }
        let found: Vec<(String, f64, f64)> = city_view::table
            .filter(city_view::reference.eq_any(new))
            .select((city_view::reference, city_view::longitude, city_view::latitude))
            .load(conn)
            .await?;
        self.cities.extend(found.into_iter().map(|(city, longitude, latitude)| (city, [longitude, latitude])));
        Ok(())
    }
}

fn point(longitude: &Value, latitude: &Value) -> Value {
    json!({"type": "Point", "coordinates": [longitude, latitude]})
}

impl Writer for GeoJson {
    fn begin(&mut self, out: &mut Vec<u8>) {
        let About { as_of, change_cursor, publisher, licence, .. } = &self.about;
        let head = json!({
            "type": "FeatureCollection", "publisher": publisher, "licence": licence, "as_of": as_of,
            "change_cursor": change_cursor,
        });
        out.extend_from_slice(head.to_string().trim_end_matches('}').as_bytes());
        out.extend_from_slice(b",\"features\":[");
    }

    async fn write(&mut self, lines: &Lines, conn: &mut Conn, out: &mut Vec<u8>) -> Result<(), Problem> {
        let records: Result<Vec<Map<String, Value>>, _> = lines.iter().map(serde_json::from_str).collect();
        let records = records.map_err(|_| Problem::new(Code::Internal, Code::Internal.meaning()))?;
        self.meet(&records, conn).await?;
        for mut record in records {
            let (geometry, whose) = self.place(&record);
            record.insert("position".into(), json!(whose));
            let feature = json!({"type": "Feature", "id": record["id"], "geometry": geometry, "properties": record});
            out.extend_from_slice(if self.is_first { b"\n" } else { b",\n" });
            out.extend_from_slice(feature.to_string().as_bytes());
            self.is_first = false;
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\n]}\n");
    }
}
