, flowing AS (
    SELECT h.origin_city_id, h.host_city_id, count(DISTINCT h.pilot_id) AS pilots, count(*) AS hostings,
        count(*) FILTER (WHERE h.status = 'proposed') AS proposed,
        count(*) FILTER (WHERE h.status NOT IN ('closed', 'cancelled')) AS open,
        count(*) FILTER (WHERE h.status = 'live') AS live,
        count(*) FILTER (WHERE h.status = 'closed') AS closed,
        count(*) FILTER (WHERE h.status = 'cancelled') AS cancelled
    FROM hostings h WHERE h.kind = 'exchange' GROUP BY h.origin_city_id, h.host_city_id
)
SELECT n.origin_city, o.name AS origin_city_name, o.latitude AS origin_latitude, o.longitude AS origin_longitude,
    n.host_city, c.name AS host_city_name, c.latitude AS host_latitude, c.longitude AS host_longitude,
    f.pilots, f.hostings, f.proposed, f.open, f.live, f.closed, f.cancelled
FROM flowing f
JOIN city_view o ON o.id = f.origin_city_id JOIN city_view c ON c.id = f.host_city_id
CROSS JOIN LATERAL (SELECT coalesce(o.code, o.id::text) AS origin_city, coalesce(c.code, c.id::text) AS host_city) n
ORDER BY o.name, o.id, c.name, c.id
