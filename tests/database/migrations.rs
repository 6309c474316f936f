//! Migrations go up, all the way down and up again, over real rows too, and once whoever comes first.

use diesel_async::{AsyncConnection, AsyncMigrationHarness, AsyncPgConnection};
use diesel_migrations::MigrationHarness;
use pilot_exchange::database::migrations::{self, MIGRATIONS};
use pilot_exchange::database::{Database, shipped};

use crate::support::process::{Folder, run};
use crate::support::{App, TestDatabase, empty_database, new_database, sql, try_sql};

const SERVICE: Option<&str> = Some("pilot_exchange");

/// Everything in the database that is not diesel's.
const OURS: &str = r"
    SELECT 'relation ' || oid::regclass::text || ' ' || relkind::text FROM pg_class
    WHERE relnamespace IN ('public'::regnamespace, to_regnamespace('as_of')) AND relname NOT LIKE '\_\_diesel%'
    UNION ALL
    SELECT 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || a.attnotnull::text
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v') AND c.relname NOT LIKE '\_\_diesel%'
    UNION ALL
    SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(c.oid) FROM pg_constraint c
    WHERE connamespace = 'public'::regnamespace AND conname NOT LIKE '\_\_diesel%'
    UNION ALL
    SELECT 'function ' || p.oid::regprocedure::text || ' ' || md5(prosrc) FROM pg_proc p
    WHERE pronamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    UNION ALL
    SELECT 'domain ' || typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype IN ('d', 'e')
    UNION ALL
    SELECT 'trigger ' || tgname || ' ' || tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal
    ORDER BY 1";

/// Tables in which every kind of record has rows.
const OF_EVERY_RECORD: &[&str] = &["record", "external_id", "citation", "transition"];

async fn ours(database: &TestDatabase) -> Vec<String> {
    sql(database, OURS).await.into_iter().map(|row| row[0].clone().unwrap()).collect()
}

/// How many rows each table has, those without any left out.
async fn counts(database: &TestDatabase) -> Vec<(String, String)> {
    let tables = r"SELECT relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname NOT LIKE '\_\_diesel%' ORDER BY 1";
    let mut counts = vec![];
    for row in sql(database, tables).await {
        let table = row[0].clone().unwrap();
        let count = sql(database, &format!("SELECT count(*) FROM {table}")).await[0][0].clone().unwrap();
        if count != "0" {
            counts.push((table, count));
        }
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn up_all_the_way_down_and_up_again_gives_the_same_database() {
    let database = empty_database().await;
    migrations::run(&database.owner_url, SERVICE).await.unwrap();
    let first = ours(&database).await;
    assert!(first.contains(&"relation hosting r".to_owned()) && first.contains(&"relation outcome_view v".to_owned()));

    migrations::revert_all(&database.owner_url).await.unwrap();
    assert_eq!(ours(&database).await, Vec::<String>::new());
    assert_eq!(migrations::pending(&database.owner_url).await.unwrap().len(), migrations::count());

    migrations::run(&database.owner_url, SERVICE).await.unwrap();
    assert_eq!(ours(&database).await, first);
}

#[tokio::test]
async fn what_a_migration_makes_is_the_services_at_once_since_servers_are_at_work_beside_it() {
    let database = new_database().await;
    sql(&database, "CREATE TABLE made (id bigserial)").await;
    sql(&database, "CREATE VIEW made_view AS TABLE made").await;
    try_sql(&database.url, "INSERT INTO made DEFAULT VALUES").await.unwrap();
    assert_eq!(try_sql(&database.url, "SELECT id::text FROM made_view").await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_migration_goes_down_and_up_over_real_rows() {
    let database = new_database().await;
    let (shape, before) = (ours(&database).await, counts(&database).await);
    let conn = AsyncPgConnection::establish(&database.owner_url).await.unwrap();
    AsyncMigrationHarness::new(conn).revert_last_migration(MIGRATIONS).unwrap();
    let (older, left) = (ours(&database).await, counts(&database).await);
    assert_ne!(older, shape, "a way back that leads nowhere");
    // Its own tables go, with what every kind of record has; the others keep their rows.
    for (table, count) in before.iter().filter(|(table, _)| !OF_EVERY_RECORD.contains(&table.as_str())) {
        let stays = older.contains(&format!("relation {table} r"));
        assert_eq!(left.contains(&(table.clone(), count.clone())), stays, "{table}");
    }
    migrations::run(&database.owner_url, SERVICE).await.unwrap();
    assert_eq!((ours(&database).await, counts(&database).await), (shape, left));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filled_database_goes_all_the_way_down_and_is_usable_when_it_is_up_again() {
    let database = new_database().await;
    assert!(counts(&database).await.iter().any(|(table, _)| table == "observation"));
    migrations::revert_all(&database.owner_url).await.unwrap();
    assert_eq!(ours(&database).await, Vec::<String>::new());

    migrations::run(&database.owner_url, SERVICE).await.unwrap();
    let pool = Database::new(&database.url, 2).unwrap();
    shipped::load_reference(&pool).await.unwrap();
    shipped::load_founding(&pool).await.unwrap();
    let app = App::start_with(crate::support::Options { database: Some(database), ..Default::default() }).await;
    assert_eq!(app.anonymous().all("/v1/hostings?status=live").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_servers_that_start_at_once_migrate_and_load_once() {
    let database = empty_database().await;
    let settings = [("DATABASE_URL", database.url.clone()), ("DATABASE_MIGRATION_URL", database.owner_url.clone())];
    let migrate = || {
        let settings = settings.clone();
        tokio::task::spawn_blocking(move || {
            let folder = Folder::new();
            let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
            run(&folder, &["migrate"], &settings)
        })
    };
    for ended in [migrate(), migrate(), migrate()] {
        let ended = ended.await.unwrap();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
    let count = async |statement: &str| sql(&database, statement).await[0][0].clone().unwrap();
    assert_eq!(count("SELECT count(*) FROM __diesel_schema_migrations").await, migrations::count().to_string());
    assert_eq!(count("SELECT count(*) FROM country").await, "249");
    assert_eq!(count("SELECT count(*) FROM indicator").await, "64");
    assert_eq!(count("SELECT count(*) FROM revision WHERE version > 1").await, "0");
    assert_eq!(count("SELECT count(*) - count(DISTINCT record_id) FROM change").await, "0");
}
