-- $13 how the outcomes stand.
-- A report has all the filters; a list leads to the records where it has those that were asked for.
, named AS (
    SELECT coalesce((SELECT string_agg('&city=' || coalesce(c.code, c.id::text), '' ORDER BY coalesce(c.code, c.id::text))
                     FROM city_view c WHERE c.id = ANY (a.cities)), '') AS of_cities,
        coalesce((SELECT string_agg('&area=' || one, '') FROM unnest(a.areas) one), '') AS of_areas,
        coalesce((SELECT string_agg('&partnership_id=' || one, '') FROM unnest(a.partnerships) one), '') AS of_partnerships,
        coalesce((SELECT string_agg('&programme_id=' || one, '') FROM unnest(a.programmes) one), '') AS of_programmes,
        coalesce('&assessed_on_from=' || a.since, '') || coalesce('&assessed_on_to=' || a.until, '') AS of_days,
        a.cities IS NULL AS any_city, a.areas IS NULL AS any_area,
        a.partnerships IS NULL AND a.programmes IS NULL AS any_partner
    FROM asked a
), organisations AS (
    SELECT o.id FROM organisation_view o, named n
    WHERE n.any_city AND n.any_partner OR o.city_id IN (SELECT c.id FROM cities c)
), needs AS (
    SELECT v.id, v.status FROM need_view v JOIN cities c ON c.id = v.city_id, asked a
    WHERE a.areas IS NULL OR v.area = ANY (a.areas)
), counted (position, topic, by, value, count) AS (
    SELECT 1, 'cities', NULL, NULL, count(*) FROM cities
    UNION ALL
    SELECT 2, 'organisations', NULL, NULL, count(*) FROM organisations
    UNION ALL
    SELECT 3, 'pilots', NULL, NULL, count(*) FROM pilots
    UNION ALL
    SELECT 4, 'pilots', 'status', status, count(*) FROM pilots GROUP BY status
    UNION ALL
    SELECT 5, 'needs', NULL, NULL, count(*) FROM needs
    UNION ALL
    SELECT 6, 'needs', 'status', status, count(*) FROM needs GROUP BY status
    UNION ALL
    SELECT 7, 'applicability', NULL, NULL, count(*) FROM applicability
    UNION ALL
    SELECT 8, 'applicability', 'verdict', verdict, count(*) FROM applicability GROUP BY verdict
    UNION ALL
    SELECT 9, 'partnerships', NULL, NULL, count(*) FROM partnerships
    UNION ALL
    SELECT 10, 'partnerships', 'status', status, count(*) FROM partnerships GROUP BY status
    UNION ALL
    SELECT 11, 'initiatives', NULL, NULL, count(*) FROM initiatives
    UNION ALL
    SELECT 12, 'initiatives', 'stage', stage, count(*) FROM initiatives GROUP BY stage
    UNION ALL
    SELECT 13, 'activities', NULL, NULL, count(*) FROM activities
    UNION ALL
    SELECT 14, 'activities', 'kind', kind, count(*) FROM activities GROUP BY kind
    UNION ALL
    SELECT 15, 'hostings', NULL, NULL, count(*) FROM hostings
    UNION ALL
    SELECT 16, 'hostings', 'kind', kind, count(*) FROM hostings GROUP BY kind
    UNION ALL
    SELECT 17, 'hostings', 'status', status, count(*) FROM hostings GROUP BY status
    UNION ALL
    SELECT 18, 'outcomes', NULL, NULL, count(*) FROM unnest($13::text[]) status
    UNION ALL
    SELECT 19, 'outcomes', 'progress_status', status, count(*) FROM unnest($13::text[]) status GROUP BY status
    UNION ALL
    SELECT 20, 'evaluations', NULL, NULL, count(*) FROM evaluations
    UNION ALL
    SELECT 21, 'evaluations', 'decision', decision, count(*) FROM evaluations GROUP BY decision
), led AS (
    SELECT c.*, CASE
            WHEN topic = 'cities' THEN '/v1/reports/city-profile?'
            WHEN topic = 'pilots' THEN '/v1/reports/pilot-profile?'
            WHEN topic = 'activities' THEN '/v1/reports/activity-timeline?'
            WHEN topic = 'outcomes' THEN '/v1/reports/progress?'
            WHEN topic = 'hostings' THEN '/v1/hostings?count=exact&'
            WHEN topic = 'organisations' AND n.any_partner THEN '/v1/organisations?count=exact' || n.of_cities || '&'
            WHEN topic = 'needs' AND n.any_partner THEN '/v1/needs?count=exact' || n.of_cities || n.of_areas || '&'
            WHEN topic = 'applicability' AND n.any_city AND n.any_area AND n.any_partner
                THEN '/v1/applicability?count=exact&current=true' || n.of_days || '&'
            WHEN topic = 'partnerships' AND n.of_partnerships = ''
                THEN '/v1/partnerships?count=exact' || replace(n.of_cities, '&city=', '&cities=') || n.of_programmes || '&'
            WHEN topic = 'initiatives' AND n.any_city AND n.of_programmes = ''
                THEN '/v1/initiatives?count=exact' || n.of_partnerships || n.of_areas || '&'
        END || CASE WHEN by IS NULL THEN '' ELSE by || '=' || value END
            || CASE WHEN topic IN ('cities', 'pilots', 'activities', 'outcomes', 'hostings') THEN a.rest ELSE a.past END AS link
    FROM counted c, named n, asked a
)
-- A count of all has no value to ask for: nothing stands before the filters then.
SELECT topic, by, value, count,
    jsonb_strip_nulls(jsonb_build_object('count', rtrim(replace(replace(link, '?&', '?'), '&&', '&'), '?&'))) AS links
FROM led ORDER BY position, value
