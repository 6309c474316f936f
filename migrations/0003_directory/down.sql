DROP VIEW term_view, document_view, programme_view, organisation_view, city_view, record_view;
DROP TABLE term;
DROP FUNCTION term_refuse_cycle();
DROP TABLE citation, document, programme, organisation, account_city, city, country;
