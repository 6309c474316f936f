-- A notification is only a hint: behind a pooler that shares sessions nobody hears it, and what was remembered of a
-- disabled account stayed good. So the change is counted too, and servers ask for the count with all other news.
-- One row, from the first change on.
CREATE TABLE access_number (
    only_one boolean PRIMARY KEY DEFAULT true CONSTRAINT access_number_only_one CHECK (only_one),
    changes bigint NOT NULL
);

CREATE OR REPLACE FUNCTION tell_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO access_number AS n (changes) VALUES (1) ON CONFLICT (only_one) DO UPDATE SET changes = n.changes + 1;
    PERFORM pg_notify('pilot_exchange_access', '');
    RETURN NULL;
END $$;
