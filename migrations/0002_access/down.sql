DROP TABLE idempotency_key, signing_key, account_secret, account;
