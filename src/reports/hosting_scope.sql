-- Whether a hosting `v` is one of those asked for by `a`. The list of hostings and every report ask it in these words.
(a.cities IS NULL OR v.host_city_id = ANY (a.cities) OR v.origin_city_id = ANY (a.cities))
AND (a.areas IS NULL OR EXISTS (SELECT FROM pilot_view p WHERE p.id = v.pilot_id AND p.areas && a.areas))
AND (a.partnerships IS NULL AND a.programmes IS NULL OR EXISTS (
    SELECT FROM initiative_view i JOIN partnership_view s ON s.id = i.partnership_id
    WHERE i.id = v.initiative_id AND (a.partnerships IS NULL OR s.id = ANY (a.partnerships))
        AND (a.programmes IS NULL OR s.programme_id = ANY (a.programmes))))
AND (a.since IS NULL OR coalesce(last_day(coalesce(v.actual_end, v.planned_end)) >= a.since,
    coalesce(v.actual_start, v.planned_start) IS NOT NULL AND v.status NOT IN ('closed', 'cancelled')))
AND (a.until IS NULL OR coalesce(last_day(coalesce(v.actual_start, v.planned_start)) <= a.until, false))
