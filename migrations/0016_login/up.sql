-- People log in, keys take turns, and other issuers' tokens stand for accounts of the registry.

-- One login of a person through a client: first the code that the client exchanges once, then what its tokens are
-- valid by. A code that comes a second time ends the login, and with it the tokens.
CREATE TABLE login (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL CONSTRAINT login_account_fk REFERENCES account,
    client_id text NOT NULL,
    redirect_uri text NOT NULL,
    code_hash bytea NOT NULL CONSTRAINT login_code_hash_unique UNIQUE
        CONSTRAINT login_code_hash_length CHECK (octet_length(code_hash) = 32),
    code_challenge bytea NOT NULL CONSTRAINT login_code_challenge_length CHECK (octet_length(code_challenge) = 32),
    logged_in_at timestamptz NOT NULL,
    code_expires_at timestamptz NOT NULL CONSTRAINT login_code_expires_later CHECK (code_expires_at > logged_in_at),
    code_used_at timestamptz,
    ended_at timestamptz
);
CREATE INDEX login_account ON login (account_id);
CREATE INDEX login_logged_in_at ON login (logged_in_at);

-- Whom an account stands for at another issuer.
CREATE TABLE oidc_subject (
    issuer text NOT NULL,
    subject text NOT NULL,
    account_id uuid NOT NULL CONSTRAINT oidc_subject_account_fk REFERENCES account,
    CONSTRAINT oidc_subject_unique PRIMARY KEY (issuer, subject)
);
CREATE INDEX oidc_subject_account ON oidc_subject (account_id);

-- A key is published before it signs, and stays published until the last token signed by it has ended.
ALTER TABLE signing_key ADD signs_from timestamptz NOT NULL DEFAULT now();
UPDATE signing_key SET signs_from = created_at;
