-- Whether a hosting `v` is seen by who asks `a`, part by part: each is narrow, and together they are its effective visibility.
(v.visibility = ANY (a.levels) AND (v.pilot_visibility IS NULL OR v.pilot_visibility = ANY (a.levels))
    AND (v.status <> 'proposed' OR 'partners' = ANY (a.levels)) OR v.city_ids && a.own)
