-- When the next observation of an outcome `o` is due, as `due.day`; no row where none is expected. A period begins where
-- the newest one that was told ended, or with the baseline, or with the outcome itself.
CROSS JOIN LATERAL (
    SELECT coalesce(o.told_until, last_day(o.baseline_on), (o.created_at AT TIME ZONE 'UTC')::date) AS day
) newest
CROSS JOIN LATERAL (
    -- The day after, so that the end of a month leads to the end of a month.
    SELECT (newest.day + 1 + CASE o.frequency WHEN 'monthly' THEN interval '1 month'
                                              WHEN 'quarterly' THEN interval '3 months'
                                              ELSE interval '1 year' END)::date - 1 AS day
    WHERE o.frequency <> 'none' AND (o.hosting_id IS NULL OR o.hosting_status = 'live')
) due
