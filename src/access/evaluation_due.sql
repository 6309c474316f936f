-- Whether a hosting `h` waits for its evaluation: it has ended, and none of `evaluations` decides.
h.status = 'evaluating' AND h.id NOT IN (SELECT e.hosting_id FROM evaluations e WHERE e.decision IS NOT NULL)
