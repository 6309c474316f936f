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
    f.pilots, f.hostings, f.proposed, f.open, f.live, f.closed, f.cancelled,
    jsonb_build_object(
        'origin_city', '/v1/cities/' || n.origin_city || replace(a.past, '&', '?'),
        'host_city', '/v1/cities/' || n.host_city || replace(a.past, '&', '?'),
        'pilots', '/v1/reports/hosting-matrix?' || q.pair || a.rest,
        'hostings', q.list || a.rest,
        'proposed', q.list || '&status=proposed' || a.rest,
        'open', q.list || a.open || a.rest,
        'live', q.list || '&status=live' || a.rest,
        'closed', q.list || '&status=closed' || a.rest,
        'cancelled', q.list || '&status=cancelled' || a.rest) AS links
FROM asked a CROSS JOIN flowing f
JOIN city_view o ON o.id = f.origin_city_id JOIN city_view c ON c.id = f.host_city_id
CROSS JOIN LATERAL (SELECT coalesce(o.code, o.id::text) AS origin_city, coalesce(c.code, c.id::text) AS host_city) n
CROSS JOIN LATERAL (SELECT 'origin_city=' || n.origin_city || '&host_city=' || n.host_city AS pair) p
CROSS JOIN LATERAL (SELECT p.pair, '/v1/hostings?count=exact&' || p.pair AS list) q
ORDER BY o.name, o.id, c.name, c.id
