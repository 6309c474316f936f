-- A restored database becomes the present. The script of pg_dump leaves no search path.
SET LOCAL search_path = public;
SET LOCAL client_min_messages = error;
-- Numbers of changes are given anew from here on: a cursor from before must not go on.
UPDATE setting SET value = to_jsonb(gen_random_uuid()) WHERE key = 'epoch';
-- Search entries name transactions, whose numbers began again.
SELECT search_rebuild();
-- Whoever was at these is not there.
UPDATE webhook SET lease_owner = NULL, lease_until = NULL WHERE lease_owner IS NOT NULL;
UPDATE import SET lease_owner = NULL, lease_until = NULL WHERE lease_owner IS NOT NULL;
-- Plans are good from the first question on.
ANALYZE;
