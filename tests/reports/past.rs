//! Reports of the past.

use super::{path_of, reports, stays};
use crate::support::App;

#[tokio::test]
async fn a_report_at_a_position_stays_what_it_was() {
    // A history happens once to a registry: its partnerships are of cities that have none yet.
    for report in reports() {
        stays(&App::start().await, &path_of(report)).await;
    }
}
