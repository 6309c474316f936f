-- $13 the pilots, $14 the cities that offer them and $15 those that host them; null: all.
, paired AS (
    -- At most one hosting of a pair is open; without it the newest one tells how it ended.
    SELECT DISTINCT ON (h.pilot_id, h.host_city_id) h.id, h.pilot_id, h.origin_city_id, h.host_city_id, h.kind, h.status,
        count(*) OVER (PARTITION BY h.pilot_id, h.host_city_id) AS hostings
    FROM hostings h
    WHERE ($13::uuid[] IS NULL OR h.pilot_id = ANY ($13)) AND ($14::uuid[] IS NULL OR h.origin_city_id = ANY ($14))
        AND ($15::uuid[] IS NULL OR h.host_city_id = ANY ($15))
    ORDER BY h.pilot_id, h.host_city_id, h.status IN ('closed', 'cancelled'), h.created_at DESC, h.id DESC
)
SELECT r.pilot_id, p.title AS pilot, n.origin_city, o.name AS origin_city_name, n.host_city, c.name AS host_city_name,
    r.kind, r.status, r.id AS hosting_id, r.hostings,
    jsonb_build_object(
        'pilot_id', '/v1/pilots/' || r.pilot_id || q.past, 'pilot', '/v1/pilots/' || r.pilot_id || q.past,
        'origin_city', '/v1/cities/' || n.origin_city || q.past, 'host_city', '/v1/cities/' || n.host_city || q.past,
        'status', '/v1/hostings/' || r.id || q.past, 'hosting_id', '/v1/hostings/' || r.id || q.past,
        'hostings', '/v1/hostings?count=exact&pilot_id=' || r.pilot_id || '&host_city=' || n.host_city || a.rest) AS links
FROM asked a CROSS JOIN LATERAL (SELECT replace(a.past, '&', '?') AS past) q CROSS JOIN paired r
JOIN city_view o ON o.id = r.origin_city_id JOIN city_view c ON c.id = r.host_city_id
CROSS JOIN LATERAL (SELECT coalesce(o.code, o.id::text) AS origin_city, coalesce(c.code, c.id::text) AS host_city) n
LEFT JOIN pilot_view p ON p.id = r.pilot_id AND (p.effective_visibility = ANY (a.levels) OR p.city_ids && a.own)
ORDER BY p.title, r.pilot_id, c.name, c.id
