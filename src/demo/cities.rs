//! The cities of a world: from a file, or invented.

use std::collections::BTreeSet;
use std::path::Path;

use super::dice::{Dice, Kind};

/// A city to make.
#[derive(Debug, Clone)]
pub struct Place {
    /// UN/LOCODE; invented cities have none.
    pub code: Option<String>,
    pub name: String,
    pub country: String,
    pub latitude: f64,
    pub longitude: f64,
    pub population: Option<i64>,
    pub timezone: String,
    /// Its number at GeoNames.
    pub geonames: Option<String>,
}

/// Real countries with a time zone and a place on land: code, zone, hundredths of degrees.
const COUNTRIES: &[(&str, &str, i64, i64)] = &[
    ("KR", "Asia/Seoul", 3620, 12780),
    ("ES", "Europe/Madrid", 4020, -370),
    ("DE", "Europe/Berlin", 5110, 1040),
    ("JP", "Asia/Tokyo", 3620, 13830),
    ("FR", "Europe/Paris", 4660, 240),
    ("BR", "America/Sao_Paulo", -2210, -4780),
    ("IN", "Asia/Kolkata", 2190, 7810),
    ("US", "America/Chicago", 3980, -9510),
    ("IT", "Europe/Rome", 4350, 1170),
    ("FI", "Europe/Helsinki", 6230, 2540),
    ("PT", "Europe/Lisbon", 3980, -800),
    ("PL", "Europe/Warsaw", 5210, 1920),
    ("MX", "America/Mexico_City", 2360, -10210),
    ("KE", "Africa/Nairobi", -50, 3690),
    ("ID", "Asia/Jakarta", -690, 10760),
    ("CL", "America/Santiago", -3460, -7110),
    ("NL", "Europe/Amsterdam", 5220, 560),
    ("ZA", "Africa/Johannesburg", -2900, 2520),
    ("CO", "America/Bogota", 480, -7420),
    ("NO", "Europe/Oslo", 6010, 930),
];
const BEGINNINGS: &[&str] = &[
    "Al", "Bre", "Cor", "Da", "El", "Fa", "Gra", "Ha", "Il", "Jo", "Ka", "Lu", "Ma", "Ne", "Or", "Pa", "Que", "Ro",
    "Sa", "Ta", "Ul", "Va", "We", "Zo",
];
const MIDDLES: &[&str] = &["ve", "rin", "to", "ma", "lan", "se", "dro", "ni", "ra", "lo", "mi", "sta", "go", "len"];
const ENDS: &[&str] =
    &["ra", "na", "burg", "ville", "mar", "stad", "polis", "ton", "sol", "haven", "mouth", "grad", "dal"];

/// Invented cities: plausible names in real countries, without codes.
pub fn invented(seed: u64, count: usize) -> Vec<Place> {
    let mut names = BTreeSet::new();
    (0..count)
        .map(|number| {
            let mut dice = Dice::of(seed, Kind::City, number);
            let (country, timezone, latitude, longitude) = COUNTRIES[dice.rank(COUNTRIES.len())];
            let mut name = format!("{}{}{}", dice.pick(BEGINNINGS), dice.pick(MIDDLES), dice.pick(ENDS));
            while !names.insert((country, name.clone())) {
                name = format!("{}{}{}", dice.pick(BEGINNINGS), dice.pick(MIDDLES), name.to_lowercase());
            }
            Place {
                code: None,
                name,
                country: country.into(),
                latitude: (latitude * 10 + dice.between(-1500, 1500)) as f64 / 1000.0,
                longitude: (longitude * 10 + dice.between(-1500, 1500)) as f64 / 1000.0,
                population: Some(5_000_000 / (number as i64 + 2) + dice.between(20_000, 400_000)),
                timezone: timezone.into(),
                geonames: None,
            }
        })
        .collect()
}

/// The largest cities of a CSV file, whatever the order of its columns. What the registry would refuse is left out.
///
/// # Errors
/// One line that says what is wrong with the file.
pub fn of_file(path: &Path, count: usize, countries: &BTreeSet<String>) -> Result<Vec<Place>, String> {
    let at = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("--cities-file: {at} cannot be read: {error}"))?;
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let header: Vec<String> = fields(lines.next().unwrap_or_default()).iter().map(|name| plain(name)).collect();
    let column = |names: &[&str]| header.iter().position(|name| names.contains(&name.as_str()));
    let needed = |names: &[&str]| {
        column(names).ok_or_else(|| format!("--cities-file: {at} has no column {} in its header", names[0]))
    };
    let (code, name) = (needed(&["code", "unlocode", "locode"])?, needed(&["name", "city"])?);
    let country = needed(&["countrycode", "country", "iso"])?;
    let (latitude, longitude) = (needed(&["latitude", "lat"])?, needed(&["longitude", "lon", "lng"])?);
    let (population, timezone) = (needed(&["population", "pop"])?, needed(&["timezone", "tz"])?);
    let geonames = column(&["geonamesid", "geonames", "geonameid"]);
    let mut places: Vec<Place> = lines
        .filter_map(|line| {
            let row = fields(line);
            let text = |at: usize| row.get(at).map(|field| field.trim().to_owned()).filter(|field| !field.is_empty());
            Some(Place {
                code: Some(text(code)?),
                name: text(name)?,
                country: text(country)?,
                latitude: text(latitude)?.parse().ok()?,
                longitude: text(longitude)?.parse().ok()?,
                population: text(population).and_then(|number| number.parse().ok()),
                timezone: text(timezone)?,
                geonames: geonames.and_then(text),
            })
        })
        .filter(|place| is_acceptable(place, countries))
        .collect();
    places.sort_by(|a, b| b.population.cmp(&a.population).then_with(|| a.code.cmp(&b.code)));
    let mut codes = BTreeSet::new();
    places.retain(|place| codes.insert(place.code.clone()));
    if places.len() < count {
        return Err(format!("--cities-file: {at} has {} cities that can be used, not {count}", places.len()));
    }
    places.truncate(count);
    Ok(places)
}

fn is_acceptable(place: &Place, countries: &BTreeSet<String>) -> bool {
    let code = place.code.as_deref().unwrap_or_default();
    let is_code = code.len() == 5
        && code.bytes().all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'9').contains(&byte))
        && code.bytes().take(2).all(|byte| byte.is_ascii_uppercase());
    is_code
        && code.starts_with(&place.country)
        && countries.contains(&place.country)
        && (-90.0..=90.0).contains(&place.latitude)
        && (-180.0..=180.0).contains(&place.longitude)
        && place.population.is_none_or(|number| number >= 0)
        && place.timezone.parse::<chrono_tz::Tz>().is_ok()
        && (1..=300).contains(&place.name.chars().count())
}

/// A column's name without what people write differently: `UN/LOCODE` is `unlocode`.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

/// The fields of a line of CSV [RFC 4180]; no city has a line break in its name.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                fields.last_mut().expect("there is one").push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            letter => fields.last_mut().expect("there is one").push(letter),
        }
    }
    fields
}
