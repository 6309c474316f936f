CREATE TABLE account (
    id uuid PRIMARY KEY,
    client_id text NOT NULL CONSTRAINT account_client_id_unique UNIQUE,
    name text NOT NULL,
    role text NOT NULL CONSTRAINT account_role_values
        CHECK (role IN ('reader', 'editor', 'verifier', 'administrator')),
    disabled boolean NOT NULL DEFAULT false,
    demo boolean NOT NULL DEFAULT false,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Two may be valid at once, so that a system can change its secret without a pause.
CREATE TABLE account_secret (
    account_id uuid NOT NULL CONSTRAINT account_secret_account_fk REFERENCES account,
    hash bytea NOT NULL CONSTRAINT account_secret_hash_length CHECK (octet_length(hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    PRIMARY KEY (account_id, hash)
);

CREATE TABLE signing_key (
    kid text PRIMARY KEY,
    private_key bytea NOT NULL, -- encrypted under the master key, which is not in the database
    public_key bytea NOT NULL CONSTRAINT signing_key_public_key_length CHECK (octet_length(public_key) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz
);

CREATE TABLE idempotency_key (
    account_id uuid NOT NULL CONSTRAINT idempotency_key_account_fk REFERENCES account,
    key text NOT NULL CONSTRAINT idempotency_key_length CHECK (length(key) BETWEEN 1 AND 255),
    request_hash bytea NOT NULL,
    status smallint NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, key)
);
CREATE INDEX idempotency_key_created_at ON idempotency_key (created_at);
