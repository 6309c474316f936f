CREATE TABLE indicator (
    id uuid PRIMARY KEY CONSTRAINT indicator_record_fk REFERENCES record,
    vocabulary text NOT NULL CONSTRAINT indicator_vocabulary_values CHECK (vocabulary IN ('U4SSC', 'SDG', 'ISO37122', 'own')),
    city_id uuid CONSTRAINT indicator_city_fk REFERENCES city,
    code text NOT NULL,
    name text NOT NULL,
    definition text NOT NULL,
    unit text NOT NULL,
    unit_scheme text NOT NULL GENERATED ALWAYS AS ('units') STORED,
    measure text NOT NULL CONSTRAINT indicator_measure_values CHECK (measure IN
        ('number', 'percentage', 'currency', 'ordinal', 'qualitative')),
    direction text NOT NULL CONSTRAINT indicator_direction_values CHECK (direction IN ('up', 'down', 'hold', 'none')),
    aggregation text NOT NULL CONSTRAINT indicator_aggregation_values CHECK (aggregation IN ('sum', 'mean', 'latest', 'none')),
    CONSTRAINT indicator_city_only_own CHECK (city_id IS NULL OR vocabulary = 'own'),
    CONSTRAINT indicator_code_unique UNIQUE NULLS NOT DISTINCT (vocabulary, city_id, code),
    CONSTRAINT indicator_unit_fk FOREIGN KEY (unit_scheme, unit) REFERENCES term (scheme, code)
);
CREATE INDEX indicator_city ON indicator (city_id);
CREATE INDEX indicator_unit ON indicator (unit_scheme, unit);

CREATE TABLE indicator_area (
    indicator_id uuid NOT NULL CONSTRAINT indicator_area_indicator_fk REFERENCES indicator ON DELETE CASCADE,
    area text NOT NULL,
    scheme text NOT NULL GENERATED ALWAYS AS ('areas') STORED,
    PRIMARY KEY (indicator_id, area),
    CONSTRAINT indicator_area_area_fk FOREIGN KEY (scheme, area) REFERENCES term (scheme, code)
);
CREATE INDEX indicator_area_area ON indicator_area (scheme, area);

CREATE TABLE outcome (
    id uuid PRIMARY KEY CONSTRAINT outcome_record_fk REFERENCES record,
    indicator_id uuid NOT NULL CONSTRAINT outcome_indicator_fk REFERENCES indicator,
    hosting_id uuid CONSTRAINT outcome_hosting_fk REFERENCES hosting,
    pilot_id uuid CONSTRAINT outcome_pilot_fk REFERENCES pilot,
    city_id uuid CONSTRAINT outcome_city_fk REFERENCES city,
    level text NOT NULL CONSTRAINT outcome_level_values CHECK (level IN ('output', 'outcome', 'impact')),
    baseline_value numeric,
    baseline_on partial_date,
    baseline_comment text,
    frequency text NOT NULL CONSTRAINT outcome_frequency_values CHECK (frequency IN ('none', 'monthly', 'quarterly', 'yearly')),
    currency text CONSTRAINT outcome_currency_format CHECK (currency ~ '^[A-Z]{3}$'), -- ISO 4217
    responsible_organisation_id uuid CONSTRAINT outcome_responsible_organisation_fk REFERENCES organisation,
    tolerance numeric CONSTRAINT outcome_tolerance_range CHECK (tolerance >= 0),
    visibility visibility NOT NULL,
    CONSTRAINT outcome_one_subject CHECK (num_nonnulls(hosting_id, pilot_id, city_id) = 1),
    CONSTRAINT outcome_subject_unique UNIQUE NULLS NOT DISTINCT (indicator_id, hosting_id, pilot_id, city_id),
    CONSTRAINT outcome_baseline_whole CHECK ((baseline_value IS NULL) = (baseline_on IS NULL)
        AND (baseline_value IS NOT NULL OR baseline_comment IS NULL)),
    CONSTRAINT outcome_baseline_finite CHECK (baseline_value NOT IN ('NaN', 'Infinity', '-Infinity'))
);
CREATE INDEX outcome_hosting ON outcome (hosting_id);
CREATE INDEX outcome_pilot ON outcome (pilot_id);
CREATE INDEX outcome_city ON outcome (city_id);
CREATE INDEX outcome_responsible_organisation ON outcome (responsible_organisation_id);

CREATE TABLE target (
    outcome_id uuid NOT NULL CONSTRAINT target_outcome_fk REFERENCES outcome ON DELETE CASCADE,
    position smallint NOT NULL,
    value numeric NOT NULL CONSTRAINT target_finite CHECK (value NOT IN ('NaN', 'Infinity', '-Infinity')),
    due_on partial_date NOT NULL,
    comment text,
    PRIMARY KEY (outcome_id, position)
);
CREATE UNIQUE INDEX target_due_unique ON target (outcome_id, last_day(due_on));

CREATE TABLE dimension (
    outcome_id uuid NOT NULL CONSTRAINT dimension_outcome_fk REFERENCES outcome ON DELETE CASCADE,
    name text NOT NULL,
    partition boolean NOT NULL,
    PRIMARY KEY (outcome_id, name)
);

-- A target lies where the indicator's direction says: above the baseline when more is better, below when less is.
CREATE FUNCTION outcome_check_direction() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    the_outcome uuid := CASE TG_TABLE_NAME WHEN 'target' THEN (to_jsonb(NEW) ->> 'outcome_id')::uuid
                                           ELSE (to_jsonb(NEW) ->> 'id')::uuid END;
BEGIN
    IF EXISTS (
        SELECT FROM outcome o JOIN indicator i ON i.id = o.indicator_id JOIN target t ON t.outcome_id = o.id
        WHERE o.id = the_outcome AND ((i.direction = 'up' AND t.value <= o.baseline_value)
                                   OR (i.direction = 'down' AND t.value >= o.baseline_value))
    ) THEN
        RAISE EXCEPTION 'a target is on the wrong side of the baseline'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'target_direction';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER target_direction AFTER INSERT OR UPDATE ON target
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION outcome_check_direction();
CREATE CONSTRAINT TRIGGER outcome_direction AFTER INSERT OR UPDATE OF baseline_value ON outcome
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION outcome_check_direction();

-- What an indicator means does not change under the outcomes that use it.
CREATE FUNCTION indicator_refuse_thaw() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.unit, NEW.measure, NEW.direction) IS DISTINCT FROM (OLD.unit, OLD.measure, OLD.direction)
       AND EXISTS (SELECT FROM outcome WHERE indicator_id = NEW.id) THEN
        RAISE EXCEPTION 'unit, measure and direction are frozen once used'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'indicator_frozen';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER indicator_frozen BEFORE UPDATE ON indicator FOR EACH ROW EXECUTE FUNCTION indicator_refuse_thaw();

CREATE TABLE observation (
    id uuid PRIMARY KEY CONSTRAINT observation_record_fk REFERENCES record,
    outcome_id uuid NOT NULL CONSTRAINT observation_outcome_fk REFERENCES outcome,
    starts_on partial_date NOT NULL,
    ends_on partial_date NOT NULL,
    value numeric,
    numerator numeric,
    denominator numeric CONSTRAINT observation_denominator_not_zero CHECK (denominator <> 0),
    text text,
    dimensions jsonb NOT NULL DEFAULT '{}' CONSTRAINT observation_dimensions_object CHECK (jsonb_typeof(dimensions) = 'object'),
    method text,
    source text,
    status text NOT NULL CONSTRAINT observation_status_values CHECK (status IN ('draft', 'submitted', 'verified', 'rejected')),
    supersedes_id uuid CONSTRAINT observation_supersedes_fk REFERENCES observation,
    superseded_by_id uuid CONSTRAINT observation_superseded_by_fk REFERENCES observation,
    submitted_by uuid NOT NULL CONSTRAINT observation_submitted_by_fk REFERENCES account,
    submitted_by_city_id uuid CONSTRAINT observation_submitted_by_city_fk REFERENCES city, -- for which it acted
    verified_by uuid CONSTRAINT observation_verified_by_fk REFERENCES account,
    verified_by_city_id uuid CONSTRAINT observation_verified_by_city_fk REFERENCES city,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT observation_period_order CHECK (last_day(ends_on) >= first_day(starts_on)),
    CONSTRAINT observation_one_value CHECK (num_nonnulls(value, numerator, text) = 1
        AND (numerator IS NULL) = (denominator IS NULL)),
    CONSTRAINT observation_value_finite CHECK (value NOT IN ('NaN', 'Infinity', '-Infinity')
        AND numerator NOT IN ('NaN', 'Infinity', '-Infinity') AND denominator NOT IN ('NaN', 'Infinity', '-Infinity')),
    CONSTRAINT observation_verified_by_another CHECK (verified_by <> submitted_by),
    CONSTRAINT observation_verified_by_someone CHECK ((status IN ('verified', 'rejected')) = (verified_by IS NOT NULL)),
    CONSTRAINT observation_superseded_was_verified CHECK (superseded_by_id IS NULL OR status = 'verified')
);
CREATE UNIQUE INDEX observation_verified_unique
    ON observation (outcome_id, first_day(starts_on), last_day(ends_on), dimensions)
    WHERE status = 'verified' AND superseded_by_id IS NULL;
CREATE INDEX observation_outcome ON observation (outcome_id, id);
CREATE INDEX observation_supersedes ON observation (supersedes_id);
CREATE INDEX observation_superseded_by ON observation (superseded_by_id);
CREATE INDEX observation_submitted_by ON observation (submitted_by);
CREATE INDEX observation_verified_by ON observation (verified_by);
CREATE INDEX observation_submitted_by_city ON observation (submitted_by_city_id);
CREATE INDEX observation_verified_by_city ON observation (verified_by_city_id);

-- What is read of an outcome's observations all the time, kept by every transaction that changes them.
-- `latest` is the newest that counts; `actual` follows the indicator's aggregation.
CREATE TABLE outcome_state (
    outcome_id uuid PRIMARY KEY CONSTRAINT outcome_state_outcome_fk REFERENCES outcome ON DELETE CASCADE,
    latest jsonb,
    actual numeric
);

CREATE VIEW indicator_view AS
SELECT i.id, r.type, r.version, r.created_at, r.updated_at, r.language, r.translations, r.external_ids, r.citations,
    i.vocabulary, coalesce(c.code, c.id::text) AS city, i.code, i.name, i.definition, i.unit, i.measure,
    i.direction, i.aggregation,
    ARRAY(SELECT a.area FROM indicator_area a WHERE a.indicator_id = i.id ORDER BY a.area) AS areas,
    i.city_id, 'public' AS effective_visibility, array_remove(ARRAY[i.city_id], NULL) AS city_ids
FROM indicator i JOIN record_view r USING (id) LEFT JOIN city c ON c.id = i.city_id;
COMMENT ON VIEW indicator_view IS 'nullable: city city_id';

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
