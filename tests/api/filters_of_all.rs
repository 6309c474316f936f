//! What holds of filters in every list.

use serde_json::{Value, json};

use crate::support::{App, new_pilot, path};

#[tokio::test]
async fn updated_since_gives_what_changed_at_or_after_that_instant() {
    let app = App::start().await;
    let busan = app.busan().await;
    let first = new_pilot(&busan, json!({"tags": ["since"]})).await;
    let second = new_pilot(&busan, json!({"tags": ["since"]})).await;
    let found = async |since: &str| -> Vec<Value> {
        let since = since.replace('+', "%2B");
        let items = busan.all(&format!("/v1/pilots?tags=since&updated_since={since}")).await;
        items.into_iter().map(|item| item["id"].clone()).collect()
    };
    let instant = second["updated_at"].as_str().unwrap();
    assert_eq!(found(instant).await, [second["id"].clone()]);
    let changed = busan.patch(&path("pilots", &first), json!({"trl": 2})).await.ok();
    assert_eq!(found(instant).await, [first["id"].clone(), second["id"].clone()]);
    assert_eq!(found(changed["updated_at"].as_str().unwrap()).await, [first["id"].clone()]);
    assert!(found("2199-01-01T00:00:00+09:00").await.is_empty());
}

#[tokio::test]
async fn private_members_cannot_be_reached_by_filter_or_sort() {
    let app = App::start().await;
    let anyone = app.anonymous();
    let admin = app.admin().await;
    let organisation = json!({"name": "Lamp Makers", "contact_email": "lanterns@example.org"});
    admin.post("/v1/organisations", organisation).await.created();
    for path in ["/v1/organisations", "/v1/search"] {
        let found = admin.get(&format!("{path}?q=lanterns@example.org")).await.ok();
        assert_eq!(found["items"], json!([]), "{path}");
    }
    for query in ["contact_email=a@example.org", "sort=contact_email"] {
        anyone.get(&format!("/v1/organisations?{query}")).await.problem(400, "bad_parameter");
    }
}

#[tokio::test]
async fn a_repeated_filter_is_or_and_different_filters_are_and() {
    let app = App::start().await;
    let anyone = app.anonymous();
    let count = async |query: &str| anyone.all(&format!("/v1/pilots?{query}")).await.len();
    let (video, gps) = (count("category=video_analysis").await, count("category=gps_tracking").await);
    assert_eq!((video, gps), (1, 1));
    assert_eq!(count("category=video_analysis&category=gps_tracking").await, 2);
    assert_eq!(count("category=video_analysis&status=in_test").await, 1);
    assert_eq!(count("category=video_analysis&status=operational").await, 0);
    assert_eq!(count("status=in_test&status=operational&category=video_analysis&category=fare_collection").await, 2);
}
