SELECT v.id AS applicability_id, v.pilot_id,
    -- An assessment may be private to a city that does not see the pilot.
    p.title AS pilot, coalesce(o.code, o.id::text) AS origin_city, o.name AS origin_city_name, coalesce(c.code, c.id::text) AS city, c.name AS city_name,
    v.verdict, v.reason, t.label AS reason_label, v.text, v.assessed_on,
    v.mean AS mean_score, v.given AS scores_given
FROM asked a CROSS JOIN applicability v
JOIN city_view o ON o.id = v.origin_city_id
JOIN city_view c ON c.id = v.city_id
LEFT JOIN pilot_view p ON p.id = v.pilot_id AND (p.effective_visibility = ANY (a.levels) OR p.city_ids && a.own)
LEFT JOIN term_view t ON t.scheme = 'applicability_reasons' AND t.code = v.reason
WHERE ($11::text[] IS NULL OR v.verdict = ANY ($11)) AND ($12::text[] IS NULL OR v.reason = ANY ($12))
    AND ($13::uuid[] IS NULL OR v.pilot_id = ANY ($13)) AND ($14::uuid[] IS NULL OR v.city_id = ANY ($14))
ORDER BY p.title, v.pilot_id, c.name, c.id, v.id
