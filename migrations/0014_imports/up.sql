-- A file that is to be imported, stored part by part while it arrives. It goes when its job has ended; one that no job
-- came to name goes after an hour.
CREATE TABLE import_file (
    id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE import_chunk (
    file_id uuid NOT NULL CONSTRAINT import_chunk_file_fk REFERENCES import_file ON DELETE CASCADE,
    number integer NOT NULL, -- from 0; all but the last have the same length
    bytes bytea NOT NULL,
    PRIMARY KEY (file_id, number)
);
ALTER TABLE import_chunk ALTER COLUMN bytes SET STORAGE EXTERNAL; -- read once: compressing costs more than it saves

CREATE TABLE import (
    id uuid PRIMARY KEY,
    type text NOT NULL,
    format text NOT NULL CONSTRAINT import_format_values CHECK (format IN ('ndjson', 'csv', 'json')),
    status text NOT NULL DEFAULT 'queued' CONSTRAINT import_status_values CHECK (status IN
        ('queued', 'running', 'done', 'failed', 'cancelled')),
    dry_run boolean NOT NULL,
    atomic boolean NOT NULL,
    account_id uuid NOT NULL CONSTRAINT import_account_fk REFERENCES account,
    file_id uuid CONSTRAINT import_file_fk REFERENCES import_file,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    ended_at timestamptz,
    total integer,
    read integer NOT NULL DEFAULT 0,
    created integer NOT NULL DEFAULT 0,
    updated integer NOT NULL DEFAULT 0,
    unchanged integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    -- Where the first row stands that was not committed: byte of the file, and what is known there.
    position bigint NOT NULL DEFAULT 0,
    line integer NOT NULL DEFAULT 1,
    header text[],
    faults integer NOT NULL DEFAULT 0,
    -- How often a worker took it up at this place; one that never gets on fails at last.
    attempts integer NOT NULL DEFAULT 0,
    -- Which worker is at it, and until when it may be; see src/sync/imports/jobs.rs.
    lease_owner uuid,
    lease_until timestamptz,
    CONSTRAINT import_ended CHECK ((status IN ('done', 'failed', 'cancelled')) = (ended_at IS NOT NULL)),
    CONSTRAINT import_open_has_file CHECK (ended_at IS NOT NULL OR file_id IS NOT NULL),
    CONSTRAINT import_lease_whole CHECK ((lease_owner IS NULL) = (lease_until IS NULL))
);
CREATE INDEX import_account ON import (account_id, id);
CREATE INDEX import_file_of ON import (file_id);
CREATE INDEX import_open ON import (updated_at) WHERE ended_at IS NULL;
CREATE INDEX import_ended ON import (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE import_error (
    import_id uuid NOT NULL CONSTRAINT import_error_import_fk REFERENCES import ON DELETE CASCADE,
    number integer NOT NULL, -- from 0, in the order of the file
    line integer NOT NULL,
    pointer text,
    code text NOT NULL,
    detail text NOT NULL,
    PRIMARY KEY (import_id, number)
);

-- An import as it is answered, with the beginning of its report.
CREATE VIEW import_shown AS
SELECT i.id, i.created_at, i.updated_at, i.started_at, i.ended_at, i.type, i.status, i.dry_run, i.atomic, i.total, i.read,
    i.created, i.updated, i.unchanged, i.failed, i.account_id,
    (SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
            'line', e.line, 'pointer', e.pointer, 'code', e.code, 'detail', e.detail)) ORDER BY e.number), '[]')
     FROM import_error e WHERE e.import_id = i.id AND e.number < 100) AS errors
FROM import i;
COMMENT ON VIEW import_shown IS 'nullable: started_at ended_at total';
