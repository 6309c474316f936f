SELECT n.id AS outcome_id, n.subject_type, n.subject_id, n.subject_title AS subject, n.city, n.city_name,
    n.indicator_id, n.vocabulary, n.code, n.indicator, n.unit, n.direction, n.currency, n.level,
    n.baseline, n.baseline_on,
    NULL::numeric AS target, NULL::text AS target_due_on,
    (n.latest ->> 'value')::numeric AS latest, n.latest ->> 'text' AS latest_text, n.latest ->> 'starts_on' AS latest_starts_on,
    n.latest ->> 'ends_on' AS latest_ends_on, (n.latest ->> 'provisional')::boolean AS provisional,
    (n.latest ->> 'observation_id')::uuid AS observation_id, n.actual,
    -- These depend on the day, as the target does, and are filled in by outcomes::progress.
    NULL::numeric AS progress, NULL::text AS progress_reason, 'no_data' AS progress_status,
    n.measure, n.targets, n.targets_due, n.tolerance
FROM named n
WHERE ($11::uuid[] IS NULL OR n.indicator_id = ANY ($11))
    AND ($12::text[] IS NULL OR n.level = ANY ($12))
    AND ($13::text[] IS NULL OR n.subject_type = ANY ($13))
    AND ($14::uuid[] IS NULL OR n.hosting_id = ANY ($14))
    AND ($15::uuid[] IS NULL OR n.seen_pilot_id = ANY ($15))
    AND ($16::uuid[] IS NULL OR n.initiative_id = ANY ($16))
    AND ($17::uuid[] IS NULL OR n.measuring_city_id = ANY ($17))
    AND ($18::text[] IS NULL OR n.currency = ANY ($18))
    AND ($19::boolean IS NULL OR (n.actual IS NOT NULL) = $19)
ORDER BY n.city_name, n.measuring_city_id, n.subject_title, n.subject_id, n.vocabulary, n.code, n.id
