DROP INDEX observation_told;
DROP VIEW as_of.transition;
