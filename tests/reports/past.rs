//! Reports of the past.

use super::{path_of, reports, stay, worlds};

#[tokio::test]
async fn every_report_at_a_position_stays_what_it_was() {
    let (_, app) = worlds().await.pop().unwrap();
    stay(&app, &reports().map(path_of).collect::<Vec<_>>()).await;
}
