-- Keeps the current state of these outcomes, or of all of an indicator; the function says what it is.
INSERT INTO outcome_state (outcome_id, latest, actual, told_until, parts_behind)
SELECT outcome_id, latest, actual, told_until, parts_behind
FROM outcome_states(coalesce($1, ARRAY(SELECT id FROM outcome WHERE indicator_id = $2)))
ON CONFLICT (outcome_id) DO UPDATE SET latest = EXCLUDED.latest, actual = EXCLUDED.actual,
    told_until = EXCLUDED.told_until, parts_behind = EXCLUDED.parts_behind
