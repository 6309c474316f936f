//! The section `webhooks` of the OpenAPI document: what a receiver of events gets, and what it should answer.

use serde_json::{Value, json};

/// The request that is sent for every event.
pub(super) fn delivered() -> Value {
    let header = |name: &str, description: &str, example: &str| {
        json!({"name": name, "in": "header", "required": true, "description": description, "example": example,
               "schema": {"type": "string", "maxLength": 1000}})
    };
    json!({
        "registry_event": {
            "post": {
                "operationId": "receive_event",
                "tags": ["sync"],
                "summary": "Receive an event",
                "description": "What the registry sends to the `url` of a webhook: one POST per event, in the order of the changes, \
                    at least once. Check `webhook-signature` by the secret [Standard Webhooks 1.0], leave aside what has a \
                    `webhook-id` that you know, and answer 2xx within 15 seconds; the body of the answer is not read. Every \
                    other answer is a failure, redirects too: the event is sent again after 5 seconds, then twice as long each \
                    time, up to 24 hours, and later events wait behind it. 429 and 503 may say when in Retry-After. 410 \
                    disables the webhook.",
                "security": [],
                "parameters": [
                    header("webhook-id", "The id of the event for this webhook: the same at every try and replay.", "015aca1d-6412-7000-8000-0000000000ff"),
                    header("webhook-timestamp", "When this try was made, in seconds since 1970; refuse what is older than five minutes.", "1795510800"),
                    header("webhook-signature", "`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`; after a rotation one for each secret, separated by spaces.", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="),
                ],
                "requestBody": {
                    "required": true,
                    "description": "The event [CloudEvents 1.0], with the change and the record as you may see it when it is sent.",
                    "content": {"application/cloudevents+json": {"schema": {"$ref": "#/components/schemas/Event"}}}
                },
                "responses": {
                    "204": {"description": "The event was taken; any other 2xx says the same"},
                    "410": {"description": "No more events are wanted: the webhook is disabled"},
                    "429": {"description": "Too many events: it is sent again after Retry-After"},
                    "503": {"description": "Not now: it is sent again after Retry-After"}
                }
            }
        }
    })
}
