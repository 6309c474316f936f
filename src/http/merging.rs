//! Merging duplicates: what refers to the duplicate refers to the other record from then on, the duplicate is deleted,
//! and who still asks for it is led to the other.

use actix_web::http::{StatusCode, header};
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::call::Answer;
use super::problem::{Fault, Problem};
use super::reply::Reply;
use crate::access::Caller;
use crate::api::collections;
use crate::database::Tx;
use crate::database::positions::Reader;
use crate::database::records::Record;
use crate::database::schema::{citation, external_id, record, redirect};

/// 308 to the record that this one was merged into, if it was and the caller may see that.
///
/// # Errors
/// Those of the database.
pub async fn redirected<R: Record>(reader: &mut Reader, caller: &Caller, id: Uuid) -> Result<Option<Reply>, Problem> {
    let into: Option<Uuid> =
        redirect::table.find(id).select(redirect::into_id).first(&mut reader.conn).await.optional()?;
    let Some(into) = into else { return Ok(None) };
    let target = R::find(&mut reader.conn, caller, into).await?;
    let location = |target: R| Reply::empty(StatusCode::PERMANENT_REDIRECT).header(header::LOCATION, &target.path());
    Ok(target.map(location))
}

/// Merges a duplicate, which is locked and may be written, into another record of its kind; answers that one.
///
/// # Errors
/// 422 for merging into itself, 409 where both have what there may be once only.
pub async fn merge<R: Record>(tx: &mut Tx, duplicate: R, into: R) -> Answer {
    let (from, to) = (duplicate.id(), into.id());
    if from == to {
        return Err(Problem::invalid(vec![Fault::at("/into_id", "itself", "must be another record")]));
    }
    let affected = point_elsewhere(tx, R::TABLE, from, to).await?;
    diesel::update(external_id::table.filter(external_id::record_id.eq(from)))
        .set(external_id::record_id.eq(to))
        .execute(&mut tx.conn)
        .await?;
    // Its citations follow those of the other.
    let after: Option<i16> = citation::table
        .filter(citation::record_id.eq(to))
        .select(diesel::dsl::max(citation::position))
        .first(&mut tx.conn)
        .await?;
    diesel::update(citation::table.filter(citation::record_id.eq(from)))
        .set((citation::record_id.eq(to), citation::position.eq(citation::position + after.map_or(0, |last| last + 1))))
        .execute(&mut tx.conn)
        .await?;
    diesel::update(redirect::table.filter(redirect::into_id.eq(from)))
        .set(redirect::into_id.eq(to))
        .execute(&mut tx.conn)
        .await?;
    for (id, collection) in affected.into_iter().filter(|(id, _)| *id != from && *id != to) {
        if let Some(collection) = collections::named(&collection) {
            (collection.revise)(tx, id).await?;
        }
    }
    tx.next_version(to).await?;
    let reply = tx.moved::<R>(to).await?;
    tx.deleted(duplicate).await?;
    diesel::insert_into(redirect::table)
        .values((redirect::record_id.eq(from), redirect::type_.eq(R::TYPE), redirect::into_id.eq(to)))
        .execute(&mut tx.conn)
        .await?;
    Ok(reply)
}

#[derive(QueryableByName)]
struct Reference {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    owner: String,
    #[diesel(sql_type = Nullable<Text>)]
    once: Option<String>,
}

#[derive(QueryableByName)]
struct Owner {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Points every reference at the other record, as the database's catalogue has them; gives the records that changed.
async fn point_elsewhere(tx: &mut Tx, table: &str, from: Uuid, to: Uuid) -> Result<Vec<(Uuid, String)>, Problem> {
    let references: Vec<Reference> =
        diesel::sql_query(include_str!("merging.sql")).bind::<Text, _>(table).load(&mut tx.conn).await?;
    let mut owners: Vec<Uuid> = vec![];
    for Reference { table_name, column_name, owner, once } in references {
        // Of parts, a row that would say what another one says already goes; a record that would is a conflict.
        let once = once.filter(|_| owner != "id");
        let new = once.as_ref().map_or_else(String::new, |same| {
            format!("AND NOT EXISTS (SELECT FROM {table_name} o WHERE o.{column_name} = $2 AND {same})")
        });
        let mut statements = vec![format!(
            "UPDATE {table_name} t SET {column_name} = $2 WHERE {column_name} = $1 {new} RETURNING {owner} AS id"
        )];
        if once.is_some() {
            statements.push(format!(
                "DELETE FROM {table_name} WHERE {column_name} = $1 AND $2::uuid IS NOT NULL RETURNING {owner} AS id"
            ));
        }
        for statement in statements {
            let changed: Vec<Owner> =
                diesel::sql_query(statement).bind::<SqlUuid, _>(from).bind::<SqlUuid, _>(to).load(&mut tx.conn).await?;
            owners.extend(changed.into_iter().map(|owner| owner.id));
        }
    }
    // In order of id, as everywhere: two that do the same do not wait for each other.
    let affected = record::table
        .filter(record::id.eq_any(owners))
        .order(record::id)
        .select((record::id, record::type_))
        .for_update()
        .load(&mut tx.conn)
        .await?;
    Ok(affected)
}
