-- Every join of these views is along a foreign key that is never null, so each finds exactly one row, whether it is written
-- as an inner join or as an outer one. As an outer one it is left out by the planner where a statement asks for none of its
-- columns: a report that counts hostings then reads neither their registration nor the names of their cities.
-- The planner leaves out joins only below conditions that find nothing for null, which `ps.id IN (o.…, n.…)` was not.
CREATE OR REPLACE VIEW outcome_view AS
SELECT o.id, r.type, r.version, r.created_at, r.updated_at, r.language, r.translations, r.external_ids, r.citations,
    o.indicator_id,
    jsonb_build_object(
        'type', CASE WHEN o.hosting_id IS NOT NULL THEN 'hosting' WHEN o.pilot_id IS NOT NULL THEN 'pilot'
                     WHEN o.partnership_id IS NOT NULL THEN 'partnership' WHEN o.initiative_id IS NOT NULL THEN 'initiative'
                     ELSE 'city' END,
        'id', coalesce(o.hosting_id::text, o.pilot_id::text, o.partnership_id::text, o.initiative_id::text, c.code, c.id::text))
        AS subject,
    o.level,
    CASE WHEN o.baseline_value IS NOT NULL THEN jsonb_build_object(
        'value', trim_scale(o.baseline_value)::text, 'on', o.baseline_on, 'comment', o.baseline_comment) END AS baseline,
    coalesce((SELECT jsonb_agg(jsonb_build_object('value', trim_scale(t.value)::text, 'due_on', t.due_on, 'comment', t.comment)
                               ORDER BY last_day(t.due_on))
              FROM target t WHERE t.outcome_id = o.id), '[]') AS targets,
    o.frequency,
    coalesce((SELECT jsonb_agg(jsonb_build_object('name', d.name, 'partition', d.partition) ORDER BY d.name)
              FROM dimension d WHERE d.outcome_id = o.id), '[]') AS dimensions,
    o.currency, o.responsible_organisation_id, o.tolerance, o.visibility,
    s.latest,
    -- These depend on the day and are filled in by outcomes::progress when they are read.
    NULL::numeric AS progress, NULL::text AS progress_reason, 'no_data' AS progress_status,
    s.actual, i.measure, i.direction, i.aggregation,
    o.hosting_id, o.pilot_id, o.city_id, o.partnership_id, o.initiative_id,
    strictest(o.visibility, CASE WHEN o.hosting_id IS NOT NULL
        THEN strictest(strictest(h.visibility, hp.visibility), CASE WHEN h.status = 'proposed' THEN 'partners' END)
        ELSE p.visibility END) AS effective_visibility,
    CASE WHEN o.hosting_id IS NOT NULL THEN ARRAY[h.origin_city_id, h.host_city_id]
         WHEN o.pilot_id IS NOT NULL THEN ARRAY[p.origin_city_id]
         ELSE coalesce(ps.city_ids, ns.city_ids, ARRAY[o.city_id]) END AS city_ids,
    -- The cities that measure.
    coalesce(ps.city_ids, ns.city_ids, ARRAY[coalesce(h.host_city_id, p.origin_city_id, o.city_id)]) AS responsible_city_ids
FROM outcome o JOIN record_view r USING (id) JOIN indicator i ON i.id = o.indicator_id
LEFT JOIN outcome_state s ON s.outcome_id = o.id
LEFT JOIN hosting h ON h.id = o.hosting_id LEFT JOIN pilot hp ON hp.id = h.pilot_id
LEFT JOIN pilot p ON p.id = o.pilot_id LEFT JOIN city c ON c.id = o.city_id
LEFT JOIN initiative n ON n.id = o.initiative_id
LEFT JOIN partnership ps ON ps.id = o.partnership_id LEFT JOIN partnership ns ON ns.id = n.partnership_id;

DO $$
DECLARE
    the_view record;
BEGIN
    FOR the_view IN
        SELECT c.oid::regclass AS name, pg_get_viewdef(c.oid) AS definition
        FROM pg_class c WHERE c.relkind = 'v' AND c.relnamespace = 'public'::regnamespace
            AND pg_get_viewdef(c.oid) ~ '(?<!LEFT )JOIN record_view r USING'
    LOOP
        EXECUTE format('CREATE OR REPLACE VIEW %s AS %s', the_view.name,
            regexp_replace(the_view.definition, '(?<!LEFT |CROSS )JOIN', 'LEFT JOIN', 'g'));
    END LOOP;
END $$;
