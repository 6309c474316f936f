CREATE TABLE country (
    code text PRIMARY KEY CONSTRAINT country_code_format CHECK (code ~ '^[A-Z]{2}$'), -- ISO 3166-1 alpha-2
    name text NOT NULL,
    eea boolean NOT NULL
);

CREATE TABLE city (
    id uuid PRIMARY KEY CONSTRAINT city_record_fk REFERENCES record,
    code text CONSTRAINT city_code_unique UNIQUE
        CONSTRAINT city_code_format CHECK (code ~ '^[A-Z]{2}[A-Z2-9]{3}$'), -- UN/LOCODE
    name text NOT NULL,
    country text NOT NULL CONSTRAINT city_country_fk REFERENCES country,
    latitude double precision NOT NULL CONSTRAINT city_latitude_range CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision NOT NULL CONSTRAINT city_longitude_range CHECK (longitude BETWEEN -180 AND 180),
    population bigint CONSTRAINT city_population_range CHECK (population >= 0),
    timezone text NOT NULL,
    website text,
    CONSTRAINT city_code_country CHECK (left(code, 2) = country)
);
CREATE INDEX city_country ON city (country);
CREATE INDEX city_name ON city (name, id);

CREATE TABLE account_city (
    account_id uuid NOT NULL CONSTRAINT account_city_account_fk REFERENCES account,
    city_id uuid NOT NULL CONSTRAINT account_city_city_fk REFERENCES city,
    PRIMARY KEY (account_id, city_id)
);
CREATE INDEX account_city_city ON account_city (city_id);

CREATE TABLE organisation (
    id uuid PRIMARY KEY CONSTRAINT organisation_record_fk REFERENCES record,
    name text NOT NULL,
    kind text CONSTRAINT organisation_kind_values CHECK (kind IN ('city_government', 'agency', 'company', 'operator',
        'university', 'research_centre', 'event_organiser', 'funder', 'ngo', 'other')),
    city_id uuid CONSTRAINT organisation_city_fk REFERENCES city,
    website text,
    contact_email text
);
CREATE UNIQUE INDEX organisation_name_city_unique ON organisation (lower(name), city_id) NULLS NOT DISTINCT;
CREATE INDEX organisation_city ON organisation (city_id);
CREATE INDEX organisation_name ON organisation (name, id);

CREATE TABLE programme (
    id uuid PRIMARY KEY CONSTRAINT programme_record_fk REFERENCES record,
    name text NOT NULL,
    funder text,
    starts_on partial_date,
    ends_on partial_date,
    website text,
    CONSTRAINT programme_ends_after_start CHECK (last_day(ends_on) >= first_day(starts_on))
);
CREATE UNIQUE INDEX programme_name_unique ON programme (lower(name));

CREATE TABLE document (
    id uuid PRIMARY KEY CONSTRAINT document_record_fk REFERENCES record,
    title text NOT NULL,
    city_id uuid CONSTRAINT document_city_fk REFERENCES city,
    url text,
    sha256 text CONSTRAINT document_sha256_format CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    licence text,
    published_on partial_date,
    visibility visibility NOT NULL
);
CREATE INDEX document_city ON document (city_id);
CREATE INDEX document_title ON document (title, id);

CREATE TABLE citation (
    record_id uuid NOT NULL CONSTRAINT citation_record_fk REFERENCES record ON DELETE CASCADE,
    position smallint NOT NULL,
    document_id uuid NOT NULL CONSTRAINT citation_document_fk REFERENCES document,
    locator text,
    quote text CONSTRAINT citation_quote_length CHECK (char_length(quote) <= 300),
    PRIMARY KEY (record_id, position)
);
CREATE INDEX citation_document ON citation (document_id);

CREATE TABLE term (
    id uuid PRIMARY KEY CONSTRAINT term_record_fk REFERENCES record,
    scheme text NOT NULL CONSTRAINT term_scheme_values CHECK (scheme IN
        ('areas', 'categories', 'applicability_reasons', 'hosting_reasons', 'replicability', 'units')),
    code text NOT NULL,
    label text NOT NULL,
    symbol text,
    tracks_people boolean CONSTRAINT term_tracks_people_of_category CHECK (tracks_people IS NULL OR scheme = 'categories'),
    broader text,
    retired_on partial_date,
    CONSTRAINT term_code_unique UNIQUE (scheme, code),
    CONSTRAINT term_broader_fk FOREIGN KEY (scheme, broader) REFERENCES term (scheme, code),
    CONSTRAINT term_broader_not_itself CHECK (broader <> code)
);
CREATE INDEX term_broader ON term (scheme, broader);

CREATE FUNCTION term_refuse_cycle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        WITH RECURSIVE above (code) AS (
            SELECT NEW.broader
            UNION
            SELECT t.broader FROM term t JOIN above a ON t.scheme = NEW.scheme AND t.code = a.code
            WHERE t.broader IS NOT NULL
        )
        SELECT FROM above WHERE code = NEW.code
    ) THEN
        RAISE EXCEPTION 'a term cannot be broader than itself'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'term_broader_cycle';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER term_broader_cycle AFTER INSERT OR UPDATE OF broader ON term
    FOR EACH ROW WHEN (NEW.broader IS NOT NULL) EXECUTE FUNCTION term_refuse_cycle();

CREATE VIEW record_view AS
SELECT r.id, r.type, r.version, r.created_at, r.updated_at, r.language, r.translations,
    coalesce((SELECT jsonb_agg(jsonb_build_object('source', e.source, 'value', e.value) ORDER BY e.source, e.value)
              FROM external_id e WHERE e.record_id = r.id), '[]') AS external_ids,
    coalesce((SELECT jsonb_agg(jsonb_build_object('document_id', c.document_id, 'locator', c.locator, 'quote', c.quote,
                                                  'visibility', d.visibility, 'city_id', d.city_id) ORDER BY c.position)
              FROM citation c JOIN document d ON d.id = c.document_id WHERE c.record_id = r.id), '[]') AS citations
FROM record r;

-- Views of records take the id from their own table: PostgreSQL does not carry a condition on record.id over to it, and
-- a page deep in a list would then read all the pages before it.

-- A city is named by its UN/LOCODE, and by its id where it has none.
CREATE VIEW city_view AS
SELECT c.id, r.type, r.version, r.created_at, r.updated_at, r.language, r.translations, r.external_ids, r.citations,
    c.code, c.name, c.country, c.latitude, c.longitude, c.population, c.timezone, c.website,
    'public' AS effective_visibility, ARRAY[c.id] AS city_ids, coalesce(c.code, c.id::text) AS reference
FROM city c JOIN record_view r USING (id);
COMMENT ON VIEW city_view IS 'nullable: code population website';

CREATE VIEW organisation_view AS
SELECT o.id, r.type, r.version, r.created_at, r.updated_at, r.language, r.translations, r.external_ids, r.citations,
    o.name, o.kind, c.reference AS city, o.website, o.contact_email, o.city_id,
    'public' AS effective_visibility, array_remove(ARRAY[o.city_id], NULL) AS city_ids
FROM organisation o JOIN record_view r USING (id)
LEFT JOIN LATERAL (SELECT coalesce(code, id::text) AS reference FROM city WHERE id = o.city_id) c ON true;
COMMENT ON VIEW organisation_view IS 'nullable: kind city website contact_email city_id';

CREATE VIEW programme_view AS
SELECT p.id, r.type, r.version, r.created_at, r.updated_at, r.language, r.translations, r.external_ids, r.citations,
    p.name, p.funder, p.starts_on, p.ends_on, p.website,
    'public' AS effective_visibility, '{}'::uuid[] AS city_ids
FROM programme p JOIN record_view r USING (id);
COMMENT ON VIEW programme_view IS 'nullable: funder starts_on ends_on website';

CREATE VIEW document_view AS
SELECT d.id, r.type, r.version, r.created_at, r.updated_at, r.language, r.translations, r.external_ids, r.citations,
    d.title, c.reference AS city, d.url, d.sha256, d.licence, d.published_on, d.visibility, d.city_id,
    d.visibility AS effective_visibility, array_remove(ARRAY[d.city_id], NULL) AS city_ids
FROM document d JOIN record_view r USING (id)
LEFT JOIN LATERAL (SELECT coalesce(code, id::text) AS reference FROM city WHERE id = d.city_id) c ON true;
COMMENT ON VIEW document_view IS 'nullable: city url sha256 licence published_on city_id';

CREATE VIEW term_view AS
SELECT t.id, r.type, r.version, r.created_at, r.updated_at, r.language, r.translations, r.external_ids, r.citations,
    t.scheme, t.code, t.label, t.symbol, t.tracks_people, t.broader, t.retired_on,
    'public' AS effective_visibility, '{}'::uuid[] AS city_ids
FROM term t JOIN record_view r USING (id);
COMMENT ON VIEW term_view IS 'nullable: symbol tracks_people broader retired_on';
