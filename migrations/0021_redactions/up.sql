-- Erasure under privacy law: what was erased is gone from every version, and these rows say that, when, by whom and why.
CREATE TABLE redaction (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    by text NOT NULL CONSTRAINT redaction_by_length CHECK (length(by) BETWEEN 1 AND 200),
    reason text NOT NULL CONSTRAINT redaction_reason_length CHECK (length(reason) BETWEEN 1 AND 500)
);

-- The version that marks it in the history of a record; the last one where the record was deleted before.
CREATE TABLE redaction_mark (
    redaction_id uuid NOT NULL CONSTRAINT redaction_mark_redaction_fk REFERENCES redaction,
    record_id uuid NOT NULL,
    version integer NOT NULL,
    CONSTRAINT redaction_mark_revision_fk FOREIGN KEY (record_id, version) REFERENCES revision (record_id, version),
    PRIMARY KEY (record_id, version, redaction_id)
);
CREATE INDEX redaction_mark_redaction ON redaction_mark (redaction_id);

CREATE TRIGGER redaction_append_only BEFORE UPDATE OR DELETE ON redaction
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER redaction_mark_append_only BEFORE UPDATE OR DELETE ON redaction_mark
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Rows of history are only ever added. A redaction alone replaces what they say, and it says so before each transaction of
-- its own; only the owner may: nobody else has the right to update them.
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('pilot_exchange.redacting', true) = TG_TABLE_NAME THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
