SELECT n.id AS outcome_id, n.subject_type, n.subject_id, n.subject_title AS subject, n.city, n.city_name,
    n.code, n.indicator, n.unit, n.currency, n.direction, n.aggregation, n.level,
    n.actual AS value, n.latest ->> 'text' AS text, n.latest ->> 'ends_on' AS ends_on,
    (n.latest ->> 'provisional')::boolean AS provisional, (n.latest ->> 'observation_id')::uuid AS observation_id,
    -- Where neither way is better, none is first.
    CASE WHEN n.actual IS NOT NULL AND n.direction IN ('up', 'down') THEN rank() OVER same_quantity END AS rank,
    -- Figures over all that are compared are filled in afterwards.
    NULL::numeric AS difference, 0::bigint AS compared, NULL::numeric AS lowest, NULL::numeric AS lower_quartile,
    NULL::numeric AS median, NULL::numeric AS upper_quartile, NULL::numeric AS highest
FROM named n
WHERE n.indicator_id = $11 AND ($12::text[] IS NULL OR n.level = ANY ($12)) AND ($13::text[] IS NULL OR n.currency = ANY ($13))
WINDOW same_quantity AS (PARTITION BY n.currency, n.actual IS NULL
                         ORDER BY CASE WHEN n.direction = 'up' THEN -n.actual ELSE n.actual END)
ORDER BY n.actual IS NULL, n.currency, CASE WHEN n.direction = 'up' THEN -n.actual ELSE n.actual END,
    n.city_name, n.measuring_city_id, n.subject_title, n.id
