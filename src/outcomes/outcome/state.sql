-- The current state of the outcomes that match: their newest observation that counts, and their actual value.
-- Verified observations count (those that were not superseded); while there are none, submitted ones do.
-- Rows with dimensions are parts of their total and never added to it.
WITH counted AS (
    SELECT o.id AS outcome_id, v.id, v.starts_on, v.ends_on, v.value, v.numerator, v.denominator, v.text, v.recorded_at,
        v.status, i.aggregation, i.measure, o.baseline_on,
        coalesce(v.value, round(CASE WHEN i.measure = 'percentage' THEN 100 ELSE 1 END * v.numerator / v.denominator, 6)) AS number,
        rank() OVER (PARTITION BY o.id ORDER BY v.status = 'verified' DESC) AS choice
    FROM outcome o
    JOIN indicator i ON i.id = o.indicator_id
    JOIN observation v ON v.outcome_id = o.id
    WHERE ($1 IS NULL OR o.id = ANY ($1)) AND ($2 IS NULL OR i.id = $2)
        AND v.dimensions = '{}' AND v.superseded_by_id IS NULL AND v.status IN ('verified', 'submitted')
), newest AS (
    SELECT DISTINCT ON (outcome_id) *
    FROM counted WHERE choice = 1
    ORDER BY outcome_id, last_day(ends_on) DESC, recorded_at DESC, id DESC
), summed AS (
    SELECT outcome_id,
        sum(number) AS total,
        CASE WHEN measure = 'percentage' AND count(*) = count(numerator) THEN 100 * sum(numerator) / nullif(sum(denominator), 0)
             ELSE avg(number) END AS mean
    FROM counted
    WHERE choice = 1 AND (baseline_on IS NULL OR last_day(ends_on) > last_day(baseline_on))
    GROUP BY outcome_id, measure
)
INSERT INTO outcome_state (outcome_id, latest, actual)
SELECT o.id,
    CASE WHEN n.id IS NOT NULL THEN jsonb_build_object(
        'observation_id', n.id, 'starts_on', n.starts_on, 'ends_on', n.ends_on,
        'value', trim_scale(n.number)::text, 'text', n.text, 'provisional', n.status = 'submitted') END,
    CASE i.aggregation
        -- Percentages are combined from their parts, never added up.
        WHEN 'sum' THEN CASE WHEN i.measure = 'percentage' THEN s.mean ELSE s.total END
        WHEN 'mean' THEN s.mean
        ELSE n.number
    END
FROM outcome o
JOIN indicator i ON i.id = o.indicator_id
LEFT JOIN newest n ON n.outcome_id = o.id
LEFT JOIN summed s ON s.outcome_id = o.id
WHERE ($1 IS NULL OR o.id = ANY ($1)) AND ($2 IS NULL OR i.id = $2)
ON CONFLICT (outcome_id) DO UPDATE SET latest = EXCLUDED.latest, actual = EXCLUDED.actual
