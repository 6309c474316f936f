-- The columns that refer to records of table $1 by their id, each with the column of its table that says which record
-- the row belongs to: the id of a record's own table, the parent of a part (whose rows go with it); and the condition
-- under which a row o says already what row t would say, where that can be said once only.
SELECT c.conrelid::regclass::text AS table_name, quote_ident(a.attname) AS column_name,
    coalesce(
        (SELECT quote_ident(oa.attname) FROM pg_constraint o
         JOIN pg_attribute oa ON oa.attrelid = o.conrelid AND oa.attnum = o.conkey[1]
         WHERE o.conrelid = c.conrelid AND o.contype = 'f' AND o.confdeltype = 'c' LIMIT 1),
        'id') AS owner,
    (SELECT string_agg(format('o.%1$I IS NOT DISTINCT FROM t.%1$I', ua.attname), ' AND ')
     FROM pg_index i JOIN pg_attribute ua ON ua.attrelid = i.indrelid AND ua.attnum = ANY (i.indkey) AND ua.attnum <> a.attnum
     WHERE i.indrelid = c.conrelid AND i.indisunique AND a.attnum = ANY (i.indkey)) AS once
FROM pg_constraint c
JOIN unnest(c.conkey, c.confkey) AS k (own, other) ON true
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.own
JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = k.other AND b.attname = 'id'
WHERE c.contype = 'f' AND c.confrelid = $1::regclass AND c.confdeltype <> 'c'
ORDER BY 1, 2
