-- The extension stays: it may have been there before, and others may use it.
DROP FUNCTION search_similar(text);
DROP FUNCTION search_rebuild();
DROP FUNCTION search_refresh(uuid[]);
DROP FUNCTION search_write(uuid[]);
DROP FUNCTION search_lock(uuid[]);
DROP VIEW search_document, search_source;
DROP TABLE search_entry;
DROP FUNCTION search_near(double precision[], double precision[], double precision, double precision, double precision);
DROP FUNCTION distance_km(double precision, double precision, double precision, double precision);
DROP FUNCTION search_trigrams(jsonb);
DROP FUNCTION search_vector(jsonb);
DROP AGGREGATE search_concatenation(tsvector);
DROP FUNCTION search_pieces(text, jsonb, jsonb);
DROP FUNCTION search_weight(text);
DROP FUNCTION search_escaped(text);
DROP FUNCTION search_marks(text);
DROP FUNCTION search_query(text);
DROP FUNCTION search_configuration(text);
