-- The change feed: who may know of a change, changes of that which no revision tells, and the epoch of positions.

-- A record may be seen by others after something else changed: a hosting is never wider than its pilot. Such a change
-- is derived; it has no revision of its own, and says whom the record is for from then on.
ALTER TABLE change
    ADD COLUMN derived boolean NOT NULL DEFAULT false,
    ADD COLUMN visibility text,
    ADD COLUMN city_ids uuid[],
    -- The audience until then, where it became another one; the cities also where only they became others.
    ADD COLUMN visibility_before text,
    ADD COLUMN city_ids_before uuid[],
    ADD CONSTRAINT change_derived_whole
        CHECK (derived = (visibility IS NOT NULL) AND derived = (city_ids IS NOT NULL) AND derived <= (visibility_before IS NOT NULL)),
    ADD CONSTRAINT change_before_whole CHECK (visibility_before IS NULL OR city_ids_before IS NOT NULL);
CREATE UNIQUE INDEX change_revision_unique ON change (record_id, version) WHERE NOT derived;
CREATE INDEX change_record ON change (record_id, id);
CREATE INDEX change_audience ON change (record_id, id) WHERE visibility_before IS NOT NULL;

CREATE FUNCTION cities_differ(a_cities uuid[], b_cities uuid[]) RETURNS boolean IMMUTABLE PARALLEL SAFE LANGUAGE sql
    RETURN NOT (a_cities @> b_cities AND a_cities <@ b_cities);

-- Whether two audiences differ; cities count only for what is private.
CREATE FUNCTION audience_differs(a_visibility text, a_cities uuid[], b_visibility text, b_cities uuid[]) RETURNS boolean
    IMMUTABLE PARALLEL SAFE LANGUAGE sql
    RETURN a_visibility <> b_visibility OR (a_visibility = 'private' AND cities_differ(a_cities, b_cities));

-- Who could see a record last, as far as changes tell.
CREATE FUNCTION audience_told(the_record uuid) RETURNS TABLE (visibility text, city_ids uuid[]) STABLE LANGUAGE sql BEGIN ATOMIC
    SELECT coalesce(c.visibility, r.visibility::text), coalesce(c.city_ids, r.city_ids)
    FROM change c JOIN revision r ON r.record_id = c.record_id AND r.version = c.version
    WHERE c.record_id = the_record ORDER BY c.id DESC LIMIT 1;
END;

CREATE FUNCTION change_remembers_audience() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    told record;
    now_visibility text;
    now_cities uuid[];
BEGIN
    SELECT * INTO told FROM audience_told(NEW.record_id);
    SELECT r.visibility, r.city_ids INTO now_visibility, now_cities
    FROM revision r WHERE r.record_id = NEW.record_id AND r.version = NEW.version;
    IF audience_differs(told.visibility, told.city_ids, now_visibility, now_cities) THEN
        NEW.visibility_before := told.visibility;
        NEW.city_ids_before := told.city_ids;
    ELSIF cities_differ(told.city_ids, now_cities) THEN
        -- Whoever may see it still may; those who follow a city hear that it is involved no more.
        NEW.city_ids_before := told.city_ids;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER change_remembers_audience BEFORE INSERT ON change
    FOR EACH ROW WHEN (NEW.version > 1 AND NOT NEW.derived) EXECUTE FUNCTION change_remembers_audience();

-- Who may see the records whose audience can change.
CREATE VIEW audience AS
SELECT id AS record_id, effective_visibility::text AS visibility, city_ids FROM pilot_view
UNION ALL SELECT id, effective_visibility, city_ids FROM applicability_view
UNION ALL SELECT id, effective_visibility, city_ids FROM hosting_view
UNION ALL SELECT id, effective_visibility, city_ids FROM compliance_view
UNION ALL SELECT id, effective_visibility, city_ids FROM outcome_view
UNION ALL SELECT id, effective_visibility, city_ids FROM observation_view
UNION ALL SELECT id, effective_visibility, city_ids FROM evaluation_view
UNION ALL SELECT id, effective_visibility, city_ids FROM agreement_view;

-- Writes a derived change for those of these records that are for others than was told.
CREATE FUNCTION tell_audience(the_records uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM record r WHERE r.id = ANY (the_records) ORDER BY r.id FOR UPDATE;
    INSERT INTO change (record_id, version, derived, visibility, city_ids, visibility_before, city_ids_before)
    SELECT a.record_id, r.version, true, a.visibility, a.city_ids, t.visibility, t.city_ids
    FROM audience a
    JOIN record r ON r.id = a.record_id
    CROSS JOIN LATERAL audience_told(a.record_id) t
    WHERE a.record_id = ANY (the_records) AND audience_differs(t.visibility, t.city_ids, a.visibility, a.city_ids)
    ORDER BY a.record_id;
END $$;

-- What inherits its audience from a record is told of together with it, at the end of the transaction. The rows on the
-- way are locked step by step, so that whatever is being added below them is either waited for and found, or made after
-- this and told right by its own revision.
CREATE FUNCTION tell_heirs(the_record uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    hostings uuid[];
    outcomes uuid[];
BEGIN
    PERFORM FROM pilot p WHERE p.id = the_record FOR UPDATE;
    -- Whoever writes locks the row of record first.
    PERFORM FROM record r JOIN hosting h USING (id)
    WHERE h.id = the_record OR h.pilot_id = the_record ORDER BY r.id FOR UPDATE OF r;
    PERFORM FROM hosting h WHERE h.id = the_record OR h.pilot_id = the_record ORDER BY h.id FOR UPDATE;
    hostings := ARRAY(SELECT h.id FROM hosting h WHERE h.id = the_record OR h.pilot_id = the_record);
    PERFORM FROM record r JOIN outcome o USING (id)
    WHERE o.id = the_record OR o.pilot_id = the_record OR o.hosting_id = ANY (hostings) ORDER BY r.id FOR UPDATE OF r;
    PERFORM FROM outcome o
    WHERE o.id = the_record OR o.pilot_id = the_record OR o.hosting_id = ANY (hostings) ORDER BY o.id FOR UPDATE;
    outcomes := ARRAY(SELECT o.id FROM outcome o
                      WHERE o.id = the_record OR o.pilot_id = the_record OR o.hosting_id = ANY (hostings));
    PERFORM tell_audience(ARRAY(
        SELECT unnest(hostings || outcomes)
        UNION SELECT h.pilot_id FROM hosting h WHERE h.id = the_record
        UNION SELECT a.id FROM applicability a WHERE a.pilot_id = the_record
        UNION SELECT c.id FROM compliance c WHERE c.hosting_id = ANY (hostings)
        UNION SELECT e.id FROM evaluation e WHERE e.hosting_id = ANY (hostings)
        UNION SELECT o.id FROM observation o WHERE o.outcome_id = ANY (outcomes)
    ));
END $$;

CREATE FUNCTION change_tells_heirs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tell_heirs(NEW.record_id);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER change_tells_heirs AFTER INSERT ON change DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.visibility_before IS NOT NULL AND NOT NEW.derived) EXECUTE FUNCTION change_tells_heirs();

-- The cities of a pilot are its origin and those that host it.
CREATE FUNCTION hosting_tells_pilot() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    the_pilot uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.pilot_id ELSE NEW.pilot_id END;
    outcomes uuid[];
BEGIN
    -- Most pilots are for everybody, and nothing but hostings belongs to them.
    IF EXISTS (SELECT FROM pilot p WHERE p.id = the_pilot AND p.visibility <> 'private')
        AND NOT EXISTS (SELECT FROM outcome o WHERE o.pilot_id = the_pilot) THEN
        RETURN NULL;
    END IF;
    PERFORM FROM record r JOIN outcome o USING (id) WHERE o.pilot_id = the_pilot ORDER BY r.id FOR UPDATE OF r;
    PERFORM FROM outcome o WHERE o.pilot_id = the_pilot ORDER BY o.id FOR UPDATE;
    outcomes := ARRAY(SELECT o.id FROM outcome o WHERE o.pilot_id = the_pilot);
    PERFORM tell_audience(the_pilot || outcomes
        || ARRAY(SELECT o.id FROM observation o WHERE o.outcome_id = ANY (outcomes)));
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER hosting_tells_pilot AFTER INSERT OR DELETE ON hosting DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION hosting_tells_pilot();

-- The cities of a partnership are those of the agreements of its initiatives, and of outcomes about it and about them.
-- The rows of the initiatives are locked here; whoever adds an outcome about the partnership waits for its own row.
CREATE FUNCTION tell_heirs_of_partnership(the_partnership uuid, initiatives uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    outcomes uuid[];
BEGIN
    PERFORM FROM record r WHERE r.id = ANY (initiatives) ORDER BY r.id FOR UPDATE;
    PERFORM FROM initiative i WHERE i.id = ANY (initiatives) ORDER BY i.id FOR UPDATE;
    PERFORM FROM record r JOIN outcome o USING (id)
    WHERE o.partnership_id = the_partnership OR o.initiative_id = ANY (initiatives) ORDER BY r.id FOR UPDATE OF r;
    PERFORM FROM outcome o
    WHERE o.partnership_id = the_partnership OR o.initiative_id = ANY (initiatives) ORDER BY o.id FOR UPDATE;
    outcomes := ARRAY(SELECT o.id FROM outcome o
                      WHERE o.partnership_id = the_partnership OR o.initiative_id = ANY (initiatives));
    PERFORM tell_audience(outcomes
        || ARRAY(SELECT a.id FROM agreement a WHERE a.initiative_id = ANY (initiatives))
        || ARRAY(SELECT o.id FROM observation o WHERE o.outcome_id = ANY (outcomes)));
END $$;

CREATE FUNCTION partnership_tells_heirs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM partnership p WHERE p.id = NEW.id FOR UPDATE;
    PERFORM tell_heirs_of_partnership(NEW.id, ARRAY(SELECT i.id FROM initiative i WHERE i.partnership_id = NEW.id));
    RETURN NULL;
END $$;
-- The set of cities is a column, which the rows of partnership_city follow: one change of it, however many come and go.
CREATE CONSTRAINT TRIGGER partnership_tells_heirs AFTER UPDATE ON partnership DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.city_ids IS DISTINCT FROM NEW.city_ids) EXECUTE FUNCTION partnership_tells_heirs();

CREATE FUNCTION initiative_tells_heirs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tell_heirs_of_partnership(NULL, ARRAY[NEW.id]);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER initiative_tells_heirs AFTER UPDATE ON initiative DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.partnership_id IS DISTINCT FROM NEW.partnership_id) EXECUTE FUNCTION initiative_tells_heirs();

-- The cities of an agreement are also those of the organisations that are parties to it.
CREATE FUNCTION organisation_tells_agreements() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tell_audience(ARRAY(SELECT p.agreement_id FROM agreement_party p WHERE p.organisation_id = NEW.id));
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER organisation_tells_agreements AFTER UPDATE ON organisation DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.city_id IS DISTINCT FROM NEW.city_id) EXECUTE FUNCTION organisation_tells_agreements();

-- Revisions that are there already had their audiences.
UPDATE change c SET city_ids_before = b.city_ids,
    visibility_before = CASE WHEN audience_differs(b.visibility, b.city_ids, r.visibility, r.city_ids) THEN b.visibility END
FROM revision r JOIN revision b ON b.record_id = r.record_id AND b.version = r.version - 1
WHERE r.record_id = c.record_id AND r.version = c.version
    AND (b.visibility <> r.visibility OR cities_differ(b.city_ids, r.city_ids));

-- Whether somebody sees what is for this audience.
CREATE FUNCTION is_seen(visibility text, city_ids uuid[], type text, sees text[], own uuid[], whole text[]) RETURNS boolean
    IMMUTABLE PARALLEL SAFE LANGUAGE sql
    RETURN visibility = ANY (sees) OR city_ids && own OR type = ANY (whole);

-- Numbers are given as before, and those who wait for them are told once for each batch.
CREATE OR REPLACE FUNCTION number_changes(most integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    last change_number;
    numbered integer;
BEGIN
    IF NOT EXISTS (SELECT FROM change WHERE seq IS NULL) THEN
        RETURN 0;
    END IF;
    SELECT * INTO last FROM change_number FOR UPDATE;
    WITH pending AS (
        SELECT c.id, r.at FROM change c JOIN revision r USING (record_id, version)
        WHERE c.seq IS NULL ORDER BY c.id LIMIT most
    ), ordered AS (
        SELECT id, last.seq + row_number() OVER w AS seq, greatest(last.at, max(at) OVER w) AS at
        FROM pending WINDOW w AS (ORDER BY id)
    )
    UPDATE change c SET seq = o.seq, at = o.at FROM ordered o WHERE c.id = o.id;
    GET DIAGNOSTICS numbered = ROW_COUNT;
    IF numbered > 0 THEN
        UPDATE change_number SET seq = last.seq + numbered,
            at = (SELECT c.at FROM change c WHERE c.seq = last.seq + numbered);
        PERFORM pg_notify('pilot_exchange_changes', (last.seq + numbered)::text);
    END IF;
    RETURN numbered;
END $$;

-- Whose numbers these are. A database that was restored, or that came to another timeline, may have given a number to
-- another change; its tables or its cluster are others then, and so is this.
CREATE FUNCTION change_epoch() RETURNS text STABLE LANGUAGE sql AS $$
    SELECT md5(concat_ws('/',
        (SELECT value FROM setting WHERE key = 'epoch'),
        (SELECT system_identifier FROM pg_control_system()),
        (SELECT oid FROM pg_database WHERE datname = current_database()),
        'public.change'::regclass::oid,
        CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id FROM pg_control_checkpoint())::text
             ELSE ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int::text END))
$$;

-- The past, see 0011: the cities involved may have become others after the revision, by a derived change.
CREATE OR REPLACE VIEW as_of.revision_at AS
SELECT f.record_id, f.type, r.body, r.kept, r.visibility, coalesce(c.city_ids, r.city_ids) AS city_ids
FROM public.revision f
CROSS JOIN LATERAL (
    SELECT c.version, c.city_ids FROM public.change c
    WHERE c.record_id = f.record_id AND c.seq <= as_of.position() ORDER BY c.id DESC LIMIT 1
) c
JOIN public.revision r ON r.record_id = f.record_id AND r.version = c.version
WHERE f.version = 1 AND r.op <> 'delete';

-- The cities of a pilot in the past: see 0011; a derived change is not one of its own.
CREATE OR REPLACE FUNCTION as_of.cities_of_pilot(the_pilot uuid, origin uuid) RETURNS uuid[] STABLE COST 5000 LANGUAGE plpgsql AS $$
BEGIN
    RETURN (
        SELECT origin || ARRAY(
            SELECT h.host_city_id FROM public.hosting h
            JOIN public.change c ON c.record_id = h.id AND c.version = 1 AND NOT c.derived
            WHERE h.pilot_id = the_pilot AND c.seq <= as_of.position())
    );
END $$;
