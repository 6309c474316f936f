-- How activity $1 (null: a new one), part of $2, from $3 to $4, would lie to the one it is part of and to its own parts.
SELECT
    EXISTS (
        WITH RECURSIVE above (id) AS (
            SELECT $2
            UNION
            SELECT a.parent_id FROM activity a JOIN above b ON a.id = b.id WHERE a.parent_id IS NOT NULL
        )
        SELECT FROM above WHERE id = $1
    ) AS cycle,
    NOT EXISTS (SELECT FROM activity p WHERE p.id = $2 AND NOT lies_within($3, NULL, p.starts_on, p.ends_on))
        AS starts_within,
    NOT EXISTS (SELECT FROM activity p WHERE p.id = $2 AND NOT lies_within(NULL, $4, p.starts_on, p.ends_on))
        AS ends_within,
    NOT EXISTS (SELECT FROM activity c WHERE c.parent_id = $1 AND NOT lies_within(c.starts_on, c.ends_on, $3, NULL))
        AS parts_after_start,
    NOT EXISTS (SELECT FROM activity c WHERE c.parent_id = $1 AND NOT lies_within(c.starts_on, c.ends_on, NULL, $4))
        AS parts_before_end
