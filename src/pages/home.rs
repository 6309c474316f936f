//! The entrance: what is exchanged between whom.

use std::collections::BTreeSet;

use actix_web::{HttpRequest, get};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;

use super::parts::{Cell, Figure, Part, Section, Table};
use super::tables::{self, Without};
use super::texts::Texts;
use super::visit::{Answer, Cities, Desk, Terms, Visit};
use crate::charts::{Bar, Bars, Chart, Flow, Flows, Place, Tone};
use crate::database::schema::hosting_view;
use crate::database::search;
use crate::hosting::hostings::Hosting;
use crate::hosting::lifecycle::HostingStatus;
use crate::http::Problem;

/// How many ways between cities the table has; the map has more.
const WAYS: usize = 12;

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Text)]
    what: String,
    #[diesel(sql_type = Nullable<Text>)]
    first: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    second: Option<String>,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// From one city to another, so many hostings.
pub struct Way {
    /// The city that offers.
    pub from: String,
    /// The city that hosts.
    pub to: String,
    /// How many.
    pub count: i64,
}

/// The registry in figures.
#[derive(Default)]
struct Overview {
    cities: i64,
    partnerships: i64,
    pilots: i64,
    exchanges: i64,
    ways: Vec<Way>,
    statuses: Vec<(String, i64)>,
    categories: Vec<(String, i64)>,
}

impl Overview {
    async fn read(desk: &mut Desk) -> Result<Self, Problem> {
        let (levels, _) = search::sight(&desk.caller);
        let counted: Vec<Counted> =
            diesel::sql_query(include_str!("home.sql")).bind::<Array<Text>, _>(levels).load(desk.conn()).await?;
        let mut overview = Self::default();
        for Counted { what, first, second, count } in counted {
            match (what.as_str(), first, second) {
                ("cities", ..) => overview.cities = count,
                ("partnerships", ..) => overview.partnerships = count,
                ("pilots", ..) => overview.pilots = count,
                ("exchanges", ..) => overview.exchanges = count,
                ("way", Some(from), Some(to)) => overview.ways.push(Way { from, to, count }),
                ("status", Some(status), _) => overview.statuses.push((status, count)),
                ("category", Some(category), _) => overview.categories.push((category, count)),
                _ => {}
            }
        }
        Ok(overview)
    }

    fn figures(&self, t: Texts) -> Part {
        let live = self.statuses.iter().find(|(status, _)| status == "live").map_or(0, |(_, count)| *count);
        let figure =
            |count: i64, text: String, link: &str| Figure { number: t.number(count), text, link: t.link(link) };
        Part::Figures(vec![
            figure(self.exchanges, t.count("figure-exchanges", self.exchanges), "/hostings?kind=exchange"),
            figure(live, t.count("figure-live", live), "/hostings?status=live"),
            figure(self.pilots, t.count("figure-pilots", self.pilots), "/pilots"),
            figure(self.cities, t.count("figure-cities", self.cities), "/cities"),
            figure(self.partnerships, t.count("figure-partnerships", self.partnerships), "/partnerships"),
        ])
    }

    fn states(&self, t: Texts) -> Chart {
        let counted = |status: &HostingStatus| {
            let found = self.statuses.iter().find(|(known, _)| known == status.label())?;
            Some(Bar {
                label: t.label("hosting-status", status.label()),
                value: Some(found.1 as f64),
                text: t.number(found.1),
                tone: tables::tone_of_hosting(status.label()),
                link: Some(t.link(&format!("/hostings?status={status}"))),
            })
        };
        let bars = HostingStatus::ALL.iter().filter_map(counted).collect();
        Chart::Bars(Bars { title: t.say("home-states"), unit: None, bars })
    }

    fn kinds(&self, t: Texts, terms: &Terms) -> Chart {
        let bar = |(category, count): &(String, i64)| Bar {
            label: terms.label("categories", category).text,
            value: Some(*count as f64),
            text: t.number(*count),
            tone: Tone::Plain,
            link: Some(t.link(&format!("/pilots?category={category}"))),
        };
        let bars = self.categories.iter().map(bar).collect();
        Chart::Bars(Bars { title: t.say("home-categories"), unit: None, bars })
    }
}

/// The ways between cities on a map.
pub fn map(t: Texts, title: String, ways: &[Way], cities: &Cities) -> Chart {
    let mut flows = Flows { title, places: vec![], flows: vec![] };
    let mut places: Vec<&str> = vec![];
    for reference in ways.iter().flat_map(|way| [way.from.as_str(), way.to.as_str()]) {
        let Some((latitude, longitude)) = cities.position(reference).filter(|_| !places.contains(&reference)) else {
            continue;
        };
        places.push(reference);
        let link = Some(t.link(&format!("/cities/{reference}")));
        flows.places.push(Place { name: cities.name(reference).text, latitude, longitude, link });
    }
    let found = |reference: &str| places.iter().position(|known| *known == reference);
    for way in ways {
        if let (Some(from), Some(to)) = (found(&way.from), found(&way.to)) {
            let link = t.link(&format!("/hostings?origin_city={}&host_city={}", way.from, way.to));
            flows.flows.push(Flow { from, to, count: way.count, link: Some(link) });
        }
    }
    Chart::Flows(flows)
}

/// The ways between cities as a table.
pub fn table_of_ways(t: Texts, caption: String, ways: &[Way], cities: &Cities, more: Option<Cell>) -> Table {
    let row = |way: &Way| {
        let link = t.link(&format!("/hostings?origin_city={}&host_city={}", way.from, way.to));
        vec![
            cities.cell(&way.from),
            cities.cell(&way.to),
            Cell { is_number: true, ..Cell::link(t.number(way.count), link) },
        ]
    };
    let columns = vec![(t.say("offered-by"), false), (t.say("hosted-by"), false), (t.say("hostings"), true)];
    Table { caption, columns, rows: ways.iter().map(row).collect(), more }
}

/// The entrance.
#[get("/")]
pub async fn home(request: HttpRequest) -> Answer {
    let visit = Visit::of(&request, &[])?;
    let t = visit.t;
    let mut desk = visit.desk().await?;
    let overview = Overview::read(&mut desk).await?;
    let named: BTreeSet<String> = overview.ways.iter().flat_map(|way| [way.from.clone(), way.to.clone()]).collect();
    let cities = desk.cities(named).await?;
    let terms = desk.terms(&["categories"]).await?;
    let newest: Vec<Hosting> = Hosting::visible(&desk.caller)
        .order(hosting_view::id.desc())
        .limit(8)
        .select(Hosting::as_select())
        .load(desk.conn())
        .await?;
    let all = Cell::link(t.say("all-hostings"), t.link("/hostings"));
    let newest = tables::hostings(&mut desk, newest, t.say("home-newest"), Without::Nothing, Some(all)).await?;
    desk.close().await?;

    let mut exchange = vec![];
    if overview.ways.is_empty() {
        exchange.push(Part::Note(t.say("home-no-exchange")));
    } else {
        exchange.push(Part::chart(&t, &map(t, t.say("home-map"), &overview.ways, &cities), None));
        let more =
            (overview.ways.len() > WAYS).then(|| Cell::link(t.say("all-exchanges"), t.link("/hostings?kind=exchange")));
        let most = &overview.ways[..overview.ways.len().min(WAYS)];
        exchange.push(Part::Table(table_of_ways(t, t.say("home-ways"), most, &cities, more)));
    }
    let sections = vec![
        Section { id: "top", heading: None, parts: vec![Part::Lead(t.say("home-lead").into()), overview.figures(t)] },
        Section::new("exchange", t.say("home-exchange"), exchange),
        Section::new("states", t.say("home-states-heading"), vec![Part::chart(&t, &overview.states(t), None)]),
        Section::new("offers", t.say("home-offers"), vec![Part::chart(&t, &overview.kinds(t, &terms), None)]),
        Section::new("newest", t.say("home-newest-heading"), vec![newest]),
    ];
    Ok(visit.answer("Pilot Exchange", "/", sections))
}
