DROP TABLE redirect;
ALTER TABLE external_id DROP CONSTRAINT external_id_source_fk;
DROP INDEX external_id_source;
DROP TABLE external_source;
