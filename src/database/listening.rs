//! The connection of a server that listens: news that others tell, and a question now and then, by whose answer the server
//! knows that it has heard all there was.

use std::borrow::Cow;
use std::collections::HashMap;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use tokio_postgres::{AsyncMessage, Client};

use super::connecting::connect;
use super::news::Changed;
use super::referring::collection_of;
use super::{Database, session};

/// How long after a lost connection, or one that could not be made, it is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// How often is asked what changed: several times within [`BOUND`](super::news::BOUND).
const PAUSE: Duration = Duration::from_millis(250);

/// How soon after a question the next may be asked, when there are news.
const BREATH: Duration = Duration::from_millis(20);

/// The channel of numbers that changes were given.
const CHANGES: &str = "pilot_exchange_changes";

/// The channel of changed accounts, logins and keys.
const ACCESS: &str = "pilot_exchange_access";

/// So many changes are looked at one by one; if there are more, everything counts as changed.
const MOST: i64 = 1_000;

/// The collections of the changes after a number, and of those that have none yet: whether or not anybody numbers them,
/// what is committed is found. One statement sees one moment, so that nothing falls between numbered and not. Changes of
/// access are counted: their notification may be lost on the way, behind a pooler for example.
const NEWS: &str = "
    WITH news AS (
        (SELECT record_id, version FROM change WHERE seq > $1 LIMIT $2)
        UNION ALL (SELECT record_id, version FROM change WHERE seq IS NULL LIMIT $2)
    )
    SELECT (SELECT seq FROM change_number), (SELECT count(*) FROM news), coalesce((SELECT changes FROM access_number), 0),
        ARRAY(SELECT DISTINCT r.type FROM news JOIN revision r USING (record_id, version))";

/// Hears of changes that any server made, for those who wait for them and for what this server remembers. Whoever waits
/// looks now and then as well, and what is remembered is not used while this is away, so nothing is missed.
pub async fn keep_listening(database: Database) {
    loop {
        if let Err(error) = listen(&database).await {
            tracing::warn!(%error, "news of changes cannot be heard now");
        }
        database.news.lost();
        tokio::time::sleep(AGAIN).await;
    }
}

async fn listen(database: &Database) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = connect(&session(&database.url, "pilot-exchange listening")?).await?;
    let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
    let mut asking = pin!(keep_asking(database, &client));
    loop {
        tokio::select! {
            // What came before an answer is heard before the answer.
            biased;
            message = messages.next() => match message {
                Some(Ok(AsyncMessage::Notification(news))) => hear(database, news.channel(), news.payload()),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            },
            failed = &mut asking => return failed,
        }
    }
}

fn hear(database: &Database, channel: &str, payload: &str) {
    match channel {
        ACCESS => database.news.access_changed(),
        _ => {
            if let Ok(seq) = payload.parse() {
                database.sequenced.send_replace(seq);
            }
        }
    }
}

async fn keep_asking(database: &Database, client: &Client) -> Result<(), tokio_postgres::Error> {
    let mut told = database.sequenced.subscribe();
    client.batch_execute(&format!("LISTEN {CHANGES}; LISTEN {ACCESS}")).await?;
    database.news.learn(reads(client).await?);
    let statement = client.prepare(NEWS).await?;
    // What was changed before is not known.
    let mut known: i64 = client.query_one("SELECT seq FROM change_number", &[]).await?.get(0);
    // The first answer tells a number that is not known yet.
    let mut access = -1_i64;
    database.news.records_changed();
    loop {
        let asked = Instant::now();
        let row = client.query_one(&statement, &[&known, &MOST]).await?;
        known = row.get(0);
        if std::mem::replace(&mut access, row.get(2)) != row.get::<_, i64>(2) {
            database.news.access_changed();
        }
        if row.get::<_, i64>(1) >= MOST {
            database.news.records_changed();
        } else {
            let collections = row.get::<_, Vec<String>>(3).into_iter().map(Cow::Owned).collect();
            database.news.changed(&Changed { collections, ..Changed::default() });
        }
        database.news.heard(asked);
        tokio::time::sleep(BREATH).await;
        let _ = tokio::time::timeout(PAUSE, told.changed()).await;
    }
}

/// From which collections each is read, as the catalogue of the database has it.
async fn reads(client: &Client) -> Result<HashMap<String, Vec<String>>, tokio_postgres::Error> {
    let rows = client.query(include_str!("reads.sql"), &[]).await?;
    let named = |table: &str| collection_of(table).to_owned();
    let read = |tables: Vec<String>| tables.iter().map(|table| named(table)).collect();
    Ok(rows.iter().map(|row| (named(row.get(0)), read(row.get(1)))).collect())
}
