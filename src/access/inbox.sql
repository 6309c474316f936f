-- What waits for somebody, in order of due day (the last day it can mean), then id; what has no day comes last.
-- $1 the cities acted for; $2 whether for all of them; $3 whether everybody's observations may be verified; $4 the account;
-- $5 today; $6 the kinds asked for (null: all).
WITH evaluations AS (
    SELECT hosting_id, decision FROM evaluation
), waiting AS (
    SELECT 'proposal' AS kind, h.consenting_city_id AS city_id, 'hostings' AS type, h.id, NULL::text AS due_on,
        format('%s, proposed by %s: agree, or decline', p.title, h.proposed_by_city) AS detail
    FROM hosting_view h JOIN pilot p ON p.id = h.pilot_id
    WHERE h.status = 'proposed' AND ($2 OR h.consenting_city_id = ANY ($1))

    UNION ALL
    SELECT 'verification', coalesce((SELECT c FROM unnest(o.verifier_city_ids) AS c WHERE c = ANY ($1) LIMIT 1),
                                    o.responsible_city_ids[1]),
        'observations', o.id, NULL,
        format('%s, %s to %s: verify, or reject', i.name, o.starts_on, o.ends_on)
    FROM observation_view o JOIN outcome c ON c.id = o.outcome_id JOIN indicator i ON i.id = c.indicator_id
    WHERE o.status = 'submitted' AND o.submitted_by_id <> $4 AND ($3 OR o.verifier_city_ids && $1)

    UNION ALL
    SELECT 'evaluation_due', h.host_city_id, 'hostings', h.id, h.actual_end,
        format('%s has ended: evaluate it, and decide', p.title)
    FROM hosting h JOIN pilot p ON p.id = h.pilot_id
    WHERE ($2 OR h.host_city_id = ANY ($1)) AND {evaluation_due}

    UNION ALL
    SELECT 'observation_due', coalesce((SELECT c FROM unnest(o.responsible_city_ids) AS c WHERE c = ANY ($1) LIMIT 1),
                                       o.responsible_city_ids[1]),
        'outcomes', o.id, due.day::text,
        format('%s: the %s observation is overdue', i.name, o.frequency)
    FROM counted_outcome o JOIN indicator i ON i.id = o.indicator_id
    {observation_due}
    WHERE due.day < $5 AND ($2 OR o.responsible_city_ids && $1)

    UNION ALL
    SELECT 'broken_gate', h.host_city_id, 'hostings', h.id, NULL,
        format('%s is live without an approved %s', p.title, upper(g.kind))
    FROM privacy_gate g JOIN hosting h ON h.id = g.id JOIN pilot p ON p.id = h.pilot_id
    WHERE h.status = 'live' AND g.broken AND ($2 OR h.host_city_id = ANY ($1))
), ordered AS (
    SELECT w.kind, coalesce(c.code, c.id::text) AS city, w.type AS collection, w.id, w.due_on, w.detail,
        coalesce(last_day(w.due_on), 'infinity') AS day
    FROM waiting w JOIN city c ON c.id = w.city_id
    WHERE $6::text[] IS NULL OR w.kind = ANY ($6)
)
