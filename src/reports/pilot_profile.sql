-- $11 the pilots of outcomes and $12 how those stand, side by side; $13 the pilots, $14 the cities that offer them, $15 their
-- states (null: all).
, hosted AS (
    SELECT h.pilot_id, count(*) AS hostings, count(DISTINCT h.host_city_id) AS host_cities,
        count(*) FILTER (WHERE h.status = 'proposed') AS proposed,
        count(*) FILTER (WHERE h.status NOT IN ('closed', 'cancelled')) AS open,
        count(*) FILTER (WHERE h.status = 'live') AS live,
        count(*) FILTER (WHERE h.status = 'closed') AS closed,
        count(*) FILTER (WHERE h.status = 'cancelled') AS cancelled
    FROM hostings h GROUP BY h.pilot_id
), measured AS (
    SELECT m.pilot_id, count(*) AS outcomes,
        count(*) FILTER (WHERE m.status = 'achieved') AS achieved,
        count(*) FILTER (WHERE m.status = 'on_track') AS on_track,
        count(*) FILTER (WHERE m.status = 'at_risk') AS at_risk,
        count(*) FILTER (WHERE m.status = 'off_track') AS off_track,
        count(*) FILTER (WHERE m.status = 'no_data') AS no_data
    FROM unnest($11::uuid[], $12::text[]) AS m (pilot_id, status) GROUP BY m.pilot_id
), assessed AS (
    SELECT v.pilot_id,
        count(*) FILTER (WHERE v.verdict = 'applicable') AS applicable,
        count(*) FILTER (WHERE v.verdict = 'with_changes') AS with_changes,
        count(*) FILTER (WHERE v.verdict = 'not_readily_applicable') AS not_readily_applicable,
        count(*) FILTER (WHERE v.verdict = 'unknown') AS unknown
    FROM applicability v GROUP BY v.pilot_id
), evaluated AS (
    SELECT e.pilot_id, count(*) AS evaluations, sum(jsonb_array_length(e.lessons)) AS lessons,
        count(*) FILTER (WHERE e.decision = 'scale') AS scale,
        count(*) FILTER (WHERE e.decision = 'adapt') AS adapt,
        count(*) FILTER (WHERE e.decision = 'continue_pilot') AS continue_pilot,
        count(*) FILTER (WHERE e.decision = 'stop') AS stop,
        count(*) FILTER (WHERE e.decision = 'inconclusive') AS inconclusive
    FROM evaluations e GROUP BY e.pilot_id
)
SELECT p.id AS pilot_id, p.title, p.origin_city, c.name AS origin_city_name, p.category, p.areas, p.status, p.trl,
    coalesce(h.hostings, 0) AS hostings,
    coalesce(h.proposed, 0) AS hostings_proposed,
    coalesce(h.open, 0) AS hostings_open,
    coalesce(h.live, 0) AS hostings_live,
    coalesce(h.closed, 0) AS hostings_closed,
    coalesce(h.cancelled, 0) AS hostings_cancelled,
    coalesce(h.host_cities, 0) AS host_cities,
    coalesce(m.outcomes, 0) AS outcomes,
    coalesce(m.achieved, 0) AS outcomes_achieved,
    coalesce(m.on_track, 0) AS outcomes_on_track,
    coalesce(m.at_risk, 0) AS outcomes_at_risk,
    coalesce(m.off_track, 0) AS outcomes_off_track,
    coalesce(m.no_data, 0) AS outcomes_no_data,
    coalesce(v.applicable, 0) AS verdict_applicable,
    coalesce(v.with_changes, 0) AS verdict_with_changes,
    coalesce(v.not_readily_applicable, 0) AS verdict_not_readily_applicable,
    coalesce(v.unknown, 0) AS verdict_unknown,
    coalesce(e.evaluations, 0) AS evaluations,
    coalesce(e.scale, 0) AS decision_scale,
    coalesce(e.adapt, 0) AS decision_adapt,
    coalesce(e.continue_pilot, 0) AS decision_continue_pilot,
    coalesce(e.stop, 0) AS decision_stop,
    coalesce(e.inconclusive, 0) AS decision_inconclusive,
    coalesce(e.lessons, 0) AS lessons
FROM pilots p
JOIN city_view c ON c.id = p.origin_city_id
LEFT JOIN hosted h ON h.pilot_id = p.id
LEFT JOIN measured m ON m.pilot_id = p.id
LEFT JOIN assessed v ON v.pilot_id = p.id
LEFT JOIN evaluated e ON e.pilot_id = p.id
WHERE ($13::uuid[] IS NULL OR p.id = ANY ($13)) AND ($14::uuid[] IS NULL OR p.origin_city_id = ANY ($14))
    AND ($15::text[] IS NULL OR p.status = ANY ($15))
ORDER BY p.title, p.id
