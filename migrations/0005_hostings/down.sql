DROP VIEW compliance_view, hosting_view, pilot_view;
DROP TABLE compliance, transition, site, hosting;
