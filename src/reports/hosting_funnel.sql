-- $11 the kinds of hostings (null: both); $12 the states in the order of life.
, chosen AS (
    SELECT h.id, h.status FROM hostings h WHERE $11::text[] IS NULL OR h.kind = ANY ($11)
), moved AS (
    SELECT t.record_id, t.to_status, t.at - lag(t.at) OVER (PARTITION BY t.record_id ORDER BY t.id) AS since,
        row_number() OVER (PARTITION BY t.record_id, t.to_status ORDER BY t.id) AS time
    FROM transition t JOIN chosen c ON c.id = t.record_id
), reached AS (
    SELECT m.to_status AS status, count(*) AS reached, count(m.since) AS timed,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM m.since)::double precision) AS seconds
    FROM moved m WHERE m.time = 1 GROUP BY m.to_status
), standing AS (
    SELECT c.status, count(*) AS now FROM chosen c GROUP BY c.status
)
SELECT s.status, coalesce(n.now, 0) AS now, coalesce(r.reached, 0) AS reached,
    trim_scale(round((r.seconds / 86400)::numeric, 1)) AS median_days, coalesce(r.timed, 0) AS timed
FROM unnest($12::text[]) WITH ORDINALITY AS s (status, place)
LEFT JOIN standing n ON n.status = s.status
LEFT JOIN reached r ON r.status = s.status
ORDER BY s.place
