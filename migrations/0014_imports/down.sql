DROP VIEW import_shown;
DROP TABLE import_error;
DROP TABLE import;
DROP TABLE import_chunk;
DROP TABLE import_file;
