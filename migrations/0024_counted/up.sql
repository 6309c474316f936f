-- What reports count, read without what they do not: one row of a table, and set by set who may see it.

-- Few pilots and hostings are hidden from the public, and those decide who sees what is about them.
CREATE INDEX pilot_hidden ON pilot (id) INCLUDE (visibility) WHERE visibility <> 'public';

CREATE INDEX hosting_hidden ON hosting (id) INCLUDE (visibility, status) WHERE visibility <> 'public' OR status = 'proposed';

-- The same answers, without an array for each.
CREATE OR REPLACE FUNCTION strictest(a text, b text) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql
    RETURN CASE WHEN a = 'private' OR b = 'private' THEN 'private'
                WHEN a = 'partners' OR b = 'partners' THEN 'partners' ELSE 'public' END;

-- How fast a hosting came: the state that it began with, once it left that, and how many seconds after the move before it
-- first reached each other state. Kept in its row by every transaction that moves it.
ALTER TABLE hosting ADD COLUMN began_as text,
    ADD COLUMN agreed_after double precision,
    ADD COLUMN preparing_after double precision,
    ADD COLUMN live_after double precision,
    ADD COLUMN suspended_after double precision,
    ADD COLUMN evaluating_after double precision,
    ADD COLUMN closed_after double precision,
    ADD COLUMN cancelled_after double precision;

-- Computed from the moves, those of today and, in the past, those until then.
DO $$
DECLARE
    the_schema text;
BEGIN
    FOREACH the_schema IN ARRAY ARRAY['public', 'as_of'] LOOP
        EXECUTE format($view$
            CREATE VIEW %1$I.hosting_pace AS
            SELECT record_id AS hosting_id, min(to_status) FILTER (WHERE move = 1) AS began_as,
                min(seconds) FILTER (WHERE to_status = 'agreed' AND time = 1) AS agreed_after,
                min(seconds) FILTER (WHERE to_status = 'preparing' AND time = 1) AS preparing_after,
                min(seconds) FILTER (WHERE to_status = 'live' AND time = 1) AS live_after,
                min(seconds) FILTER (WHERE to_status = 'suspended' AND time = 1) AS suspended_after,
                min(seconds) FILTER (WHERE to_status = 'evaluating' AND time = 1) AS evaluating_after,
                min(seconds) FILTER (WHERE to_status = 'closed' AND time = 1) AS closed_after,
                min(seconds) FILTER (WHERE to_status = 'cancelled' AND time = 1) AS cancelled_after
            FROM (
                SELECT t.record_id, t.to_status, row_number() OVER life AS move,
                    row_number() OVER (PARTITION BY t.record_id, t.to_status ORDER BY t.id) AS time,
                    extract(epoch FROM t.at - lag(t.at) OVER life)::double precision AS seconds
                FROM %1$I.transition t WINDOW life AS (PARTITION BY t.record_id ORDER BY t.id)
            ) moved
            GROUP BY record_id
        $view$, the_schema);
    END LOOP;
END $$;

CREATE FUNCTION hosting_keep_pace() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE hosting h SET (began_as, agreed_after, preparing_after, live_after, suspended_after, evaluating_after, closed_after,
            cancelled_after) = (p.began_as, p.agreed_after, p.preparing_after, p.live_after, p.suspended_after,
            p.evaluating_after, p.closed_after, p.cancelled_after)
    FROM hosting_pace p WHERE h.id = NEW.record_id AND p.hosting_id = NEW.record_id;
    RETURN NULL;
END $$;
-- Observations move too, but not into these states.
CREATE TRIGGER transition_keeps_pace AFTER INSERT ON transition FOR EACH ROW
    WHEN (NEW.from_status IS NOT NULL AND NEW.to_status IN ('proposed', 'agreed', 'preparing', 'live', 'suspended',
        'evaluating', 'closed', 'cancelled'))
    EXECUTE FUNCTION hosting_keep_pace();

UPDATE hosting h SET (began_as, agreed_after, preparing_after, live_after, suspended_after, evaluating_after, closed_after,
        cancelled_after) = (p.began_as, p.agreed_after, p.preparing_after, p.live_after, p.suspended_after,
        p.evaluating_after, p.closed_after, p.cancelled_after)
FROM hosting_pace p WHERE p.hosting_id = h.id;

-- What a report counts of a pilot.
CREATE VIEW counted_pilot AS
SELECT p.id, p.title, p.origin_city_id, coalesce(c.code, c.id::text) AS origin_city, p.category, p.status, p.trl, p.summary,
    p.description, p.processes_personal_data, p.standards, ARRAY(SELECT a.area FROM pilot_area a WHERE a.pilot_id = p.id ORDER BY a.area) AS areas,
    p.id IN (SELECT a.pilot_id FROM pilot_area a) AS has_area, p.id IN (SELECT v.pilot_id FROM pilot_provider v) AS has_provider,
    p.visibility::text AS visibility, p.origin_city_id || ARRAY(SELECT h.host_city_id FROM hosting h WHERE h.pilot_id = p.id) AS city_ids
FROM pilot p LEFT JOIN city c ON c.id = p.origin_city_id;

CREATE VIEW as_of.counted_pilot AS
SELECT p.id, p.title, p.origin_city_id, p.origin_city, p.category, p.status, p.trl, p.summary, p.description,
    p.processes_personal_data, p.standards, p.areas, p.areas <> '{}' AS has_area, p.providers <> '[]' AS has_provider,
    p.effective_visibility AS visibility, p.city_ids
FROM as_of.pilot_view p;

-- What a report counts of a hosting. Who sees it is said in parts, each of which narrows: `visibility`, `status` (while
-- proposed, partners) and that of a hidden pilot.
CREATE VIEW counted_hosting AS
SELECT h.id, h.pilot_id, h.origin_city_id, h.host_city_id, h.kind, h.status, h.suspended_from, h.planned_start, h.planned_end,
    h.actual_start, h.actual_end, h.lead_organisation_id, h.initiative_id, h.historical, h.no_outcome_reason, h.guards_waived,
    h.began_as, h.agreed_after, h.preparing_after, h.live_after, h.suspended_after, h.evaluating_after, h.closed_after,
    h.cancelled_after,
    h.visibility::text AS visibility, p.visibility::text AS pilot_visibility,
    ARRAY[h.origin_city_id, h.host_city_id] AS city_ids
FROM hosting h LEFT JOIN pilot p ON p.id = h.pilot_id AND p.visibility <> 'public';

-- In the past the visibility of a record is that of all, then and now.
CREATE VIEW as_of.counted_hosting AS
SELECT h.id, h.pilot_id, h.origin_city_id, h.host_city_id, h.kind, h.status, h.suspended_from, h.planned_start, h.planned_end,
    h.actual_start, h.actual_end, h.lead_organisation_id, h.initiative_id, h.historical, h.no_outcome_reason, h.guards_waived,
    p.began_as, p.agreed_after, p.preparing_after, p.live_after, p.suspended_after, p.evaluating_after, p.closed_after,
    p.cancelled_after,
    h.effective_visibility AS visibility, NULL::text AS pilot_visibility, h.city_ids
FROM as_of.hosting_view h LEFT JOIN as_of.hosting_pace p ON p.hosting_id = h.id;

-- An outcome stays about its hosting, and that of its pilot and with its host: so they are kept with it.
ALTER TABLE outcome ADD COLUMN hosted_pilot_id uuid, ADD COLUMN host_city_id uuid;
UPDATE outcome o SET hosted_pilot_id = h.pilot_id, host_city_id = h.host_city_id FROM hosting h WHERE h.id = o.hosting_id;
CREATE FUNCTION outcome_keep_host() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT h.pilot_id, h.host_city_id INTO NEW.hosted_pilot_id, NEW.host_city_id FROM hosting h WHERE h.id = NEW.hosting_id;
    RETURN NEW;
END $$;
CREATE TRIGGER outcome_keeps_host BEFORE INSERT ON outcome FOR EACH ROW WHEN (NEW.hosting_id IS NOT NULL)
    EXECUTE FUNCTION outcome_keep_host();

-- Its targets are read with it as well.
ALTER TABLE outcome ADD COLUMN targets numeric[] NOT NULL DEFAULT '{}', ADD COLUMN targets_due text[] NOT NULL DEFAULT '{}';
UPDATE outcome o SET targets = t.targets, targets_due = t.targets_due
FROM (SELECT outcome_id, array_agg(value ORDER BY position) AS targets, array_agg(due_on::text ORDER BY position) AS targets_due
      FROM target GROUP BY outcome_id) t
WHERE t.outcome_id = o.id;
CREATE FUNCTION outcome_keep_targets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE outcome o SET targets = ARRAY(SELECT t.value FROM target t WHERE t.outcome_id = o.id ORDER BY t.position),
        targets_due = ARRAY(SELECT t.due_on::text FROM target t WHERE t.outcome_id = o.id ORDER BY t.position)
    WHERE o.id IN (SELECT c.outcome_id FROM changed c);
    RETURN NULL;
END $$;
CREATE TRIGGER target_is_added AFTER INSERT ON target REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION outcome_keep_targets();
CREATE TRIGGER target_is_changed AFTER UPDATE ON target REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION outcome_keep_targets();
CREATE TRIGGER target_is_removed AFTER DELETE ON target REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION outcome_keep_targets();

-- Kept of an outcome's observations as well: until when it was told, and whether verified parts of a partition stay behind
-- their verified total by more than 0.5 % in any period.
ALTER TABLE outcome_state ADD COLUMN told_until date, ADD COLUMN parts_behind boolean NOT NULL DEFAULT false;

CREATE VIEW as_of.dimension AS
SELECT r.record_id AS outcome_id, d.one ->> 'name' AS name, (d.one ->> 'partition')::boolean AS partition
FROM as_of.revision_at r CROSS JOIN LATERAL jsonb_array_elements(r.body -> 'dimensions') AS d (one) WHERE r.type = 'outcomes';

-- The current state of outcomes: their newest observation that counts, their actual value, and what is said above.
-- Verified observations count (those that were not superseded); while there are none, submitted ones do.
-- Rows with dimensions are parts of their total and never added to it.
-- The names of tables are looked up when it runs, so that it answers for the past as well, where they are views.
DROP FUNCTION outcome_states;
CREATE FUNCTION outcome_states(the_outcomes uuid[])
RETURNS TABLE (outcome_id uuid, latest jsonb, actual numeric, told_until date, parts_behind boolean) STABLE LANGUAGE sql AS $$
WITH told AS (
    SELECT o.id AS outcome_id, v.id, v.starts_on, v.ends_on, v.value, v.numerator, v.denominator, v.text, v.recorded_at,
        v.status, v.dimensions, v.superseded_by_id, last_day(v.ends_on) AS until, i.aggregation, i.measure, p.since,
        coalesce(v.value, round(CASE WHEN i.measure = 'percentage' THEN 100 ELSE 1 END * v.numerator / v.denominator, 6)) AS number,
        p.partitions, c.counts, rank() OVER (PARTITION BY o.id, c.counts ORDER BY v.status = 'verified' DESC) AS choice
    FROM outcome o
    JOIN indicator i ON i.id = o.indicator_id
    CROSS JOIN LATERAL (
        -- Once for each outcome.
        SELECT ARRAY(SELECT d.name FROM dimension d WHERE d.outcome_id = o.id AND d.partition) AS partitions,
            last_day(o.baseline_on) AS since OFFSET 0
    ) p
    JOIN observation v ON v.outcome_id = o.id
    CROSS JOIN LATERAL (SELECT v.dimensions = '{}' AND v.superseded_by_id IS NULL AS counts) c
    WHERE o.id = ANY (the_outcomes) AND v.status IN ('verified', 'submitted')
), newest AS (
    SELECT DISTINCT ON (outcome_id) *
    FROM told WHERE counts AND choice = 1
    ORDER BY outcome_id, until DESC, recorded_at DESC, id DESC
), summed AS (
    SELECT outcome_id,
        sum(number) AS total,
        CASE WHEN measure = 'percentage' AND count(*) = count(numerator) THEN 100 * sum(numerator) / nullif(sum(denominator), 0)
             ELSE avg(number) END AS mean
    FROM told
    WHERE counts AND choice = 1 AND (since IS NULL OR until > since)
    GROUP BY outcome_id, measure
), lasting AS (
    SELECT outcome_id, max(until) AS day FROM told GROUP BY outcome_id
), behind AS (
    SELECT outcome_id FROM (
        SELECT v.outcome_id, sum(v.number) FILTER (WHERE v.dimensions <> '{}') AS parts,
            sum(v.number) FILTER (WHERE v.dimensions = '{}') AS total
        FROM told v CROSS JOIN LATERAL unnest(v.partitions) AS d (name)
        WHERE v.status = 'verified' AND v.superseded_by_id IS NULL
            AND (v.dimensions = '{}' OR v.dimensions ? d.name AND v.dimensions - d.name = '{}')
        GROUP BY v.outcome_id, d.name, first_day(v.starts_on), v.until
    ) period
    WHERE parts < total - abs(total) * 0.005
)
SELECT o.id,
    CASE WHEN n.id IS NOT NULL THEN jsonb_build_object(
        'observation_id', n.id, 'starts_on', n.starts_on, 'ends_on', n.ends_on,
        'value', trim_scale(n.number)::text, 'text', n.text, 'provisional', n.status = 'submitted') END,
    CASE i.aggregation
        -- Percentages are combined from their parts, never added up.
        WHEN 'sum' THEN CASE WHEN i.measure = 'percentage' THEN s.mean ELSE s.total END
        WHEN 'mean' THEN s.mean
        ELSE n.number
    END,
    l.day, o.id IN (SELECT b.outcome_id FROM behind b)
FROM outcome o
JOIN indicator i ON i.id = o.indicator_id
LEFT JOIN newest n ON n.outcome_id = o.id
LEFT JOIN summed s ON s.outcome_id = o.id
LEFT JOIN lasting l ON l.outcome_id = o.id
WHERE o.id = ANY (the_outcomes)
$$;

DO $$
BEGIN
    -- Planned for as many as there are.
    EXECUTE 'UPDATE outcome_state s SET told_until = n.told_until, parts_behind = n.parts_behind
        FROM outcome_states($1) n WHERE n.outcome_id = s.outcome_id' USING ARRAY(SELECT outcome_id FROM outcome_state);
END $$;

CREATE FUNCTION as_of.outcome_told_until(the_outcome uuid) RETURNS date
    STABLE COST 10000 LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN (SELECT s.told_until FROM public.outcome_states(ARRAY[the_outcome]) s);
END $$;
CREATE FUNCTION as_of.outcome_parts_behind(the_outcome uuid) RETURNS boolean
    STABLE COST 10000 LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN (SELECT s.parts_behind FROM public.outcome_states(ARRAY[the_outcome]) s);
END $$;

-- The hostings whose privacy gate is broken.
CREATE VIEW broken_gate AS SELECT g.id AS hosting_id FROM privacy_gate g WHERE g.broken;
CREATE VIEW as_of.broken_gate AS SELECT h.id AS hosting_id FROM as_of.hosting_view h WHERE h.gate_broken;

-- What a report counts of an outcome, with what it needs of its hosting or pilot. Who sees it is said in parts as well.
-- What joins need not find where it is not asked for is asked for by itself.
CREATE VIEW counted_outcome AS
SELECT o.id, o.indicator_id, i.measure, i.direction, o.level, o.frequency, o.currency, o.responsible_organisation_id, o.tolerance,
    trim_scale(o.baseline_value) AS baseline, o.baseline_on::text AS baseline_on, o.targets, o.targets_due,
    o.id IN (SELECT d.outcome_id FROM dimension d WHERE d.partition) AS is_partitioned,
    k.latest, k.actual, k.told_until, coalesce(k.parts_behind, false) AS parts_behind,
    (SELECT r.created_at FROM record r WHERE r.id = o.id) AS created_at,
    CASE WHEN o.hosting_id IS NOT NULL THEN 'hosting' WHEN o.pilot_id IS NOT NULL THEN 'pilot'
         WHEN o.partnership_id IS NOT NULL THEN 'partnership' WHEN o.initiative_id IS NOT NULL THEN 'initiative'
         ELSE 'city' END AS subject_type,
    coalesce(o.hosting_id::text, o.pilot_id::text, o.partnership_id::text, o.initiative_id::text, c.code, c.id::text) AS subject_id,
    o.hosting_id, o.pilot_id, o.city_id, o.partnership_id, o.initiative_id,
    h.origin_city_id AS lending_city_id, o.host_city_id, o.hosted_pilot_id,
    coalesce(o.initiative_id, h.initiative_id) AS any_initiative_id,
    coalesce(o.partnership_id, (SELECT n.partnership_id FROM initiative n WHERE n.id = coalesce(o.initiative_id, h.initiative_id)))
        AS any_partnership_id,
    h.status AS hosting_status, p.origin_city_id,
    -- The one city that measures; none where a partnership does.
    coalesce(o.host_city_id, p.origin_city_id, o.city_id) AS measuring_city_id,
    o.visibility::text AS visibility, hh.visibility::text AS hosting_visibility, hh.status = 'proposed' AS is_proposed,
    hp.visibility::text AS pilot_visibility,
    CASE WHEN o.hosting_id IS NOT NULL THEN ARRAY[h.origin_city_id, o.host_city_id]
         WHEN o.pilot_id IS NOT NULL THEN ARRAY[p.origin_city_id]
         ELSE coalesce((
            SELECT s.city_ids FROM partnership s WHERE s.id = coalesce(
                o.partnership_id, (SELECT n.partnership_id FROM initiative n WHERE n.id = o.initiative_id))), ARRAY[o.city_id]) END AS city_ids,
    -- The cities that measure.
    coalesce((
            SELECT s.city_ids FROM partnership s WHERE s.id = coalesce(
                o.partnership_id, (SELECT n.partnership_id FROM initiative n WHERE n.id = o.initiative_id))), ARRAY[coalesce(o.host_city_id, p.origin_city_id, o.city_id)]) AS responsible_city_ids
FROM outcome o
LEFT JOIN indicator i ON i.id = o.indicator_id
LEFT JOIN outcome_state k ON k.outcome_id = o.id
LEFT JOIN hosting h ON h.id = o.hosting_id
LEFT JOIN pilot p ON p.id = o.pilot_id
LEFT JOIN hosting hh ON hh.id = o.hosting_id AND (hh.visibility <> 'public' OR hh.status = 'proposed')
LEFT JOIN pilot hp ON hp.id = coalesce(o.pilot_id, o.hosted_pilot_id) AND hp.visibility <> 'public'
LEFT JOIN city c ON c.id = o.city_id;

CREATE VIEW as_of.counted_outcome AS
SELECT o.id, o.indicator_id, o.measure, o.direction, o.level, o.frequency, o.currency, o.responsible_organisation_id, o.tolerance,
    (o.baseline ->> 'value')::numeric AS baseline, o.baseline ->> 'on' AS baseline_on,
    ARRAY(SELECT (one ->> 'value')::numeric FROM jsonb_array_elements(o.targets) one) AS targets,
    ARRAY(SELECT one ->> 'due_on' FROM jsonb_array_elements(o.targets) one) AS targets_due,
    o.dimensions @> '[{"partition": true}]' AS is_partitioned,
    o.latest, o.actual, as_of.outcome_told_until(o.id) AS told_until, as_of.outcome_parts_behind(o.id) AS parts_behind,
    o.created_at, o.subject ->> 'type' AS subject_type, o.subject ->> 'id' AS subject_id,
    o.hosting_id, o.pilot_id, o.city_id, o.partnership_id, o.initiative_id,
    h.origin_city_id AS lending_city_id, h.host_city_id, h.pilot_id AS hosted_pilot_id,
    coalesce(o.initiative_id, h.initiative_id) AS any_initiative_id, coalesce(o.partnership_id, n.partnership_id) AS any_partnership_id,
    h.status AS hosting_status, p.origin_city_id, coalesce(h.host_city_id, p.origin_city_id, o.city_id) AS measuring_city_id,
    o.effective_visibility AS visibility, NULL::text AS hosting_visibility, false AS is_proposed,
    NULL::text AS pilot_visibility, o.city_ids, o.responsible_city_ids
FROM as_of.outcome_view o
LEFT JOIN as_of.hosting_view h ON h.id = o.hosting_id
LEFT JOIN as_of.pilot_view p ON p.id = o.pilot_id
LEFT JOIN as_of.initiative_view n ON n.id = coalesce(o.initiative_id, h.initiative_id);

-- What a report counts of an assessment that is current.
CREATE VIEW counted_applicability AS
SELECT v.id, v.pilot_id, v.city_id, v.origin_city_id, v.verdict, v.reason, v.text, v.assessed_on, s.mean, coalesce(s.given, 0) AS given,
    v.visibility::text AS visibility, p.visibility::text AS pilot_visibility, ARRAY[v.origin_city_id, v.city_id] AS city_ids
FROM applicability v
LEFT JOIN (
    SELECT applicability_id, round(avg(score::numeric), 2) AS mean, count(*) AS given FROM applicability_score GROUP BY applicability_id
) s ON s.applicability_id = v.id
LEFT JOIN pilot p ON p.id = v.pilot_id AND p.visibility <> 'public'
WHERE v.current;

CREATE VIEW as_of.counted_applicability AS
SELECT v.id, v.pilot_id, v.city_id, v.origin_city_id, v.verdict, v.reason, v.text, v.assessed_on, s.mean, s.given,
    v.effective_visibility AS visibility, NULL::text AS pilot_visibility, v.city_ids
FROM as_of.applicability_view v
CROSS JOIN LATERAL (
    SELECT round(avg(score::numeric), 2) AS mean, count(*) AS given FROM jsonb_each_text(v.scores) AS one (criterion, score)
) s
WHERE v.current;

-- What a report counts of an evaluation of a hosting that is seen: who sees that sees the evaluation by these.
CREATE VIEW counted_evaluation AS
SELECT e.id, e.hosting_id, e.kind, e.evaluated_on AS "on", e.decision,
    coalesce((SELECT jsonb_agg(jsonb_build_object('kind', l.kind, 'text', l.text) ORDER BY l.position)
              FROM lesson l WHERE l.evaluation_id = e.id), '[]') AS lessons,
    e.visibility::text AS visibility, array_remove(ARRAY[h.origin_city_id, h.host_city_id, e.author_city_id], NULL) AS city_ids
FROM evaluation e LEFT JOIN hosting h ON h.id = e.hosting_id;

CREATE VIEW as_of.counted_evaluation AS
SELECT e.id, e.hosting_id, e.kind, e."on", e.decision, e.lessons, e.effective_visibility AS visibility, e.city_ids
FROM as_of.evaluation_view e;
