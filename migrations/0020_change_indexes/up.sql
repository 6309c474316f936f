-- A change is written twice: when it is made and when it is numbered, and each time in every index, since its number is
-- in some of them. So there are no more indexes than are needed.

-- One for the changes of a record, instead of one by version and one by id: in either order they are the same.
CREATE INDEX change_history ON change (record_id, version, id);
DROP INDEX change_revision;
DROP INDEX change_record;

-- What has no number yet has no place in the index of numbers.
ALTER TABLE change DROP CONSTRAINT change_seq_unique;
CREATE UNIQUE INDEX change_seq_unique ON change (seq) WHERE seq IS NOT NULL;

-- In the order of the index: see 0013.
CREATE OR REPLACE VIEW as_of.revision_at AS
SELECT f.record_id, f.type, r.body, r.kept, r.visibility, coalesce(c.city_ids, r.city_ids) AS city_ids
FROM public.revision f
CROSS JOIN LATERAL (
    SELECT c.version, c.city_ids FROM public.change c
    WHERE c.record_id = f.record_id AND c.seq <= as_of.position() ORDER BY c.version DESC, c.id DESC LIMIT 1
) c
JOIN public.revision r ON r.record_id = f.record_id AND r.version = c.version
WHERE f.version = 1 AND r.op <> 'delete';

CREATE OR REPLACE FUNCTION audience_told(the_record uuid) RETURNS TABLE (visibility text, city_ids uuid[]) STABLE LANGUAGE sql BEGIN ATOMIC
    SELECT coalesce(c.visibility, r.visibility::text), coalesce(c.city_ids, r.city_ids)
    FROM change c JOIN revision r ON r.record_id = c.record_id AND r.version = c.version
    WHERE c.record_id = the_record ORDER BY c.version DESC, c.id DESC LIMIT 1;
END;
