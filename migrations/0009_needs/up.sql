CREATE TABLE need (
    id uuid PRIMARY KEY CONSTRAINT need_record_fk REFERENCES record,
    city_id uuid NOT NULL CONSTRAINT need_city_fk REFERENCES city,
    area text NOT NULL,
    area_scheme text NOT NULL GENERATED ALWAYS AS ('areas') STORED,
    category text,
    category_scheme text NOT NULL GENERATED ALWAYS AS ('categories') STORED,
    title text NOT NULL,
    description text,
    tags text[] NOT NULL DEFAULT '{}',
    status text NOT NULL CONSTRAINT need_status_values CHECK (status IN ('open', 'met', 'withdrawn')),
    CONSTRAINT need_area_fk FOREIGN KEY (area_scheme, area) REFERENCES term (scheme, code),
    CONSTRAINT need_category_fk FOREIGN KEY (category_scheme, category) REFERENCES term (scheme, code)
);
CREATE INDEX need_city ON need (city_id, id);
CREATE INDEX need_area ON need (area_scheme, area);
CREATE INDEX need_category ON need (category_scheme, category);
CREATE INDEX need_title ON need (title, id);
CREATE INDEX need_tags ON need USING gin (tags);

CREATE TABLE applicability (
    id uuid PRIMARY KEY CONSTRAINT applicability_record_fk REFERENCES record,
    pilot_id uuid NOT NULL,
    origin_city_id uuid NOT NULL,
    city_id uuid NOT NULL CONSTRAINT applicability_city_fk REFERENCES city,
    verdict text NOT NULL CONSTRAINT applicability_verdict_values CHECK (verdict IN ('applicable', 'with_changes',
        'not_readily_applicable', 'unknown')),
    reason text,
    reason_scheme text NOT NULL GENERATED ALWAYS AS ('applicability_reasons') STORED,
    text text,
    assessed_on partial_date,
    current boolean NOT NULL,
    visibility visibility NOT NULL,
    -- Pilot and origin go together, so that an assessment cannot become one of the pilot's own city.
    CONSTRAINT applicability_pilot_fk FOREIGN KEY (pilot_id, origin_city_id) REFERENCES pilot (id, origin_city_id),
    CONSTRAINT applicability_other_city CHECK (city_id <> origin_city_id),
    CONSTRAINT applicability_reason_given CHECK (verdict <> 'not_readily_applicable' OR reason IS NOT NULL),
    CONSTRAINT applicability_reason_fk FOREIGN KEY (reason_scheme, reason) REFERENCES term (scheme, code)
);
CREATE UNIQUE INDEX applicability_current_unique ON applicability (pilot_id, city_id) WHERE current;
CREATE INDEX applicability_pilot ON applicability (pilot_id, origin_city_id);
CREATE INDEX applicability_pair ON applicability (pilot_id, city_id, id);
CREATE INDEX applicability_city ON applicability (city_id);
CREATE INDEX applicability_reason ON applicability (reason_scheme, reason);

-- By the criteria of the vocabulary `replicability`; one that is absent was not assessed.
CREATE TABLE applicability_score (
    applicability_id uuid NOT NULL CONSTRAINT applicability_score_applicability_fk REFERENCES applicability ON DELETE CASCADE,
    criterion text NOT NULL,
    scheme text NOT NULL GENERATED ALWAYS AS ('replicability') STORED,
    score smallint NOT NULL CONSTRAINT applicability_score_range CHECK (score BETWEEN 1 AND 5),
    PRIMARY KEY (applicability_id, criterion),
    CONSTRAINT applicability_score_criterion_fk FOREIGN KEY (scheme, criterion) REFERENCES term (scheme, code)
);
CREATE INDEX applicability_score_criterion ON applicability_score (scheme, criterion);

CREATE VIEW need_view AS
SELECT n.id, r.type, r.version, r.created_at, r.updated_at, r.language, r.translations, r.external_ids, r.citations,
    coalesce(c.code, c.id::text) AS city, n.area, n.category, n.title, n.description, n.tags, n.status, n.city_id,
    'public' AS effective_visibility, ARRAY[n.city_id] AS city_ids
FROM need n JOIN record_view r USING (id) JOIN city c ON c.id = n.city_id;
COMMENT ON VIEW need_view IS 'nullable: category description';

-- The cities involved in an assessment are the pilot's origin and the city that would receive it.
CREATE VIEW applicability_view AS
SELECT a.id, r.type, r.version, r.created_at, r.updated_at, r.language, r.translations, r.external_ids, r.citations,
    a.pilot_id, coalesce(c.code, c.id::text) AS city, a.verdict, a.reason, a.text, a.assessed_on,
    coalesce((SELECT jsonb_object_agg(s.criterion, s.score) FROM applicability_score s WHERE s.applicability_id = a.id),
             '{}') AS scores,
    a.current, a.visibility, a.origin_city_id, a.city_id,
    strictest(a.visibility, p.visibility) AS effective_visibility,
    ARRAY[a.origin_city_id, a.city_id] AS city_ids
FROM applicability a JOIN record_view r USING (id) JOIN pilot p ON p.id = a.pilot_id JOIN city c ON c.id = a.city_id;
COMMENT ON VIEW applicability_view IS 'nullable: reason text assessed_on';
