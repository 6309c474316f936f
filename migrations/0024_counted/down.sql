DROP VIEW as_of.counted_evaluation, counted_evaluation, as_of.counted_applicability, counted_applicability, as_of.broken_gate, broken_gate, as_of.counted_outcome, counted_outcome, as_of.counted_hosting, counted_hosting,
    as_of.counted_pilot, counted_pilot;
DROP FUNCTION as_of.outcome_parts_behind, as_of.outcome_told_until;
DROP TRIGGER target_is_added ON target;
DROP TRIGGER target_is_changed ON target;
DROP TRIGGER target_is_removed ON target;
DROP FUNCTION outcome_keep_targets;
DROP TRIGGER outcome_keeps_host ON outcome;
DROP FUNCTION outcome_keep_host;
ALTER TABLE outcome DROP COLUMN hosted_pilot_id, DROP COLUMN host_city_id, DROP COLUMN targets,
    DROP COLUMN targets_due;
DROP TRIGGER transition_keeps_pace ON transition;
DROP FUNCTION hosting_keep_pace;
DROP VIEW as_of.hosting_pace, hosting_pace;
ALTER TABLE hosting DROP COLUMN began_as, DROP COLUMN agreed_after, DROP COLUMN preparing_after, DROP COLUMN live_after,
    DROP COLUMN suspended_after, DROP COLUMN evaluating_after, DROP COLUMN closed_after, DROP COLUMN cancelled_after;
DROP VIEW as_of.dimension;
DROP FUNCTION outcome_states;
ALTER TABLE outcome_state DROP COLUMN told_until, DROP COLUMN parts_behind;
-- The current state of outcomes: their newest observation that counts, and their actual value.
-- Verified observations count (those that were not superseded); while there are none, submitted ones do.
-- Rows with dimensions are parts of their total and never added to it.
-- The names of tables are looked up when it runs, so that it answers for the past as well, where they are views.
CREATE FUNCTION outcome_states(the_outcomes uuid[])
RETURNS TABLE (outcome_id uuid, latest jsonb, actual numeric) STABLE LANGUAGE sql AS $$
WITH counted AS (
    SELECT o.id AS outcome_id, v.id, v.starts_on, v.ends_on, v.value, v.numerator, v.denominator, v.text, v.recorded_at,
        v.status, i.aggregation, i.measure, o.baseline_on,
        coalesce(v.value, round(CASE WHEN i.measure = 'percentage' THEN 100 ELSE 1 END * v.numerator / v.denominator, 6)) AS number,
        rank() OVER (PARTITION BY o.id ORDER BY v.status = 'verified' DESC) AS choice
    FROM outcome o
    JOIN indicator i ON i.id = o.indicator_id
    JOIN observation v ON v.outcome_id = o.id
    WHERE o.id = ANY (the_outcomes)
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
WHERE o.id = ANY (the_outcomes)
$$;

CREATE OR REPLACE FUNCTION strictest(a text, b text) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql
    RETURN CASE WHEN 'private' IN (a, b) THEN 'private' WHEN 'partners' IN (a, b) THEN 'partners' ELSE 'public' END;
DROP INDEX hosting_hidden, pilot_hidden;
