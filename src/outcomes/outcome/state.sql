-- Keeps the current state of the outcomes that match; the function says what it is.
INSERT INTO outcome_state (outcome_id, latest, actual)
SELECT outcome_id, latest, actual FROM outcome_states($1, $2)
ON CONFLICT (outcome_id) DO UPDATE SET latest = EXCLUDED.latest, actual = EXCLUDED.actual
