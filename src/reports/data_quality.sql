, weights AS (
    SELECT * FROM unnest($11::text[], $12::bigint[]) AS w (finding, weight)
), facts AS (
    -- What is expected of each record, and whether it is there. A record belongs to one city, or to none.
    SELECT f.finding, f.is_there, c.id AS city_id, 'cities' AS record_type, c.id AS record_id, c.name AS title
    FROM cities c CROSS JOIN LATERAL (VALUES
        ('city_without_population', c.population IS NOT NULL),
        ('city_without_website', c.website IS NOT NULL)) AS f (finding, is_there)
    UNION ALL
    SELECT f.finding, f.is_there, p.origin_city_id, 'pilots', p.id, p.title
    FROM pilots p CROSS JOIN LATERAL (VALUES
        ('pilot_without_summary', p.summary IS NOT NULL),
        ('pilot_without_description', p.description IS NOT NULL),
        ('pilot_without_trl', p.trl IS NOT NULL),
        ('pilot_without_personal_data_statement', p.processes_personal_data IS NOT NULL),
        ('pilot_without_area', p.has_area),
        ('pilot_without_provider', p.has_provider)) AS f (finding, is_there)
    UNION ALL
    SELECT f.finding, f.is_there, h.host_city_id, 'hostings', h.id, NULL
    FROM asked a CROSS JOIN hostings h
    CROSS JOIN LATERAL (SELECT
        h.status NOT IN ('proposed', 'agreed', 'cancelled') AS prepared,
        h.status IN ('live', 'evaluating', 'closed') OR coalesce(h.suspended_from = 'live', false) AS begun,
        h.status IN ('evaluating', 'closed') AS ended) s
    CROSS JOIN LATERAL (VALUES
        ('hosting_without_lead', s.prepared, h.lead_organisation_id IS NOT NULL),
        ('hosting_without_planned_dates', s.prepared, h.planned_start IS NOT NULL AND h.planned_end IS NOT NULL),
        ('hosting_without_actual_start', s.begun, h.actual_start IS NOT NULL),
        ('hosting_without_actual_end', s.ended, h.actual_end IS NOT NULL),
        ('hosting_beyond_planned_end', h.status = 'live' AND h.planned_end IS NOT NULL,
            CASE WHEN h.status = 'live' THEN last_day(h.planned_end) >= a.today END),
        ('hosting_without_outcome', h.status = 'live',
            h.no_outcome_reason IS NOT NULL OR h.id IN (SELECT o.hosting_id FROM outcomes o WHERE o.hosting_id IS NOT NULL)),
        ('hosting_privacy_gate_broken', h.status = 'live', h.id NOT IN (SELECT b.hosting_id FROM broken_gate b)),
        -- A closed one has a decision, whoever sees it, unless it was excused from it.
        ('hosting_without_decision', h.status = 'evaluating' OR h.status = 'closed' AND 'evaluation_with_decision' = ANY (h.guards_waived),
            h.id IN (SELECT e.hosting_id FROM evaluations e WHERE e.decision IS NOT NULL))) AS f (finding, is_expected, is_there)
    WHERE f.is_expected
    UNION ALL
    SELECT f.finding, f.is_there, n.measuring_city_id, 'outcomes', n.id, concat_ws(': ', n.indicator, n.subject_title)
    FROM named n CROSS JOIN LATERAL (VALUES
        ('outcome_without_baseline', n.measure <> 'qualitative' AND n.direction <> 'hold', n.baseline IS NOT NULL),
        ('outcome_without_target', n.measure <> 'qualitative', n.targets <> '{}'),
        ('outcome_without_observation', n.hosting_id IS NULL OR n.hosting_status IN ('live', 'evaluating', 'closed'),
            n.latest IS NOT NULL),
        ('outcome_partition_gap', n.is_partitioned, NOT n.parts_behind)) AS f (finding, is_expected, is_there)
    WHERE f.is_expected
    UNION ALL
    -- Organisations and documents have neither partnerships nor areas nor a time in which they ran.
    SELECT 'organisation_without_kind', o.kind IS NOT NULL, o.city_id, 'organisations', o.id, o.name
    FROM organisation_view o, asked a WHERE num_nonnulls(a.partnerships, a.programmes, a.areas, a.since, a.until) = 0
    UNION ALL
    SELECT 'document_without_licence', d.licence IS NOT NULL, d.city_id, 'documents', d.id, d.title
    FROM document_view d, asked a
    WHERE (d.effective_visibility = ANY (a.levels) OR d.city_ids && a.own)
        AND num_nonnulls(a.partnerships, a.programmes, a.areas, a.since, a.until) = 0
), weighed AS (
    SELECT f.*, w.weight FROM asked a CROSS JOIN facts f JOIN weights w USING (finding)
    WHERE a.cities IS NULL OR f.city_id = ANY (a.cities)
), scores AS (
    SELECT city_id, round(100 * coalesce(sum(weight) FILTER (WHERE is_there), 0) / sum(weight), 1) AS score,
        count(*) AS expected, count(*) FILTER (WHERE NOT is_there) AS missing
    FROM weighed WHERE city_id IS NOT NULL GROUP BY city_id
), titled AS (
    SELECT f.finding, f.weight, f.city_id, f.record_type, f.record_id, coalesce(f.title, p.title || ' in ' || c.name) AS title
    FROM asked a CROSS JOIN weighed f
    LEFT JOIN hostings h ON h.id = f.record_id AND f.record_type = 'hostings'
    LEFT JOIN pilot_view p ON p.id = h.pilot_id AND (p.effective_visibility = ANY (a.levels) OR p.city_ids && a.own)
    LEFT JOIN city_view c ON c.id = h.host_city_id
    WHERE NOT f.is_there
), found AS (
    SELECT t.*, row_number() OVER (PARTITION BY city_id ORDER BY weight DESC, finding, title, record_id) AS priority FROM titled t
    UNION ALL
    SELECT NULL, NULL, s.city_id, 'cities', s.city_id, NULL, NULL FROM scores s WHERE s.missing = 0
)
SELECT coalesce(c.code, c.id::text) AS city, c.name AS city_name, s.score, s.expected, s.missing, f.priority, f.finding,
    NULL::text AS severity, f.weight, NULL::text AS to_do, f.record_type,
    CASE WHEN f.record_type = 'cities' THEN coalesce(c.code, c.id::text) ELSE f.record_id::text END AS record_id,
    coalesce(f.title, c.name) AS title
FROM found f LEFT JOIN scores s ON s.city_id = f.city_id LEFT JOIN city_view c ON c.id = f.city_id
WHERE ($13::text[] IS NULL OR f.finding = ANY ($13)) AND ($14::text[] IS NULL OR f.record_type = ANY ($14))
    AND ($15::uuid[] IS NULL OR f.city_id = ANY ($15)) AND ($16::bigint[] IS NULL OR f.weight = ANY ($16))
ORDER BY c.name, f.city_id, f.priority
