SELECT e.id AS evaluation_id, l.position, l.kind, l.text, e.decision, e.kind AS evaluation_kind, e."on", p.areas,
    e.pilot_id, p.title AS pilot, e.hosting_id, coalesce(c.code, c.id::text) AS host_city, c.name AS host_city_name
FROM asked a CROSS JOIN evaluations e
CROSS JOIN LATERAL (
    SELECT position, one ->> 'kind' AS kind, one ->> 'text' AS text
    FROM jsonb_array_elements(e.lessons) WITH ORDINALITY AS one_of (one, position)
) l
JOIN city_view c ON c.id = e.host_city_id
-- Today who sees a hosting sees its pilot; in the past of a hosting that is gone they may not.
LEFT JOIN pilot_view p ON p.id = e.pilot_id AND (p.effective_visibility = ANY (a.levels) OR p.city_ids && a.own)
WHERE ($11::text[] IS NULL OR e.decision = ANY ($11)) AND ($12::boolean IS NULL OR (e.decision IS NOT NULL) = $12)
    AND ($13::text[] IS NULL OR l.kind = ANY ($13)) AND ($14::text[] IS NULL OR e.kind = ANY ($14))
    AND ($15::uuid[] IS NULL OR e.hosting_id = ANY ($15)) AND ($16::uuid[] IS NULL OR e.pilot_id = ANY ($16))
    AND ($17::uuid[] IS NULL OR e.host_city_id = ANY ($17))
ORDER BY last_day(e."on") DESC, e.id, l.position
