-- One page of hits. The rows of now count; or those of the first page's snapshot, as long as the record may be seen today
-- as well.
-- $1 words; $2 levels of visibility, $3 cities of the caller; $4 types, $5 cities, $6 countries, $7 areas,
-- $8 categories, $9 statuses; $10 $11 $12 circle; $13 snapshot; $14 score and $15 id of the last hit; $16 how many.
WITH hit AS (
    SELECT e.record_id, {score} AS score
    FROM {from} {now}
    WHERE {matches} AND {in_time}
        AND (e.effective_visibility = ANY ($2) OR e.city_ids && $3)
        AND ($4 IS NULL OR e.type = ANY ($4)) AND ($5 IS NULL OR e.names && $5)
        AND ($6 IS NULL OR e.countries && $6) AND ($7 IS NULL OR e.areas && $7)
        AND ($8 IS NULL OR e.category = ANY ($8)) AND ($9 IS NULL OR e.status = ANY ($9))
        AND ($10 IS NULL OR search_near(e.latitudes, e.longitudes, $10, $11, $12))
), page AS (
    SELECT * FROM hit
    WHERE {after}
    ORDER BY score DESC, record_id LIMIT $16
)
SELECT e.type AS type_, e.record_id AS id, e.title, p.score::text AS score, pg_current_snapshot()::text AS snapshot,
    coalesce({snippet}, search_escaped(e.title)) AS snippet
FROM page p JOIN search_entry e ON e.record_id = p.record_id AND e.ended IS NULL
ORDER BY p.score DESC, p.record_id
