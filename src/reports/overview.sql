, counted (position, topic, by, value, count, links) AS (
    SELECT 1, 'cities', NULL, NULL, count(*), NULL::text FROM cities
    UNION ALL
    SELECT 2, 'pilots', NULL, NULL, count(*), NULL FROM pilots
    UNION ALL
    SELECT 3, 'pilots', 'status', status, count(*), NULL FROM pilots GROUP BY status
    UNION ALL
    SELECT 4, 'hostings', NULL, NULL, count(*), '/v1/hostings?count=exact' FROM hostings
    UNION ALL
    SELECT 5, 'hostings', 'kind', kind, count(*), '/v1/hostings?count=exact&kind=' || kind FROM hostings GROUP BY kind
    UNION ALL
    SELECT 6, 'hostings', 'status', status, count(*), '/v1/hostings?count=exact&status=' || status FROM hostings GROUP BY status
)
SELECT topic, by, value, count, jsonb_strip_nulls(jsonb_build_object('count', links || a.rest)) AS links
FROM counted, asked a ORDER BY position, value
