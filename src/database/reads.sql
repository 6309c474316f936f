-- Which collections each collection is read from: the tables under its view; of a table that holds no records itself, those
-- that its rows name. Tables of records are known by the name of their key to record.
WITH RECURSIVE records AS (
    SELECT t.oid AS id, t.relname::text AS name, v.oid AS view
    FROM pg_constraint k
    JOIN pg_class t ON t.oid = k.conrelid AND k.conname = t.relname || '_record_fk'
    JOIN pg_class v ON v.relnamespace = t.relnamespace AND v.relkind = 'v' AND v.relname = t.relname || '_view'
    WHERE k.contype = 'f' AND k.confrelid = 'public.record'::regclass
), uses AS (
    SELECT w.ev_class AS view, d.refobjid AS used
    FROM pg_rewrite w
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
        AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> w.ev_class
), under AS (
    SELECT name, view AS used FROM records
    UNION
    SELECT under.name, uses.used FROM under JOIN uses ON uses.view = under.used
), named AS (
    SELECT name, used FROM under
    UNION
    SELECT named.name, k.confrelid
    FROM named JOIN pg_constraint k ON k.contype = 'f' AND k.conrelid = named.used
    WHERE named.used NOT IN (SELECT id FROM records)
)
SELECT named.name, array_agg(DISTINCT records.name) AS tables
FROM named
JOIN records ON records.id = named.used
    -- The state of an outcome follows its observations, which it does not name.
    OR (named.used = 'public.outcome_state'::regclass AND records.id = 'public.observation'::regclass)
GROUP BY named.name
