, due AS (
    SELECT 'observation' AS kind, o.measuring_city_id AS city_id, 'outcomes' AS record_type, o.id AS record_id,
        concat_ws(': ', o.indicator, o.subject_title) AS title, o.frequency, due.day::text AS due_on, due.day,
        o.responsible_organisation_id AS organisation_id
    FROM named o
    {observation_due}
    UNION ALL
    SELECT 'evaluation', h.host_city_id, 'hostings', h.id, p.title || ' in ' || c.name, NULL, h.actual_end,
        last_day(h.actual_end), h.lead_organisation_id
    FROM asked a CROSS JOIN hostings h
    JOIN city_view c ON c.id = h.host_city_id
    LEFT JOIN pilot_view p ON p.id = h.pilot_id AND (p.effective_visibility = ANY (a.levels) OR p.city_ids && a.own)
    WHERE {evaluation_due}
)
SELECT d.kind, coalesce(c.code, c.id::text) AS city, c.name AS city_name, d.record_type, d.record_id, d.title, d.frequency, d.due_on,
    (a.today - d.day)::bigint AS days_overdue, d.organisation_id, o.name AS organisation
FROM asked a CROSS JOIN due d
LEFT JOIN city_view c ON c.id = d.city_id
LEFT JOIN organisation_view o ON o.id = d.organisation_id
-- A hosting that has ended waits even where nobody stated the day.
WHERE coalesce(d.day < a.today, true)
    AND ($11::text[] IS NULL OR d.kind = ANY ($11)) AND ($12::uuid[] IS NULL OR d.city_id = ANY ($12))
    AND ($13::uuid[] IS NULL OR d.organisation_id = ANY ($13))
ORDER BY c.name, d.city_id, d.day, d.kind, d.title, d.record_id
