-- What every record shares, the history of all of them, and the small functions the other tables build on.

-- A date that is known to the year, the month or the day; the text keeps the precision.
-- Bodies in the SQL standard's form are bound when they are made, so that a restore with an empty search path works.
CREATE FUNCTION first_day(partial text) RETURNS date IMMUTABLE PARALLEL SAFE LANGUAGE sql
    RETURN make_date(left(partial, 4)::int,
                     coalesce(nullif(substr(partial, 6, 2), '')::int, 1),
                     coalesce(nullif(substr(partial, 9, 2), '')::int, 1));

-- A date without a day counts as the last day it can mean.
CREATE FUNCTION last_day(partial text) RETURNS date IMMUTABLE PARALLEL SAFE LANGUAGE sql
    RETURN CASE length(partial)
        WHEN 4 THEN make_date(partial::int, 12, 31)
        WHEN 7 THEN (first_day(partial) + interval '1 month' - interval '1 day')::date
        ELSE first_day(partial)
    END;

CREATE DOMAIN partial_date AS text
    CONSTRAINT partial_date_format CHECK (VALUE ~ '^\d{4}(-\d\d(-\d\d)?)?$'
        AND first_day(VALUE) BETWEEN '1800-01-01' AND '2200-12-31');

CREATE DOMAIN visibility AS text
    CONSTRAINT visibility_values CHECK (VALUE IN ('public', 'partners', 'private'));

-- Along a chain of records the strictest visibility wins; NULL counts for nothing.
CREATE FUNCTION strictest(a text, b text) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql
    RETURN CASE WHEN 'private' IN (a, b) THEN 'private' WHEN 'partners' IN (a, b) THEN 'partners' ELSE 'public' END;

CREATE TABLE record (
    id uuid PRIMARY KEY,
    type text NOT NULL,
    version integer NOT NULL DEFAULT 1 CONSTRAINT record_version_positive CHECK (version > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    language text NOT NULL DEFAULT 'en',
    translations jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT record_id_type_unique UNIQUE (id, type)
);
CREATE INDEX record_updated_at ON record (type, updated_at, id);

CREATE TABLE external_id (
    record_id uuid NOT NULL,
    type text NOT NULL,
    source text NOT NULL,
    value text NOT NULL,
    CONSTRAINT external_id_record_fk FOREIGN KEY (record_id, type) REFERENCES record (id, type) ON DELETE CASCADE,
    CONSTRAINT external_id_unique PRIMARY KEY (type, source, value)
);
CREATE INDEX external_id_record ON external_id (record_id, type);

-- What a record looked like after each change of it. Rows are only ever added.
CREATE TABLE revision (
    record_id uuid NOT NULL,
    version integer NOT NULL,
    type text NOT NULL,
    op text NOT NULL CONSTRAINT revision_op_values CHECK (op IN ('create', 'update', 'delete')),
    body jsonb NOT NULL,
    visibility visibility NOT NULL,
    city_ids uuid[] NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    account_id uuid,
    acting_city_id uuid,
    as_administrator boolean NOT NULL DEFAULT false,
    PRIMARY KEY (record_id, version)
);

-- One row per revision, in the same transaction; `seq` is given after commit by the sequencer.
CREATE TABLE change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    record_id uuid NOT NULL,
    version integer NOT NULL,
    seq bigint CONSTRAINT change_seq_unique UNIQUE,
    CONSTRAINT change_revision_fk FOREIGN KEY (record_id, version) REFERENCES revision (record_id, version)
);
CREATE INDEX change_revision ON change (record_id, version);
CREATE INDEX change_unsequenced ON change (id) WHERE seq IS NULL;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER revision_append_only BEFORE UPDATE OR DELETE ON revision
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Facts about this registry itself: which data sets it has loaded, its epoch.
CREATE TABLE setting (
    key text PRIMARY KEY,
    value jsonb NOT NULL
);
INSERT INTO setting VALUES ('epoch', to_jsonb(gen_random_uuid()));
