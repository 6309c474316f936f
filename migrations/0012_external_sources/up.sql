-- Whose the sources of external ids are, and where duplicates went.

-- A source of external ids is a namespace: it belongs to the city that used it first, or to the administrators.
CREATE TABLE external_source (
    source text PRIMARY KEY,
    city_id uuid CONSTRAINT external_source_city_fk REFERENCES city,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX external_source_city ON external_source (city_id);
INSERT INTO external_source (source) SELECT DISTINCT source FROM external_id;
ALTER TABLE external_id ADD CONSTRAINT external_id_source_fk FOREIGN KEY (source) REFERENCES external_source;
CREATE INDEX external_id_source ON external_id (source);

-- A duplicate that was merged leads to the record it was merged into.
CREATE TABLE redirect (
    record_id uuid PRIMARY KEY,
    type text NOT NULL,
    into_id uuid NOT NULL CONSTRAINT redirect_into_fk REFERENCES record,
    CONSTRAINT redirect_not_itself CHECK (into_id <> record_id)
);
CREATE INDEX redirect_into ON redirect (into_id);
