-- $11 the pilots, $12 the cities that offer them and $13 those that host them; null: all.
, paired AS (
    -- At most one hosting of a pair is open; without it the newest one, whose id is the last, tells how it ended.
    SELECT h.id, h.pilot_id, h.origin_city_id, h.host_city_id, h.kind, h.status, count(*) OVER pair AS hostings,
        row_number() OVER (pair ORDER BY h.status IN ('closed', 'cancelled'), h.id DESC) AS place
    FROM hostings h
    WHERE ($11::uuid[] IS NULL OR h.pilot_id = ANY ($11)) AND ($12::uuid[] IS NULL OR h.origin_city_id = ANY ($12))
        AND ($13::uuid[] IS NULL OR h.host_city_id = ANY ($13))
    WINDOW pair AS (PARTITION BY h.pilot_id, h.host_city_id)
)
SELECT r.pilot_id, p.title AS pilot, n.origin_city, o.name AS origin_city_name, n.host_city, c.name AS host_city_name,
    r.kind, r.status, r.id AS hosting_id, r.hostings
FROM asked a CROSS JOIN paired r
JOIN city_view o ON o.id = r.origin_city_id JOIN city_view c ON c.id = r.host_city_id
CROSS JOIN LATERAL (SELECT coalesce(o.code, o.id::text) AS origin_city, coalesce(c.code, c.id::text) AS host_city) n
LEFT JOIN pilot_view p ON p.id = r.pilot_id AND (p.effective_visibility = ANY (a.levels) OR p.city_ids && a.own)
WHERE r.place = 1
ORDER BY p.title, r.pilot_id, c.name, c.id
