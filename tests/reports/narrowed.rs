//! What somebody sees by the lists, narrowed as the filters of reports are documented: computed here a second time.

use std::collections::BTreeSet;

use chrono::{Days, Months, NaiveDate};
use serde_json::Value;

use super::with;
use crate::support::Actor;

/// The filters that every report has.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub city: Vec<String>,
    pub areas: Vec<String>,
    pub partnership_id: Vec<String>,
    pub programme_id: Vec<String>,
    pub from: Option<String>,
    pub to: Option<String>,
}

impl Filter {
    /// As a query.
    pub fn query(&self) -> String {
        let mut all = vec![];
        let lists = [
            ("city", &self.city),
            ("areas", &self.areas),
            ("partnership_id", &self.partnership_id),
            ("programme_id", &self.programme_id),
        ];
        for (name, values) in lists {
            all.extend(values.iter().map(|value| format!("{name}={value}")));
        }
        all.extend(self.from.iter().map(|day| format!("from={day}")));
        all.extend(self.to.iter().map(|day| format!("to={day}")));
        all.join("&")
    }

    /// The path with this filter.
    pub fn of(&self, path: &str) -> String {
        with(path, &self.query())
    }

    fn has_partners(&self) -> bool {
        !self.partnership_id.is_empty() || !self.programme_id.is_empty()
    }

    fn has_days(&self) -> bool {
        self.from.is_some() || self.to.is_some()
    }
}

/// The first day that a date can mean.
pub fn first_day(date: &Value) -> Option<NaiveDate> {
    let text = date.as_str()?;
    let whole = format!("{text}{}", if text.len() == 4 { "-01-01" } else { "-01" });
    Some(if text.len() == 10 { text } else { &whole }.parse().unwrap())
}

/// The last day that a date can mean, by which it counts.
pub fn last_day(date: &Value) -> Option<NaiveDate> {
    let months = match date.as_str()?.len() {
        4 => 12,
        7 => 1,
        _ => return first_day(date),
    };
    first_day(date).map(|day| day + Months::new(months) - Days::new(1))
}

/// The records that somebody sees.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub cities: Vec<Value>,
    pub organisations: Vec<Value>,
    pub pilots: Vec<Value>,
    pub needs: Vec<Value>,
    /// The current assessments.
    pub applicability: Vec<Value>,
    pub partnerships: Vec<Value>,
    pub initiatives: Vec<Value>,
    pub activities: Vec<Value>,
    pub hostings: Vec<Value>,
    pub outcomes: Vec<Value>,
    pub evaluations: Vec<Value>,
}

/// The values of a member of records.
fn members(records: &[Value], name: &str) -> BTreeSet<String> {
    records.iter().filter_map(|one| one[name].as_str()).map(str::to_owned).collect()
}

/// The record of this id.
pub fn by_id<'a>(records: &'a [Value], id: &Value) -> &'a Value {
    static NOTHING: Value = Value::Null;
    records.iter().find(|one| !id.is_null() && one["id"] == *id).unwrap_or(&NOTHING)
}

/// Whether a value is one of those asked for.
fn among(value: &Value, asked: &[String]) -> bool {
    value.as_str().is_some_and(|value| asked.iter().any(|one| one == value))
}

/// Whether one of a list is.
fn any_among(list: &Value, asked: &[String]) -> bool {
    list.as_array().is_some_and(|list| list.iter().any(|one| among(one, asked)))
}

impl Seen {
    /// By this reader.
    pub async fn by(reader: &Actor) -> Seen {
        let list = async |name: &str| reader.all(&format!("/v1/{name}?limit=500")).await;
        let hostings = list("hostings").await;
        let mut evaluations = vec![];
        for hosting in &hostings {
            let path = format!("/v1/hostings/{}/evaluations?limit=500", hosting["id"].as_str().unwrap());
            evaluations.extend(reader.all(&path).await);
        }
        Seen {
            cities: list("cities").await,
            organisations: list("organisations").await,
            pilots: list("pilots").await,
            needs: list("needs").await,
            applicability: reader.all("/v1/applicability?limit=500&current=true").await,
            partnerships: list("partnerships").await,
            initiatives: list("initiatives").await,
            activities: list("activities").await,
            outcomes: list("outcomes").await,
            hostings,
            evaluations,
        }
    }

    /// Filters that leave something over, and something out, of what is seen.
    pub fn filters(&self) -> Vec<Filter> {
        let hosts: Vec<String> = members(&self.hostings, "host_city").into_iter().collect();
        let partnerships: Vec<String> = members(&self.partnerships, "id").into_iter().collect();
        let programmes: Vec<String> = members(&self.partnerships, "programme_id").into_iter().take(1).collect();
        let one = Filter::default;
        let mut filters = vec![
            one(),
            Filter { city: hosts.iter().take(1).cloned().collect(), ..one() },
            Filter { city: hosts.iter().rev().take(2).cloned().collect(), ..one() },
            Filter { areas: vec!["clean_energy".into()], ..one() },
            Filter { areas: vec!["public_transport".into(), "smart_cities".into()], ..one() },
            Filter { partnership_id: partnerships.iter().take(2).cloned().collect(), ..one() },
            Filter { from: Some("2025-06".into()), ..one() },
            Filter { to: Some("2024".into()), ..one() },
            Filter { from: Some("2024-03-01".into()), to: Some("2026-01".into()), city: hosts, ..one() },
        ];
        if !programmes.is_empty() {
            filters.push(Filter { programme_id: programmes, areas: vec!["smart_cities".into()], ..one() });
        }
        filters
    }

    /// What a filter leaves over.
    pub fn narrowed(&self, filter: &Filter) -> Seen {
        let keep = |records: &[Value], keeps: &dyn Fn(&Value) -> bool| -> Vec<Value> {
            records.iter().filter(|one| keeps(one)).cloned().collect()
        };
        let partnerships = keep(&self.partnerships, &|one| {
            self.is_partner(one, filter) && (filter.city.is_empty() || any_among(&one["cities"], &filter.city))
        });
        let initiatives = keep(&self.initiatives, &|one| {
            !by_id(&partnerships, &one["partnership_id"]).is_null()
                && (filter.areas.is_empty() || among(&one["area"], &filter.areas))
        });
        let cities = keep(&self.cities, &|one| {
            let name = Self::reference(one);
            (filter.city.is_empty() || among(name, &filter.city))
                && (!filter.has_partners()
                    || self.partnerships.iter().any(|partnership| {
                        self.is_partner(partnership, filter) && partnership["cities"].as_array().unwrap().contains(name)
                    }))
        });
        let hostings = keep(&self.hostings, &|one| self.hosting_counts(one, filter));
        let about = |one: &Value, list: &[Value]| {
            list.iter().any(|other| other["pilot_ids"].as_array().unwrap().contains(&one["id"]))
        };
        let pilots = keep(&self.pilots, &|one| {
            let is_hosted = hostings.iter().any(|hosting| hosting["pilot_id"] == one["id"]);
            (filter.city.is_empty() || among(&one["origin_city"], &filter.city))
                && (filter.areas.is_empty() || any_among(&one["areas"], &filter.areas))
                && (!filter.has_partners() || is_hosted || about(one, &initiatives))
                && (!filter.has_days() || is_hosted)
        });
        let applicability = keep(&self.applicability, &|one| {
            let (pilot, on) = (by_id(&self.pilots, &one["pilot_id"]), last_day(&one["assessed_on"]));
            (filter.city.is_empty() || among(&one["city"], &filter.city) || among(&pilot["origin_city"], &filter.city))
                && (filter.areas.is_empty() || any_among(&pilot["areas"], &filter.areas))
                && (!filter.has_partners() || about(pilot, &initiatives))
                && Self::lies(on, on, filter)
        });
        Seen {
            organisations: keep(&self.organisations, &|one| {
                (filter.city.is_empty() && !filter.has_partners())
                    || cities.iter().any(|city| *Self::reference(city) == one["city"])
            }),
            needs: keep(&self.needs, &|one| {
                cities.iter().any(|city| *Self::reference(city) == one["city"])
                    && (filter.areas.is_empty() || among(&one["area"], &filter.areas))
            }),
            activities: keep(&self.activities, &|one| self.activity_counts(one, filter)),
            outcomes: keep(&self.outcomes, &|one| self.outcome_counts(one, filter, &hostings)),
            evaluations: keep(&self.evaluations, &|one| !by_id(&hostings, &one["hosting_id"]).is_null()),
            partnerships,
            initiatives,
            cities,
            hostings,
            pilots,
            applicability,
        }
    }

    /// A city as others name it.
    pub fn reference(city: &Value) -> &Value {
        if city["code"].is_null() { &city["id"] } else { &city["code"] }
    }

    /// The city that is named so.
    pub fn city(&self, name: &Value) -> &Value {
        static NOTHING: Value = Value::Null;
        self.cities.iter().find(|city| Self::reference(city) == name).unwrap_or(&NOTHING)
    }

    fn is_partner(&self, partnership: &Value, filter: &Filter) -> bool {
        (filter.partnership_id.is_empty() || among(&partnership["id"], &filter.partnership_id))
            && (filter.programme_id.is_empty() || among(&partnership["programme_id"], &filter.programme_id))
    }

    /// Whether something that began and ended on these days, or has not ended, lies within those asked for.
    fn lies(begins: Option<NaiveDate>, ends: Option<NaiveDate>, filter: &Filter) -> bool {
        let since = filter.from.as_ref().and_then(|day| first_day(&day.as_str().into()));
        let until = filter.to.as_ref().and_then(|day| last_day(&day.as_str().into()));
        since.is_none_or(|since| ends.is_some_and(|ends| ends >= since))
            && until.is_none_or(|until| begins.is_some_and(|begins| begins <= until))
    }

    fn hosting_counts(&self, one: &Value, filter: &Filter) -> bool {
        let either = |actual: &str, planned: &str| last_day(&one[actual]).or_else(|| last_day(&one[planned]));
        let (begins, ends) = (either("actual_start", "planned_start"), either("actual_end", "planned_end"));
        let is_over = ["closed", "cancelled"].contains(&one["status"].as_str().unwrap());
        // Without an end it goes on.
        let ends = ends.or_else(|| begins.filter(|_| !is_over).map(|_| NaiveDate::MAX));
        let initiative = by_id(&self.initiatives, &one["initiative_id"]);
        let partnership = by_id(&self.partnerships, &initiative["partnership_id"]);
        let pilot = by_id(&self.pilots, &one["pilot_id"]);
        (filter.city.is_empty() || among(&one["host_city"], &filter.city) || among(&one["origin_city"], &filter.city))
            && (filter.areas.is_empty() || any_among(&pilot["areas"], &filter.areas))
            && (!filter.has_partners() || !partnership.is_null() && self.is_partner(partnership, filter))
            && Self::lies(begins, ends, filter)
    }

    fn activity_counts(&self, one: &Value, filter: &Filter) -> bool {
        let partnership = by_id(&self.partnerships, &one["partnership_id"]);
        let takes_part =
            one["participants"].as_array().unwrap().iter().any(|participant| among(&participant["city"], &filter.city));
        let begins = last_day(&one["starts_on"]);
        (filter.city.is_empty() || among(&one["city"], &filter.city) || takes_part)
            && (filter.areas.is_empty() || any_among(&one["areas"], &filter.areas))
            && (!filter.has_partners() || !partnership.is_null() && self.is_partner(partnership, filter))
            && Self::lies(begins, last_day(&one["ends_on"]).or(begins), filter)
    }

    /// The hosting, pilot and partnership of an outcome, as far as it has them.
    pub fn behind(&self, outcome: &Value) -> [&Value; 4] {
        let subject = &outcome["subject"];
        let about = |kind: &str| if subject["type"] == kind { &subject["id"] } else { &Value::Null };
        let hosting = by_id(&self.hostings, about("hosting"));
        let pilot = by_id(&self.pilots, if hosting.is_null() { about("pilot") } else { &hosting["pilot_id"] });
        let initiative = if hosting.is_null() { about("initiative") } else { &hosting["initiative_id"] };
        let initiative = by_id(&self.initiatives, initiative);
        let partnership = if initiative.is_null() { about("partnership") } else { &initiative["partnership_id"] };
        [hosting, pilot, initiative, by_id(&self.partnerships, partnership)]
    }

    /// The city that measures an outcome; none where a partnership does.
    pub fn measuring_city<'a>(&'a self, outcome: &'a Value) -> &'a Value {
        let [hosting, pilot, _, _] = self.behind(outcome);
        match outcome["subject"]["type"].as_str().unwrap() {
            "hosting" => &hosting["host_city"],
            "pilot" => &pilot["origin_city"],
            "city" => &outcome["subject"]["id"],
            _ => &Value::Null,
        }
    }

    fn outcome_counts(&self, one: &Value, filter: &Filter, hostings: &[Value]) -> bool {
        let [hosting, pilot, initiative, partnership] = self.behind(one);
        let is_of_city = among(self.measuring_city(one), &filter.city)
            || among(&hosting["origin_city"], &filter.city)
            || hosting.is_null() && any_among(&partnership["cities"], &filter.city);
        (filter.city.is_empty() || is_of_city)
            && (filter.areas.is_empty()
                || among(&initiative["area"], &filter.areas)
                || any_among(&pilot["areas"], &filter.areas))
            && (!filter.has_partners() || !partnership.is_null() && self.is_partner(partnership, filter))
            && (!filter.has_days() || !by_id(hostings, &hosting["id"]).is_null())
    }
}
