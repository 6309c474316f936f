-- What search knows of a record is asked of its own kind. The union over all kinds was set up in full for each record
-- that was written, twice, which cost ten times what all else of a write does.

-- Each write looks into this index, and would read through all that waits to be put in its place.
ALTER INDEX search_entry_dependants SET (fastupdate = off);
SELECT gin_clean_pending_list('search_entry_dependants');

-- The same functions in a language whose plans are kept: those of SQL functions that have a query in them are made anew
-- in each statement that calls them.
CREATE OR REPLACE FUNCTION search_pieces(language text, translations jsonb, texts jsonb) RETURNS jsonb IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_agg(jsonb_build_object('member', p.member, 'language', p.language, 'text', p.text)
                                  ORDER BY p.translated, search_weight(p.member), p.member, p.language), '[]')
        FROM (
            SELECT o.key AS member, language, o.value AS text, false AS translated FROM jsonb_each_text(texts) o
            UNION ALL
            SELECT t.key, l.key, t.value, true
            FROM jsonb_each(translations) l, jsonb_each_text(l.value) t WHERE texts ? t.key
        ) p
        WHERE p.text <> ''
    );
END $$;

CREATE OR REPLACE FUNCTION search_vector(pieces jsonb) RETURNS tsvector IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql AS $$
BEGIN
    RETURN (
        SELECT search_concatenation(setweight(
                   CASE WHEN search_weight(p.member) = 'A'
                        THEN to_tsvector(search_configuration(p.language), left(p.text, p.most)) || to_tsvector('simple', left(p.text, p.most))
                        ELSE to_tsvector(search_configuration(p.language), left(p.text, p.most)) END,
                   search_weight(p.member)) ORDER BY p.position)
        FROM (SELECT e.value ->> 'member' AS member, e.value ->> 'language' AS language, e.value ->> 'text' AS text,
                     e.ordinality AS position, greatest(200, 120000 / jsonb_array_length(pieces)) AS most
              FROM jsonb_array_elements(pieces) WITH ORDINALITY e) p
    );
END $$;

CREATE OR REPLACE FUNCTION search_trigrams(pieces jsonb) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE plpgsql AS $$
BEGIN
    RETURN (
        SELECT coalesce(string_agg(DISTINCT lower(left(e.value ->> 'text', 1000)), ' '), '')
        FROM jsonb_array_elements(pieces) e
        WHERE e.value ->> 'member' IN ('title', 'name', 'tags', 'label')
    );
END $$;

DROP FUNCTION search_rebuild(), search_refresh(uuid[]), search_write(uuid[]);
DROP VIEW search_document, search_source;

-- Whatever can be searched, one view for each collection, in one shape. A record type becomes searchable here and in the
-- two functions below.
--   pieces: its texts; about: the cities that it is of, by which it is found and filtered, and which its text names;
--   parents: records whose title or visibility it shares, which are asked again when it changes, and it when they do.
CREATE VIEW search_source_cities (record_id, type, title, pieces, about, areas, category, status, latitudes, longitudes,
    effective_visibility, city_ids, parents) AS
SELECT c.id, 'cities', c.name,
    search_pieces(c.language, c.translations, jsonb_build_object('name', c.name, 'code', c.code)),
    ARRAY[c.id], '{}'::text[], NULL::text, NULL::text,
    ARRAY[c.latitude], ARRAY[c.longitude],
    c.effective_visibility::text, c.city_ids, '{}'::uuid[]
FROM city_view c;

CREATE VIEW search_source_organisations (record_id, type, title, pieces, about, areas, category, status, latitudes, longitudes,
    effective_visibility, city_ids, parents) AS
SELECT o.id, 'organisations', o.name, search_pieces(o.language, o.translations, jsonb_build_object('name', o.name)),
    o.city_ids, '{}'::text[], NULL::text, NULL::text, array_remove(ARRAY[c.latitude], NULL), array_remove(ARRAY[c.longitude], NULL),
    o.effective_visibility::text, o.city_ids, '{}'::uuid[]
FROM organisation_view o LEFT JOIN city c ON c.id = o.city_id;

CREATE VIEW search_source_programmes (record_id, type, title, pieces, about, areas, category, status, latitudes, longitudes,
    effective_visibility, city_ids, parents) AS
SELECT p.id, 'programmes', p.name,
    search_pieces(p.language, p.translations, jsonb_build_object('name', p.name, 'funder', p.funder)),
    '{}'::uuid[], '{}'::text[], NULL::text, NULL::text, '{}'::double precision[], '{}'::double precision[],
    p.effective_visibility::text, p.city_ids, '{}'::uuid[]
FROM programme_view p;

CREATE VIEW search_source_documents (record_id, type, title, pieces, about, areas, category, status, latitudes, longitudes,
    effective_visibility, city_ids, parents) AS
SELECT d.id, 'documents', d.title,
    search_pieces(d.language, d.translations, jsonb_build_object('title', d.title, 'licence', d.licence)),
    d.city_ids, '{}'::text[], NULL::text, NULL::text, array_remove(ARRAY[c.latitude], NULL), array_remove(ARRAY[c.longitude], NULL),
    d.effective_visibility::text, d.city_ids, '{}'::uuid[]
FROM document_view d LEFT JOIN city c ON c.id = d.city_id;

CREATE VIEW search_source_pilots (record_id, type, title, pieces, about, areas, category, status, latitudes, longitudes,
    effective_visibility, city_ids, parents) AS
SELECT p.id, 'pilots', p.title,
    search_pieces(p.language, p.translations, jsonb_build_object('title', p.title, 'summary', p.summary,
        'description', p.description, 'tags', array_to_string(p.tags, ' · '), 'standards', array_to_string(p.standards, ' · '),
        'ip_terms', p.ip_terms, 'cost_note', p.cost_note)),
    ARRAY[p.origin_city_id], p.areas, p.category, p.status, ARRAY[c.latitude], ARRAY[c.longitude],
    p.effective_visibility::text, p.city_ids, '{}'::uuid[]
FROM pilot_view p JOIN city c ON c.id = p.origin_city_id;

CREATE VIEW search_source_needs (record_id, type, title, pieces, about, areas, category, status, latitudes, longitudes,
    effective_visibility, city_ids, parents) AS
SELECT n.id, 'needs', n.title,
    search_pieces(n.language, n.translations, jsonb_build_object('title', n.title, 'description', n.description,
        'tags', array_to_string(n.tags, ' · '))),
    ARRAY[n.city_id], ARRAY[n.area], n.category, n.status, ARRAY[c.latitude], ARRAY[c.longitude],
    n.effective_visibility::text, n.city_ids, '{}'::uuid[]
FROM need_view n JOIN city c ON c.id = n.city_id;

-- An assessment is named after the pilot. Where that is private, the assessed city may be none of those that know it.
CREATE VIEW search_source_applicability (record_id, type, title, pieces, about, areas, category, status, latitudes, longitudes,
    effective_visibility, city_ids, parents) AS
SELECT a.id, 'applicability', p.title,
    search_pieces(p.language, p.translations, jsonb_build_object('title', p.title))
        || search_pieces(a.language, a.translations, jsonb_build_object('text', a.text)),
    ARRAY[a.city_id, a.origin_city_id], p.areas, p.category, a.verdict, '{}'::double precision[], '{}'::double precision[], a.effective_visibility::text,
    CASE WHEN p.visibility = 'private' THEN ARRAY(SELECT i FROM unnest(a.city_ids) i WHERE i = ANY (p.city_ids))
         ELSE a.city_ids END, ARRAY[a.pilot_id]
FROM applicability_view a JOIN pilot_view p ON p.id = a.pilot_id;

CREATE VIEW search_source_hostings (record_id, type, title, pieces, about, areas, category, status, latitudes, longitudes,
    effective_visibility, city_ids, parents) AS
SELECT h.id, 'hostings', p.title,
    search_pieces(r.language, r.translations, jsonb_build_object('title', p.title))
        || search_pieces(h.language, h.translations, jsonb_build_object('scale_note', h.scale_note,
            'no_outcome_reason', h.no_outcome_reason,
            'sites', (SELECT string_agg(s.name, ' · ' ORDER BY s.position) FROM site s WHERE s.hosting_id = h.id))),
    ARRAY[h.host_city_id, h.origin_city_id], ARRAY(SELECT a.area FROM pilot_area a WHERE a.pilot_id = p.id ORDER BY a.area),
    p.category, h.status,
    coalesce((SELECT array_agg(s.latitude ORDER BY s.position) FROM site s
              WHERE s.hosting_id = h.id AND s.latitude IS NOT NULL), ARRAY[c.latitude]),
    coalesce((SELECT array_agg(s.longitude ORDER BY s.position) FROM site s
              WHERE s.hosting_id = h.id AND s.latitude IS NOT NULL), ARRAY[c.longitude]),
    h.effective_visibility::text, h.city_ids, ARRAY[h.pilot_id]
FROM hosting_view h JOIN pilot p ON p.id = h.pilot_id JOIN record r ON r.id = p.id JOIN city c ON c.id = h.host_city_id;

CREATE VIEW search_source_partnerships (record_id, type, title, pieces, about, areas, category, status, latitudes, longitudes,
    effective_visibility, city_ids, parents) AS
SELECT p.id, 'partnerships', p.title, search_pieces(p.language, p.translations, jsonb_build_object('title', p.title)),
    p.city_ids, '{}'::text[], NULL::text, p.status,
    (SELECT array_agg(c.latitude ORDER BY c.id) FROM city c WHERE c.id = ANY (p.city_ids)),
    (SELECT array_agg(c.longitude ORDER BY c.id) FROM city c WHERE c.id = ANY (p.city_ids)),
    p.effective_visibility::text, p.city_ids, '{}'::uuid[]
FROM partnership_view p;

CREATE VIEW search_source_initiatives (record_id, type, title, pieces, about, areas, category, status, latitudes, longitudes,
    effective_visibility, city_ids, parents) AS
SELECT i.id, 'initiatives', i.title,
    search_pieces(i.language, i.translations, jsonb_build_object('title', i.title, 'description', i.description, 'reason', i.reason)),
    i.city_ids, ARRAY[i.area], NULL::text, i.stage, '{}'::double precision[], '{}'::double precision[], i.effective_visibility::text, i.city_ids, ARRAY[i.partnership_id]
FROM initiative_view i;

CREATE VIEW search_source_activities (record_id, type, title, pieces, about, areas, category, status, latitudes, longitudes,
    effective_visibility, city_ids, parents) AS
SELECT a.id, 'activities', a.title,
    search_pieces(a.language, a.translations, jsonb_build_object('title', a.title, 'theme', a.theme,
        'places', (SELECT string_agg(p.name, ' · ' ORDER BY p.position) FROM activity_place p WHERE p.activity_id = a.id))),
    a.city_ids, a.areas, NULL::text, NULL::text,
    coalesce((SELECT array_agg(p.latitude ORDER BY p.position) FROM activity_place p
              WHERE p.activity_id = a.id AND p.latitude IS NOT NULL), array_remove(ARRAY[c.latitude], NULL)),
    coalesce((SELECT array_agg(p.longitude ORDER BY p.position) FROM activity_place p
              WHERE p.activity_id = a.id AND p.latitude IS NOT NULL), array_remove(ARRAY[c.longitude], NULL)),
    a.effective_visibility::text, a.city_ids, array_remove(ARRAY[a.partnership_id], NULL)
FROM activity_view a LEFT JOIN city c ON c.id = a.city_id;

-- Whom an agreement involves depends on its initiative's partnership and on the cities of its organisations.
CREATE VIEW search_source_agreements (record_id, type, title, pieces, about, areas, category, status, latitudes, longitudes,
    effective_visibility, city_ids, parents) AS
SELECT a.id, 'agreements', a.title, search_pieces(a.language, a.translations, jsonb_build_object('title', a.title)),
    a.city_ids, array_remove(ARRAY[i.area], NULL), NULL::text, a.status, '{}'::double precision[], '{}'::double precision[], a.effective_visibility::text, a.city_ids,
    array_remove(ARRAY[a.initiative_id, i.partnership_id], NULL)
        || ARRAY(SELECT p.organisation_id FROM agreement_party p WHERE p.agreement_id = a.id AND p.organisation_id IS NOT NULL)
FROM agreement_view a LEFT JOIN initiative i ON i.id = a.initiative_id;

CREATE VIEW search_source_indicators (record_id, type, title, pieces, about, areas, category, status, latitudes, longitudes,
    effective_visibility, city_ids, parents) AS
SELECT i.id, 'indicators', i.name,
    search_pieces(i.language, i.translations, jsonb_build_object('name', i.name, 'definition', i.definition, 'code', i.code)),
    i.city_ids, i.areas, NULL::text, NULL::text, '{}'::double precision[], '{}'::double precision[], i.effective_visibility::text, i.city_ids, '{}'::uuid[]
FROM indicator_view i;

-- An evaluation is named after the pilot. Where that is private to the hosting's cities, its author is none of them.
CREATE VIEW search_source_evaluations (record_id, type, title, pieces, about, areas, category, status, latitudes, longitudes,
    effective_visibility, city_ids, parents) AS
SELECT e.id, 'evaluations', p.title,
    search_pieces(r.language, r.translations, jsonb_build_object('title', p.title))
        || search_pieces(e.language, e.translations, jsonb_build_object('summary', e.summary, 'rationale', e.rationale,
            'lessons', (SELECT string_agg(l.text, E'\n' ORDER BY l.position) FROM lesson l WHERE l.evaluation_id = e.id),
            'scores', (SELECT string_agg(s.reason, E'\n' ORDER BY s.criterion) FROM evaluation_score s WHERE s.evaluation_id = e.id))),
    ARRAY[h.host_city_id, h.origin_city_id], ARRAY(SELECT a.area FROM pilot_area a WHERE a.pilot_id = p.id ORDER BY a.area),
    p.category, e.decision, '{}'::double precision[], '{}'::double precision[], e.effective_visibility::text,
    CASE WHEN h.effective_visibility = 'private' THEN h.city_ids ELSE e.city_ids END, ARRAY[h.id, h.pilot_id]
FROM evaluation_view e JOIN hosting_view h ON h.id = e.hosting_id
JOIN pilot p ON p.id = h.pilot_id JOIN record r ON r.id = p.id;

CREATE TYPE search_source AS (record_id uuid, type text, title text, pieces jsonb, about uuid[], areas text[],
    category text, status text, latitudes double precision[], longitudes double precision[],
    effective_visibility text, city_ids uuid[], parents uuid[]);

-- What is searched of these records. A branch that is not taken costs nothing, unlike one of a union.
CREATE FUNCTION search_source(wanted uuid[]) RETURNS SETOF search_source STABLE ROWS 10
    LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    kind text;
    own uuid[];
BEGIN
    FOR kind, own IN SELECT r.type, array_agg(r.id) FROM record r WHERE r.id = ANY (wanted) GROUP BY r.type LOOP
        CASE kind
            WHEN 'cities' THEN RETURN QUERY SELECT * FROM search_source_cities s WHERE s.record_id = ANY (own);
            WHEN 'organisations' THEN RETURN QUERY SELECT * FROM search_source_organisations s WHERE s.record_id = ANY (own);
            WHEN 'programmes' THEN RETURN QUERY SELECT * FROM search_source_programmes s WHERE s.record_id = ANY (own);
            WHEN 'documents' THEN RETURN QUERY SELECT * FROM search_source_documents s WHERE s.record_id = ANY (own);
            WHEN 'pilots' THEN RETURN QUERY SELECT * FROM search_source_pilots s WHERE s.record_id = ANY (own);
            WHEN 'needs' THEN RETURN QUERY SELECT * FROM search_source_needs s WHERE s.record_id = ANY (own);
            WHEN 'applicability' THEN RETURN QUERY SELECT * FROM search_source_applicability s WHERE s.record_id = ANY (own);
            WHEN 'hostings' THEN RETURN QUERY SELECT * FROM search_source_hostings s WHERE s.record_id = ANY (own);
            WHEN 'partnerships' THEN RETURN QUERY SELECT * FROM search_source_partnerships s WHERE s.record_id = ANY (own);
            WHEN 'initiatives' THEN RETURN QUERY SELECT * FROM search_source_initiatives s WHERE s.record_id = ANY (own);
            WHEN 'activities' THEN RETURN QUERY SELECT * FROM search_source_activities s WHERE s.record_id = ANY (own);
            WHEN 'agreements' THEN RETURN QUERY SELECT * FROM search_source_agreements s WHERE s.record_id = ANY (own);
            WHEN 'indicators' THEN RETURN QUERY SELECT * FROM search_source_indicators s WHERE s.record_id = ANY (own);
            WHEN 'evaluations' THEN RETURN QUERY SELECT * FROM search_source_evaluations s WHERE s.record_id = ANY (own);
            ELSE NULL; -- not searched for
        END CASE;
    END LOOP;
END $$;

-- The parents of these records.
CREATE FUNCTION search_parents(wanted uuid[]) RETURNS SETOF uuid STABLE ROWS 10
    LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    kind text;
    own uuid[];
BEGIN
    FOR kind, own IN SELECT r.type, array_agg(r.id) FROM record r WHERE r.id = ANY (wanted) GROUP BY r.type LOOP
        CASE kind
            WHEN 'applicability' THEN
                RETURN QUERY SELECT unnest(s.parents) FROM search_source_applicability s WHERE s.record_id = ANY (own);
            WHEN 'hostings' THEN
                RETURN QUERY SELECT unnest(s.parents) FROM search_source_hostings s WHERE s.record_id = ANY (own);
            WHEN 'initiatives' THEN
                RETURN QUERY SELECT unnest(s.parents) FROM search_source_initiatives s WHERE s.record_id = ANY (own);
            WHEN 'activities' THEN
                RETURN QUERY SELECT unnest(s.parents) FROM search_source_activities s WHERE s.record_id = ANY (own);
            WHEN 'agreements' THEN
                RETURN QUERY SELECT unnest(s.parents) FROM search_source_agreements s WHERE s.record_id = ANY (own);
            WHEN 'evaluations' THEN
                RETURN QUERY SELECT unnest(s.parents) FROM search_source_evaluations s WHERE s.record_id = ANY (own);
            ELSE NULL; -- has none
        END CASE;
    END LOOP;
END $$;

CREATE TYPE search_document AS (record_id uuid, type text, title text, areas text[], category text, status text,
    latitudes double precision[], longitudes double precision[], effective_visibility text, city_ids uuid[], parents uuid[],
    cities text[], countries text[], names uuid[], pieces jsonb);

-- The source with what it names: labels of its category and areas, and its cities, in all their languages.
CREATE FUNCTION search_document(wanted uuid[]) RETURNS SETOF search_document STABLE ROWS 10 LANGUAGE sql AS $$
SELECT s.record_id, s.type, s.title, s.areas, s.category, s.status, s.latitudes, s.longitudes,
    s.effective_visibility, s.city_ids, s.parents,
    coalesce(c.references, '{}') AS cities, coalesce(c.countries, '{}') AS countries,
    s.about || coalesce(t.ids, '{}') AS names,
    s.pieces || coalesce(t.pieces, '[]') || coalesce(c.pieces, '[]') AS pieces
FROM search_source(wanted) s
LEFT JOIN LATERAL (
    SELECT array_agg(DISTINCT t.id) AS ids, jsonb_agg(p.value ORDER BY t.scheme DESC, t.code, p.ordinality) AS pieces
    FROM term t JOIN record r ON r.id = t.id,
        jsonb_array_elements(search_pieces(r.language, r.translations, jsonb_build_object('label', t.label))) WITH ORDINALITY p
    WHERE (t.scheme, t.code) = ('categories', s.category) OR (t.scheme = 'areas' AND t.code = ANY (s.areas))
) t ON true
LEFT JOIN LATERAL (
    SELECT array_agg(DISTINCT coalesce(c.code, c.id::text)) AS references, array_agg(DISTINCT c.country) AS countries,
        jsonb_agg(p.value ORDER BY c.id, p.ordinality) FILTER (WHERE s.type <> 'cities') AS pieces
    FROM city c JOIN record r ON r.id = c.id,
        jsonb_array_elements(search_pieces(r.language,
            (SELECT coalesce(jsonb_object_agg(l.key, jsonb_build_object('city', l.value -> 'name')), '{}')
             FROM jsonb_each(r.translations) l WHERE l.value ? 'name'),
            jsonb_build_object('city', c.name))) WITH ORDINALITY p
    WHERE c.id = ANY (s.about)
) c ON true
$$;

-- Brings the entries of these records, which are locked, to what their documents say. Gives those that changed.
CREATE FUNCTION search_write(wanted uuid[]) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    one record;
    fresh search_document;
    changed uuid[] := '{}';
BEGIN
    FOR one IN
        WITH d AS MATERIALIZED (
            SELECT s.record_id, s AS document, md5(s::text) AS digest FROM search_document(wanted) s
        )
        SELECT coalesce(d.record_id, e.record_id) AS record_id, d.document, d.digest,
            e.id AS entry_id, e.begun = pg_current_xact_id() AS unseen
        FROM d
        FULL JOIN (SELECT * FROM search_entry WHERE record_id = ANY (wanted) AND ended IS NULL) e USING (record_id)
        WHERE d.digest IS DISTINCT FROM e.digest
    LOOP
        changed := changed || one.record_id;
        IF one.unseen THEN
            -- Nobody has seen what this transaction itself wrote.
            DELETE FROM search_entry WHERE id = one.entry_id;
        ELSIF one.entry_id IS NOT NULL THEN
            UPDATE search_entry SET ended = pg_current_xact_id(), ended_at = now() WHERE id = one.entry_id;
        END IF;
        IF one.digest IS NOT NULL THEN
            fresh := one.document;
            INSERT INTO search_entry (record_id, type, title, pieces, words, trigrams, cities, countries, areas, category,
                status, latitudes, longitudes, effective_visibility, city_ids, parents, names, digest)
            VALUES (fresh.record_id, fresh.type, fresh.title, fresh.pieces, search_vector(fresh.pieces),
                search_trigrams(fresh.pieces), fresh.cities, fresh.countries, fresh.areas, fresh.category, fresh.status,
                fresh.latitudes, fresh.longitudes, fresh.effective_visibility, fresh.city_ids, fresh.parents, fresh.names,
                one.digest);
        END IF;
    END LOOP;
    RETURN changed;
END $$;

-- Called in the transaction that changed these records, after their rows. Their parents are asked again as well: a
-- pilot's audience grows with its hostings. If they changed, so may what depends on them. Records of one pilot wait
-- for each other at the pilot's entry, so that none is written with the audience of a moment ago.
-- The plans are kept: to make those of the views anew costs ten times what they do.
CREATE FUNCTION search_refresh(wanted uuid[]) RETURNS void
    LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    own uuid[] := wanted;
    dependants uuid[];
    changed uuid[];
BEGIN
    SELECT own || coalesce(array_agg(p.id), '{}') INTO own FROM (
        SELECT p.id FROM search_parents(wanted) AS p(id)
        UNION
        SELECT unnest(parents) FROM search_entry WHERE record_id = ANY (wanted) AND ended IS NULL
    ) p;
    PERFORM search_lock(own);
    changed := search_write(own);
    -- Terms have no entry of their own; whether their label changed is seen at the entries that have it.
    SELECT array_agg(record_id) INTO dependants FROM search_entry
    WHERE ended IS NULL AND (parents && own OR names && wanted) AND NOT record_id = ANY (own);
    IF dependants IS NOT NULL AND (changed <> '{}'
        OR NOT EXISTS (SELECT FROM search_entry WHERE record_id = ANY (wanted) AND ended IS NULL)) THEN
        PERFORM search_lock(dependants);
        PERFORM search_write(dependants);
    END IF;
    DELETE FROM search_entry WHERE id IN (
        SELECT id FROM search_entry WHERE ended IS NOT NULL AND ended_at < now() - interval '2 hours'
        ORDER BY ended_at LIMIT 100 FOR UPDATE SKIP LOCKED);
END $$;

-- All entries anew: for records that were there before, and after a restore, where the numbers of transactions begin
-- again and rows would seem to be of the future.
CREATE FUNCTION search_rebuild() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM search_entry;
    PERFORM search_write((SELECT array_agg(id) FROM record));
END $$;
