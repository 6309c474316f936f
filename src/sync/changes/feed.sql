-- Changes after $1 that somebody may know of: $2 visibilities that they see, $3 their cities, $4 collections that they
-- see all of. $5 collections and $6 cities that are wanted; at most $7, among the next $8.
WITH reach AS (
    SELECT least($1 + $8, (SELECT seq FROM change_number)) AS until
), near AS (
    SELECT c.*, r.type, r.op, r.at AS made_at, r.account_id, r.acting_city_id,
        coalesce(c.visibility, r.visibility) AS visibility_then, coalesce(c.city_ids, r.city_ids) AS cities_then
    FROM change c
    JOIN revision r ON r.record_id = c.record_id AND r.version = c.version
    WHERE c.seq > $1 AND c.seq <= (SELECT until FROM reach)
        AND ($5::text[] IS NULL OR r.type = ANY ($5))
        AND ($6::uuid[] IS NULL OR coalesce(c.city_ids, r.city_ids) && $6 OR c.city_ids_before && $6)
), judged AS (
    SELECT n.*, s.sees,
        CASE WHEN n.visibility_before IS NULL THEN s.sees
             ELSE is_seen(n.visibility_before, n.city_ids_before, n.type, $2, $3, $4) END AS saw
    FROM near n
    CROSS JOIN LATERAL (SELECT is_seen(n.visibility_then, n.cities_then, n.type, $2, $3, $4) AS sees) s
), told AS (
    SELECT j.* FROM judged j
    WHERE (j.sees <> j.saw OR (j.sees AND NOT j.derived))
        -- What is hidden today was hidden at a later change, which tells that it is gone.
        AND (NOT j.sees OR coalesce((
            SELECT is_seen(coalesce(l.visibility, r.visibility), coalesce(l.city_ids, r.city_ids), j.type, $2, $3, $4)
            FROM change l JOIN revision r ON r.record_id = l.record_id AND r.version = l.version
            WHERE l.record_id = j.record_id AND l.visibility_before IS NOT NULL AND l.id > j.id
            ORDER BY l.id DESC LIMIT 1), true))
    ORDER BY j.seq LIMIT $7
)
SELECT x.until, t.seq, t.type AS collection, t.record_id,
    CASE WHEN NOT t.sees THEN 'delete' WHEN NOT t.saw AND t.op = 'update' THEN 'create' ELSE t.op END AS op,
    t.version, CASE WHEN t.derived THEN t.at ELSE t.made_at END AS at,
    CASE WHEN NOT t.derived THEN a.client_id END AS client_id,
    CASE WHEN NOT t.derived THEN coalesce(c.code, t.acting_city_id::text) END AS city
FROM reach x
LEFT JOIN told t ON true
LEFT JOIN account a ON a.id = t.account_id
LEFT JOIN city c ON c.id = t.acting_city_id
ORDER BY t.seq
