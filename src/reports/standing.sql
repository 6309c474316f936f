SELECT o.measuring_city_id AS city_id, coalesce(o.pilot_id, h.pilot_id) AS pilot_id, o.measure, o.direction, o.baseline,
    o.targets, o.actual, o.tolerance
FROM asked a CROSS JOIN outcomes o
LEFT JOIN hosting_view h ON h.id = o.hosting_id AND (h.effective_visibility = ANY (a.levels) OR h.city_ids && a.own)
