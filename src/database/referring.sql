-- The tables whose rows refer to table $1, each with the condition under which a row refers to the record with id $1
-- of the counting statement. Rows that go with the record do not count.
SELECT c.conrelid::regclass::text AS table_name, string_agg(format('%I = $1', a.attname), ' OR ') AS condition
FROM pg_constraint c
JOIN unnest(c.conkey, c.confkey) AS k (own, other) ON true
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.own
JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = k.other AND b.attname = 'id'
WHERE c.contype = 'f' AND c.confdeltype <> 'c' AND c.confrelid = $1::regclass
GROUP BY c.conrelid
