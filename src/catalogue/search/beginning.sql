(
    SELECT search_escaped(left(x.value ->> 'text', 200) || CASE WHEN length(x.value ->> 'text') > 200 THEN ' …' ELSE '' END)
    FROM jsonb_array_elements(e.pieces) WITH ORDINALITY x
    WHERE x.value ->> 'member' NOT IN ('title', 'name', 'code', 'tags', 'label', 'city')
    ORDER BY x.ordinality LIMIT 1
)
