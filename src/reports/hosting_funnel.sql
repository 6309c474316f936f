-- $11 the kinds of hostings (null: both); $12 the states in the order of life.
, chosen AS (
    SELECT h.status, coalesce(h.began_as, h.status) AS began_as, h.agreed_after, h.preparing_after, h.live_after,
        h.suspended_after, h.evaluating_after, h.closed_after, h.cancelled_after
    FROM hostings h WHERE $11::text[] IS NULL OR h.kind = ANY ($11)
), together AS (
    SELECT c.status, c.began_as, count(*) AS hostings FROM chosen c GROUP BY c.status, c.began_as
), waited AS (
    -- All in one pass.
    SELECT count(c.agreed_after) AS agreed, percentile_cont(0.5) WITHIN GROUP (ORDER BY c.agreed_after) AS until_agreed,
        count(c.preparing_after) AS preparing, percentile_cont(0.5) WITHIN GROUP (ORDER BY c.preparing_after) AS until_preparing,
        count(c.live_after) AS live, percentile_cont(0.5) WITHIN GROUP (ORDER BY c.live_after) AS until_live,
        count(c.suspended_after) AS suspended, percentile_cont(0.5) WITHIN GROUP (ORDER BY c.suspended_after) AS until_suspended,
        count(c.evaluating_after) AS evaluating, percentile_cont(0.5) WITHIN GROUP (ORDER BY c.evaluating_after) AS until_evaluating,
        count(c.closed_after) AS closed, percentile_cont(0.5) WITHIN GROUP (ORDER BY c.closed_after) AS until_closed,
        count(c.cancelled_after) AS cancelled, percentile_cont(0.5) WITHIN GROUP (ORDER BY c.cancelled_after) AS until_cancelled
    FROM chosen c
), moved AS (
    SELECT m.* FROM waited w CROSS JOIN LATERAL (VALUES
        ('agreed', w.agreed, w.until_agreed), ('preparing', w.preparing, w.until_preparing), ('live', w.live, w.until_live),
        ('suspended', w.suspended, w.until_suspended), ('evaluating', w.evaluating, w.until_evaluating),
        ('closed', w.closed, w.until_closed), ('cancelled', w.cancelled, w.until_cancelled)) AS m (status, timed, seconds)
)
SELECT s.status,
    coalesce((SELECT sum(t.hostings) FROM together t WHERE t.status = s.status), 0)::bigint AS now,
    -- By those that began with it, and those that moved into it.
    (coalesce((SELECT sum(t.hostings) FROM together t WHERE t.began_as = s.status), 0) + coalesce(m.timed, 0))::bigint AS reached,
    trim_scale(round((m.seconds / 86400)::numeric, 1)) AS median_days, coalesce(m.timed, 0) AS timed
FROM unnest($12::text[]) WITH ORDINALITY AS s (status, place) LEFT JOIN moved m ON m.status = s.status
ORDER BY s.place
