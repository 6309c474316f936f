-- What cities do together: partnerships, initiatives, activities, agreements; hostings and outcomes that belong to them.

CREATE FUNCTION is_sorted_set(ids uuid[]) RETURNS boolean IMMUTABLE PARALLEL SAFE LANGUAGE sql
    RETURN ids = ARRAY(SELECT DISTINCT one FROM unnest(ids) AS one ORDER BY one);

CREATE TABLE partnership (
    id uuid PRIMARY KEY CONSTRAINT partnership_record_fk REFERENCES record,
    title text NOT NULL,
    programme_id uuid CONSTRAINT partnership_programme_fk REFERENCES programme,
    -- A set as one value, so that it can be unique; partnership_city has the same cities as rows, for foreign keys.
    city_ids uuid[] NOT NULL CONSTRAINT partnership_cities_set CHECK (is_sorted_set(city_ids))
        CONSTRAINT partnership_cities_two CHECK (cardinality(city_ids) >= 2),
    status text NOT NULL CONSTRAINT partnership_status_values CHECK (status IN ('forming', 'active', 'dormant', 'ended')),
    since partial_date,
    CONSTRAINT partnership_programme_cities_unique UNIQUE NULLS NOT DISTINCT (programme_id, city_ids)
);
CREATE INDEX partnership_programme ON partnership (programme_id);
CREATE INDEX partnership_title ON partnership (title, id);

CREATE TABLE partnership_city (
    partnership_id uuid NOT NULL CONSTRAINT partnership_city_partnership_fk REFERENCES partnership ON DELETE CASCADE,
    city_id uuid NOT NULL CONSTRAINT partnership_city_city_fk REFERENCES city,
    PRIMARY KEY (partnership_id, city_id)
);
CREATE INDEX partnership_city_city ON partnership_city (city_id);

-- The rows follow the set. Those that stay are left alone: initiatives refer to them.
CREATE FUNCTION partnership_keep_cities() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM partnership_city WHERE partnership_id = NEW.id AND city_id <> ALL (NEW.city_ids);
    INSERT INTO partnership_city SELECT NEW.id, one FROM unnest(NEW.city_ids) AS one ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER partnership_cities_kept AFTER INSERT OR UPDATE OF city_ids ON partnership
    FOR EACH ROW EXECUTE FUNCTION partnership_keep_cities();

CREATE FUNCTION partnership_city_check_set() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM partnership p
        WHERE p.id IN (CASE WHEN TG_OP <> 'INSERT' THEN OLD.partnership_id END,
                       CASE WHEN TG_OP <> 'DELETE' THEN NEW.partnership_id END)
          AND p.city_ids <> ARRAY(SELECT c.city_id FROM partnership_city c WHERE c.partnership_id = p.id ORDER BY c.city_id)
    ) THEN
        RAISE EXCEPTION 'the cities of a partnership are those of its set'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'partnership_city_as_the_set';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER partnership_city_as_the_set AFTER INSERT OR UPDATE OR DELETE ON partnership_city
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION partnership_city_check_set();

CREATE TABLE initiative (
    id uuid PRIMARY KEY CONSTRAINT initiative_record_fk REFERENCES record,
    partnership_id uuid NOT NULL CONSTRAINT initiative_partnership_fk REFERENCES partnership,
    area text NOT NULL,
    area_scheme text NOT NULL GENERATED ALWAYS AS ('areas') STORED,
    kind text NOT NULL CONSTRAINT initiative_kind_values CHECK (kind IN ('pilot_exchange', 'information_exchange',
        'experience_exchange', 'benchmarking', 'model_transfer', 'research_collaboration', 'event_hosting')),
    from_city_id uuid,
    to_city_id uuid,
    title text NOT NULL,
    description text,
    stage text NOT NULL CONSTRAINT initiative_stage_values CHECK (stage IN ('exploring', 'negotiating', 'agreed',
        'in_progress', 'done', 'declined', 'on_hold')),
    on_hold_from text CONSTRAINT initiative_on_hold_from_values
        CHECK (on_hold_from IN ('exploring', 'negotiating', 'agreed', 'in_progress')),
    reason text,
    CONSTRAINT initiative_on_hold_from_when_on_hold CHECK ((stage = 'on_hold') = (on_hold_from IS NOT NULL)),
    CONSTRAINT initiative_declined_reason CHECK (stage <> 'declined' OR reason IS NOT NULL),
    CONSTRAINT initiative_reason_when_stopped CHECK (reason IS NULL OR stage IN ('declined', 'on_hold')),
    CONSTRAINT initiative_direction_whole CHECK ((from_city_id IS NULL) = (to_city_id IS NULL)),
    CONSTRAINT initiative_direction_different CHECK (from_city_id <> to_city_id),
    CONSTRAINT initiative_area_fk FOREIGN KEY (area_scheme, area) REFERENCES term (scheme, code),
    -- Both are cities of the partnership.
    CONSTRAINT initiative_from_city_fk FOREIGN KEY (partnership_id, from_city_id)
        REFERENCES partnership_city (partnership_id, city_id),
    CONSTRAINT initiative_to_city_fk FOREIGN KEY (partnership_id, to_city_id)
        REFERENCES partnership_city (partnership_id, city_id)
);
CREATE INDEX initiative_area ON initiative (area_scheme, area);
CREATE INDEX initiative_partnership ON initiative (partnership_id);
CREATE INDEX initiative_from_city ON initiative (partnership_id, from_city_id);
CREATE INDEX initiative_to_city ON initiative (partnership_id, to_city_id);
CREATE INDEX initiative_title ON initiative (title, id);

CREATE TABLE initiative_pilot (
    initiative_id uuid NOT NULL CONSTRAINT initiative_pilot_initiative_fk REFERENCES initiative ON DELETE CASCADE,
    pilot_id uuid NOT NULL CONSTRAINT initiative_pilot_pilot_fk REFERENCES pilot,
    PRIMARY KEY (initiative_id, pilot_id)
);
CREATE INDEX initiative_pilot_pilot ON initiative_pilot (pilot_id);

CREATE TABLE initiative_document (
    initiative_id uuid NOT NULL CONSTRAINT initiative_document_initiative_fk REFERENCES initiative ON DELETE CASCADE,
    document_id uuid NOT NULL CONSTRAINT initiative_document_document_fk REFERENCES document,
    PRIMARY KEY (initiative_id, document_id)
);
CREATE INDEX initiative_document_document ON initiative_document (document_id);

CREATE TABLE activity (
    id uuid PRIMARY KEY CONSTRAINT activity_record_fk REFERENCES record,
    kind text NOT NULL CONSTRAINT activity_kind_values CHECK (kind IN ('plenary', 'meeting', 'working_meeting',
        'site_visit', 'delegation', 'workshop', 'event')),
    title text NOT NULL,
    theme text,
    city_id uuid CONSTRAINT activity_city_fk REFERENCES city,
    starts_on partial_date,
    ends_on partial_date,
    parent_id uuid CONSTRAINT activity_parent_fk REFERENCES activity,
    partnership_id uuid CONSTRAINT activity_partnership_fk REFERENCES partnership,
    CONSTRAINT activity_ends_after_start CHECK (last_day(ends_on) >= first_day(starts_on)),
    CONSTRAINT activity_parent_not_itself CHECK (parent_id <> id)
);
CREATE INDEX activity_city ON activity (city_id);
CREATE INDEX activity_parent ON activity (parent_id);
CREATE INDEX activity_partnership ON activity (partnership_id);
CREATE INDEX activity_title ON activity (title, id);

-- Whether one period lies within another, as far as dates and their precision tell: what can lie within does.
CREATE FUNCTION lies_within(starts_on text, ends_on text, outer_start text, outer_end text) RETURNS boolean
    IMMUTABLE PARALLEL SAFE LANGUAGE sql
    RETURN coalesce(last_day(starts_on) >= first_day(outer_start), true)
       AND coalesce(last_day(ends_on) >= first_day(outer_start), true)
       AND coalesce(first_day(starts_on) <= last_day(outer_end), true)
       AND coalesce(first_day(ends_on) <= last_day(outer_end), true);

CREATE FUNCTION activity_check_tree() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Two changes that are each right could make a cycle, or leave a child outside, together: one after the other.
    PERFORM pg_advisory_xact_lock(hashtext('activity_tree'));
    IF EXISTS (
        WITH RECURSIVE above (id) AS (
            SELECT NEW.parent_id
            UNION
            SELECT a.parent_id FROM activity a JOIN above b ON a.id = b.id WHERE a.parent_id IS NOT NULL
        )
        SELECT FROM above WHERE id = NEW.id
    ) THEN
        RAISE EXCEPTION 'an activity cannot be part of itself'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'activity_parent_cycle';
    END IF;
    IF EXISTS (
        SELECT FROM activity p
        WHERE p.id = NEW.parent_id AND NOT lies_within(NEW.starts_on, NEW.ends_on, p.starts_on, p.ends_on)
    ) THEN
        RAISE EXCEPTION 'an activity lies within the one that it is part of'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'activity_within_parent';
    END IF;
    IF EXISTS (
        SELECT FROM activity c
        WHERE c.parent_id = NEW.id AND NOT lies_within(c.starts_on, c.ends_on, NEW.starts_on, NEW.ends_on)
    ) THEN
        RAISE EXCEPTION 'the parts of an activity lie within it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'activity_children_within';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER activity_tree AFTER INSERT OR UPDATE OF parent_id, starts_on, ends_on ON activity
    FOR EACH ROW EXECUTE FUNCTION activity_check_tree();

CREATE TABLE activity_place (
    activity_id uuid NOT NULL CONSTRAINT activity_place_activity_fk REFERENCES activity ON DELETE CASCADE,
    position smallint NOT NULL,
    name text NOT NULL,
    latitude double precision CONSTRAINT activity_place_latitude_range CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision CONSTRAINT activity_place_longitude_range CHECK (longitude BETWEEN -180 AND 180),
    PRIMARY KEY (activity_id, position),
    CONSTRAINT activity_place_location_whole CHECK ((latitude IS NULL) = (longitude IS NULL))
);

CREATE TABLE activity_initiative (
    activity_id uuid NOT NULL CONSTRAINT activity_initiative_activity_fk REFERENCES activity ON DELETE CASCADE,
    initiative_id uuid NOT NULL CONSTRAINT activity_initiative_initiative_fk REFERENCES initiative,
    PRIMARY KEY (activity_id, initiative_id)
);
CREATE INDEX activity_initiative_initiative ON activity_initiative (initiative_id);

CREATE TABLE activity_area (
    activity_id uuid NOT NULL CONSTRAINT activity_area_activity_fk REFERENCES activity ON DELETE CASCADE,
    area text NOT NULL,
    scheme text NOT NULL GENERATED ALWAYS AS ('areas') STORED,
    PRIMARY KEY (activity_id, area),
    CONSTRAINT activity_area_area_fk FOREIGN KEY (scheme, area) REFERENCES term (scheme, code)
);
CREATE INDEX activity_area_area ON activity_area (scheme, area);

-- Cities and organisations, never persons.
CREATE TABLE activity_participant (
    activity_id uuid NOT NULL CONSTRAINT activity_participant_activity_fk REFERENCES activity ON DELETE CASCADE,
    position smallint NOT NULL,
    city_id uuid CONSTRAINT activity_participant_city_fk REFERENCES city,
    organisation_id uuid CONSTRAINT activity_participant_organisation_fk REFERENCES organisation,
    role text NOT NULL CONSTRAINT activity_participant_role_values CHECK (role IN ('host', 'guest', 'organiser', 'observer')),
    headcount integer CONSTRAINT activity_participant_headcount_range CHECK (headcount >= 1),
    PRIMARY KEY (activity_id, position),
    CONSTRAINT activity_participant_one CHECK (num_nonnulls(city_id, organisation_id) = 1),
    CONSTRAINT activity_participant_unique UNIQUE NULLS NOT DISTINCT (activity_id, city_id, organisation_id, role)
);
CREATE INDEX activity_participant_city ON activity_participant (city_id);
CREATE INDEX activity_participant_organisation ON activity_participant (organisation_id);

CREATE TABLE agreement (
    id uuid PRIMARY KEY CONSTRAINT agreement_record_fk REFERENCES record,
    kind text NOT NULL CONSTRAINT agreement_kind_values CHECK (kind IN ('mou', 'letter_of_intent', 'collaboration',
        'data_sharing', 'contract')),
    title text NOT NULL,
    initiative_id uuid CONSTRAINT agreement_initiative_fk REFERENCES initiative,
    status text NOT NULL CONSTRAINT agreement_status_values CHECK (status IN ('interest', 'drafting', 'signed', 'in_force',
        'expired', 'terminated')),
    signed_on partial_date,
    valid_until partial_date,
    document_id uuid CONSTRAINT agreement_document_fk REFERENCES document,
    visibility visibility NOT NULL,
    CONSTRAINT agreement_signed_needs_day CHECK (status IN ('interest', 'drafting') OR signed_on IS NOT NULL),
    CONSTRAINT agreement_valid_after_signed CHECK (last_day(valid_until) >= first_day(signed_on))
);
CREATE INDEX agreement_initiative ON agreement (initiative_id);
CREATE INDEX agreement_document ON agreement (document_id);
CREATE INDEX agreement_title ON agreement (title, id);

CREATE TABLE agreement_party (
    agreement_id uuid NOT NULL CONSTRAINT agreement_party_agreement_fk REFERENCES agreement ON DELETE CASCADE,
    position smallint NOT NULL,
    city_id uuid CONSTRAINT agreement_party_city_fk REFERENCES city,
    organisation_id uuid CONSTRAINT agreement_party_organisation_fk REFERENCES organisation,
    PRIMARY KEY (agreement_id, position),
    CONSTRAINT agreement_party_one CHECK (num_nonnulls(city_id, organisation_id) = 1),
    CONSTRAINT agreement_party_unique UNIQUE NULLS NOT DISTINCT (agreement_id, city_id, organisation_id)
);
CREATE INDEX agreement_party_city ON agreement_party (city_id);
CREATE INDEX agreement_party_organisation ON agreement_party (organisation_id);

CREATE FUNCTION agreement_check_parties() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    the_agreement uuid := CASE WHEN TG_TABLE_NAME = 'agreement' THEN (to_jsonb(NEW) ->> 'id')::uuid
                               ELSE (to_jsonb(OLD) ->> 'agreement_id')::uuid END;
BEGIN
    IF EXISTS (
        SELECT FROM agreement a
        WHERE a.id = the_agreement AND a.status <> 'interest'
          AND (SELECT count(*) FROM agreement_party p WHERE p.agreement_id = a.id) < 2
    ) THEN
        RAISE EXCEPTION 'an agreement has two parties from drafting on'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'agreement_two_parties';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER agreement_two_parties AFTER INSERT OR UPDATE OF status ON agreement
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION agreement_check_parties();
CREATE CONSTRAINT TRIGGER agreement_party_two AFTER DELETE OR UPDATE ON agreement_party
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION agreement_check_parties();

ALTER TABLE hosting
    ADD agreement_id uuid CONSTRAINT hosting_agreement_fk REFERENCES agreement,
    ADD initiative_id uuid CONSTRAINT hosting_initiative_fk REFERENCES initiative;
CREATE INDEX hosting_agreement ON hosting (agreement_id);
CREATE INDEX hosting_initiative ON hosting (initiative_id);

ALTER TABLE outcome
    ADD partnership_id uuid CONSTRAINT outcome_partnership_fk REFERENCES partnership,
    ADD initiative_id uuid CONSTRAINT outcome_initiative_fk REFERENCES initiative,
    DROP CONSTRAINT outcome_one_subject,
    DROP CONSTRAINT outcome_subject_unique,
    ADD CONSTRAINT outcome_one_subject
        CHECK (num_nonnulls(hosting_id, pilot_id, city_id, partnership_id, initiative_id) = 1),
    ADD CONSTRAINT outcome_subject_unique
        UNIQUE NULLS NOT DISTINCT (indicator_id, hosting_id, pilot_id, city_id, partnership_id, initiative_id);
CREATE INDEX outcome_partnership ON outcome (partnership_id);
CREATE INDEX outcome_initiative ON outcome (initiative_id);

-- What a document supports is read in order of record.
DROP INDEX citation_document;
CREATE INDEX citation_document ON citation (document_id, record_id, position);

-- What waits to be verified is asked for by everybody's inbox.
CREATE INDEX observation_submitted ON observation (id) WHERE status = 'submitted';

CREATE VIEW partnership_view AS
SELECT p.id, r.type, r.version, r.created_at, r.updated_at, r.language, r.translations, r.external_ids, r.citations,
    p.title, p.programme_id,
    ARRAY(SELECT coalesce(c.code, c.id::text) FROM city c WHERE c.id = ANY (p.city_ids) ORDER BY 1) AS cities,
    p.status, p.since, 'public' AS effective_visibility, p.city_ids
FROM partnership p JOIN record_view r USING (id);
COMMENT ON VIEW partnership_view IS 'nullable: programme_id since';

-- The cities involved in an agreement are its parties, those of its organisations, and those of its partnership.
CREATE VIEW agreement_view AS
SELECT a.id, r.type, r.version, r.created_at, r.updated_at, r.language, r.translations, r.external_ids, r.citations,
    a.kind, a.title,
    coalesce((SELECT jsonb_agg(jsonb_build_object('city', coalesce(c.code, c.id::text), 'organisation_id', p.organisation_id)
                               ORDER BY p.position)
              FROM agreement_party p LEFT JOIN city c ON c.id = p.city_id WHERE p.agreement_id = a.id), '[]') AS parties,
    a.initiative_id, a.status, a.signed_on, a.valid_until,
    CASE WHEN d.id IS NOT NULL THEN jsonb_build_object('id', d.id, 'visibility', d.visibility,
                                                       'city_ids', array_remove(ARRAY[d.city_id], NULL)) END AS document_id,
    a.visibility, a.document_id AS any_document_id, a.visibility AS effective_visibility,
    ARRAY(SELECT p.city_id FROM agreement_party p WHERE p.agreement_id = a.id AND p.city_id IS NOT NULL
          UNION
          SELECT o.city_id FROM agreement_party p JOIN organisation o ON o.id = p.organisation_id
          WHERE p.agreement_id = a.id AND o.city_id IS NOT NULL
          UNION
          SELECT c.city_id FROM initiative i JOIN partnership_city c USING (partnership_id) WHERE i.id = a.initiative_id)
        AS city_ids
FROM agreement a JOIN record_view r USING (id) LEFT JOIN document d ON d.id = a.document_id;
COMMENT ON VIEW agreement_view IS 'nullable: initiative_id signed_on valid_until document_id any_document_id';

-- An agreement belongs to an initiative by its initiative_id; the initiative shows the other end. Links name the audience
-- of what they lead to: who may not see that does not see the link.
CREATE VIEW initiative_view AS
SELECT i.id, r.type, r.version, r.created_at, r.updated_at, r.language, r.translations, r.external_ids, r.citations,
    i.partnership_id, i.area, i.kind, f.reference AS from_city, t.reference AS to_city, i.title, i.description, i.stage,
    i.on_hold_from, i.reason,
    coalesce((SELECT jsonb_agg(jsonb_build_object('id', v.id, 'visibility', v.effective_visibility, 'city_ids', v.city_ids)
                               ORDER BY v.id)
              FROM initiative_pilot l JOIN pilot_view v ON v.id = l.pilot_id WHERE l.initiative_id = i.id), '[]') AS pilot_ids,
    coalesce((SELECT jsonb_agg(jsonb_build_object('id', v.id, 'visibility', v.effective_visibility, 'city_ids', v.city_ids)
                               ORDER BY v.id)
              FROM agreement_view v WHERE v.initiative_id = i.id), '[]') AS agreement_ids,
    coalesce((SELECT jsonb_agg(jsonb_build_object('id', v.id, 'visibility', v.visibility,
                                                  'city_ids', array_remove(ARRAY[v.city_id], NULL)) ORDER BY v.id)
              FROM initiative_document l JOIN document v ON v.id = l.document_id WHERE l.initiative_id = i.id), '[]')
        AS document_ids,
    -- For filters.
    ARRAY(SELECT l.pilot_id FROM initiative_pilot l WHERE l.initiative_id = i.id) AS any_pilot_ids,
    ARRAY(SELECT a.id FROM agreement a WHERE a.initiative_id = i.id) AS any_agreement_ids,
    ARRAY(SELECT l.document_id FROM initiative_document l WHERE l.initiative_id = i.id) AS any_document_ids,
    i.from_city_id, i.to_city_id, 'public' AS effective_visibility, p.city_ids
FROM initiative i JOIN record_view r USING (id) JOIN partnership p ON p.id = i.partnership_id
LEFT JOIN LATERAL (SELECT coalesce(code, id::text) AS reference FROM city WHERE id = i.from_city_id) f ON true
LEFT JOIN LATERAL (SELECT coalesce(code, id::text) AS reference FROM city WHERE id = i.to_city_id) t ON true;
COMMENT ON VIEW initiative_view IS 'nullable: from_city to_city description on_hold_from reason from_city_id to_city_id';

-- The cities involved in an activity are its own, those that take part, those of organisations that do, and those of its
-- partnership.
CREATE VIEW activity_view AS
SELECT a.id, r.type, r.version, r.created_at, r.updated_at, r.language, r.translations, r.external_ids, r.citations,
    a.kind, a.title, a.theme, c.reference AS city,
    coalesce((SELECT jsonb_agg(jsonb_build_object('name', p.name, 'latitude', p.latitude, 'longitude', p.longitude)
                               ORDER BY p.position)
              FROM activity_place p WHERE p.activity_id = a.id), '[]') AS places,
    a.starts_on, a.ends_on, a.parent_id, a.partnership_id,
    ARRAY(SELECT l.initiative_id FROM activity_initiative l WHERE l.activity_id = a.id ORDER BY l.initiative_id)
        AS initiative_ids,
    ARRAY(SELECT l.area FROM activity_area l WHERE l.activity_id = a.id ORDER BY l.area) AS areas,
    coalesce((SELECT jsonb_agg(jsonb_build_object('city', coalesce(o.code, o.id::text), 'organisation_id', p.organisation_id,
                                                  'role', p.role, 'headcount', p.headcount) ORDER BY p.position)
              FROM activity_participant p LEFT JOIN city o ON o.id = p.city_id WHERE p.activity_id = a.id), '[]')
        AS participants,
    a.city_id, 'public' AS effective_visibility,
    ARRAY(SELECT a.city_id WHERE a.city_id IS NOT NULL
          UNION
          SELECT p.city_id FROM activity_participant p WHERE p.activity_id = a.id AND p.city_id IS NOT NULL
          UNION
          SELECT o.city_id FROM activity_participant p JOIN organisation o ON o.id = p.organisation_id
          WHERE p.activity_id = a.id AND o.city_id IS NOT NULL
          UNION
          SELECT l.city_id FROM partnership_city l WHERE l.partnership_id = a.partnership_id) AS city_ids
FROM activity a JOIN record_view r USING (id)
LEFT JOIN LATERAL (SELECT coalesce(code, id::text) AS reference FROM city WHERE id = a.city_id) c ON true;
COMMENT ON VIEW activity_view IS 'nullable: theme city starts_on ends_on parent_id partnership_id city_id';

-- THE privacy rule: which assessment a hosting needs (`kind`; null: none), whether it is approved, and whether the gate of
-- a live one is broken. One that was entered after the fact and excused from it is not, until somebody assesses it.
CREATE VIEW privacy_gate AS
SELECT h.id, g.kind, g.kind IS NULL OR coalesce(c.status = 'approved', false) AS met,
    h.status = 'live' AND g.kind IS NOT NULL AND coalesce(c.status <> 'approved', 'compliance_' || g.kind <> ALL (h.guards_waived))
        AS broken
FROM hosting h
JOIN pilot p ON p.id = h.pilot_id
JOIN term t ON t.scheme = p.category_scheme AND t.code = p.category
JOIN city o ON o.id = h.host_city_id
JOIN country n ON n.code = o.country
CROSS JOIN LATERAL (
    SELECT CASE WHEN p.processes_personal_data IS NOT FALSE OR t.tracks_people IS TRUE
                THEN CASE WHEN n.eea THEN 'dpia' ELSE 'pia' END END AS kind
) g
LEFT JOIN compliance c ON c.hosting_id = h.id AND c.kind = g.kind;
COMMENT ON VIEW privacy_gate IS 'nullable: kind';

CREATE OR REPLACE VIEW hosting_view AS
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
    ARRAY[h.origin_city_id, h.host_city_id] AS city_ids,
    (SELECT jsonb_build_object('id', a.id, 'visibility', a.effective_visibility, 'city_ids', a.city_ids)
     FROM agreement_view a WHERE a.id = h.agreement_id) AS agreement_id,
    h.agreement_id AS any_agreement_id, h.initiative_id,
    -- Only a live one is asked for.
    CASE WHEN h.status = 'live' THEN (SELECT g.broken FROM privacy_gate g WHERE g.id = h.id) ELSE false END AS gate_broken,
    -- The city that agrees to a proposal: the one that did not make it, or the only one there is.
    CASE WHEN h.proposed_by_city_id = h.host_city_id THEN h.origin_city_id ELSE h.host_city_id END AS consenting_city_id
FROM hosting h JOIN record_view r USING (id) JOIN pilot p ON p.id = h.pilot_id
JOIN city o ON o.id = h.origin_city_id JOIN city c ON c.id = h.host_city_id;
COMMENT ON VIEW hosting_view IS
    'nullable: suspended_from no_outcome_reason planned_start planned_end actual_start actual_end lead_organisation_id scale_note follows_id agreement_id any_agreement_id initiative_id';

DROP VIEW observation_view, outcome_view;

CREATE VIEW outcome_view AS
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
         ELSE coalesce(ps.city_ids, ARRAY[o.city_id]) END AS city_ids,
    -- The cities that measure.
    coalesce(ps.city_ids, ARRAY[coalesce(h.host_city_id, p.origin_city_id, o.city_id)]) AS responsible_city_ids
FROM outcome o JOIN record_view r USING (id) JOIN indicator i ON i.id = o.indicator_id
LEFT JOIN outcome_state s ON s.outcome_id = o.id
LEFT JOIN hosting h ON h.id = o.hosting_id LEFT JOIN pilot hp ON hp.id = h.pilot_id
LEFT JOIN pilot p ON p.id = o.pilot_id LEFT JOIN city c ON c.id = o.city_id
LEFT JOIN initiative n ON n.id = o.initiative_id
LEFT JOIN partnership ps ON ps.id IN (o.partnership_id, n.partnership_id);
COMMENT ON VIEW outcome_view IS
    'nullable: baseline currency responsible_organisation_id tolerance latest progress progress_reason actual hosting_id pilot_id city_id partnership_id initiative_id';

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
    v.city_ids, v.responsible_city_ids,
    -- The cities whose editors may verify it: others than those that measure, or, where all do, than the one that did.
    CASE WHEN cardinality(v.responsible_city_ids) = 1 THEN array_remove(v.city_ids, v.responsible_city_ids[1])
         ELSE array_remove(v.city_ids, o.submitted_by_city_id) END AS verifier_city_ids
FROM observation o JOIN record_view r USING (id) JOIN outcome_view v ON v.id = o.outcome_id
JOIN account s ON s.id = o.submitted_by LEFT JOIN account w ON w.id = o.verified_by
LEFT JOIN city sc ON sc.id = o.submitted_by_city_id LEFT JOIN city wc ON wc.id = o.verified_by_city_id;
COMMENT ON VIEW observation_view IS
    'nullable: value numerator denominator text method source supersedes_id superseded_by_id submitted_by verified_by submitted_by_city verified_by_city';
