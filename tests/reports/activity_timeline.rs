//! What cities did together, and when.

use serde_json::{Value, json};

use super::{Seen, by_id, figures, first_day, is_computed, last_day, worlds};

#[tokio::test]
async fn every_activity_is_there_with_what_it_is_part_of() {
    is_computed("activity-timeline", timeline).await;
}

fn timeline(all: &Seen, seen: &Seen) -> Vec<Value> {
    let row = |one: &Value| {
        json!({
            "activity_id": one["id"], "kind": one["kind"], "title": one["title"], "theme": one["theme"],
            "city": one["city"], "city_name": all.city(&one["city"])["name"],
            "starts_on": one["starts_on"], "ends_on": one["ends_on"],
            "parent_id": one["parent_id"], "parent": by_id(&all.activities, &one["parent_id"])["title"],
            "partnership_id": one["partnership_id"],
            "partnership": by_id(&all.partnerships, &one["partnership_id"])["title"],
            "areas": one["areas"], "participants": one["participants"].as_array().unwrap().len(),
        })
    };
    seen.activities.iter().map(row).collect()
}

#[tokio::test]
async fn they_come_in_the_order_of_time_and_kinds_can_be_chosen() {
    for (world, app) in worlds().await {
        let anyone = app.anonymous();
        let all = figures(&anyone, "/v1/reports/activity-timeline").await;
        let days: Vec<_> = all.iter().map(|row| first_day(&row["starts_on"])).collect();
        let is_after = |two: &[Option<chrono::NaiveDate>]| two[1].is_none() || two[0].is_some() && two[0] <= two[1];
        assert!(days.windows(2).all(is_after), "{world}: {days:?}");
        for (place, row) in all.iter().enumerate().filter(|(_, row)| !row["parent_id"].is_null()) {
            let parent = all.iter().position(|other| other["activity_id"] == row["parent_id"]).unwrap();
            let lasts = |row: &Value| (first_day(&row["starts_on"]), last_day(&row["ends_on"]));
            assert!(parent < place || lasts(&all[parent]) == lasts(row), "{world}: {row} before {}", all[parent]);
        }
        let kind = &all[0]["kind"];
        let chosen: Vec<Value> = all.iter().filter(|row| row["kind"] == *kind).cloned().collect();
        let path = format!("/v1/reports/activity-timeline?kind={}", kind.as_str().unwrap());
        assert_eq!(figures(&anyone, &path).await, chosen, "{world}");
    }
}
