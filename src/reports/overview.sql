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
    WHERE n.any_city AND n.any_partner OR o.city IN (SELECT c.city FROM cities c)
), needs AS (
    SELECT v.id, v.status FROM need_view v JOIN cities c ON c.id = v.city_id, asked a
    WHERE a.areas IS NULL OR v.area = ANY (a.areas)
), counted (position, topic, by, value, count) AS (
    -- Each in one pass: of all, then by member.
    SELECT 1, 'cities', NULL, NULL, count(*) FROM cities
    UNION ALL
    SELECT 2, 'organisations', NULL, NULL, count(*) FROM organisations
    UNION ALL
    SELECT 3, 'pilots', CASE WHEN grouping(status) = 0 THEN 'status' END, status, count(*)
    FROM pilots GROUP BY GROUPING SETS ((), (status))
    UNION ALL
    SELECT 4, 'needs', CASE WHEN grouping(status) = 0 THEN 'status' END, status, count(*)
    FROM needs GROUP BY GROUPING SETS ((), (status))
    UNION ALL
    SELECT 5, 'applicability', CASE WHEN grouping(verdict) = 0 THEN 'verdict' END, verdict, count(*)
    FROM applicability GROUP BY GROUPING SETS ((), (verdict))
    UNION ALL
    SELECT 6, 'partnerships', CASE WHEN grouping(status) = 0 THEN 'status' END, status, count(*)
    FROM partnerships GROUP BY GROUPING SETS ((), (status))
    UNION ALL
    SELECT 7, 'initiatives', CASE WHEN grouping(stage) = 0 THEN 'stage' END, stage, count(*)
    FROM initiatives GROUP BY GROUPING SETS ((), (stage))
    UNION ALL
    SELECT 8, 'activities', CASE WHEN grouping(kind) = 0 THEN 'kind' END, kind, count(*)
    FROM activities GROUP BY GROUPING SETS ((), (kind))
    UNION ALL
    SELECT 9, 'hostings', CASE WHEN grouping(kind) = 0 THEN 'kind' WHEN grouping(status) = 0 THEN 'status' END, coalesce(kind, status),
        count(*)
    FROM hostings GROUP BY GROUPING SETS ((), (kind), (status))
    UNION ALL
    SELECT 10, 'outcomes', CASE WHEN grouping(status) = 0 THEN 'progress_status' END, status, count(*)
    FROM unnest($13::text[]) status GROUP BY GROUPING SETS ((), (status))
    UNION ALL
    SELECT 11, 'evaluations', CASE WHEN grouping(decision) = 0 THEN 'decision' END, decision, count(*) FROM evaluations
    GROUP BY GROUPING SETS ((), (decision))
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
FROM led ORDER BY position, by NULLS FIRST, value
