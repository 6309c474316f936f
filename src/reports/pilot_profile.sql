-- $13 the pilots of outcomes and $14 how those stand, side by side; $15 the pilots, $16 the cities that offer them, $17 their
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
    FROM unnest($13::uuid[], $14::text[]) AS m (pilot_id, status) GROUP BY m.pilot_id
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
    coalesce(e.lessons, 0) AS lessons,
    jsonb_strip_nulls(jsonb_build_object(
        'pilot_id', '/v1/pilots/' || p.id || replace(a.past, '&', '?'),
        'title', '/v1/pilots/' || p.id || replace(a.past, '&', '?'),
        'origin_city', '/v1/cities/' || p.origin_city || replace(a.past, '&', '?'),
        'hostings', l.hostings || a.rest,
        'hostings_proposed', l.hostings || '&status=proposed' || a.rest,
        'hostings_open', l.hostings || a.open || a.rest,
        'hostings_live', l.hostings || '&status=live' || a.rest,
        'hostings_closed', l.hostings || '&status=closed' || a.rest,
        'hostings_cancelled', l.hostings || '&status=cancelled' || a.rest,
        'host_cities', '/v1/reports/hosting-matrix?pilot_id=' || p.id || a.rest,
        'outcomes', l.outcomes || a.rest,
        'outcomes_achieved', l.outcomes || '&progress_status=achieved' || a.rest,
        'outcomes_on_track', l.outcomes || '&progress_status=on_track' || a.rest,
        'outcomes_at_risk', l.outcomes || '&progress_status=at_risk' || a.rest,
        'outcomes_off_track', l.outcomes || '&progress_status=off_track' || a.rest,
        'outcomes_no_data', l.outcomes || '&progress_status=no_data' || a.rest,
        'verdict_applicable', l.fits || '&verdict=applicable' || a.past,
        'verdict_with_changes', l.fits || '&verdict=with_changes' || a.past,
        'verdict_not_readily_applicable', l.fits || '&verdict=not_readily_applicable' || a.past,
        'verdict_unknown', l.fits || '&verdict=unknown' || a.past,
        'lessons', '/v1/reports/lessons?pilot_id=' || p.id || a.rest)) AS links
FROM asked a CROSS JOIN pilots p
JOIN city_view c ON c.id = p.origin_city_id
CROSS JOIN LATERAL (
    SELECT '/v1/hostings?count=exact&pilot_id=' || p.id AS hostings, '/v1/reports/progress?pilot_id=' || p.id AS outcomes,
        -- Assessments are narrowed by what is about the pilot itself, which holds here, and by days, which their list has.
        CASE WHEN a.partnerships IS NULL AND a.programmes IS NULL
             THEN '/v1/applicability?count=exact&current=true&pilot_id=' || p.id || coalesce('&assessed_on_from=' || a.since, '')
                || coalesce('&assessed_on_to=' || a.until, '') END AS fits
) l
LEFT JOIN hosted h ON h.pilot_id = p.id
LEFT JOIN measured m ON m.pilot_id = p.id
LEFT JOIN assessed v ON v.pilot_id = p.id
LEFT JOIN evaluated e ON e.pilot_id = p.id
WHERE ($15::uuid[] IS NULL OR p.id = ANY ($15)) AND ($16::uuid[] IS NULL OR p.origin_city_id = ANY ($16))
    AND ($17::text[] IS NULL OR p.status = ANY ($17))
ORDER BY p.title, p.id
