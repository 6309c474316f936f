-- $11 the cities that measure outcomes and $12 how those stand, side by side.
, hosted AS (
    SELECT h.host_city_id AS city_id, count(*) AS hostings, count(*) FILTER (WHERE h.kind = 'exchange') AS exchanges,
        count(*) FILTER (WHERE h.status = 'proposed') AS proposed,
        count(*) FILTER (WHERE h.status NOT IN ('closed', 'cancelled')) AS open,
        count(*) FILTER (WHERE h.status = 'live') AS live,
        count(*) FILTER (WHERE h.status = 'closed') AS closed,
        count(*) FILTER (WHERE h.status = 'cancelled') AS cancelled
    FROM hostings h GROUP BY h.host_city_id
), lent AS (
    SELECT h.origin_city_id AS city_id, count(*) AS exchanges FROM hostings h WHERE h.kind = 'exchange' GROUP BY h.origin_city_id
), offered AS (
    SELECT p.origin_city_id AS city_id, count(*) AS pilots FROM pilots p GROUP BY p.origin_city_id
), joined AS (
    SELECT one AS city, count(*) AS partnerships FROM partnerships s, unnest(s.cities) one GROUP BY one
), needed AS (
    SELECT n.city_id, count(*) AS needs FROM need_view n, asked a
    WHERE n.status = 'open' AND (a.areas IS NULL OR n.area = ANY (a.areas)) GROUP BY n.city_id
), measured AS (
    SELECT m.city_id, count(*) AS outcomes,
        count(*) FILTER (WHERE m.status = 'achieved') AS achieved,
        count(*) FILTER (WHERE m.status = 'on_track') AS on_track,
        count(*) FILTER (WHERE m.status = 'at_risk') AS at_risk,
        count(*) FILTER (WHERE m.status = 'off_track') AS off_track,
        count(*) FILTER (WHERE m.status = 'no_data') AS no_data
    FROM unnest($11::uuid[], $12::text[]) AS m (city_id, status) GROUP BY m.city_id
), evaluated AS (
    SELECT e.host_city_id AS city_id, count(*) AS evaluations, sum(jsonb_array_length(e.lessons)) AS lessons
    FROM evaluations e GROUP BY e.host_city_id
)
SELECT c.city, c.name, c.country, c.population::bigint AS population,
    coalesce(o.pilots, 0) AS pilots,
    coalesce(h.hostings, 0) AS hostings,
    coalesce(h.proposed, 0) AS hostings_proposed,
    coalesce(h.open, 0) AS hostings_open,
    coalesce(h.live, 0) AS hostings_live,
    coalesce(h.closed, 0) AS hostings_closed,
    coalesce(h.cancelled, 0) AS hostings_cancelled,
    coalesce(h.exchanges, 0) AS exchanges_in,
    coalesce(t.exchanges, 0) AS exchanges_out,
    coalesce(j.partnerships, 0) AS partnerships,
    coalesce(n.needs, 0) AS needs_open,
    coalesce(m.outcomes, 0) AS outcomes,
    coalesce(m.achieved, 0) AS outcomes_achieved,
    coalesce(m.on_track, 0) AS outcomes_on_track,
    coalesce(m.at_risk, 0) AS outcomes_at_risk,
    coalesce(m.off_track, 0) AS outcomes_off_track,
    coalesce(m.no_data, 0) AS outcomes_no_data,
    coalesce(e.evaluations, 0) AS evaluations,
    coalesce(e.lessons, 0) AS lessons
FROM cities c
LEFT JOIN hosted h ON h.city_id = c.id
LEFT JOIN lent t ON t.city_id = c.id
LEFT JOIN offered o ON o.city_id = c.id
LEFT JOIN joined j ON j.city = c.city
LEFT JOIN needed n ON n.city_id = c.id
LEFT JOIN measured m ON m.city_id = c.id
LEFT JOIN evaluated e ON e.city_id = c.id
ORDER BY c.name, c.id
