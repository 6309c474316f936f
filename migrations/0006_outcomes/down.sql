DROP VIEW observation_view, outcome_view, indicator_view;
DROP TABLE outcome_state, observation, dimension, target, outcome, indicator_area, indicator;
DROP FUNCTION indicator_refuse_thaw();
DROP FUNCTION outcome_check_direction();
