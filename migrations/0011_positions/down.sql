DROP SCHEMA as_of CASCADE;
DROP FUNCTION outcome_states, settled_until, number_changes;
DROP TABLE change_number;
DROP INDEX change_at;
UPDATE change SET seq = NULL, at = NULL; -- numbered anew on the way up
ALTER TABLE change DROP CONSTRAINT change_numbered_whole, DROP COLUMN at;
DROP INDEX revision_listed, revision_of_hosting;
ALTER TABLE revision DROP COLUMN kept;
