-- $13 the kinds (null: all).
SELECT v.id AS activity_id, v.kind, v.title, v.theme, v.city, c.name AS city_name, v.starts_on, v.ends_on, v.parent_id,
    p.title AS parent, v.partnership_id, s.title AS partnership, v.areas,
    jsonb_array_length(v.participants)::bigint AS participants,
    jsonb_strip_nulls(jsonb_build_object(
        'activity_id', '/v1/activities/' || v.id || q.past, 'title', '/v1/activities/' || v.id || q.past,
        'city', '/v1/cities/' || v.city || q.past, 'parent_id', '/v1/activities/' || v.parent_id || q.past,
        'partnership_id', '/v1/partnerships/' || v.partnership_id || q.past)) AS links
FROM asked a CROSS JOIN LATERAL (SELECT replace(a.past, '&', '?') AS past) q CROSS JOIN activities v
LEFT JOIN city_view c ON coalesce(c.code, c.id::text) = v.city
LEFT JOIN activity_view p ON p.id = v.parent_id
LEFT JOIN partnership_view s ON s.id = v.partnership_id
WHERE $13::text[] IS NULL OR v.kind = ANY ($13)
-- What lasts longer comes first, so that parts follow their whole.
ORDER BY first_day(v.starts_on), last_day(coalesce(v.ends_on, v.starts_on)) DESC, v.title, v.id
