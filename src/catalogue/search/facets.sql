-- Hits counted by each facet as if it were not filtered by itself: a hit counts where all other filters take it.
-- $1 to $12 as on a page; $13 how many hits at most.
WITH hit AS MATERIALIZED (
    SELECT e.type, e.cities, e.countries, e.areas, e.category, e.status, f.*
    FROM {from}
    CROSS JOIN LATERAL (SELECT
        $4 IS NULL OR e.type = ANY ($4) AS of_type,
        $5 IS NULL OR e.names && $5 AS of_city,
        $6 IS NULL OR e.countries && $6 AS of_country,
        $7 IS NULL OR e.areas && $7 AS of_area,
        $8 IS NULL OR coalesce(e.category = ANY ($8), false) AS of_category,
        $9 IS NULL OR coalesce(e.status = ANY ($9), false) AS of_status
    ) f
    WHERE {matches} AND e.ended IS NULL
        AND (e.effective_visibility = ANY ($2) OR e.city_ids && $3)
        AND ($10 IS NULL OR search_near(e.latitudes, e.longitudes, $10, $11, $12))
        AND (NOT of_type)::int + (NOT of_city)::int + (NOT of_country)::int + (NOT of_area)::int
            + (NOT of_category)::int + (NOT of_status)::int <= 1
    LIMIT $13
)
SELECT NULL AS facet, NULL AS value, count(*) AS count FROM hit
UNION ALL
SELECT 'type', type, count(*) FROM hit
WHERE of_city AND of_country AND of_area AND of_category AND of_status GROUP BY type
UNION ALL
SELECT 'city', value, count(*) FROM hit, unnest(cities) value
WHERE of_type AND of_country AND of_area AND of_category AND of_status GROUP BY value
UNION ALL
SELECT 'country', value, count(*) FROM hit, unnest(countries) value
WHERE of_type AND of_city AND of_area AND of_category AND of_status GROUP BY value
UNION ALL
SELECT 'area', value, count(*) FROM hit, unnest(areas) value
WHERE of_type AND of_city AND of_country AND of_category AND of_status GROUP BY value
UNION ALL
SELECT 'category', category, count(*) FROM hit
WHERE category IS NOT NULL AND of_type AND of_city AND of_country AND of_area AND of_status GROUP BY category
UNION ALL
SELECT 'status', status, count(*) FROM hit
WHERE status IS NOT NULL AND of_type AND of_city AND of_country AND of_area AND of_category GROUP BY status
ORDER BY facet, count DESC, value
