DROP VIEW evaluation_view;
DROP TABLE evaluation_observation, lesson, evaluation_score, evaluation;
