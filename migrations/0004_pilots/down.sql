DROP TABLE pilot_provider, pilot_area, pilot;
