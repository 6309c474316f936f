//! How a file arrives: in parts of one size, each stored by itself, so that neither the memory nor a transaction holds
//! the whole.

use std::time::Duration;

use actix_web::web::{Bytes, Payload};
use aws_lc_rs::digest;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use futures_util::StreamExt;
use uuid::Uuid;

use crate::database::schema::{import, import_chunk, import_file};
use crate::database::{Conn, Database};
use crate::http::{Code, Problem, body};
use crate::ids;

/// The most bytes that a file may have.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The length of a part.
pub const CHUNK: usize = 256 * 1024;

/// How long a client may pause, and how long it may take in all.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(600));

/// A file that was stored.
pub struct Stored {
    /// Its id.
    pub id: Uuid,
    /// The SHA-256 of its bytes.
    pub hash: [u8; 32],
}

/// Stores a file while it arrives.
///
/// # Errors
/// 408 if it takes too long, 413 if it is too large, 400 if it breaks off.
pub async fn store(database: &Database, mut payload: Payload) -> Result<Stored, Problem> {
    let id = ids::fresh();
    let begin = diesel::insert_into(import_file::table).values(import_file::id.eq(id));
    begin.execute(&mut database.connection().await?).await?;
    let late = |_| Problem::new(Code::Timeout, Code::Timeout.meaning());
    let deadline = tokio::time::Instant::now() + PATIENCE.1;
    let mut hash = digest::Context::new(&digest::SHA256);
    let (mut part, mut number, mut size) = (Vec::with_capacity(CHUNK), 0, 0);
    loop {
        let patience = deadline.min(tokio::time::Instant::now() + PATIENCE.0);
        let Some(bytes) = tokio::time::timeout_at(patience, payload.next()).await.map_err(late)? else { break };
        let bytes: Bytes = bytes.map_err(|error| Problem::new(Code::MalformedJson, body::broken_off(&error)))?;
        size += bytes.len();
        if size > MAX_BYTES {
            return Err(Problem::new(Code::TooLarge, Code::TooLarge.meaning()));
        }
        hash.update(&bytes);
        let mut rest = &bytes[..];
        while part.len() + rest.len() >= CHUNK {
            let (fitting, after) = rest.split_at(CHUNK - part.len());
            part.extend_from_slice(fitting);
            keep(database, id, number, &part).await?;
            part.clear();
            (rest, number) = (after, number + 1);
        }
        part.extend_from_slice(rest);
    }
    if !part.is_empty() {
        keep(database, id, number, &part).await?;
    }
    Ok(Stored { id, hash: hash.finish().as_ref().try_into().expect("SHA-256 has 32 bytes") })
}

async fn keep(database: &Database, file_id: Uuid, number: i32, bytes: &[u8]) -> Result<(), Problem> {
    diesel::insert_into(import_chunk::table)
        .values((import_chunk::file_id.eq(file_id), import_chunk::number.eq(number), import_chunk::bytes.eq(bytes)))
        .execute(&mut database.connection().await?)
        .await?;
    Ok(())
}

/// A part of a file; none after the last.
///
/// # Errors
/// Those of the database.
pub async fn chunk(conn: &mut Conn, file_id: Uuid, number: i32) -> Result<Option<Vec<u8>>, Problem> {
    let found = import_chunk::table.find((file_id, number)).select(import_chunk::bytes).first(conn).await;
    Ok(found.optional()?)
}

/// Removes a file, unless a job names it.
///
/// # Errors
/// Those of the database.
pub async fn discard(conn: &mut Conn, file_id: Uuid) -> Result<(), Problem> {
    let of_a_job = diesel::dsl::exists(import::table.filter(import::file_id.eq(file_id)));
    let file = import_file::table.filter(import_file::id.eq(file_id)).filter(diesel::dsl::not(of_a_job));
    diesel::delete(file).execute(conn).await?;
    Ok(())
}

/// Removes files that no job came to name, because their client or a server went away.
///
/// # Errors
/// Those of the database.
pub async fn discard_orphans(conn: &mut Conn) -> Result<(), Problem> {
    diesel::sql_query(
        "DELETE FROM import_file f WHERE f.created_at < now() - interval '1 hour'
            AND NOT EXISTS (SELECT FROM import i WHERE i.file_id = f.id)",
    )
    .execute(conn)
    .await?;
    Ok(())
}
