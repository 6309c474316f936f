DROP SCHEMA as_of CASCADE;
DROP FUNCTION outcome_states, settled_until, number_changes;
DROP TABLE change_number;
DROP INDEX change_at;
ALTER TABLE change DROP CONSTRAINT change_numbered_whole, DROP COLUMN at;
DROP INDEX revision_listed, revision_of_hosting;
ALTER TABLE revision DROP COLUMN kept;
