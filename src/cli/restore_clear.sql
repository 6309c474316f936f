-- Everything in the schemas of the registry goes. Extensions and what belongs to them stay: they may be another role's.
DO $$
DECLARE
    statements text[];
    one text;
BEGIN
    -- Names are written out before the first of them goes.
    SELECT array_agg(s.statement) INTO statements FROM (
        SELECT format('DROP %s IF EXISTS %s CASCADE',
            CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
            oid::regclass) AS statement
        FROM pg_class c -- sequences of columns go with their tables
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
          AND NOT EXISTS (SELECT FROM pg_depend d
                          WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('e', 'i', 'a'))
        UNION ALL
        SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', oid::regprocedure)
        FROM pg_proc p
        WHERE pronamespace = 'public'::regnamespace
          AND NOT EXISTS (SELECT FROM pg_depend d
                          WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
        UNION ALL
        SELECT format('DROP TYPE IF EXISTS %s CASCADE', oid::regtype)
        FROM pg_type t
        WHERE typnamespace = 'public'::regnamespace
          AND (typtype IN ('d', 'e', 'r') OR typrelid IN (SELECT oid FROM pg_class WHERE relkind = 'c'))
          AND NOT EXISTS (SELECT FROM pg_depend d
                          WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
    ) s;
    SET LOCAL client_min_messages = error;
    DROP SCHEMA IF EXISTS as_of CASCADE;
    FOREACH one IN ARRAY coalesce(statements, '{}') LOOP
        EXECUTE one;
    END LOOP;
END $$;
