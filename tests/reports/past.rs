//! Reports of the past.

use super::{path_of, reports, stays, worlds};

#[tokio::test]
async fn a_report_at_a_position_stays_what_it_was() {
    let (_, app) = worlds().await.pop().unwrap();
    for report in reports() {
        stays(&app, &path_of(report)).await;
    }
}
