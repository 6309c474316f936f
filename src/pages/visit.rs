//! A page that is asked for: its query, its language, and what it reads, all at one moment and as anybody may see it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use uuid::Uuid;

use super::layout::Page;
use super::parts::{Cell, Section, Shown, Words};
use super::texts::{Language, Texts};
use crate::access::Caller;
use crate::app::State;
use crate::database::Conn;
use crate::database::positions::Reader;
use crate::database::records::{self, Record};
use crate::database::schema::{city_view, term_view};
use crate::directory::cities::City;
use crate::directory::terms::Term;
use crate::http::presentation::localise;
use crate::http::{Fault, Problem, text};
use crate::ids;

/// What a page answers.
pub type Answer = Result<HttpResponse, Problem>;

/// A request for a page.
pub struct Visit {
    request: HttpRequest,
    state: web::Data<State>,
    query: BTreeMap<String, String>,
    /// The texts in the language asked for.
    pub t: Texts,
}

impl Visit {
    /// A request that may have these parameters beside the language.
    ///
    /// # Errors
    /// 400 for others, and for a language that there is not; 429.
    pub fn of(request: &HttpRequest, known: &[&str]) -> Result<Self, Problem> {
        let state = request.app_data::<web::Data<State>>().expect("the application has its state").clone();
        let mut query = BTreeMap::new();
        let mut faults = vec![];
        for (name, value) in form_urlencoded::parse(request.query_string().as_bytes()) {
            let mut value = json!(value.trim());
            if !known.contains(&&*name) && name != "lang" {
                faults.push(Fault::of_parameter(name, "unknown_parameter", "is not a parameter of this page"));
            } else if !text::normalise(&mut value).is_empty() {
                faults.push(Fault::of_parameter(name, "control_character", "must not contain control characters"));
            } else if query.insert(name.to_string(), value.as_str().unwrap_or_default().to_owned()).is_some() {
                faults.push(Fault::of_parameter(name, "given_twice", "may be given once only"));
            }
        }
        query.retain(|_, value| !value.is_empty());
        let language = match query.get("lang").map(|lang| lang.parse::<Language>()) {
            Some(Err(detail)) => {
                faults.push(Fault::of_parameter("lang", "unknown_value", detail));
                Language::English
            }
            Some(Ok(language)) => language,
            None => Language::English,
        };
        if !faults.is_empty() {
            return Err(Problem::bad_parameters(faults));
        }
        Ok(Self { request: request.clone(), state, query, t: Texts::of(language) })
    }

    /// A parameter, if it is there and not empty.
    pub fn asked(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// A parameter that is a value of a closed list or an id.
    ///
    /// # Errors
    /// 400 if it is not.
    pub fn asked_as<T>(&self, name: &str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Problem> {
        let Some(text) = self.asked(name) else { return Ok(None) };
        let bad = || Fault::of_parameter(name, "unknown_value", "has no such value");
        read(text).map(Some).ok_or_else(|| Problem::bad_parameters(vec![bad()]))
    }

    /// The query without the language and what is left out, with what is put in.
    pub fn path_with(&self, left_out: &[&str], put_in: &[(&str, &str)]) -> String {
        let kept = self.query.iter().filter(|(name, _)| *name != "lang" && !left_out.contains(&name.as_str()));
        let kept: Vec<(&str, &str)> = kept.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(kept).extend_pairs(put_in);
        match query.finish() {
            query if query.is_empty() => self.request.path().to_owned(),
            query => format!("{}?{query}", self.request.path()),
        }
    }

    /// These parameters, as they were asked.
    pub fn kept(&self, names: &[&str]) -> Vec<(String, String)> {
        let kept = self.query.iter().filter(|(name, _)| names.contains(&name.as_str()));
        kept.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// What the page reads with.
    ///
    /// # Errors
    /// 503 if no connection is free within a second.
    pub async fn desk(&self) -> Result<Desk, Problem> {
        let reader = Reader::moment(self.state.database.readable(None).await?).await?;
        Ok(Desk { reader, caller: Caller::anonymous(), today: self.state.clock.today(), t: self.t })
    }

    /// The page as an answer.
    pub fn answer(&self, heading: impl Into<Words>, section: &'static str, sections: Vec<Section>) -> HttpResponse {
        let page = Page { t: self.t, heading: heading.into(), path: self.path_with(&[], &[]), section, sections };
        page.answer(&self.request)
    }
}

/// What a page reads with: one connection, one moment, the eyes of anybody.
pub struct Desk {
    reader: Reader,
    /// Anybody.
    pub caller: Caller,
    /// The day of members that depend on it.
    pub today: NaiveDate,
    /// The texts in the language asked for.
    pub t: Texts,
}

impl Desk {
    /// The connection.
    pub fn conn(&mut self) -> &mut Conn {
        &mut self.reader.conn
    }

    /// The snapshot alone.
    pub fn into_reader(self) -> Reader {
        self.reader
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn close(self) -> Result<(), Problem> {
        self.reader.finish().await
    }

    /// The record that a path names, as it is.
    ///
    /// # Errors
    /// 404, 410.
    pub async fn find<R: Record>(&mut self, id: &str) -> Result<R, Problem> {
        let id = ids::parse(id).ok_or_else(Problem::not_found)?;
        records::read::<R>(&mut self.reader, &self.caller, id, self.today).await
    }

    /// A record as it is shown.
    pub fn shown<R: Record>(&self, record: R) -> Shown {
        let mut value = records::shown(record, &self.caller, self.today);
        localise(&mut value, self.t.language.label());
        Shown::of(value, &self.t)
    }

    /// Records by their ids, as they are shown.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn by_id<R: Record>(&mut self, ids: BTreeSet<Uuid>) -> Result<HashMap<Uuid, Shown>, Problem> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<Uuid> = ids.into_iter().collect();
        let found = R::find_all(&mut self.reader.conn, &self.caller, &ids).await?;
        Ok(found.into_iter().map(|record| (record.id(), self.shown(record))).collect())
    }

    /// Cities by how records name them.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn cities(&mut self, names: BTreeSet<String>) -> Result<Cities, Problem> {
        let names: Vec<String> = names.into_iter().collect();
        let found: Vec<City> = City::visible(&self.caller)
            .filter(city_view::reference.eq_any(names))
            .select(City::as_select())
            .load(&mut self.reader.conn)
            .await?;
        let named = found.into_iter().map(|city| (reference_of(&city), self.shown(city)));
        Ok(Cities { t: self.t, known: named.collect() })
    }

    /// What the terms of these vocabularies are called.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn terms(&mut self, schemes: &[&str]) -> Result<Terms, Problem> {
        type Row = (String, String, String, Option<String>, String, Value);
        let rows: Vec<Row> = Term::visible(&self.caller)
            .filter(term_view::scheme.eq_any(schemes.iter().map(|scheme| (*scheme).to_owned()).collect::<Vec<_>>()))
            .select((
                term_view::scheme,
                term_view::code,
                term_view::label,
                term_view::symbol,
                term_view::language,
                term_view::translations,
            ))
            .load(&mut self.reader.conn)
            .await?;
        let mut known = HashMap::new();
        for (scheme, code, label, symbol, language, translations) in rows {
            let mut term =
                json!({"label": label, "symbol": symbol, "language": language, "translations": translations});
            localise(&mut term, self.t.language.label());
            known.insert((scheme, code), Shown::of(term, &self.t));
        }
        Ok(Terms { known })
    }
}

/// How records name a city.
pub fn reference_of(city: &City) -> String {
    city.code.clone().unwrap_or_else(|| city.id.to_string())
}

/// Cities by how records name them.
pub struct Cities {
    t: Texts,
    known: HashMap<String, Shown>,
}

impl Cities {
    /// What a city is called.
    pub fn name(&self, reference: &str) -> Words {
        self.known.get(reference).and_then(|city| city.words("name")).unwrap_or_else(|| reference.into())
    }

    /// The city with a link to its page.
    pub fn cell(&self, reference: &str) -> Cell {
        Cell::link(self.name(reference), self.t.link(&format!("/cities/{reference}")))
    }

    /// Where a city is.
    pub fn position(&self, reference: &str) -> Option<(f64, f64)> {
        let city = self.known.get(reference)?;
        Some((city.get("latitude").as_f64()?, city.get("longitude").as_f64()?))
    }
}

/// Terms of vocabularies.
pub struct Terms {
    known: HashMap<(String, String), Shown>,
}

impl Terms {
    /// What a term is called.
    pub fn label(&self, scheme: &str, code: &str) -> Words {
        let term = self.known.get(&(scheme.to_owned(), code.to_owned()));
        term.and_then(|term| term.words("label")).unwrap_or_else(|| code.into())
    }

    /// The codes of a vocabulary with what they are called, in order of that.
    pub fn codes(&self, scheme: &str) -> Vec<(String, String)> {
        let of_scheme = self.known.iter().filter(|((of, _), _)| of == scheme);
        let mut codes: Vec<(String, String)> =
            of_scheme.map(|((_, code), term)| (code.clone(), term.title("label").text)).collect();
        codes.sort_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
        codes
    }

    /// The symbol of a unit, or what it is called.
    pub fn unit(&self, code: &str) -> String {
        let term = self.known.get(&("units".to_owned(), code.to_owned()));
        let symbol = term.and_then(|term| term.text("symbol").or_else(|| term.text("label")));
        symbol.unwrap_or(code).to_owned()
    }
}
