//! Cities: the list of them, and the page of one.

use std::collections::{BTreeSet, HashMap};

use actix_web::{HttpRequest, get, web};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Double, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use uuid::Uuid;

use super::home::{Way, map};
use super::parts::{Cell, Figure, Part, Section, Shown, Table};
use super::results;
use super::tables::{self, FEW, ROWS, Without};
use super::texts::Texts;
use super::visit::{Answer, Cities, Desk, Visit, reference_of};
use crate::catalogue::pilots::Pilot;
use crate::cooperation::partnerships::Partnership;
use crate::database::schema::{hosting_view, outcome_view, partnership_view, pilot_view};
use crate::database::search;
use crate::directory::cities::{self, City};
use crate::hosting::hostings::{Hosting, HostingKind};
use crate::http::Problem;
use crate::http::presentation::localise;
use crate::outcomes::outcome::Outcome;

#[derive(QueryableByName)]
struct Listed {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    reference: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    country: String,
    #[diesel(sql_type = Text)]
    language: String,
    #[diesel(sql_type = diesel::sql_types::Jsonb)]
    translations: Value,
    #[diesel(sql_type = BigInt)]
    offered: i64,
    #[diesel(sql_type = BigInt)]
    hosted: i64,
    #[diesel(sql_type = BigInt)]
    abroad: i64,
}

/// The list of cities.
#[get("/cities")]
pub async fn list(request: HttpRequest) -> Answer {
    let visit = Visit::of(&request, &["after"])?;
    let t = visit.t;
    let after = visit.asked_as("after", crate::ids::parse)?;
    let mut desk = visit.desk().await?;
    let (levels, _) = search::sight(&desk.caller);
    let mut found: Vec<Listed> = diesel::sql_query(include_str!("cities.sql"))
        .bind::<Array<Text>, _>(levels)
        .bind::<Nullable<SqlUuid>, _>(after)
        .bind::<BigInt, _>(ROWS as i64 + 1)
        .load(desk.conn())
        .await?;
    let count: i64 = City::visible(&desk.caller).count().get_result(desk.conn()).await?;
    desk.close().await?;
    let is_more = tables::cut(&mut found, ROWS);
    let more = found.last().filter(|_| is_more).map(|last| {
        Cell::link(t.say("more-rows"), t.link(&visit.path_with(&["after"], &[("after", &last.id.to_string())])))
    });
    let rows = found.iter().map(|city| row(t, city)).collect();
    let columns = vec![
        (t.say("city"), false),
        (t.say("country"), false),
        (t.say("pilots-offered"), true),
        (t.say("hosted-here"), true),
        (t.say("hosted-elsewhere"), true),
    ];
    let table = Part::Table(Table { caption: t.say("cities-caption"), columns, rows, more });
    let parts = vec![Part::Lead(t.count("count-cities", count).into()), table];
    Ok(visit.answer(t.say("nav-cities"), "/cities", vec![Section { id: "list", heading: None, parts }]))
}

fn row(t: Texts, city: &Listed) -> Vec<Cell> {
    let mut named = json!({"name": city.name, "language": city.language, "translations": city.translations});
    localise(&mut named, t.language.label());
    let reference = &city.reference;
    let counted = |count: i64, link: String| match count {
        0 => Cell::number("0"),
        count => Cell { is_number: true, ..Cell::link(t.number(count), t.link(&link)) },
    };
    vec![
        Cell::link(Shown::of(named, &t).title("name"), t.link(&format!("/cities/{reference}"))),
        Cell::text(city.country.as_str()),
        counted(city.offered, format!("/pilots?origin_city={reference}")),
        counted(city.hosted, format!("/hostings?host_city={reference}")),
        counted(city.abroad, format!("/hostings?kind=exchange&origin_city={reference}")),
    ]
}

#[derive(QueryableByName)]
struct Neighbour {
    #[diesel(sql_type = Text)]
    reference: String,
    #[diesel(sql_type = Bool)]
    is_origin: bool,
    #[diesel(sql_type = BigInt)]
    count: i64,
    #[diesel(sql_type = Double)]
    #[expect(dead_code, reason = "the order of the rows")]
    place: f64,
}

/// Where its pilots go, and where those it hosts come from.
async fn ways(desk: &mut Desk, city: Uuid, reference: &str) -> Result<Vec<Way>, Problem> {
    let (levels, _) = search::sight(&desk.caller);
    let found: Vec<Neighbour> = diesel::sql_query(
        "SELECT CASE WHEN v.origin_city_id = $2 THEN v.host_city ELSE v.origin_city END AS reference,
            v.origin_city_id = $2 AS is_origin, count(*) AS count, -count(*)::float8 AS place
         FROM hosting_view v
         WHERE v.effective_visibility = ANY ($1) AND v.kind = 'exchange'
            AND (v.origin_city_id = $2 OR v.host_city_id = $2)
         GROUP BY 1, 2 ORDER BY place, 1, 2 LIMIT 80",
    )
    .bind::<Array<Text>, _>(levels)
    .bind::<SqlUuid, _>(city)
    .load(desk.conn())
    .await?;
    let way = |one: Neighbour| {
        let (from, to) =
            if one.is_origin { (reference.to_owned(), one.reference) } else { (one.reference, reference.to_owned()) };
        Way { from, to, count: one.count }
    };
    Ok(found.into_iter().map(way).collect())
}

/// Hostings here or elsewhere: how many there are, and the newest of them.
async fn hostings(desk: &mut Desk, city: Uuid, is_here: bool) -> Result<(i64, Vec<Hosting>), Problem> {
    let caller = desk.caller.clone();
    let of = || {
        let all = Hosting::visible(&caller);
        if is_here {
            all.filter(hosting_view::host_city_id.eq(city))
        } else {
            all.filter(hosting_view::origin_city_id.eq(city).and(hosting_view::kind.eq(HostingKind::Exchange)))
        }
    };
    let count = of().count().get_result(desk.conn()).await?;
    let newest =
        of().order(hosting_view::id.desc()).limit(FEW as i64).select(Hosting::as_select()).load(desk.conn()).await?;
    Ok((count, newest))
}

fn facts(t: Texts, city: &Shown) -> Part {
    let number = |member: &str| city.get(member).as_i64().map(|number| t.number(number));
    let place = match (city.get("latitude").as_f64(), city.get("longitude").as_f64()) {
        (Some(latitude), Some(longitude)) => Some(format!("{latitude:.3}, {longitude:.3}")),
        _ => None,
    };
    let website = city.text("website").map(|website| Cell::link(website, website));
    Part::Facts(vec![
        (t.say("country"), vec![Cell::stated(&t, city.text("country"))]),
        (t.say("population"), vec![Cell::stated(&t, number("population"))]),
        (t.say("position"), vec![Cell::stated(&t, place)]),
        (t.say("timezone"), vec![Cell::stated(&t, city.text("timezone"))]),
        ("UN/LOCODE".into(), vec![Cell::stated(&t, city.text("code"))]),
        (t.say("website"), vec![website.unwrap_or_else(|| Cell::unknown(&t))]),
    ])
}

fn figures(t: Texts, counted: [(i64, String, &String); 3]) -> Part {
    let figure =
        |(count, text, link): (i64, String, &String)| Figure { number: t.number(count), text, link: t.link(link) };
    Part::Figures(counted.into_iter().map(figure).collect())
}

/// The cities of all its ways, and itself.
async fn around(desk: &mut Desk, ways: &[Way], reference: &str) -> Result<Cities, Problem> {
    let mut names: BTreeSet<String> = ways.iter().flat_map(|way| [way.from.clone(), way.to.clone()]).collect();
    names.insert(reference.to_owned());
    desk.cities(names).await
}

/// The page of a city.
#[get("/cities/{city}")]
pub async fn show(request: HttpRequest, named: web::Path<String>) -> Answer {
    let visit = Visit::of(&request, &[])?;
    let t = visit.t;
    let mut desk = visit.desk().await?;
    let id = cities::id_of(desk.conn(), &named).await?;
    let city: City = desk.find(&id.to_string()).await?;
    let reference = reference_of(&city);
    let city = desk.shown(city);

    let ways = ways(&mut desk, id, &reference).await?;
    let named = around(&mut desk, &ways, &reference).await?;
    let (here_count, here) = hostings(&mut desk, id, true).await?;
    let (abroad_count, abroad) = hostings(&mut desk, id, false).await?;
    let (pilot_count, pilots) = pilots(&mut desk, id).await?;
    let partnerships = partnerships(&mut desk, id).await?;
    let results = outcomes(&mut desk, id, &reference).await?;

    let (of_pilots, of_here, of_abroad) = (
        format!("/pilots?origin_city={reference}"),
        format!("/hostings?host_city={reference}"),
        format!("/hostings?kind=exchange&origin_city={reference}"),
    );
    let rest =
        |count: i64, link: &str| (count > FEW as i64).then(|| Cell::link(t.count("all-of-them", count), t.link(link)));
    let figures = figures(
        t,
        [
            (pilot_count, t.count("figure-offered", pilot_count), &of_pilots),
            (here_count, t.count("figure-here", here_count), &of_here),
            (abroad_count, t.count("figure-abroad", abroad_count), &of_abroad),
        ],
    );
    let mut sections = vec![Section { id: "top", heading: None, parts: vec![figures, facts(t, &city)] }];
    if !ways.is_empty() {
        let chart = map(t, t.name("city-map", &city.title("name").text), &ways, &named);
        sections.push(Section::new("exchange", t.say("home-exchange"), vec![Part::chart(&t, &chart, None)]));
    }
    let pilots = if pilots.is_empty() {
        Part::Note(t.say("no-pilots"))
    } else {
        tables::pilots(&mut desk, pilots, t.say("pilots-offered"), false, rest(pilot_count, &of_pilots)).await?
    };
    sections.push(Section::new("pilots", t.say("pilots-offered"), vec![pilots]));
    for (id, heading, hostings, count, without, link) in [
        ("here", t.say("hosted-here"), here, here_count, Without::Host, of_here),
        ("elsewhere", t.say("hosted-elsewhere"), abroad, abroad_count, Without::Origin, of_abroad),
    ] {
        let part = if hostings.is_empty() {
            Part::Note(t.say("no-hostings"))
        } else {
            tables::hostings(&mut desk, hostings, heading.clone(), without, rest(count, &link)).await?
        };
        sections.push(Section::new(id, heading, vec![part]));
    }
    if !partnerships.is_empty() {
        sections.push(Section::new("partnerships", t.say("nav-partnerships"), vec![Part::Links(partnerships)]));
    }
    if let Some(results) = results {
        sections.push(Section::new("outcomes", t.say("outcomes"), results));
    }
    desk.close().await?;
    Ok(visit.answer(city.title("name"), "/cities", sections))
}

async fn pilots(desk: &mut Desk, city: Uuid) -> Result<(i64, Vec<Pilot>), Problem> {
    let caller = desk.caller.clone();
    let of = || Pilot::visible(&caller).filter(pilot_view::origin_city_id.eq(city));
    let count = of().count().get_result(desk.conn()).await?;
    let first = of()
        .order((pilot_view::title, pilot_view::id))
        .limit(FEW as i64)
        .select(Pilot::as_select())
        .load(desk.conn())
        .await?;
    Ok((count, first))
}

async fn partnerships(desk: &mut Desk, city: Uuid) -> Result<Vec<Cell>, Problem> {
    let found: Vec<Partnership> = Partnership::visible(&desk.caller)
        .filter(partnership_view::city_ids.contains(vec![city]))
        .order((partnership_view::title, partnership_view::id))
        .limit(FEW as i64)
        .select(Partnership::as_select())
        .load(desk.conn())
        .await?;
    let t = desk.t;
    let link = |one: Partnership| {
        let path = t.link(&format!("/partnerships/{}", one.id));
        Cell::link(desk.shown(one).title("title"), path)
    };
    Ok(found.into_iter().map(link).collect())
}

/// What is measured of the city itself.
async fn outcomes(desk: &mut Desk, city: Uuid, reference: &str) -> Result<Option<Vec<Part>>, Problem> {
    let caller = desk.caller.clone();
    let of = || Outcome::visible(&caller).filter(outcome_view::city_id.eq(city));
    let count: i64 = of().count().get_result(desk.conn()).await?;
    if count == 0 {
        return Ok(None);
    }
    let first: Vec<Outcome> =
        of().order(outcome_view::id).limit(FEW as i64).select(Outcome::as_select()).load(desk.conn()).await?;
    let more = (count > FEW as i64)
        .then(|| Cell::link(desk.t.count("all-of-them", count), format!("/v1/outcomes?city={reference}&count=exact")));
    results::outcomes(desk, first, &HashMap::new(), more).await.map(Some)
}
