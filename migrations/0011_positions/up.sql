-- Positions in the order of changes, and every record as it was at a position.

-- What a view has beside the members that are shown; with them a revision is a whole row of it.
ALTER TABLE revision ADD COLUMN kept jsonb NOT NULL DEFAULT '{}';
CREATE INDEX revision_listed ON revision (type, record_id) WHERE version = 1 AND type IN ('hostings', 'outcomes');

-- The instant of a change: that of its revision, but never before that of the change numbered before it. So the changes
-- up to an instant are the changes up to a number.
ALTER TABLE change ADD COLUMN at timestamptz,
    ADD CONSTRAINT change_numbered_whole CHECK ((seq IS NULL) = (at IS NULL));
CREATE INDEX change_at ON change (at, seq) WHERE seq IS NOT NULL;

-- The last number given: one row.
CREATE TABLE change_number (
    only_one boolean PRIMARY KEY DEFAULT true CONSTRAINT change_number_only_one CHECK (only_one),
    seq bigint NOT NULL,
    at timestamptz NOT NULL
);
INSERT INTO change_number (seq, at) VALUES (0, '-infinity');

-- Numbers committed changes that have none, at most so many; says how many it numbered. Changes of one record are
-- inserted one transaction after the other, so their order by id is the order of their versions. Whoever is at it holds
-- the row of change_number, so numbers are dense and never given twice.
CREATE FUNCTION number_changes(most integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    last change_number;
    numbered integer;
BEGIN
    IF NOT EXISTS (SELECT FROM change WHERE seq IS NULL) THEN
        RETURN 0;
    END IF;
    SELECT * INTO last FROM change_number FOR UPDATE;
    WITH pending AS (
        SELECT c.id, r.at FROM change c JOIN revision r USING (record_id, version)
        WHERE c.seq IS NULL ORDER BY c.id LIMIT most
    ), ordered AS (
        SELECT id, last.seq + row_number() OVER w AS seq, greatest(last.at, max(at) OVER w) AS at
        FROM pending WINDOW w AS (ORDER BY id)
    )
    UPDATE change c SET seq = o.seq, at = o.at FROM ordered o WHERE c.id = o.id;
    GET DIAGNOSTICS numbered = ROW_COUNT;
    IF numbered > 0 THEN
        UPDATE change_number SET seq = last.seq + numbered,
            at = (SELECT c.at FROM change c WHERE c.seq = last.seq + numbered);
    END IF;
    RETURN numbered;
END $$;

-- Up to when no change can come any more: a transaction of the service that is still open may yet make a change of its
-- instant, which is when it began.
CREATE FUNCTION settled_until() RETURNS timestamptz VOLATILE LANGUAGE sql AS $$
    SELECT least(clock_timestamp(), min(a.xact_start) - interval '1 microsecond')
    FROM pg_stat_activity a
    WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.application_name = 'pilot-exchange'
$$;

-- The current state of outcomes: their newest observation that counts, and their actual value.
-- Verified observations count (those that were not superseded); while there are none, submitted ones do.
-- Rows with dimensions are parts of their total and never added to it.
-- The names of tables are looked up when it runs, so that it answers for the past as well, where they are views.
CREATE FUNCTION outcome_states(the_outcomes uuid[])
RETURNS TABLE (outcome_id uuid, latest jsonb, actual numeric) STABLE LANGUAGE sql AS $$
WITH counted AS (
    SELECT o.id AS outcome_id, v.id, v.starts_on, v.ends_on, v.value, v.numerator, v.denominator, v.text, v.recorded_at,
        v.status, i.aggregation, i.measure, o.baseline_on,
        coalesce(v.value, round(CASE WHEN i.measure = 'percentage' THEN 100 ELSE 1 END * v.numerator / v.denominator, 6)) AS number,
        rank() OVER (PARTITION BY o.id ORDER BY v.status = 'verified' DESC) AS choice
    FROM outcome o
    JOIN indicator i ON i.id = o.indicator_id
    JOIN observation v ON v.outcome_id = o.id
    WHERE o.id = ANY (the_outcomes)
        AND v.dimensions = '{}' AND v.superseded_by_id IS NULL AND v.status IN ('verified', 'submitted')
), newest AS (
    SELECT DISTINCT ON (outcome_id) *
    FROM counted WHERE choice = 1
    ORDER BY outcome_id, last_day(ends_on) DESC, recorded_at DESC, id DESC
), summed AS (
    SELECT outcome_id,
        sum(number) AS total,
        CASE WHEN measure = 'percentage' AND count(*) = count(numerator) THEN 100 * sum(numerator) / nullif(sum(denominator), 0)
             ELSE avg(number) END AS mean
    FROM counted
    WHERE choice = 1 AND (baseline_on IS NULL OR last_day(ends_on) > last_day(baseline_on))
    GROUP BY outcome_id, measure
)
SELECT o.id,
    CASE WHEN n.id IS NOT NULL THEN jsonb_build_object(
        'observation_id', n.id, 'starts_on', n.starts_on, 'ends_on', n.ends_on,
        'value', trim_scale(n.number)::text, 'text', n.text, 'provisional', n.status = 'submitted') END,
    CASE i.aggregation
        -- Percentages are combined from their parts, never added up.
        WHEN 'sum' THEN CASE WHEN i.measure = 'percentage' THEN s.mean ELSE s.total END
        WHEN 'mean' THEN s.mean
        ELSE n.number
    END
FROM outcome o
JOIN indicator i ON i.id = o.indicator_id
LEFT JOIN newest n ON n.outcome_id = o.id
LEFT JOIN summed s ON s.outcome_id = o.id
WHERE o.id = ANY (the_outcomes)
$$;

-- The past. A transaction that puts this schema before public in its search path, and a position into
-- pilot_exchange.position, reads every view of a record as it was there: the same statements, other rows.
CREATE SCHEMA as_of;

CREATE FUNCTION as_of.position() RETURNS bigint STABLE PARALLEL SAFE LANGUAGE sql
    RETURN current_setting('pilot_exchange.position')::bigint;

-- The revision of each record that was the newest at the position, unless it was that of its deletion. It begins with the
-- first one of each, so that a page of a list is found in order of id without looking at all the others.
CREATE VIEW as_of.revision_at AS
SELECT f.record_id, f.type, r.body, r.kept, r.visibility, r.city_ids
FROM public.revision f
CROSS JOIN LATERAL (
    SELECT c.version FROM public.change c
    WHERE c.record_id = f.record_id AND c.seq <= as_of.position() ORDER BY c.version DESC LIMIT 1
) c
JOIN public.revision r ON r.record_id = f.record_id AND r.version = c.version
WHERE f.version = 1 AND r.op <> 'delete';

-- Who may see a record that is not there any more: those who could at last.
CREATE FUNCTION as_of.last_audience(the_record uuid) RETURNS TABLE (visibility text, city_ids uuid[])
STABLE LANGUAGE sql BEGIN ATOMIC
    SELECT r.visibility::text, r.city_ids FROM public.revision r
    WHERE r.record_id = the_record ORDER BY r.version DESC LIMIT 1;
END;

-- The past is shown to those who might see it then and may see it now. Of two private audiences the common cities stay.
CREATE FUNCTION as_of.common_cities(then_visibility text, then_cities uuid[], now_visibility text, now_cities uuid[])
RETURNS uuid[] IMMUTABLE PARALLEL SAFE LANGUAGE sql
    RETURN CASE WHEN then_visibility <> 'private' THEN now_cities
                WHEN now_visibility <> 'private' THEN then_cities
                ELSE ARRAY(SELECT unnest(then_cities) INTERSECT SELECT unnest(now_cities)) END;

CREATE FUNCTION as_of.body_of(the_record uuid) RETURNS jsonb STABLE COST 5000 LANGUAGE plpgsql AS $$
BEGIN
    RETURN (
        SELECT r.body FROM as_of.revision_at r WHERE r.record_id = the_record
    );
END $$;

-- Citations as they were, for those who may see the documents today.
CREATE FUNCTION as_of.citations(cited jsonb) RETURNS jsonb STABLE COST 5000 LANGUAGE plpgsql AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_agg(c.value || jsonb_build_object(
            'visibility', public.strictest(
                coalesce(as_of.body_of(d.id) ->> 'visibility', 'private'), coalesce(d.visibility, 'private')),
            'city_id', d.city_id) ORDER BY c.ordinality), '[]')
        FROM jsonb_array_elements(cited) WITH ORDINALITY c
        LEFT JOIN public.document d ON d.id = (c.value ->> 'document_id')::uuid
    );
END $$;

-- Makes as_of.<view>. `audience_then` is an expression over `r` (a row of revision_at) and `v` (the same as a row of the
-- view) and `joins`: who could see it then, along the chain of records as they were. `members` replaces expressions.
CREATE FUNCTION as_of.make_view(view text, collection text, visibility_then text, cities_then text,
                                members jsonb DEFAULT '{}', joins text DEFAULT '') RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    columns text;
BEGIN
    -- Types are those of the view to the letter: a prepared statement may run over either.
    SELECT string_agg(CASE a.attname
        WHEN 'id' THEN 'r.record_id AS id'
        WHEN 'citations' THEN 'as_of.citations(r.body -> ''citations'') AS citations'
        WHEN 'effective_visibility' THEN
            format('public.strictest((%s)::text, n.visibility)::%s AS effective_visibility', visibility_then, t.name)
        WHEN 'city_ids' THEN
            format('as_of.common_cities((%s)::text, %s, n.visibility, n.city_ids) AS city_ids', visibility_then, cities_then)
        ELSE coalesce('(' || (members ->> a.attname::text) || ')::' || t.name, 'v.' || quote_ident(a.attname))
            || ' AS ' || quote_ident(a.attname)
        END, ', ' ORDER BY a.attnum)
    INTO columns
    FROM pg_attribute a CROSS JOIN LATERAL (SELECT format_type(a.atttypid, a.atttypmod) AS name) t WHERE a.attrelid = ('public.' || view)::regclass AND a.attnum > 0 AND NOT a.attisdropped;
    EXECUTE format(
        'CREATE VIEW as_of.%1$I AS SELECT %2$s
         FROM as_of.revision_at r
         CROSS JOIN LATERAL jsonb_populate_record(NULL::public.%1$I, r.body || r.kept || jsonb_build_object(''type'', r.type)) v
         LEFT JOIN public.%1$I now ON now.id = r.record_id
         LEFT JOIN LATERAL as_of.last_audience(r.record_id) last ON now.id IS NULL
         CROSS JOIN LATERAL (SELECT coalesce(now.effective_visibility::text, last.visibility) AS visibility,
                                    coalesce(now.city_ids, last.city_ids) AS city_ids) n
         %4$s
         WHERE r.type = %3$L', view, columns, collection, joins);
END $$;

-- What an outcome's state is computed from, as it was.
CREATE VIEW as_of.indicator AS
SELECT r.record_id AS id, r.body ->> 'measure' AS measure, r.body ->> 'aggregation' AS aggregation
FROM as_of.revision_at r WHERE r.type = 'indicators';

CREATE VIEW as_of.outcome AS
SELECT r.record_id AS id, (r.body ->> 'indicator_id')::uuid AS indicator_id, r.body #>> '{baseline,on}' AS baseline_on
FROM as_of.revision_at r WHERE r.type = 'outcomes';

-- Observations that counted are never deleted, so the table of today leads to those of an outcome, one by one.
CREATE VIEW as_of.observation AS
SELECT o.id, o.outcome_id, r.body ->> 'starts_on' AS starts_on, r.body ->> 'ends_on' AS ends_on,
    (r.body ->> 'value')::numeric AS value, (r.body ->> 'numerator')::numeric AS numerator,
    (r.body ->> 'denominator')::numeric AS denominator, r.body ->> 'text' AS text,
    (r.body ->> 'recorded_at')::timestamptz AS recorded_at, r.body ->> 'status' AS status, r.body -> 'dimensions' AS dimensions,
    (r.body ->> 'superseded_by_id')::uuid AS superseded_by_id
FROM public.observation o
CROSS JOIN LATERAL (SELECT r.body FROM as_of.revision_at r WHERE r.record_id = o.id OFFSET 0) r;

-- The state of an outcome as it was. These are dear, and said to be, so that they are asked for the rows of a page only.
CREATE FUNCTION as_of.outcome_latest(the_outcome uuid) RETURNS jsonb
    STABLE COST 10000 LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN (SELECT s.latest FROM public.outcome_states(ARRAY[the_outcome]) s);
END $$;
CREATE FUNCTION as_of.outcome_actual(the_outcome uuid) RETURNS numeric
    STABLE COST 10000 LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN (SELECT s.actual FROM public.outcome_states(ARRAY[the_outcome]) s);
END $$;

-- A hosting is never wider than its pilot, nor than partners while it is proposed. Without a hosting, only the pilot counts.
CREATE FUNCTION as_of.visibility_of_hosting(hosting jsonb, of_pilot text) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql
    RETURN public.strictest(public.strictest(hosting ->> 'visibility', of_pilot),
                            CASE WHEN hosting ->> 'status' = 'proposed' THEN 'partners' END);

-- The cities of a pilot are its origin and those that hosted it already and still do.
CREATE FUNCTION as_of.cities_of_pilot(the_pilot uuid, origin uuid) RETURNS uuid[] STABLE COST 5000 LANGUAGE plpgsql AS $$
BEGIN
    RETURN (
        SELECT origin || ARRAY(
            SELECT h.host_city_id FROM public.hosting h JOIN public.change c ON c.record_id = h.id AND c.version = 1
            WHERE h.pilot_id = the_pilot AND c.seq <= as_of.position())
    );
END $$;

SELECT as_of.make_view('city_view', 'cities', '''public''', 'r.city_ids');
-- The contact address is for the city that it was of and is of.
SELECT as_of.make_view('organisation_view', 'organisations', '''public''', 'r.city_ids',
    '{"city_id": "CASE WHEN now.city_id = v.city_id THEN v.city_id END"}');
SELECT as_of.make_view('programme_view', 'programmes', '''public''', 'r.city_ids');
SELECT as_of.make_view('document_view', 'documents', 'r.visibility', 'r.city_ids');
SELECT as_of.make_view('term_view', 'terms', '''public''', 'r.city_ids');
SELECT as_of.make_view('pilot_view', 'pilots', 'r.visibility', 'as_of.cities_of_pilot(r.record_id, v.origin_city_id)');
SELECT as_of.make_view('need_view', 'needs', '''public''', 'r.city_ids');
SELECT as_of.make_view('applicability_view', 'applicability',
    'public.strictest(v.visibility, p.visibility)', 'r.city_ids', '{}',
    'JOIN as_of.revision_at p ON p.record_id = v.pilot_id');
SELECT as_of.make_view('partnership_view', 'partnerships', '''public''', 'r.city_ids');

-- Links that are shown to those who may see what they lead to.
CREATE FUNCTION as_of.pilot_links(ids jsonb) RETURNS jsonb STABLE COST 5000 LANGUAGE plpgsql AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_agg(jsonb_build_object('id', v.id, 'visibility', v.effective_visibility, 'city_ids', v.city_ids)
                                  ORDER BY v.id), '[]')
        FROM as_of.pilot_view v WHERE v.id IN (SELECT one::uuid FROM jsonb_array_elements_text(ids) one)
    );
END $$;
CREATE FUNCTION as_of.document_links(ids jsonb) RETURNS jsonb STABLE COST 5000 LANGUAGE plpgsql AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_agg(jsonb_build_object('id', v.id, 'visibility', v.effective_visibility, 'city_ids', v.city_ids)
                                  ORDER BY v.id), '[]')
        FROM as_of.document_view v WHERE v.id IN (SELECT one::uuid FROM jsonb_array_elements_text(ids) one)
    );
END $$;
SELECT as_of.make_view('agreement_view', 'agreements', 'r.visibility', 'r.city_ids',
    '{"document_id": "as_of.document_links(jsonb_build_array(r.body ->> ''document_id'')) -> 0"}');
CREATE FUNCTION as_of.agreement_link(the_agreement uuid) RETURNS jsonb STABLE COST 5000 LANGUAGE plpgsql AS $$
BEGIN
    RETURN (
        SELECT jsonb_build_object('id', v.id, 'visibility', v.effective_visibility, 'city_ids', v.city_ids)
        FROM as_of.agreement_view v WHERE v.id = the_agreement
    );
END $$;
CREATE FUNCTION as_of.agreement_links_of(the_initiative uuid) RETURNS jsonb STABLE COST 5000 LANGUAGE plpgsql AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_agg(jsonb_build_object('id', v.id, 'visibility', v.effective_visibility, 'city_ids', v.city_ids)
                                  ORDER BY v.id), '[]')
        FROM as_of.agreement_view v WHERE v.initiative_id = the_initiative
    );
END $$;
SELECT as_of.make_view('initiative_view', 'initiatives', '''public''', 'r.city_ids',
    '{"pilot_ids": "as_of.pilot_links(r.body -> ''pilot_ids'')", "document_ids": "as_of.document_links(r.body -> ''document_ids'')",
      "agreement_ids": "as_of.agreement_links_of(r.record_id)"}');
SELECT as_of.make_view('activity_view', 'activities', '''public''', 'r.city_ids');

-- The rule of the view privacy_gate, over the hosting, the pilot and the compliance as they were.
CREATE INDEX revision_of_hosting ON revision ((body ->> 'hosting_id')) WHERE type = 'compliance';
CREATE FUNCTION as_of.gate_broken(the_hosting uuid, hosting jsonb) RETURNS boolean STABLE COST 5000 LANGUAGE plpgsql AS $$
BEGIN
    RETURN (
        SELECT hosting ->> 'status' = 'live' AND g.kind IS NOT NULL AND coalesce(
            (SELECT c.body ->> 'status' <> 'approved' FROM as_of.revision_at c
             WHERE c.record_id IN (SELECT r.record_id FROM public.revision r
                                   WHERE r.type = 'compliance' AND r.body ->> 'hosting_id' = the_hosting::text)
                 AND c.body ->> 'kind' = g.kind LIMIT 1),
            NOT (hosting -> 'guards_waived') ? ('compliance_' || g.kind))
        FROM (
            SELECT CASE WHEN p.body -> 'processes_personal_data' IS DISTINCT FROM 'false' OR t.tracks_people IS TRUE
                        THEN CASE WHEN n.eea THEN 'dpia' ELSE 'pia' END END AS kind
            FROM (SELECT as_of.body_of((hosting ->> 'pilot_id')::uuid) AS body) p
            JOIN public.term t ON t.scheme = 'categories' AND t.code = p.body ->> 'category'
            JOIN public.city o ON o.id = (hosting ->> 'host_city_id')::uuid
            JOIN public.country n ON n.code = o.country
        ) g
    );
END $$;
SELECT as_of.make_view('hosting_view', 'hostings',
    'as_of.visibility_of_hosting(r.body, p.visibility)', 'r.city_ids',
    '{"agreement_id": "as_of.agreement_link((r.body ->> ''agreement_id'')::uuid)",
      "gate_broken": "as_of.gate_broken(r.record_id, r.body || r.kept)"}',
    'JOIN as_of.revision_at p ON p.record_id = v.pilot_id');
SELECT as_of.make_view('compliance_view', 'compliance', '''private''', 'r.city_ids');
SELECT as_of.make_view('indicator_view', 'indicators', '''public''', 'r.city_ids');
SELECT as_of.make_view('outcome_view', 'outcomes',
    'public.strictest(v.visibility, as_of.visibility_of_hosting(h.body, p.visibility))', 'r.city_ids',
    '{"latest": "as_of.outcome_latest(r.record_id)", "actual": "as_of.outcome_actual(r.record_id)"}',
    'LEFT JOIN as_of.revision_at h ON h.record_id = v.hosting_id
     LEFT JOIN as_of.revision_at p ON p.record_id = coalesce(v.pilot_id, (h.body ->> ''pilot_id'')::uuid)');
SELECT as_of.make_view('observation_view', 'observations',
    'CASE WHEN v.status = ''draft'' THEN ''private''
          ELSE public.strictest(o.body ->> ''visibility'', as_of.visibility_of_hosting(h.body, p.visibility)) END', 'r.city_ids', '{}',
    'JOIN as_of.revision_at o ON o.record_id = v.outcome_id
     LEFT JOIN as_of.revision_at h ON h.record_id = (o.kept ->> ''hosting_id'')::uuid
     LEFT JOIN as_of.revision_at p ON p.record_id = coalesce((o.kept ->> ''pilot_id'')::uuid, (h.body ->> ''pilot_id'')::uuid)');
SELECT as_of.make_view('evaluation_view', 'evaluations',
    'public.strictest(v.visibility, as_of.visibility_of_hosting(h.body, p.visibility))', 'r.city_ids', '{}',
    'JOIN as_of.revision_at h ON h.record_id = v.hosting_id
     JOIN as_of.revision_at p ON p.record_id = (h.body ->> ''pilot_id'')::uuid');

-- Revisions that were written before get what the records of today have beside their members.
ALTER TABLE revision DISABLE TRIGGER revision_append_only;
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT DISTINCT type FROM revision LOOP
        EXECUTE format(
            'UPDATE public.revision r SET kept = to_jsonb(v) - ARRAY(SELECT jsonb_object_keys(r.body))
             FROM public.%I v WHERE v.id = r.record_id AND r.type = %L',
            (SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = 'as_of' AND c.relkind = 'v' AND pg_get_viewdef(c.oid) LIKE format('%%r.type = %L%%', one.type)
               AND c.relname LIKE '%\_view'), one.type);
    END LOOP;
END $$;
ALTER TABLE revision ENABLE TRIGGER revision_append_only;
