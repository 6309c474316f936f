DROP VIEW as_of.transition;
