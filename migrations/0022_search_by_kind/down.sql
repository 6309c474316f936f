-- As 0010 made it.

DROP FUNCTION search_rebuild(), search_refresh(uuid[]), search_write(uuid[]), search_document(uuid[]),
    search_parents(uuid[]), search_source(uuid[]);
DROP TYPE search_document, search_source;
DROP VIEW search_source_cities, search_source_organisations, search_source_programmes, search_source_documents, search_source_pilots, search_source_needs, search_source_applicability, search_source_hostings, search_source_partnerships, search_source_initiatives, search_source_activities, search_source_agreements, search_source_indicators, search_source_evaluations;

-- Whatever can be searched, one branch for each collection, in one shape. A record type becomes searchable here.
--   pieces: its texts; about: the cities that it is of, by which it is found and filtered, and which its text names;
--   parents: records whose title or visibility it shares, which are asked again when it changes, and it when they do.
CREATE VIEW search_source AS
SELECT c.id AS record_id, 'cities' AS type, c.name AS title,
    search_pieces(c.language, c.translations, jsonb_build_object('name', c.name, 'code', c.code)) AS pieces,
    ARRAY[c.id] AS about, '{}'::text[] AS areas, NULL::text AS category, NULL::text AS status,
    ARRAY[c.latitude] AS latitudes, ARRAY[c.longitude] AS longitudes,
    c.effective_visibility, c.city_ids, '{}'::uuid[] AS parents
FROM city_view c
UNION ALL
SELECT o.id, 'organisations', o.name, search_pieces(o.language, o.translations, jsonb_build_object('name', o.name)),
    o.city_ids, '{}', NULL, NULL, array_remove(ARRAY[c.latitude], NULL), array_remove(ARRAY[c.longitude], NULL),
    o.effective_visibility, o.city_ids, '{}'
FROM organisation_view o LEFT JOIN city c ON c.id = o.city_id
UNION ALL
SELECT p.id, 'programmes', p.name,
    search_pieces(p.language, p.translations, jsonb_build_object('name', p.name, 'funder', p.funder)),
    '{}', '{}', NULL, NULL, '{}', '{}', p.effective_visibility, p.city_ids, '{}'
FROM programme_view p
UNION ALL
SELECT d.id, 'documents', d.title,
    search_pieces(d.language, d.translations, jsonb_build_object('title', d.title, 'licence', d.licence)),
    d.city_ids, '{}', NULL, NULL, array_remove(ARRAY[c.latitude], NULL), array_remove(ARRAY[c.longitude], NULL),
    d.effective_visibility, d.city_ids, '{}'
FROM document_view d LEFT JOIN city c ON c.id = d.city_id
UNION ALL
SELECT p.id, 'pilots', p.title,
    search_pieces(p.language, p.translations, jsonb_build_object('title', p.title, 'summary', p.summary,
        'description', p.description, 'tags', array_to_string(p.tags, ' · '), 'standards', array_to_string(p.standards, ' · '),
        'ip_terms', p.ip_terms, 'cost_note', p.cost_note)),
    ARRAY[p.origin_city_id], p.areas, p.category, p.status, ARRAY[c.latitude], ARRAY[c.longitude],
    p.effective_visibility, p.city_ids, '{}'
FROM pilot_view p JOIN city c ON c.id = p.origin_city_id
UNION ALL
SELECT n.id, 'needs', n.title,
    search_pieces(n.language, n.translations, jsonb_build_object('title', n.title, 'description', n.description,
        'tags', array_to_string(n.tags, ' · '))),
    ARRAY[n.city_id], ARRAY[n.area], n.category, n.status, ARRAY[c.latitude], ARRAY[c.longitude],
    n.effective_visibility, n.city_ids, '{}'
FROM need_view n JOIN city c ON c.id = n.city_id
UNION ALL
-- An assessment is named after the pilot. Where that is private, the assessed city may be none of those that know it.
SELECT a.id, 'applicability', p.title,
    search_pieces(p.language, p.translations, jsonb_build_object('title', p.title))
        || search_pieces(a.language, a.translations, jsonb_build_object('text', a.text)),
    ARRAY[a.city_id, a.origin_city_id], p.areas, p.category, a.verdict, '{}', '{}', a.effective_visibility,
    CASE WHEN p.visibility = 'private' THEN ARRAY(SELECT i FROM unnest(a.city_ids) i WHERE i = ANY (p.city_ids))
         ELSE a.city_ids END, ARRAY[a.pilot_id]
FROM applicability_view a JOIN pilot_view p ON p.id = a.pilot_id
UNION ALL
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
    h.effective_visibility, h.city_ids, ARRAY[h.pilot_id]
FROM hosting_view h JOIN pilot p ON p.id = h.pilot_id JOIN record r ON r.id = p.id JOIN city c ON c.id = h.host_city_id
UNION ALL
SELECT p.id, 'partnerships', p.title, search_pieces(p.language, p.translations, jsonb_build_object('title', p.title)),
    p.city_ids, '{}', NULL, p.status,
    (SELECT array_agg(c.latitude ORDER BY c.id) FROM city c WHERE c.id = ANY (p.city_ids)),
    (SELECT array_agg(c.longitude ORDER BY c.id) FROM city c WHERE c.id = ANY (p.city_ids)),
    p.effective_visibility, p.city_ids, '{}'
FROM partnership_view p
UNION ALL
SELECT i.id, 'initiatives', i.title,
    search_pieces(i.language, i.translations, jsonb_build_object('title', i.title, 'description', i.description, 'reason', i.reason)),
    i.city_ids, ARRAY[i.area], NULL, i.stage, '{}', '{}', i.effective_visibility, i.city_ids, ARRAY[i.partnership_id]
FROM initiative_view i
UNION ALL
SELECT a.id, 'activities', a.title,
    search_pieces(a.language, a.translations, jsonb_build_object('title', a.title, 'theme', a.theme,
        'places', (SELECT string_agg(p.name, ' · ' ORDER BY p.position) FROM activity_place p WHERE p.activity_id = a.id))),
    a.city_ids, a.areas, NULL, NULL,
    coalesce((SELECT array_agg(p.latitude ORDER BY p.position) FROM activity_place p
              WHERE p.activity_id = a.id AND p.latitude IS NOT NULL), array_remove(ARRAY[c.latitude], NULL)),
    coalesce((SELECT array_agg(p.longitude ORDER BY p.position) FROM activity_place p
              WHERE p.activity_id = a.id AND p.latitude IS NOT NULL), array_remove(ARRAY[c.longitude], NULL)),
    a.effective_visibility, a.city_ids, array_remove(ARRAY[a.partnership_id], NULL)
FROM activity_view a LEFT JOIN city c ON c.id = a.city_id
UNION ALL
-- Whom an agreement involves depends on its initiative's partnership and on the cities of its organisations.
SELECT a.id, 'agreements', a.title, search_pieces(a.language, a.translations, jsonb_build_object('title', a.title)),
    a.city_ids, array_remove(ARRAY[i.area], NULL), NULL, a.status, '{}', '{}', a.effective_visibility, a.city_ids,
    array_remove(ARRAY[a.initiative_id, i.partnership_id], NULL)
        || ARRAY(SELECT p.organisation_id FROM agreement_party p WHERE p.agreement_id = a.id AND p.organisation_id IS NOT NULL)
FROM agreement_view a LEFT JOIN initiative i ON i.id = a.initiative_id
UNION ALL
SELECT i.id, 'indicators', i.name,
    search_pieces(i.language, i.translations, jsonb_build_object('name', i.name, 'definition', i.definition, 'code', i.code)),
    i.city_ids, i.areas, NULL, NULL, '{}', '{}', i.effective_visibility, i.city_ids, '{}'
FROM indicator_view i
UNION ALL
-- An evaluation is named after the pilot. Where that is private to the hosting's cities, its author is none of them.
SELECT e.id, 'evaluations', p.title,
    search_pieces(r.language, r.translations, jsonb_build_object('title', p.title))
        || search_pieces(e.language, e.translations, jsonb_build_object('summary', e.summary, 'rationale', e.rationale,
            'lessons', (SELECT string_agg(l.text, E'\n' ORDER BY l.position) FROM lesson l WHERE l.evaluation_id = e.id),
            'scores', (SELECT string_agg(s.reason, E'\n' ORDER BY s.criterion) FROM evaluation_score s WHERE s.evaluation_id = e.id))),
    ARRAY[h.host_city_id, h.origin_city_id], ARRAY(SELECT a.area FROM pilot_area a WHERE a.pilot_id = p.id ORDER BY a.area),
    p.category, e.decision, '{}', '{}', e.effective_visibility,
    CASE WHEN h.effective_visibility = 'private' THEN h.city_ids ELSE e.city_ids END, ARRAY[h.id, h.pilot_id]
FROM evaluation_view e JOIN hosting_view h ON h.id = e.hosting_id
JOIN pilot p ON p.id = h.pilot_id JOIN record r ON r.id = p.id;
COMMENT ON VIEW search_source IS 'nullable: category status';

-- The source with what it names: labels of its category and areas, and its cities, in all their languages.
CREATE VIEW search_document AS
SELECT s.record_id, s.type, s.title, s.areas, s.category, s.status, s.latitudes, s.longitudes,
    s.effective_visibility, s.city_ids, s.parents,
    coalesce(c.references, '{}') AS cities, coalesce(c.countries, '{}') AS countries,
    s.about || coalesce(t.ids, '{}') AS names,
    s.pieces || coalesce(t.pieces, '[]') || coalesce(c.pieces, '[]') AS pieces
FROM search_source s
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
) c ON true;
COMMENT ON VIEW search_document IS 'nullable: category status';

-- Brings the entries of these records, which are locked, to what their documents say. Gives those that changed.
CREATE FUNCTION search_write(wanted uuid[]) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    one record;
    fresh search_document;
    changed uuid[] := '{}';
BEGIN
    FOR one IN
        WITH d AS MATERIALIZED (
            SELECT s.record_id, s AS document, md5(s::text) AS digest FROM search_document s WHERE s.record_id = ANY (wanted)
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
        SELECT unnest(parents) AS id FROM search_source WHERE record_id = ANY (wanted)
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
    PERFORM search_write((SELECT array_agg(record_id) FROM search_source));
END $$;

CREATE OR REPLACE FUNCTION search_pieces(language text, translations jsonb, texts jsonb) RETURNS jsonb IMMUTABLE PARALLEL SAFE LANGUAGE sql
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

CREATE OR REPLACE FUNCTION search_vector(pieces jsonb) RETURNS tsvector IMMUTABLE PARALLEL SAFE LANGUAGE sql
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

CREATE OR REPLACE FUNCTION search_trigrams(pieces jsonb) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql
    RETURN (
        SELECT coalesce(string_agg(DISTINCT lower(left(e.value ->> 'text', 1000)), ' '), '')
        FROM jsonb_array_elements(pieces) e
        WHERE e.value ->> 'member' IN ('title', 'name', 'tags', 'label')
    );

ALTER INDEX search_entry_dependants RESET (fastupdate);
