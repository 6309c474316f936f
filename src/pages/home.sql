-- The registry in figures, as anybody may see it. $1 levels of visibility.
WITH hosting AS MATERIALIZED (
    SELECT v.kind, v.status, v.origin_city, v.host_city FROM hosting_view v WHERE v.effective_visibility = ANY ($1)
), pilot AS MATERIALIZED (
    SELECT v.category FROM pilot_view v WHERE v.effective_visibility = ANY ($1)
)
SELECT 'cities' AS what, NULL AS first, NULL AS second, (SELECT count(*) FROM city_view v WHERE v.effective_visibility = ANY ($1)) AS count
UNION ALL
SELECT 'partnerships', NULL, NULL, (SELECT count(*) FROM partnership_view v WHERE v.effective_visibility = ANY ($1))
UNION ALL
SELECT 'pilots', NULL, NULL, (SELECT count(*) FROM pilot)
UNION ALL
SELECT 'exchanges', NULL, NULL, (SELECT count(*) FROM hosting WHERE kind = 'exchange')
UNION ALL
SELECT 'status', status, NULL, count(*) FROM hosting GROUP BY status
UNION ALL
(SELECT 'category', category, NULL, count(*) FROM pilot GROUP BY category ORDER BY 4 DESC, 2)
UNION ALL
(SELECT 'way', origin_city, host_city, count(*) FROM hosting WHERE kind = 'exchange'
 GROUP BY origin_city, host_city ORDER BY 4 DESC, 2, 3 LIMIT 120)
