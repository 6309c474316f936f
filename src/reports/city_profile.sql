-- $13 the cities that measure outcomes and $14 how those stand, side by side.
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
    FROM unnest($13::uuid[], $14::text[]) AS m (city_id, status) GROUP BY m.city_id
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
    coalesce(e.lessons, 0) AS lessons,
    jsonb_strip_nulls(jsonb_build_object(
        'city', '/v1/cities/' || c.city || replace(a.past, '&', '?'),
        'name', '/v1/cities/' || c.city || replace(a.past, '&', '?'),
        'pilots', '/v1/reports/pilot-profile?origin_city=' || c.city || a.rest,
        'hostings', l.hostings || a.rest,
        'hostings_proposed', l.hostings || '&status=proposed' || a.rest,
        'hostings_open', l.hostings || a.open || a.rest,
        'hostings_live', l.hostings || '&status=live' || a.rest,
        'hostings_closed', l.hostings || '&status=closed' || a.rest,
        'hostings_cancelled', l.hostings || '&status=cancelled' || a.rest,
        'exchanges_in', l.hostings || '&kind=exchange' || a.rest,
        'exchanges_out', '/v1/hostings?count=exact&kind=exchange&origin_city=' || c.city || a.rest,
        -- Their list does not take ids.
        'partnerships', CASE WHEN a.partnerships IS NULL
            THEN '/v1/partnerships?count=exact&cities=' || c.city || l.of_programmes || a.past END,
        'needs_open', '/v1/needs?count=exact&status=open&city=' || c.city || l.of_areas || a.past,
        'outcomes', l.outcomes || a.rest,
        'outcomes_achieved', l.outcomes || '&progress_status=achieved' || a.rest,
        'outcomes_on_track', l.outcomes || '&progress_status=on_track' || a.rest,
        'outcomes_at_risk', l.outcomes || '&progress_status=at_risk' || a.rest,
        'outcomes_off_track', l.outcomes || '&progress_status=off_track' || a.rest,
        'outcomes_no_data', l.outcomes || '&progress_status=no_data' || a.rest)) AS links
FROM asked a CROSS JOIN cities c
CROSS JOIN LATERAL (
    SELECT '/v1/hostings?count=exact&host_city=' || c.city AS hostings,
        '/v1/reports/progress?measuring_city=' || c.city AS outcomes,
        coalesce((SELECT string_agg('&programme_id=' || one, '') FROM unnest(a.programmes) one), '') AS of_programmes,
        coalesce((SELECT string_agg('&area=' || one, '') FROM unnest(a.areas) one), '') AS of_areas
) l
LEFT JOIN hosted h ON h.city_id = c.id
LEFT JOIN lent t ON t.city_id = c.id
LEFT JOIN offered o ON o.city_id = c.id
LEFT JOIN joined j ON j.city = c.city
LEFT JOIN needed n ON n.city_id = c.id
LEFT JOIN measured m ON m.city_id = c.id
LEFT JOIN evaluated e ON e.city_id = c.id
ORDER BY c.name, c.id
