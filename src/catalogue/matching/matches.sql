-- Pairs of a pilot and a city, each with what speaks for and against it, by falling score.
-- $1 levels of visibility and $2 cities of the caller; $3 city, $4 need, $5 pilot, one of which narrows the pairs (a need
-- comes with its city); $6 weights by code; $7 outcomes that were achieved; $8 score and $9 id of the last pair; $10 how many.
WITH offered AS MATERIALIZED (
    SELECT p.id, p.title, p.category, p.areas, p.status, p.origin_city_id, p.processes_personal_data,
        coalesce(t.tracks_people, false) AS tracks_people
    FROM pilot_view p LEFT JOIN term t ON t.scheme = 'categories' AND t.code = p.category
    WHERE p.status <> 'retired' AND (p.effective_visibility = ANY ($1) OR p.city_ids && $2) AND ($5 IS NULL OR p.id = $5)
), town AS MATERIALIZED (
    SELECT c.id, c.name, c.country, k.eea, c.population, c.latitude, c.longitude
    FROM city c JOIN country k ON k.code = c.country WHERE $3 IS NULL OR c.id = $3
), hosted AS MATERIALIZED (
    SELECT h.id, h.pilot_id, h.host_city_id, h.status, h.kind, c.name, c.country, c.population, c.latitude, c.longitude
    FROM hosting_view h JOIN city c ON c.id = h.host_city_id
    WHERE (h.effective_visibility = ANY ($1) OR h.city_ids && $2) AND h.pilot_id IN (SELECT id FROM offered)
), pair AS MATERIALIZED (
    SELECT p.id AS pilot_id, t.id AS city_id
    FROM offered p JOIN town t ON t.id <> p.origin_city_id
    WHERE NOT EXISTS (SELECT FROM hosted h WHERE h.pilot_id = p.id AND h.host_city_id = t.id
                      AND h.status NOT IN ('closed', 'cancelled'))
), wanted AS MATERIALIZED (
    SELECT n.id, n.title, n.area, n.category, n.city_id, row_number() OVER (PARTITION BY n.city_id ORDER BY n.id DESC) AS age
    FROM need_view n
    WHERE (n.effective_visibility = ANY ($1) OR n.city_ids && $2)
        AND CASE WHEN $4 IS NULL THEN n.status = 'open' AND n.city_id IN (SELECT id FROM town) ELSE n.id = $4 END
), needed_category AS (
    SELECT pilot_id, city_id, 'need_category' AS code, jsonb_build_object('need', n.title) AS facts
    FROM pair JOIN offered p ON p.id = pilot_id
    JOIN (SELECT DISTINCT ON (city_id, category) * FROM wanted ORDER BY city_id, category, id) n USING (city_id)
    WHERE n.category = p.category
), needed_area AS (
    SELECT DISTINCT ON (pilot_id, city_id) pilot_id, city_id, 'need_area' AS code,
        jsonb_build_object('need', n.title, 'area', t.label) AS facts
    FROM pair JOIN offered p ON p.id = pilot_id
    JOIN (SELECT DISTINCT ON (city_id, area) * FROM wanted ORDER BY city_id, area, id) n USING (city_id)
    JOIN term t ON t.scheme = 'areas' AND t.code = n.area
    WHERE n.area = ANY (p.areas) ORDER BY pilot_id, city_id, n.id
), needed_text AS (
    -- All the words of a need; or, for the newest needs of the same kind, a title that is like it.
    SELECT DISTINCT ON (pilot_id, city_id) pilot_id, city_id, 'need_text' AS code, jsonb_build_object('need', n.title) AS facts
    FROM wanted n JOIN pair USING (city_id) JOIN offered p ON p.id = pilot_id
    JOIN search_entry e ON e.record_id = pilot_id AND e.ended IS NULL
    WHERE n.age <= 20 AND (e.words @@ search_query(n.title)
        OR (n.category = p.category AND word_similarity(lower(n.title), e.trigrams) >= 0.36))
    ORDER BY pilot_id, city_id, n.id
), own AS MATERIALIZED (
    -- One pilot of each city for each of its areas.
    SELECT DISTINCT ON (o.origin_city_id, a.area) o.origin_city_id AS city_id, a.area, o.title
    FROM pilot_view o, unnest(o.areas) AS a(area)
    WHERE o.origin_city_id IN (SELECT id FROM town) AND (o.effective_visibility = ANY ($1) OR o.city_ids && $2)
    ORDER BY o.origin_city_id, a.area, o.id
), own_area AS (
    SELECT DISTINCT ON (pilot_id, city_id) pilot_id, city_id, 'area' AS code,
        jsonb_build_object('area', t.label, 'own', o.title) AS facts
    FROM pair JOIN offered p ON p.id = pilot_id JOIN own o USING (city_id)
    JOIN term t ON t.scheme = 'areas' AND t.code = o.area
    WHERE o.area = ANY (p.areas) ORDER BY pilot_id, city_id, o.area
), similar_host AS (
    SELECT DISTINCT ON (pilot_id, city_id) pilot_id, city_id, 'similar_host' AS code,
        jsonb_build_object('host', h.name, 'status', h.status, 'home', h.kind = 'home_test', 'country', s.same_country,
            'km', CASE WHEN s.km <= 500 THEN round(s.km) END, 'size', s.same_size,
            'population', t.population, 'host_population', h.population) AS facts
    FROM pair JOIN town t ON t.id = city_id JOIN hosted h USING (pilot_id)
    CROSS JOIN LATERAL (SELECT h.country = t.country AS same_country,
        distance_km(h.latitude, h.longitude, t.latitude, t.longitude) AS km,
        coalesce(greatest(h.population, t.population) <= 2 * least(h.population, t.population)
                 AND num_nulls(h.population, t.population) = 0, false) AS same_size) s
    WHERE h.host_city_id <> city_id AND h.status IN ('live', 'evaluating', 'closed')
        AND (s.same_country OR s.km <= 500 OR s.same_size)
    ORDER BY pilot_id, city_id, s.same_country::int + s.same_size::int + (s.km <= 500)::int DESC, h.id
), decided AS (
    SELECT DISTINCT ON (e.hosting_id) e.hosting_id, e.decision, e."on"
    FROM evaluation_view e
    WHERE e.decision IS NOT NULL AND (e.effective_visibility = ANY ($1) OR e.city_ids && $2)
        AND e.hosting_id IN (SELECT id FROM hosted)
    ORDER BY e.hosting_id, last_day(e."on") DESC, e.id DESC
), decision AS (
    SELECT DISTINCT ON (pilot_id, city_id, d.decision) pilot_id, city_id, 'decision_' || d.decision AS code,
        jsonb_build_object('host', h.name, 'on', d."on") AS facts
    FROM pair JOIN hosted h USING (pilot_id) JOIN decided d ON d.hosting_id = h.id
    ORDER BY pilot_id, city_id, d.decision, last_day(d."on") DESC, h.id
), achieved AS (
    SELECT DISTINCT ON (pair.pilot_id, pair.city_id) pair.pilot_id, pair.city_id, 'outcome_achieved' AS code,
        jsonb_build_object('host', h.name, 'indicator', i.name) AS facts
    FROM pair JOIN hosted h USING (pilot_id) JOIN outcome o ON o.hosting_id = h.id JOIN indicator i ON i.id = o.indicator_id
    WHERE o.id = ANY ($7) ORDER BY pair.pilot_id, pair.city_id, o.id
), assessed AS (
    SELECT pilot_id, city_id, a.verdict AS code,
        jsonb_build_object('reason', a.reason, 'label', t.label, 'text', a.text, 'on', a.assessed_on) AS facts
    FROM pair JOIN applicability_view a USING (pilot_id, city_id)
    LEFT JOIN term t ON t.scheme = 'applicability_reasons' AND t.code = a.reason
    WHERE a.current AND (a.effective_visibility = ANY ($1) OR a.city_ids && $2)
), privacy AS (
    SELECT pilot_id, city_id, CASE WHEN t.eea THEN 'dpia' ELSE 'pia' END AS code,
        jsonb_build_object('stated', p.processes_personal_data, 'tracks', p.tracks_people) AS facts
    FROM pair JOIN offered p ON p.id = pilot_id JOIN town t ON t.id = city_id
    WHERE p.processes_personal_data IS DISTINCT FROM false OR p.tracks_people
), maturity AS (
    SELECT pilot_id, city_id, p.status AS code, '{}'::jsonb AS facts FROM pair JOIN offered p ON p.id = pilot_id
), scored AS (
    SELECT pilot_id, city_id, sum(w.weight) AS score,
        jsonb_agg(jsonb_build_object('code', code, 'facts', facts) ORDER BY w.weight DESC, code) AS reasons
    FROM (
        SELECT * FROM needed_category UNION ALL SELECT * FROM needed_area UNION ALL SELECT * FROM needed_text
        UNION ALL SELECT * FROM own_area UNION ALL SELECT * FROM similar_host UNION ALL SELECT * FROM decision
        UNION ALL SELECT * FROM achieved UNION ALL SELECT * FROM assessed UNION ALL SELECT * FROM privacy
        UNION ALL SELECT * FROM maturity
    ) r
    CROSS JOIN LATERAL (SELECT ($6 ->> r.code)::bigint AS weight) w
    WHERE w.weight IS NOT NULL
    GROUP BY pilot_id, city_id
)
SELECT s.pilot_id, s.city_id, coalesce(c.code, c.id::text) AS city, p.title, c.name, s.score::bigint AS score, s.reasons
FROM scored s JOIN offered p ON p.id = s.pilot_id JOIN city c ON c.id = s.city_id
CROSS JOIN LATERAL (SELECT CASE WHEN $5 IS NULL THEN s.pilot_id ELSE s.city_id END AS id) k
WHERE $9 IS NULL OR s.score < $8 OR (s.score = $8 AND k.id > $9)
ORDER BY s.score DESC, k.id LIMIT $10
