CREATE TABLE evaluation (
    id uuid PRIMARY KEY CONSTRAINT evaluation_record_fk REFERENCES record,
    hosting_id uuid NOT NULL CONSTRAINT evaluation_hosting_fk REFERENCES hosting,
    kind text NOT NULL CONSTRAINT evaluation_kind_values CHECK (kind IN ('self', 'peer', 'external')),
    evaluated_on partial_date NOT NULL,
    summary text NOT NULL,
    decision text CONSTRAINT evaluation_decision_values CHECK (decision IN
        ('scale', 'adapt', 'continue_pilot', 'stop', 'inconclusive')),
    rationale text,
    author_city_id uuid CONSTRAINT evaluation_author_city_fk REFERENCES city, -- null: a verifier's or an administrator's
    visibility visibility NOT NULL
);
CREATE INDEX evaluation_hosting ON evaluation (hosting_id);
CREATE INDEX evaluation_author_city ON evaluation (author_city_id);

-- The six criteria of OECD-DAC (2019); no score means "not assessed".
CREATE TABLE evaluation_score (
    evaluation_id uuid NOT NULL CONSTRAINT evaluation_score_evaluation_fk REFERENCES evaluation ON DELETE CASCADE,
    criterion text NOT NULL CONSTRAINT evaluation_score_criterion_values CHECK (criterion IN
        ('relevance', 'coherence', 'effectiveness', 'efficiency', 'impact', 'sustainability')),
    score smallint CONSTRAINT evaluation_score_range CHECK (score BETWEEN 1 AND 4),
    reason text NOT NULL,
    PRIMARY KEY (evaluation_id, criterion)
);

CREATE TABLE lesson (
    evaluation_id uuid NOT NULL CONSTRAINT lesson_evaluation_fk REFERENCES evaluation ON DELETE CASCADE,
    position smallint NOT NULL,
    kind text NOT NULL CONSTRAINT lesson_kind_values CHECK (kind IN ('enabler', 'barrier', 'tip')),
    text text NOT NULL,
    PRIMARY KEY (evaluation_id, position)
);

CREATE TABLE evaluation_observation (
    evaluation_id uuid NOT NULL CONSTRAINT evaluation_observation_evaluation_fk REFERENCES evaluation ON DELETE CASCADE,
    observation_id uuid NOT NULL CONSTRAINT evaluation_observation_observation_fk REFERENCES observation,
    PRIMARY KEY (evaluation_id, observation_id)
);
CREATE INDEX evaluation_observation_observation ON evaluation_observation (observation_id);

-- A closed hosting keeps the decision it was closed with.
CREATE FUNCTION evaluation_keep_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM hosting WHERE id = OLD.hosting_id AND status = 'closed')
       AND NOT EXISTS (SELECT FROM evaluation WHERE hosting_id = OLD.hosting_id AND decision IS NOT NULL) THEN
        RAISE EXCEPTION 'a closed hosting keeps its decision'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'evaluation_decision_kept';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER evaluation_decision_kept AFTER UPDATE OF decision OR DELETE ON evaluation
    FOR EACH ROW WHEN (OLD.decision IS NOT NULL) EXECUTE FUNCTION evaluation_keep_decision();

CREATE VIEW evaluation_view AS
SELECT e.id, r.type, r.version, r.created_at, r.updated_at, r.language, r.translations, r.external_ids, r.citations,
    e.hosting_id, e.kind, e.evaluated_on AS "on", e.summary,
    coalesce((SELECT jsonb_object_agg(s.criterion, jsonb_build_object('score', s.score, 'reason', s.reason))
              FROM evaluation_score s WHERE s.evaluation_id = e.id), '{}') AS scores,
    coalesce((SELECT jsonb_agg(jsonb_build_object('kind', l.kind, 'text', l.text) ORDER BY l.position)
              FROM lesson l WHERE l.evaluation_id = e.id), '[]') AS lessons,
    e.decision, e.rationale,
    ARRAY(SELECT o.observation_id FROM evaluation_observation o WHERE o.evaluation_id = e.id
          ORDER BY o.observation_id) AS observation_ids,
    e.visibility, h.host_city_id, e.author_city_id,
    strictest(e.visibility, h.effective_visibility) AS effective_visibility,
    array_remove(h.city_ids || e.author_city_id, NULL) AS city_ids
FROM evaluation e JOIN record_view r USING (id) JOIN hosting_view h ON h.id = e.hosting_id;
COMMENT ON VIEW evaluation_view IS 'nullable: decision rationale author_city_id';
