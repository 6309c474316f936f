DROP VIEW evaluation_view, observation_view, outcome_view, hosting_view, privacy_gate;
DROP VIEW initiative_view, agreement_view, activity_view, partnership_view;

-- Outcomes of partnerships and initiatives go, with what was observed of them.
CREATE TEMPORARY TABLE gone ON COMMIT DROP AS
SELECT id FROM outcome WHERE partnership_id IS NOT NULL OR initiative_id IS NOT NULL;
INSERT INTO gone SELECT o.id FROM observation o JOIN gone g ON g.id = o.outcome_id;
DELETE FROM evaluation_observation WHERE observation_id IN (SELECT id FROM gone);
DELETE FROM observation WHERE id IN (SELECT id FROM gone);
DELETE FROM outcome WHERE id IN (SELECT id FROM gone);
INSERT INTO gone SELECT id FROM partnership UNION ALL SELECT id FROM initiative
    UNION ALL SELECT id FROM activity UNION ALL SELECT id FROM agreement;

ALTER TABLE outcome
    DROP CONSTRAINT outcome_one_subject,
    DROP CONSTRAINT outcome_subject_unique,
    DROP partnership_id,
    DROP initiative_id,
    ADD CONSTRAINT outcome_one_subject CHECK (num_nonnulls(hosting_id, pilot_id, city_id) = 1),
    ADD CONSTRAINT outcome_subject_unique UNIQUE NULLS NOT DISTINCT (indicator_id, hosting_id, pilot_id, city_id);
ALTER TABLE hosting DROP agreement_id, DROP initiative_id;
DROP INDEX citation_document, observation_submitted;
CREATE INDEX citation_document ON citation (document_id);

DROP TABLE agreement_party, agreement, activity_participant, activity_area, activity_initiative, activity_place, activity,
    initiative_document, initiative_pilot, initiative, partnership_city, partnership;
DROP FUNCTION agreement_check_parties(), activity_check_tree(), lies_within(text, text, text, text),
    partnership_city_check_set(), partnership_keep_cities(), is_sorted_set(uuid[]);
DELETE FROM record WHERE id IN (SELECT id FROM gone);

CREATE VIEW hosting_view AS
SELECT h.id, r.type, r.version, r.created_at, r.updated_at, r.language, r.translations, r.external_ids, r.citations,
    h.pilot_id, coalesce(o.code, o.id::text) AS origin_city, coalesce(c.code, c.id::text) AS host_city, h.kind,
    CASE WHEN h.proposed_by_city_id = h.host_city_id THEN coalesce(c.code, c.id::text)
         ELSE coalesce(o.code, o.id::text) END AS proposed_by_city,
    h.status, h.suspended_from, h.no_outcome_reason, h.planned_start, h.planned_end, h.actual_start, h.actual_end,
    coalesce((SELECT jsonb_agg(jsonb_build_object('name', s.name, 'latitude', s.latitude, 'longitude', s.longitude)
                               ORDER BY s.position)
              FROM site s WHERE s.hosting_id = h.id), '[]') AS sites,
    h.lead_organisation_id, h.scale_note, h.follows_id, h.historical, h.guards_waived, h.visibility,
    h.origin_city_id, h.host_city_id, h.proposed_by_city_id, p.visibility AS pilot_visibility,
    strictest(strictest(h.visibility, p.visibility), CASE WHEN h.status = 'proposed' THEN 'partners' END)
        AS effective_visibility,
    ARRAY[h.origin_city_id, h.host_city_id] AS city_ids
FROM hosting h JOIN record_view r USING (id) JOIN pilot p ON p.id = h.pilot_id
JOIN city o ON o.id = h.origin_city_id JOIN city c ON c.id = h.host_city_id;
COMMENT ON VIEW hosting_view IS
    'nullable: suspended_from no_outcome_reason planned_start planned_end actual_start actual_end lead_organisation_id scale_note follows_id';

CREATE VIEW outcome_view AS
SELECT o.id, r.type, r.version, r.created_at, r.updated_at, r.language, r.translations, r.external_ids, r.citations,
    o.indicator_id,
    jsonb_build_object(
        'type', CASE WHEN o.hosting_id IS NOT NULL THEN 'hosting' WHEN o.pilot_id IS NOT NULL THEN 'pilot' ELSE 'city' END,
        'id', coalesce(o.hosting_id::text, o.pilot_id::text, c.code, c.id::text)) AS subject,
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
    o.hosting_id, o.pilot_id, o.city_id,
    strictest(o.visibility, CASE WHEN o.hosting_id IS NOT NULL
        THEN strictest(strictest(h.visibility, hp.visibility), CASE WHEN h.status = 'proposed' THEN 'partners' END)
        ELSE p.visibility END) AS effective_visibility,
    CASE WHEN o.hosting_id IS NOT NULL THEN ARRAY[h.origin_city_id, h.host_city_id]
         WHEN o.pilot_id IS NOT NULL THEN ARRAY[p.origin_city_id] ELSE ARRAY[o.city_id] END AS city_ids,
    coalesce(h.host_city_id, p.origin_city_id, o.city_id) AS responsible_city_id
FROM outcome o JOIN record_view r USING (id) JOIN indicator i ON i.id = o.indicator_id
LEFT JOIN outcome_state s ON s.outcome_id = o.id
LEFT JOIN hosting h ON h.id = o.hosting_id LEFT JOIN pilot hp ON hp.id = h.pilot_id
LEFT JOIN pilot p ON p.id = o.pilot_id LEFT JOIN city c ON c.id = o.city_id;
COMMENT ON VIEW outcome_view IS
    'nullable: baseline currency responsible_organisation_id tolerance latest progress progress_reason actual hosting_id pilot_id city_id';

CREATE VIEW observation_view AS
SELECT o.id, r.type, r.version, r.created_at, r.updated_at, r.language, r.translations, r.external_ids, r.citations,
    o.outcome_id, o.starts_on, o.ends_on,
    coalesce(o.value, round(CASE WHEN v.measure = 'percentage' THEN 100 ELSE 1 END * o.numerator / o.denominator, 6)) AS value,
    o.numerator, o.denominator, o.text, o.dimensions, o.method, o.source, o.status, o.supersedes_id, o.superseded_by_id,
    s.client_id AS submitted_by, w.client_id AS verified_by, o.recorded_at,
    coalesce(sc.code, sc.id::text) AS submitted_by_city, coalesce(wc.code, wc.id::text) AS verified_by_city,
    o.submitted_by AS submitted_by_id,
    -- What is not yet submitted is the business of the cities involved.
    CASE WHEN o.status = 'draft' THEN 'private' ELSE v.effective_visibility END AS effective_visibility,
    v.city_ids, v.responsible_city_id
FROM observation o JOIN record_view r USING (id) JOIN outcome_view v ON v.id = o.outcome_id
JOIN account s ON s.id = o.submitted_by LEFT JOIN account w ON w.id = o.verified_by
LEFT JOIN city sc ON sc.id = o.submitted_by_city_id LEFT JOIN city wc ON wc.id = o.verified_by_city_id;
COMMENT ON VIEW observation_view IS
    'nullable: value numerator denominator text method source supersedes_id superseded_by_id submitted_by verified_by submitted_by_city verified_by_city';
CREATE VIEW evaluation_view AS
SELECT e.id, r.type, r.version, r.created_at, r.updated_at, r.language, r.translations, r.external_ids, r.citations,
    e.hosting_id, e.kind, e.evaluated_on AS "on", e.summary,
    coalesce((SELECT jsonb_object_agg(s.criterion, jsonb_build_object('score', s.score, 'reason', s.reason))
              FROM evaluation_score s WHERE s.evaluation_id = e.id), '{}') AS scores,
    coalesce((SELECT jsonb_agg(jsonb_build_object('kind', l.kind, 'text', l.text) ORDER BY l.position)
              FROM lesson l WHERE l.evaluation_id = e.id), '[]') AS lessons,
    e.decision, e.rationale,
    ARRAY(SELECT o.observation_id FROM evaluation_observation o WHERE o.evaluation_id = e.id
          ORDER BY o.observation_id) AS observation_ids,
    e.visibility, h.host_city_id, e.author_city_id,
    strictest(e.visibility, h.effective_visibility) AS effective_visibility,
    array_remove(h.city_ids || e.author_city_id, NULL) AS city_ids
FROM evaluation e JOIN record_view r USING (id) JOIN hosting_view h ON h.id = e.hosting_id;
COMMENT ON VIEW evaluation_view IS 'nullable: decision rationale author_city_id';
