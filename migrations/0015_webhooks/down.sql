DROP TABLE webhook_delivery, webhook_secret, webhook_city, webhook;
