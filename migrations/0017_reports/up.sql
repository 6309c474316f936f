-- Reports of the past: what they read beside the views of records.

-- The moves that had been made at the position. Each move is a change of its record, whose version before it was in
-- another state; so they are told by the versions, also those of a record that was deleted since with its moves.
-- They have what figures are made of: neither reasons nor names. Columns are those of the table, to the letter.
CREATE VIEW as_of.transition AS
SELECT r.version::bigint AS id, r.record_id, coalesce(b.body ->> 'status', b.body ->> 'stage') AS from_status,
    coalesce(r.body ->> 'status', r.body ->> 'stage') AS to_status, r.at
FROM public.revision r
JOIN public.change c ON c.record_id = r.record_id AND c.version = r.version AND NOT c.derived
LEFT JOIN public.revision b ON b.record_id = r.record_id AND b.version = r.version - 1
WHERE c.seq <= as_of.position() AND r.op <> 'delete' AND r.type IN ('hostings', 'initiatives', 'observations')
    AND coalesce(r.body ->> 'status', r.body ->> 'stage') IS DISTINCT FROM coalesce(b.body ->> 'status', b.body ->> 'stage');

-- When an outcome was told last: what is overdue, in the inbox and in its report.
CREATE INDEX observation_told ON observation (outcome_id, last_day(ends_on)) WHERE status IN ('submitted', 'verified');
