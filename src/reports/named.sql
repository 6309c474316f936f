, named AS (
    -- Outcomes with the names of what they are about and of what they measure. A verifier sees outcomes of hostings and
    -- pilots that stay hidden: these have no name here, and their pilot no id.
    SELECT o.*,
        CASE WHEN o.hosting_id IS NOT NULL THEN p.title || ' in ' || c.name
             WHEN o.pilot_id IS NOT NULL THEN p.title
             ELSE coalesce(s.title, n.title, c.name) END AS subject_title,
        p.id AS seen_pilot_id, coalesce(c.code, c.id::text) AS city, c.name AS city_name,
        i.vocabulary, i.code, i.name AS indicator, i.unit, i.aggregation
    FROM asked a CROSS JOIN outcomes o
    JOIN indicator_view i ON i.id = o.indicator_id
    LEFT JOIN pilot_view p ON p.id = o.any_pilot_id AND o.sees_hosting
        AND (p.effective_visibility = ANY (a.levels) OR p.city_ids && a.own)
    LEFT JOIN city_view c ON c.id = o.measuring_city_id
    LEFT JOIN partnership_view s ON s.id = o.partnership_id
    LEFT JOIN initiative_view n ON n.id = o.initiative_id
)
