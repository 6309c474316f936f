-- A key that does not sign yet would sign at once without signs_from.
DELETE FROM signing_key WHERE signs_from > now();
ALTER TABLE signing_key DROP signs_from;
DROP TABLE oidc_subject, login;
