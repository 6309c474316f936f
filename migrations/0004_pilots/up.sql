CREATE TABLE pilot (
    id uuid PRIMARY KEY CONSTRAINT pilot_record_fk REFERENCES record,
    slug text NOT NULL CONSTRAINT pilot_slug_format CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    title text NOT NULL,
    summary text,
    description text,
    origin_city_id uuid NOT NULL CONSTRAINT pilot_origin_city_fk REFERENCES city,
    category text NOT NULL,
    category_scheme text NOT NULL GENERATED ALWAYS AS ('categories') STORED,
    trl smallint CONSTRAINT pilot_trl_range CHECK (trl BETWEEN 1 AND 9),
    status text NOT NULL CONSTRAINT pilot_status_values CHECK (status IN ('idea', 'in_test', 'operational', 'retired')),
    tags text[] NOT NULL DEFAULT '{}',
    standards text[] NOT NULL DEFAULT '{}',
    data_model_uri text,
    processes_personal_data boolean,
    ip_terms text,
    cost_note text,
    website text,
    visibility visibility NOT NULL,
    CONSTRAINT pilot_slug_unique UNIQUE (origin_city_id, slug),
    CONSTRAINT pilot_origin_unique UNIQUE (id, origin_city_id),
    CONSTRAINT pilot_category_fk FOREIGN KEY (category_scheme, category) REFERENCES term (scheme, code)
);
CREATE INDEX pilot_category ON pilot (category_scheme, category);
CREATE INDEX pilot_title ON pilot (title, id);
CREATE INDEX pilot_tags ON pilot USING gin (tags);

CREATE TABLE pilot_area (
    pilot_id uuid NOT NULL CONSTRAINT pilot_area_pilot_fk REFERENCES pilot ON DELETE CASCADE,
    area text NOT NULL,
    scheme text NOT NULL GENERATED ALWAYS AS ('areas') STORED,
    PRIMARY KEY (pilot_id, area),
    CONSTRAINT pilot_area_area_fk FOREIGN KEY (scheme, area) REFERENCES term (scheme, code)
);
CREATE INDEX pilot_area_area ON pilot_area (scheme, area);

CREATE TABLE pilot_provider (
    pilot_id uuid NOT NULL CONSTRAINT pilot_provider_pilot_fk REFERENCES pilot ON DELETE CASCADE,
    position smallint NOT NULL,
    organisation_id uuid NOT NULL CONSTRAINT pilot_provider_organisation_fk REFERENCES organisation,
    role text,
    PRIMARY KEY (pilot_id, position),
    CONSTRAINT pilot_provider_unique UNIQUE (pilot_id, organisation_id)
);
CREATE INDEX pilot_provider_organisation ON pilot_provider (organisation_id);

CREATE VIEW pilot_view AS
SELECT r.*, p.slug, p.title, p.summary, p.description, coalesce(c.code, c.id::text) AS origin_city, p.category,
    ARRAY(SELECT a.area FROM pilot_area a WHERE a.pilot_id = p.id ORDER BY a.area) AS areas,
    coalesce((SELECT jsonb_agg(jsonb_build_object('organisation_id', v.organisation_id, 'role', v.role) ORDER BY v.position)
              FROM pilot_provider v WHERE v.pilot_id = p.id), '[]') AS providers,
    p.trl, p.status, p.tags, p.standards, p.data_model_uri, p.processes_personal_data, p.ip_terms, p.cost_note,
    p.website, p.visibility, p.origin_city_id,
    p.visibility AS effective_visibility, ARRAY[p.origin_city_id] AS city_ids
FROM pilot p JOIN record_view r USING (id) JOIN city c ON c.id = p.origin_city_id;
COMMENT ON VIEW pilot_view IS
    'nullable: summary description trl data_model_uri processes_personal_data ip_terms cost_note website';
