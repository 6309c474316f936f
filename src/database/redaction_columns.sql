-- Every column that can hold text of people, how it holds it, and which column of its table names the record it belongs
-- to.
WITH records AS (
    SELECT k.conrelid AS id
    FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid
    WHERE k.contype = 'f' AND k.confrelid = 'record'::regclass AND k.conname = t.relname || '_record_fk'
    UNION SELECT 'record'::regclass
)
SELECT t.relname::text, a.attname::text, k.kind, NOT a.attnotnull AS is_nullable, (
    SELECT o.attname::text FROM pg_attribute o
    WHERE o.attrelid = t.oid AND o.attnum > 0 AND (o.attname = 'record_id' OR o.attname = 'id' AND t.oid IN (SELECT id FROM records)
        OR EXISTS (SELECT FROM pg_constraint c WHERE c.contype = 'f' AND c.conrelid = t.oid AND c.conkey[1] = o.attnum
                   AND c.confrelid IN (SELECT id FROM records)))
    ORDER BY o.attname = 'record_id' DESC, o.attname = 'id' DESC, o.attnum LIMIT 1) AS owner,
    -- Codes: what other rows name, and what is one of a list. Without them rows would mean something else.
    k.kind = 'text' AND (a.attname IN ('code', 'type', 'op') OR EXISTS (
        SELECT FROM pg_constraint c
        WHERE c.contype = 'f' AND (c.conrelid = t.oid AND a.attnum = ANY (c.conkey) OR c.confrelid = t.oid AND a.attnum = ANY (c.confkey))
           OR c.contype = 'c' AND c.conrelid = t.oid AND a.attnum = ANY (c.conkey)
              AND pg_get_constraintdef(c.oid) ~ '= ANY \(+ARRAY\[')) AS is_code
FROM pg_class t
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
CROSS JOIN LATERAL (SELECT CASE
    WHEN a.atttypid IN ('text'::regtype, 'varchar'::regtype) THEN 'text'
    WHEN a.atttypid = 'text[]'::regtype THEN 'list'
    WHEN a.atttypid = 'jsonb'::regtype THEN 'json'
    WHEN t.relname = 'idempotency_key' AND a.attname = 'body' THEN 'bytes' END AS kind) k
WHERE t.relnamespace = 'public'::regnamespace AND t.relkind = 'r' AND k.kind IS NOT NULL
    -- Search entries are made anew; the others are the registry's own.
    AND t.relname NOT IN ('search_entry', '__diesel_schema_migrations', 'setting', 'country', 'redaction')
ORDER BY 1, 2
