DROP VIEW applicability_view, need_view;
DROP TABLE applicability_score, applicability, need;
