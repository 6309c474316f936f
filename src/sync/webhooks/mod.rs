//! Webhooks: a subscription follows the changes from a position of its own, under a lease, and is sent one event after
//! the other. What cannot be delivered is tried again, holds the later ones back meanwhile, and is a dead letter at last.

mod deliveries;
mod events;
mod handlers;
mod model;
mod queries;
mod sending;
mod turns;

pub use events::Event;
pub use sending::{LONGEST, TRIES, pause, seconds_of};
pub use turns::{keep_delivering, step};

use utoipa_actix_web::service_config::ServiceConfig;

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(handlers::list_webhooks)
        .service(handlers::create_webhook)
        .service(handlers::get_webhook)
        .service(handlers::update_webhook)
        .service(handlers::delete_webhook)
        .service(handlers::rotate_webhook_secret)
        .service(deliveries::test_webhook)
        .service(deliveries::replay_webhook)
        .service(deliveries::list_webhook_deliveries)
        .service(deliveries::replay_webhook_delivery);
}
