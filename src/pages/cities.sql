-- Cities in order of name, with what anybody may see that they offer and host. $1 levels of visibility; $2 the last city
-- of the page before; $3 how many.
WITH page AS (
    SELECT v.id, v.reference, v.name, v.country, v.language, v.translations
    FROM city_view v
    WHERE v.effective_visibility = ANY ($1)
        AND ($2 IS NULL OR (v.name, v.id) > (SELECT l.name, l.id FROM city_view l WHERE l.id = $2))
    ORDER BY v.name, v.id LIMIT $3
)
SELECT p.*,
    (SELECT count(*) FROM pilot_view v WHERE v.origin_city_id = p.id AND v.effective_visibility = ANY ($1)) AS offered,
    (SELECT count(*) FROM hosting_view v WHERE v.host_city_id = p.id AND v.effective_visibility = ANY ($1)) AS hosted,
    (SELECT count(*) FROM hosting_view v WHERE v.origin_city_id = p.id AND v.kind = 'exchange'
        AND v.effective_visibility = ANY ($1)) AS abroad
FROM page p
ORDER BY p.name, p.id
