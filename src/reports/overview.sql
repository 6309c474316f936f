-- $11 how the outcomes stand.
, organisations AS (
    SELECT o.id FROM organisation_view o, asked a
    WHERE num_nonnulls(a.cities, a.partnerships, a.programmes) = 0 OR o.city IN (SELECT c.city FROM cities c)
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
    FROM unnest($11::text[]) status GROUP BY GROUPING SETS ((), (status))
    UNION ALL
    SELECT 11, 'evaluations', CASE WHEN grouping(decision) = 0 THEN 'decision' END, decision, count(*) FROM evaluations
    GROUP BY GROUPING SETS ((), (decision))
)
SELECT topic, by, value, count FROM counted ORDER BY position, by NULLS FIRST, value
