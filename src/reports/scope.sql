-- What a report counts: the records that the caller may see, narrowed by the filters of every report.
-- $1 the visibilities seen everywhere; $2 the cities whose private records are seen too (null: none); $3 as $1, for outcomes;
-- $4 cities, $5 partnerships, $6 programmes, $7 areas, $8 the first day and $9 the last (null: not asked for); $10 today.
-- A report takes the parts that it names (`asked.rs`), and of each what it reads; what was not asked for costs nothing. A city is named by its code, else
-- its id. The past has of each view what its record shows or keeps: neither `reference` nor what filters of lists read.
WITH asked AS NOT MATERIALIZED (
    SELECT $1::text[] AS levels, $2::uuid[] AS own, $3::text[] AS measured_levels, $4::uuid[] AS cities,
        $5::uuid[] AS partnerships, $6::uuid[] AS programmes, $7::text[] AS areas, $8::date AS since, $9::date AS until,
        $10::date AS today
), cities AS NOT MATERIALIZED (
    SELECT c.id, coalesce(c.code, c.id::text) AS city, c.name, c.country, c.latitude, c.longitude, c.population, c.website
    FROM city_view c, asked a
    WHERE (a.cities IS NULL OR c.id = ANY (a.cities))
        AND (a.partnerships IS NULL AND a.programmes IS NULL OR EXISTS (
            SELECT FROM partnership_view s WHERE coalesce(c.code, c.id::text) = ANY (s.cities)
                AND (a.partnerships IS NULL OR s.id = ANY (a.partnerships))
                AND (a.programmes IS NULL OR s.programme_id = ANY (a.programmes))))
), partnerships AS NOT MATERIALIZED (
    SELECT s.id, s.title, s.programme_id, s.cities, s.status, s.since
    FROM partnership_view s, asked a
    WHERE (a.partnerships IS NULL OR s.id = ANY (a.partnerships))
        AND (a.programmes IS NULL OR s.programme_id = ANY (a.programmes))
        AND (a.cities IS NULL OR s.cities && ARRAY(SELECT coalesce(c.code, c.id::text) FROM city_view c WHERE c.id = ANY (a.cities)))
), initiatives AS NOT MATERIALIZED (
    SELECT i.id, i.title, i.partnership_id, i.area, i.kind, i.stage, i.from_city, i.to_city,
        ARRAY(SELECT (one ->> 'id')::uuid FROM jsonb_array_elements(i.pilot_ids) one) AS any_pilot_ids
    FROM initiative_view i JOIN partnerships s ON s.id = i.partnership_id, asked a
    WHERE a.areas IS NULL OR i.area = ANY (a.areas)
), hostings AS NOT MATERIALIZED (
    SELECT v.id, v.pilot_id, v.origin_city_id, v.host_city_id, v.kind, v.status, v.suspended_from, v.planned_start,
        v.planned_end, v.actual_start, v.actual_end, v.lead_organisation_id, v.no_outcome_reason, v.guards_waived,
        v.began_as, v.agreed_after, v.preparing_after, v.live_after, v.suspended_after, v.evaluating_after, v.closed_after,
        v.cancelled_after
    FROM counted_hosting v, asked a
    WHERE {hosting_seen} AND {hosting_scope}
), pilots AS NOT MATERIALIZED (
    SELECT p.id, p.title, p.origin_city_id, p.origin_city, p.category, p.areas, p.status, p.trl, p.summary, p.description,
        p.processes_personal_data, p.standards, p.has_area, p.has_provider
    FROM counted_pilot p, asked a
    WHERE (p.visibility = ANY (a.levels) OR p.city_ids && a.own)
        AND (a.cities IS NULL OR p.origin_city_id = ANY (a.cities))
        AND (a.areas IS NULL OR p.areas && a.areas)
        AND (a.partnerships IS NULL AND a.programmes IS NULL OR p.id IN (SELECT h.pilot_id FROM hostings h)
            OR EXISTS (SELECT FROM initiatives i WHERE p.id = ANY (i.any_pilot_ids)))
        AND (a.since IS NULL AND a.until IS NULL OR p.id IN (SELECT h.pilot_id FROM hostings h))
), outcomes AS NOT MATERIALIZED (
    SELECT o.id, o.indicator_id, o.measure, o.direction, o.level, o.baseline, o.baseline_on, o.targets, o.targets_due, o.frequency,
        o.currency, o.tolerance, o.is_partitioned, o.latest, o.actual, o.told_until, o.parts_behind, o.created_at,
        o.responsible_organisation_id, o.subject_type, o.subject_id, o.hosting_id, o.pilot_id, o.partnership_id,
        o.initiative_id, o.measuring_city_id, o.hosting_status, coalesce(o.pilot_id, o.hosted_pilot_id) AS any_pilot_id,
        -- Only who sees more outcomes than hostings needs to be asked whether they see the hosting.
        o.hosting_id IS NULL OR a.measured_levels = a.levels OR EXISTS (
            SELECT FROM counted_hosting v WHERE v.id = o.hosting_id AND {hosting_seen}) AS sees_hosting
    FROM counted_outcome o, asked a
    -- Part by part, as of a hosting.
    WHERE (o.visibility = ANY (a.measured_levels)
            AND (o.hosting_visibility IS NULL OR o.hosting_visibility = ANY (a.measured_levels))
            AND (o.pilot_visibility IS NULL OR o.pilot_visibility = ANY (a.measured_levels))
            AND (o.is_proposed IS NOT TRUE OR 'partners' = ANY (a.measured_levels))
            OR o.city_ids && a.own)
        AND (a.cities IS NULL OR coalesce(o.host_city_id = ANY (a.cities) OR o.lending_city_id = ANY (a.cities), false)
            OR coalesce(coalesce(o.origin_city_id, o.city_id) = ANY (a.cities), false)
            OR o.hosting_id IS NULL AND EXISTS (SELECT FROM partnership_view s WHERE s.id = o.any_partnership_id
                AND s.cities && ARRAY(SELECT coalesce(c.code, c.id::text) FROM city_view c WHERE c.id = ANY (a.cities))))
        AND (a.areas IS NULL
            OR EXISTS (SELECT FROM initiative_view n WHERE n.id = o.any_initiative_id AND n.area = ANY (a.areas))
            OR EXISTS (SELECT FROM pilot_view f WHERE f.id = coalesce(o.pilot_id, o.hosted_pilot_id) AND f.areas && a.areas
                AND (f.effective_visibility = ANY (a.levels) OR f.city_ids && a.own)))
        AND (a.partnerships IS NULL AND a.programmes IS NULL
            OR EXISTS (SELECT FROM partnership_view s WHERE s.id = o.any_partnership_id
                AND (a.partnerships IS NULL OR s.id = ANY (a.partnerships))
                AND (a.programmes IS NULL OR s.programme_id = ANY (a.programmes))))
        AND (a.since IS NULL AND a.until IS NULL OR o.hosting_id IN (SELECT x.id FROM hostings x))
), evaluations AS NOT MATERIALIZED (
    SELECT e.id, e.hosting_id, e.kind, e."on", e.lessons, e.decision, h.host_city_id, h.pilot_id
    FROM counted_evaluation e JOIN hostings h ON h.id = e.hosting_id, asked a
    WHERE e.visibility = ANY (a.levels) OR e.city_ids && a.own
), applicability AS NOT MATERIALIZED (
    SELECT v.id, v.pilot_id, v.city_id, v.origin_city_id, v.verdict, v.reason, v.text, v.assessed_on, v.mean, v.given
    FROM counted_applicability v, asked a
    WHERE (v.visibility = ANY (a.levels) AND (v.pilot_visibility IS NULL OR v.pilot_visibility = ANY (a.levels))
            OR v.city_ids && a.own)
        AND (a.cities IS NULL OR v.city_id = ANY (a.cities) OR v.origin_city_id = ANY (a.cities))
        AND (a.areas IS NULL OR EXISTS (SELECT FROM pilot_view p WHERE p.id = v.pilot_id AND p.areas && a.areas
            AND (p.effective_visibility = ANY (a.levels) OR p.city_ids && a.own)))
        AND (a.partnerships IS NULL AND a.programmes IS NULL
            OR EXISTS (SELECT FROM initiatives i WHERE v.pilot_id = ANY (i.any_pilot_ids)))
        AND (a.since IS NULL OR last_day(v.assessed_on) >= a.since)
        AND (a.until IS NULL OR last_day(v.assessed_on) <= a.until)
), activities AS NOT MATERIALIZED (
    SELECT v.id, v.kind, v.title, v.theme, v.city, v.places, v.starts_on, v.ends_on, v.parent_id, v.partnership_id, v.areas,
        v.participants
    FROM activity_view v LEFT JOIN partnership_view s ON s.id = v.partnership_id, asked a
    WHERE (a.cities IS NULL OR EXISTS (
            SELECT FROM city_view c WHERE c.id = ANY (a.cities) AND (coalesce(c.code, c.id::text) = v.city
                OR v.participants @> jsonb_build_array(jsonb_build_object('city', coalesce(c.code, c.id::text))))))
        AND (a.areas IS NULL OR v.areas && a.areas)
        AND (a.partnerships IS NULL OR v.partnership_id = ANY (a.partnerships))
        AND (a.programmes IS NULL OR s.programme_id = ANY (a.programmes))
        AND (a.since IS NULL OR last_day(coalesce(v.ends_on, v.starts_on)) >= a.since)
        AND (a.until IS NULL OR last_day(v.starts_on) <= a.until)
)
