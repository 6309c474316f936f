//! Its SQL and the rules that are checked before it.

use std::collections::{BTreeMap, HashSet};

use super::model::*;
use crate::cooperation::partnerships::cities_of_initiative;
use crate::database::records::Op;
use crate::database::schema::{agreement, agreement_party, agreement_view};
use crate::database::{Tx, last_day};
use crate::directory::organisations::cities_of_organisations;
use crate::http::body::Rules;
use crate::http::editing::Editable;
use crate::http::{Body, Checked, Problem};
use crate::ids::{self, DocumentId, InitiativeId};
use crate::values::{PartialDate, Visibility};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

pub(super) type Query = agreement_view::BoxedQuery<'static, diesel::pg::Pg>;

impl AgreementFilter {
    /// `documents` are those of the filter that the caller may see.
    pub(super) fn apply(&self, mut query: Query, documents: Option<&Vec<Uuid>>) -> Query {
        use agreement_view as view;
        if let Some(kinds) = &self.kind {
            query = query.filter(view::kind.eq_any(kinds.clone()));
        }
        if let Some(initiatives) = &self.initiative_id {
            query = query.filter(view::initiative_id.eq_any(initiatives.iter().map(|id| id.0).collect::<Vec<_>>()));
        }
        if let Some(statuses) = &self.status {
            query = query.filter(view::status.eq_any(statuses.clone()));
        }
        if let Some(documents) = documents {
            query = query.filter(view::any_document_id.eq_any(documents.clone()));
        }
        if let Some(visibilities) = &self.visibility {
            query = query.filter(view::visibility.eq_any(visibilities.clone()));
        }
        if let Some(from) = &self.signed_on_from {
            query = query.filter(last_day(view::signed_on).ge(from.first_day()));
        }
        if let Some(to) = &self.signed_on_to {
            query = query.filter(last_day(view::signed_on).le(to.last_day()));
        }
        if let Some(from) = &self.valid_until_from {
            query = query.filter(last_day(view::valid_until).ge(from.first_day()));
        }
        if let Some(to) = &self.valid_until_to {
            query = query.filter(last_day(view::valid_until).le(to.last_day()));
        }
        query
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = agreement, treat_none_as_null = true)]
struct Row<'a> {
    kind: AgreementKind,
    title: &'a str,
    initiative_id: Option<InitiativeId>,
    status: AgreementStatus,
    signed_on: Option<&'a PartialDate>,
    valid_until: Option<&'a PartialDate>,
    document_id: Option<DocumentId>,
    visibility: Visibility,
}

impl<'a> Row<'a> {
    fn of(input: &'a AgreementInput) -> Self {
        Self {
            kind: input.kind,
            title: &input.title,
            initiative_id: input.initiative_id,
            status: input.status.unwrap_or(AgreementStatus::Interest),
            signed_on: input.signed_on.as_ref(),
            valid_until: input.valid_until.as_ref(),
            document_id: input.document_id,
            visibility: input.visibility.unwrap_or(Visibility::Public),
        }
    }
}

pub(super) async fn check(_tx: &mut Tx, input: &Checked<AgreementInput>, rules: &mut Rules) -> Result<(), Problem> {
    use AgreementStatus::{Drafting, Interest};
    let status = input.status.unwrap_or(Interest);
    let mut seen = HashSet::new();
    for (index, one) in input.parties.iter().enumerate() {
        let pointer = format!("/parties/{index}");
        let single = one.city.is_some() != one.organisation_id.is_some();
        rules.require(single, &pointer, "one_of", "must name either a city or an organisation");
        let city = one.city.as_ref().and_then(|city| input.known_city(city));
        let new = (city.is_none() && one.organisation_id.is_none()) || seen.insert((city, one.organisation_id));
        rules.require(new, &pointer, "not_unique", "is a party already");
    }
    let enough = status == Interest || input.parties.len() >= 2;
    rules.require(enough, "/parties", "too_few", "must be two or more from drafting on");
    let signed = matches!(status, Interest | Drafting) || input.signed_on.is_some();
    rules.require(signed, "/signed_on", "required", "must be given from signed on");
    rules.require_order(input.signed_on.as_ref(), input.valid_until.as_ref(), "/valid_until", "signed_on");
    Ok(())
}

impl Editable for Agreement {
    type Input = AgreementInput;
    type Change = AgreementInput;

    async fn create(tx: &mut Tx, body: &Body<AgreementInput>) -> Result<Uuid, Problem> {
        let input = body.checked(tx).await?;
        may_write(tx, None, &input).await?;
        insert(tx, None, &input).await
    }

    async fn change(tx: &mut Tx, current: &Self, body: &Body<AgreementInput>) -> Result<bool, Problem> {
        tx.act_for(current.cities())?;
        tx.precondition(current)?;
        let Some(input) = body.merged(tx, current).await? else { return Ok(false) };
        may_write(tx, current.initiative_id, &input).await?;
        tx.revise::<Self>(current.id, &input.common()).await?;
        diesel::update(agreement::table.find(current.id)).set(Row::of(&input)).execute(&mut tx.conn).await?;
        tx.detach(current.id, &["agreement_party.agreement_id"]).await?;
        attach(tx, current.id, &input).await?;
        Ok(true)
    }
}

/// Asserts that the caller acts for a city that will be involved; and for one of the partnership, if the agreement comes
/// to belong to an initiative, which then shows it.
async fn may_write(tx: &mut Tx, before: Option<InitiativeId>, input: &Checked<AgreementInput>) -> Result<(), Problem> {
    let mut cities: Vec<Uuid> =
        input.parties.iter().filter_map(|one| one.city.as_ref()).map(|city| input.city(city)).collect();
    let organisations: Vec<_> = input.parties.iter().filter_map(|one| one.organisation_id).collect();
    cities.extend(cities_of_organisations(tx, organisations).await?);
    if let Some(initiative) = input.initiative_id {
        let partners = cities_of_initiative(tx, initiative).await?;
        if before != Some(initiative) {
            tx.act_for(&partners)?;
        }
        cities.extend(partners);
    }
    tx.act_for(&cities)
}

/// Registers an agreement under an id that may be given.
///
/// # Errors
/// Those of the database.
pub async fn insert(tx: &mut Tx, id: Option<Uuid>, input: &Checked<AgreementInput>) -> Result<Uuid, Problem> {
    let id = tx.register_as::<Agreement>(id.unwrap_or_else(ids::fresh), &input.common()).await?;
    diesel::insert_into(agreement::table).values((agreement::id.eq(id), Row::of(input))).execute(&mut tx.conn).await?;
    attach(tx, id, input).await?;
    Ok(id)
}

async fn attach(tx: &mut Tx, id: Uuid, input: &Checked<AgreementInput>) -> Result<(), Problem> {
    let parties: Vec<_> = input
        .parties
        .iter()
        .zip(0i16..)
        .map(|(one, position)| {
            (
                agreement_party::agreement_id.eq(id),
                agreement_party::position.eq(position),
                agreement_party::city_id.eq(input.optional_city(one.city.as_ref())),
                agreement_party::organisation_id.eq(one.organisation_id),
            )
        })
        .collect();
    diesel::insert_into(agreement_party::table).values(parties).execute(&mut tx.conn).await?;
    Ok(())
}

/// Makes agreements belong to an initiative (`new`, each with its place in `agreement_ids`), or no longer (`gone`): the
/// other end of `initiative_id`, which is where it is kept. Each of them takes its next version.
///
/// # Errors
/// 403 for agreements of others, 422 for those that belong to another initiative.
pub async fn link(
    tx: &mut Tx,
    initiative_id: Uuid,
    new: BTreeMap<Uuid, usize>,
    gone: Vec<Uuid>,
) -> Result<(), Problem> {
    let acting = tx.acting;
    let mut changes: BTreeMap<Uuid, Option<usize>> = gone.into_iter().map(|id| (id, None)).collect();
    changes.extend(new.into_iter().map(|(id, index)| (id, Some(index))));
    for (id, index) in changes {
        let current = tx.target::<Agreement>(id).await?;
        tx.act_for(current.cities())?;
        let mut rules = Rules::new();
        if let Some(index) = index {
            let pointer = format!("/agreement_ids/{index}");
            let free = current.initiative_id.is_none_or(|one| one.0 == initiative_id);
            rules.require(free, &pointer, "other_initiative", "belongs to another initiative");
        }
        rules.done()?;
        diesel::update(agreement::table.find(id))
            .set(agreement::initiative_id.eq(index.map(|_| initiative_id)))
            .execute(&mut tx.conn)
            .await?;
        tx.next_version(id).await?;
        let after = tx.recorded::<Agreement>(id, Op::Update).await?;
        tx.act_for(after.cities())?;
    }
    tx.acting = acting;
    Ok(())
}
