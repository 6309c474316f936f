-- When the next observation of an outcome `o` is due, as `due.day`; no row where none is expected. A period begins where
-- the newest one that was told ended, or with the baseline, or with the outcome itself. `observation` is the table, or in
-- the past the view of that name.
CROSS JOIN LATERAL (
    SELECT coalesce((SELECT max(last_day(v.ends_on)) FROM observation v
                     WHERE v.outcome_id = o.id AND v.status IN ('submitted', 'verified')),
                    last_day(o.baseline ->> 'on'), (o.created_at AT TIME ZONE 'UTC')::date) AS day
) newest
CROSS JOIN LATERAL (
    -- The day after, so that the end of a month leads to the end of a month.
    SELECT (newest.day + 1 + CASE o.frequency WHEN 'monthly' THEN interval '1 month'
                                              WHEN 'quarterly' THEN interval '3 months'
                                              ELSE interval '1 year' END)::date - 1 AS day
    WHERE o.frequency <> 'none'
        AND (o.hosting_id IS NULL OR EXISTS (SELECT FROM hosting_view h WHERE h.id = o.hosting_id AND h.status = 'live'))
) due
