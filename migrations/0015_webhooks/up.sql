-- Webhooks: subscriptions that follow the changes, each from its own position, and what was delivered to them.

CREATE TABLE webhook (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL CONSTRAINT webhook_account_fk REFERENCES account,
    url text NOT NULL CONSTRAINT webhook_url_length CHECK (length(url) BETWEEN 1 AND 2000),
    types text[] NOT NULL CONSTRAINT webhook_types_some CHECK (cardinality(types) > 0),
    enabled boolean NOT NULL DEFAULT true,
    version integer NOT NULL DEFAULT 1 CONSTRAINT webhook_version_positive CHECK (version > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- Every change up to this number was looked at; what fits is among the deliveries.
    position bigint NOT NULL,
    -- What is sent again: the changes after the first number, up to the second.
    replay_position bigint,
    replay_to bigint,
    -- Which worker is at it, and until when nobody else may be.
    lease_owner uuid,
    lease_until timestamptz,
    -- When it last had its turn, so that all get theirs.
    served_at timestamptz,
    CONSTRAINT webhook_replay_whole CHECK ((replay_position IS NULL) = (replay_to IS NULL)),
    CONSTRAINT webhook_lease_whole CHECK ((lease_owner IS NULL) = (lease_until IS NULL))
);
CREATE INDEX webhook_account ON webhook (account_id);

-- None: whatever the cities.
CREATE TABLE webhook_city (
    webhook_id uuid NOT NULL CONSTRAINT webhook_city_webhook_fk REFERENCES webhook ON DELETE CASCADE,
    city_id uuid NOT NULL CONSTRAINT webhook_city_city_fk REFERENCES city,
    PRIMARY KEY (webhook_id, city_id)
);
CREATE INDEX webhook_city_city ON webhook_city (city_id);

-- Two may sign at once, so that a receiver can change over without a pause.
CREATE TABLE webhook_secret (
    id uuid PRIMARY KEY,
    webhook_id uuid NOT NULL CONSTRAINT webhook_secret_webhook_fk REFERENCES webhook ON DELETE CASCADE,
    secret bytea NOT NULL, -- encrypted under the master key, which is not in the database
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz
);
CREATE INDEX webhook_secret_webhook ON webhook_secret (webhook_id);

-- One row per event and subscription, whose id the receiver knows it by. Those with an instant of their next attempt
-- are the queue of the subscription, in the order of the changes.
CREATE TABLE webhook_delivery (
    id uuid PRIMARY KEY,
    webhook_id uuid NOT NULL CONSTRAINT webhook_delivery_webhook_fk REFERENCES webhook ON DELETE CASCADE,
    event_type text NOT NULL,
    seq bigint, -- of the change; none for a test
    state text NOT NULL CONSTRAINT webhook_delivery_state_values
        CHECK (state IN ('pending', 'delivered', 'failed', 'dead')),
    attempts jsonb NOT NULL DEFAULT '[]',
    tries integer NOT NULL DEFAULT 0, -- since it was last put into the queue
    next_attempt_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT webhook_delivery_seq_unique UNIQUE (webhook_id, seq),
    CONSTRAINT webhook_delivery_queued CHECK (CASE state
        WHEN 'pending' THEN next_attempt_at IS NOT NULL
        WHEN 'failed' THEN true
        ELSE next_attempt_at IS NULL END)
);
CREATE INDEX webhook_delivery_page ON webhook_delivery (webhook_id, id);
CREATE INDEX webhook_delivery_queue ON webhook_delivery (webhook_id, seq NULLS FIRST, id) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX webhook_delivery_done ON webhook_delivery (updated_at) WHERE next_attempt_at IS NULL;
