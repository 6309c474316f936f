//! The ids of records in partners' systems: unique per collection, source and value. A source is a namespace, which
//! belongs to the city that used it first, or to the administrators.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{Array, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use super::Tx;
use super::rows::Prepared;
use super::schema::{external_id, external_source, revision};
use crate::access::Role;
use crate::http::{Code, Problem};
use crate::values::common::ExternalId;

/// 409: another record has the external id.
pub fn taken(source: &str, value: &str) -> Problem {
    Problem::new(Code::Duplicate, format!("there is one with the external id {value} of {source} already"))
}

/// An external id, and whose it is.
#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = Text)]
    source: String,
    #[diesel(sql_type = Text)]
    value: String,
    #[diesel(sql_type = SqlUuid)]
    record_id: Uuid,
}

/// An external id that a record is to have.
pub(super) struct Added<'a> {
    /// The record.
    pub(super) record_id: Uuid,
    /// The city in whose name it gets it, and whose a source is that nobody used before.
    pub(super) city_id: Option<Uuid>,
    /// The id.
    pub(super) id: &'a ExternalId,
}

impl Tx {
    /// The record that a partner knows by this id, whoever may see it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_external(
        &mut self,
        collection: &str,
        source: &str,
        value: &str,
    ) -> Result<Option<Uuid>, Problem> {
        let id = external_id::table
            .filter(external_id::type_.eq(collection))
            .filter(external_id::source.eq(source).and(external_id::value.eq(value)))
            .select(external_id::record_id)
            .first(&mut self.conn)
            .await
            .optional()?;
        Ok(id)
    }

    /// Those of these external ids that are taken, with the records that have them.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_externals(
        &mut self,
        collection: &str,
        wanted: &[(&str, &str)],
    ) -> Result<HashMap<(String, String), Uuid>, Problem> {
        if wanted.is_empty() {
            return Ok(HashMap::new());
        }
        const QUESTION: &str = "
            SELECT e.source, e.value, e.record_id FROM external_id e
            JOIN (SELECT DISTINCT * FROM unnest($2, $3) w (source, value)) w USING (source, value) WHERE e.type = $1";
        let (sources, values): (Vec<&str>, Vec<&str>) = wanted.iter().copied().unzip();
        let question = diesel::sql_query(QUESTION)
            .bind::<Text, _>(collection)
            .bind::<Array<Text>, _>(sources)
            .bind::<Array<Text>, _>(values);
        let found: Vec<Known> = Prepared(question).load(&mut self.conn).await?;
        Ok(found.into_iter().map(|Known { source, value, record_id }| ((source, value), record_id)).collect())
    }

    /// Adds external ids to records. A source that nobody used yet becomes that of the first record which has it.
    ///
    /// # Errors
    /// 403 for a source of another city, 409 for an external id that another record has.
    pub(super) async fn add_external_ids(&mut self, collection: &str, added: &[Added<'_>]) -> Result<(), Problem> {
        // In one order, so that two that claim the same sources wait for each other rather than for ever.
        let mut sources = BTreeMap::new();
        for Added { city_id, id, .. } in added {
            sources.entry(id.source.as_str()).or_insert(*city_id);
        }
        for (source, city_id) in sources {
            self.claim(source, city_id).await?;
        }
        let wanted: Vec<_> = added.iter().map(|one| (one.id.source.as_str(), one.id.value.as_str())).collect();
        if let Some(((source, value), other)) = self.find_externals(collection, &wanted).await?.into_iter().next() {
            let (visibility, cities): (String, Vec<Uuid>) = revision::table
                .filter(revision::record_id.eq(other))
                .order(revision::version.desc())
                .select((revision::visibility, revision::city_ids))
                .first(&mut self.conn)
                .await?;
            let problem = taken(&source, &value);
            let seen = self.caller.may_see(collection, &visibility, &cities);
            return Err(if seen { problem.with("existing_id", other) } else { problem });
        }
        let row = |Added { record_id, id, .. }: &Added<'_>| json!({"record_id": record_id, "type": collection, "source": id.source, "value": id.value});
        self.insert_rows("external_id", "record_id, type, source, value", added.iter().map(row).collect()).await
    }

    /// Makes these the external ids of a record. Those of other cities' sources may stay, but not come or go.
    ///
    /// # Errors
    /// 403 for a source of another city, 409 for an external id that another record has.
    pub(super) async fn replace_external_ids(
        &mut self,
        collection: &str,
        id: Uuid,
        wanted: &[ExternalId],
    ) -> Result<(), Problem> {
        let had: Vec<(String, String)> = external_id::table
            .filter(external_id::record_id.eq(id))
            .select((external_id::source, external_id::value))
            .load(&mut self.conn)
            .await?;
        let is_wanted =
            |(source, value): &&(String, String)| wanted.iter().any(|one| one.source == *source && one.value == *value);
        for (source, value) in had.iter().filter(|one| !is_wanted(one)) {
            self.claim(source, self.acting.city_id).await?;
            let gone = external_id::table.filter(external_id::record_id.eq(id));
            let gone = gone.filter(external_id::source.eq(source).and(external_id::value.eq(value)));
            diesel::delete(gone).execute(&mut self.conn).await?;
        }
        let is_new =
            |one: &&ExternalId| !had.iter().any(|(source, value)| one.source == *source && one.value == *value);
        let city_id = self.acting.city_id;
        let added: Vec<_> = wanted.iter().filter(is_new).map(|one| Added { record_id: id, city_id, id: one }).collect();
        self.add_external_ids(collection, &added).await
    }

    /// That the source is the caller's to use; one that nobody used yet becomes that of this city.
    async fn claim(&mut self, source: &str, city_id: Option<Uuid>) -> Result<(), Problem> {
        diesel::insert_into(external_source::table)
            .values((external_source::source.eq(source), external_source::city_id.eq(city_id)))
            .on_conflict_do_nothing()
            .execute(&mut self.conn)
            .await?;
        let owner: Option<Uuid> =
            external_source::table.find(source).select(external_source::city_id).first(&mut self.conn).await?;
        let own = match owner {
            Some(city) => self.caller.cities().contains(&city),
            // Verifiers act for no city either: they share what is the registry's own.
            None => self.caller.role() == Some(Role::Verifier),
        };
        if own || self.caller.is_administrator() {
            return Ok(());
        }
        let whose = if owner.is_some() { "another city" } else { "the administrators" };
        let detail = format!("the source {source} of external ids belongs to {whose}; choose a name of your own");
        Err(Problem::new(Code::Forbidden, detail))
    }
}
