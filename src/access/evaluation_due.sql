-- Whether a hosting `h` waits for its evaluation: it has ended, and none of `evaluations` decides.
h.status = 'evaluating' AND NOT EXISTS (SELECT FROM evaluations e WHERE e.hosting_id = h.id AND e.decision IS NOT NULL)
