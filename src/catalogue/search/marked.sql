(
    SELECT ts_headline(c.configuration, c.content, search_marks($1),
        'StartSel=<mark>, StopSel=</mark>, MaxFragments=2, MinWords=8, MaxWords=30, FragmentDelimiter=" … "')
    FROM (
        SELECT search_configuration(x.value ->> 'language') AS configuration,
            search_escaped(left(x.value ->> 'text', 20000)) AS content, x.ordinality
        FROM jsonb_array_elements(e.pieces) WITH ORDINALITY x
    ) c
    ORDER BY ts_rank(to_tsvector(c.configuration, c.content), search_marks($1)) DESC, c.ordinality LIMIT 1
)
