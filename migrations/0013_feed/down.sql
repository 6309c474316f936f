CREATE OR REPLACE FUNCTION as_of.cities_of_pilot(the_pilot uuid, origin uuid) RETURNS uuid[] STABLE COST 5000 LANGUAGE plpgsql AS $$
BEGIN
    RETURN (
        SELECT origin || ARRAY(
            SELECT h.host_city_id FROM public.hosting h JOIN public.change c ON c.record_id = h.id AND c.version = 1
            WHERE h.pilot_id = the_pilot AND c.seq <= as_of.position())
    );
END $$;
CREATE OR REPLACE VIEW as_of.revision_at AS
SELECT f.record_id, f.type, r.body, r.kept, r.visibility, r.city_ids
FROM public.revision f
CROSS JOIN LATERAL (
    SELECT c.version FROM public.change c
    WHERE c.record_id = f.record_id AND c.seq <= as_of.position() ORDER BY c.version DESC LIMIT 1
) c
JOIN public.revision r ON r.record_id = f.record_id AND r.version = c.version
WHERE f.version = 1 AND r.op <> 'delete';
DROP FUNCTION change_epoch();
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
    END IF;
    RETURN numbered;
END $$;
DROP FUNCTION is_seen(text, uuid[], text, text[], uuid[], text[]);
DROP TRIGGER organisation_tells_agreements ON organisation;
DROP FUNCTION organisation_tells_agreements();
DROP TRIGGER initiative_tells_heirs ON initiative;
DROP FUNCTION initiative_tells_heirs();
DROP TRIGGER partnership_tells_heirs ON partnership;
DROP FUNCTION partnership_tells_heirs();
DROP FUNCTION tell_heirs_of_partnership(uuid, uuid[]);
DROP TRIGGER hosting_tells_pilot ON hosting;
DROP FUNCTION hosting_tells_pilot();
DROP TRIGGER change_tells_heirs ON change;
DROP FUNCTION change_tells_heirs();
DROP FUNCTION tell_heirs(uuid);
DROP FUNCTION tell_audience(uuid[]);
DROP VIEW audience;
DROP TRIGGER change_remembers_audience ON change;
DROP FUNCTION change_remembers_audience();
DROP FUNCTION audience_told(uuid);
DROP FUNCTION audience_differs(text, uuid[], text, uuid[]);
DROP FUNCTION cities_differ(uuid[], uuid[]);
DROP INDEX change_audience, change_record, change_revision_unique;
-- Numbers that derived changes had are left free: nobody asks for a change by its number.
DELETE FROM change WHERE derived;
ALTER TABLE change DROP COLUMN city_ids_before, DROP COLUMN visibility_before, DROP COLUMN city_ids, DROP COLUMN visibility,
    DROP COLUMN derived;
