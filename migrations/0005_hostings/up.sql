CREATE TABLE hosting (
    id uuid PRIMARY KEY CONSTRAINT hosting_record_fk REFERENCES record,
    pilot_id uuid NOT NULL,
    origin_city_id uuid NOT NULL,
    host_city_id uuid NOT NULL CONSTRAINT hosting_host_city_fk REFERENCES city,
    kind text NOT NULL GENERATED ALWAYS AS (CASE WHEN host_city_id = origin_city_id THEN 'home_test' ELSE 'exchange' END) STORED,
    proposed_by_city_id uuid NOT NULL CONSTRAINT hosting_proposed_by_city_fk REFERENCES city,
    status text NOT NULL CONSTRAINT hosting_status_values CHECK (status IN ('proposed', 'agreed', 'preparing', 'live',
        'suspended', 'evaluating', 'closed', 'cancelled')),
    suspended_from text CONSTRAINT hosting_suspended_from_values CHECK (suspended_from IN ('preparing', 'live')),
    no_outcome_reason text,
    planned_start partial_date,
    planned_end partial_date,
    actual_start partial_date,
    actual_end partial_date,
    lead_organisation_id uuid CONSTRAINT hosting_lead_organisation_fk REFERENCES organisation,
    scale_note text,
    follows_id uuid CONSTRAINT hosting_follows_fk REFERENCES hosting,
    historical boolean NOT NULL DEFAULT false,
    guards_waived text[] NOT NULL DEFAULT '{}',
    visibility visibility NOT NULL,
    -- Pilot and origin go together, so a hosting's kind cannot drift from its pilot's origin.
    CONSTRAINT hosting_pilot_fk FOREIGN KEY (pilot_id, origin_city_id) REFERENCES pilot (id, origin_city_id),
    CONSTRAINT hosting_proposed_by_involved CHECK (proposed_by_city_id IN (origin_city_id, host_city_id)),
    CONSTRAINT hosting_suspended_from_when_suspended CHECK ((status = 'suspended') = (suspended_from IS NOT NULL)),
    CONSTRAINT hosting_planned_order CHECK (last_day(planned_end) >= first_day(planned_start)),
    CONSTRAINT hosting_actual_order CHECK (last_day(actual_end) >= first_day(actual_start)),
    CONSTRAINT hosting_preparing_needs CHECK (status IN ('proposed', 'agreed', 'cancelled')
        OR ((lead_organisation_id IS NOT NULL OR 'lead_organisation' = ANY (guards_waived))
            AND ((planned_start IS NOT NULL AND planned_end IS NOT NULL) OR 'planned_dates' = ANY (guards_waived)))),
    CONSTRAINT hosting_live_needs_start CHECK (NOT (status IN ('live', 'evaluating', 'closed') OR suspended_from = 'live')
        OR actual_start IS NOT NULL OR 'actual_start' = ANY (guards_waived)),
    CONSTRAINT hosting_ended_needs_end CHECK (status NOT IN ('evaluating', 'closed')
        OR actual_end IS NOT NULL OR 'actual_end' = ANY (guards_waived)),
    CONSTRAINT hosting_follows_earlier CHECK (follows_id < id) -- ids are made in order of time
);
CREATE UNIQUE INDEX hosting_open_unique ON hosting (pilot_id, host_city_id) WHERE status NOT IN ('closed', 'cancelled');
CREATE INDEX hosting_pilot ON hosting (pilot_id, origin_city_id);
CREATE INDEX hosting_host_city ON hosting (host_city_id);
CREATE INDEX hosting_proposed_by_city ON hosting (proposed_by_city_id);
CREATE INDEX hosting_lead_organisation ON hosting (lead_organisation_id);
CREATE INDEX hosting_follows ON hosting (follows_id);
CREATE INDEX hosting_status ON hosting (status, id);

CREATE TABLE site (
    hosting_id uuid NOT NULL CONSTRAINT site_hosting_fk REFERENCES hosting ON DELETE CASCADE,
    position smallint NOT NULL,
    name text NOT NULL,
    latitude double precision CONSTRAINT site_latitude_range CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision CONSTRAINT site_longitude_range CHECK (longitude BETWEEN -180 AND 180),
    PRIMARY KEY (hosting_id, position),
    CONSTRAINT site_location_whole CHECK ((latitude IS NULL) = (longitude IS NULL))
);

-- The moves of a record's life: of hostings, of observations. Rows are only ever added; they go only with their record.
CREATE TABLE transition (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    record_id uuid NOT NULL CONSTRAINT transition_record_fk REFERENCES record ON DELETE CASCADE,
    from_status text,
    to_status text NOT NULL,
    day partial_date,
    at timestamptz NOT NULL DEFAULT now(),
    account_id uuid CONSTRAINT transition_account_fk REFERENCES account,
    acting_city_id uuid CONSTRAINT transition_acting_city_fk REFERENCES city,
    as_administrator boolean NOT NULL DEFAULT false,
    reason text,
    reason_scheme text, -- null: the reason is free text
    note text,
    guards_waived text[] NOT NULL DEFAULT '{}',
    CONSTRAINT transition_reason_fk FOREIGN KEY (reason_scheme, reason) REFERENCES term (scheme, code)
);
CREATE INDEX transition_record ON transition (record_id, id);
CREATE INDEX transition_account ON transition (account_id);
CREATE INDEX transition_acting_city ON transition (acting_city_id);
CREATE INDEX transition_reason ON transition (reason_scheme, reason);
CREATE TRIGGER transition_append_only BEFORE UPDATE ON transition
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE compliance (
    id uuid PRIMARY KEY CONSTRAINT compliance_record_fk REFERENCES record,
    hosting_id uuid NOT NULL CONSTRAINT compliance_hosting_fk REFERENCES hosting,
    kind text NOT NULL CONSTRAINT compliance_kind_values CHECK (kind IN ('dpia', 'pia', 'legal_basis', 'procurement',
        'permit', 'security', 'ethics')),
    status text NOT NULL CONSTRAINT compliance_status_values CHECK (status IN ('not_started', 'in_progress', 'approved',
        'rejected', 'not_required')),
    decided_on partial_date,
    legal_basis text,
    data_class text,
    retention_days integer CONSTRAINT compliance_retention_days_range CHECK (retention_days >= 0),
    controller_id uuid CONSTRAINT compliance_controller_fk REFERENCES organisation,
    document_id uuid CONSTRAINT compliance_document_fk REFERENCES document,
    text text,
    CONSTRAINT compliance_not_required_text CHECK (status <> 'not_required' OR text IS NOT NULL)
);
-- One privacy assessment of each kind: a new decision changes its status, and its history keeps the old one.
CREATE UNIQUE INDEX compliance_privacy_unique ON compliance (hosting_id, kind) WHERE kind IN ('dpia', 'pia');
CREATE INDEX compliance_hosting ON compliance (hosting_id);
CREATE INDEX compliance_controller ON compliance (controller_id);
CREATE INDEX compliance_document ON compliance (document_id);

-- The cities involved in a pilot are its origin and those that host it.
CREATE VIEW pilot_view AS
SELECT p.id, r.type, r.version, r.created_at, r.updated_at, r.language, r.translations, r.external_ids, r.citations,
    p.slug, p.title, p.summary, p.description, coalesce(c.code, c.id::text) AS origin_city, p.category,
    ARRAY(SELECT a.area FROM pilot_area a WHERE a.pilot_id = p.id ORDER BY a.area) AS areas,
    coalesce((SELECT jsonb_agg(jsonb_build_object('organisation_id', v.organisation_id, 'role', v.role) ORDER BY v.position)
              FROM pilot_provider v WHERE v.pilot_id = p.id), '[]') AS providers,
    p.trl, p.status, p.tags, p.standards, p.data_model_uri, p.processes_personal_data, p.ip_terms, p.cost_note,
    p.website, p.visibility, p.origin_city_id,
    p.visibility AS effective_visibility,
    p.origin_city_id || ARRAY(SELECT h.host_city_id FROM hosting h WHERE h.pilot_id = p.id) AS city_ids
FROM pilot p JOIN record_view r USING (id) JOIN city c ON c.id = p.origin_city_id;

COMMENT ON VIEW pilot_view IS
    'nullable: summary description trl data_model_uri processes_personal_data ip_terms cost_note website';

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

-- Compliance is seen by the cities involved and by verifiers only.
CREATE VIEW compliance_view AS
SELECT c.id, r.type, r.version, r.created_at, r.updated_at, r.language, r.translations, r.external_ids, r.citations,
    c.hosting_id, c.kind, c.status, c.decided_on, c.legal_basis, c.data_class, c.retention_days, c.controller_id,
    c.document_id, c.text, h.host_city_id,
    'private' AS effective_visibility, ARRAY[h.origin_city_id, h.host_city_id] AS city_ids
FROM compliance c JOIN record_view r USING (id) JOIN hosting h ON h.id = c.hosting_id;
COMMENT ON VIEW compliance_view IS
    'nullable: decided_on legal_basis data_class retention_days controller_id document_id text';
