-- $11 the kinds (null: all).
SELECT v.id AS activity_id, v.kind, v.title, v.theme, v.city, c.name AS city_name, v.starts_on, v.ends_on, v.parent_id,
    p.title AS parent, v.partnership_id, s.title AS partnership, v.areas,
    jsonb_array_length(v.participants)::bigint AS participants
FROM activities v
LEFT JOIN city_view c ON coalesce(c.code, c.id::text) = v.city
LEFT JOIN activity_view p ON p.id = v.parent_id
LEFT JOIN partnership_view s ON s.id = v.partnership_id
WHERE $11::text[] IS NULL OR v.kind = ANY ($11)
-- What lasts longer comes first, so that parts follow their whole.
ORDER BY first_day(v.starts_on), last_day(coalesce(v.ends_on, v.starts_on)) DESC, v.title, v.id
