DROP VIEW evaluation_view;
DROP TABLE evaluation_observation, lesson, evaluation_score, evaluation;
DROP FUNCTION evaluation_keep_decision();
