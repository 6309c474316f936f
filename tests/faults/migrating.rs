//! Migrations that are killed on the way, and the same database afterwards as without that.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::{report, seed, times};
use crate::support::process::{Background, Folder, run};
use crate::support::{TestDatabase, empty_database, sql};

/// Everything that the schema has, in words.
const SCHEMA: &str = "
    SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable FROM information_schema.columns
        WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
    UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
    UNION ALL SELECT tgrelid::regclass || ' ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT version FROM __diesel_schema_migrations
    ORDER BY 1";

fn settings(database: &TestDatabase) -> [(&'static str, &str); 2] {
    [("DATABASE_URL", &database.url), ("DATABASE_MIGRATION_URL", &database.owner_url)]
}

async fn migrated(database: &TestDatabase) -> Vec<Vec<Option<String>>> {
    let (folder, database) = (Folder::new(), database.clone());
    let other = database.clone();
    let ended = tokio::task::spawn_blocking(move || run(&folder, &["migrate"], &settings(&other))).await.unwrap();
    ended.ok();
    sql(&database, SCHEMA).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_is_killed_leaves_nothing_half_done() {
    let kills = times(4, 60);
    let mut chance = StdRng::seed_from_u64(seed());
    let expected = migrated(&empty_database().await).await;
    let mut partly = 0;
    for _ in 0..kills {
        let (database, folder) = (empty_database().await, Folder::new());
        let running = Background::start(&folder, &["migrate"], &settings(&database), "migrate.log");
        tokio::time::sleep(Duration::from_millis(chance.random_range(50..1_500))).await;
        drop(running);
        let there = sql(&database, "SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL").await;
        partly += usize::from(there[0][0].as_deref() == Some("t"));
        assert_eq!(migrated(&database).await, expected);
        let countries = sql(&database, "SELECT count(*) FROM country").await;
        assert_eq!(countries[0][0].as_deref(), Some("249"));
    }
    report("kill -9 in mid-migration", &[("injected", &kills), ("had begun", &partly), ("differing schemas", &0)]);
}
