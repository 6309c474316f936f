DROP VIEW pilot_view;
DROP TABLE pilot_provider, pilot_area, pilot;
