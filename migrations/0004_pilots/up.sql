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
