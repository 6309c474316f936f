use serde_json::json;

use crate::support::{App, founding, new_hosting, new_pilot, path};

#[tokio::test]
async fn three_home_tests_of_busan_are_live_and_none_is_in_barcelona() {
    let app = App::start().await;
    let anyone = app.anonymous();
    assert_eq!(anyone.all("/v1/hostings?host_city=KRPUS&status=live&kind=home_test").await.len(), 3);
    assert_eq!(anyone.all("/v1/hostings?host_city=ESBCN").await.len(), 0);
    assert_eq!(
        anyone.get(&format!("/v1/outcomes/{}", founding::SERVICES_UNDER_TEST)).await.ok()["latest"]["value"],
        "26"
    );
}

#[tokio::test]
async fn a_proposal_is_agreed_by_the_other_city_only() {
    let app = App::start().await;
    let (busan, barcelona) = (app.busan().await, app.barcelona().await);
    let pilot = new_pilot(&busan, json!({})).await;
    let hosting = new_hosting(&busan, &pilot, json!({})).await;
    let path = path("hostings", &hosting);
    assert_eq!(busan.transition(&path, json!({"to": "agreed"})).await.missing(), ["consent_of_other_city"]);
    assert_eq!(barcelona.transition(&path, json!({"to": "agreed"})).await.ok()["status"], "agreed");
}
