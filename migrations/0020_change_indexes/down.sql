CREATE OR REPLACE FUNCTION audience_told(the_record uuid) RETURNS TABLE (visibility text, city_ids uuid[]) STABLE LANGUAGE sql BEGIN ATOMIC
    SELECT coalesce(c.visibility, r.visibility::text), coalesce(c.city_ids, r.city_ids)
    FROM change c JOIN revision r ON r.record_id = c.record_id AND r.version = c.version
    WHERE c.record_id = the_record ORDER BY c.id DESC LIMIT 1;
END;
CREATE OR REPLACE VIEW as_of.revision_at AS
SELECT f.record_id, f.type, r.body, r.kept, r.visibility, coalesce(c.city_ids, r.city_ids) AS city_ids
FROM public.revision f
CROSS JOIN LATERAL (
    SELECT c.version, c.city_ids FROM public.change c
    WHERE c.record_id = f.record_id AND c.seq <= as_of.position() ORDER BY c.id DESC LIMIT 1
) c
JOIN public.revision r ON r.record_id = f.record_id AND r.version = c.version
WHERE f.version = 1 AND r.op <> 'delete';
DROP INDEX change_seq_unique;
ALTER TABLE change ADD CONSTRAINT change_seq_unique UNIQUE (seq);
CREATE INDEX change_record ON change (record_id, id);
CREATE INDEX change_revision ON change (record_id, version);
DROP INDEX change_history;
