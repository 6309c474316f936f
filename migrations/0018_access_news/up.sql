-- Servers remember whose a verified token is; they hear of what may end that from the transaction that does it. Such
-- changes are rare, so telling of them within the transaction costs nobody else anything.
CREATE FUNCTION tell_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('pilot_exchange_access', '');
    RETURN NULL;
END $$;
CREATE TRIGGER account_tells AFTER UPDATE OF client_id, role, disabled OR DELETE ON account
    FOR EACH STATEMENT EXECUTE FUNCTION tell_access();
CREATE TRIGGER account_city_tells AFTER INSERT OR UPDATE OR DELETE ON account_city
    FOR EACH STATEMENT EXECUTE FUNCTION tell_access();
-- A code is used at every login; only the end of a login ends tokens.
CREATE TRIGGER login_tells AFTER UPDATE OF ended_at ON login
    FOR EACH STATEMENT EXECUTE FUNCTION tell_access();
CREATE TRIGGER signing_key_tells AFTER UPDATE OF public_key OR DELETE ON signing_key
    FOR EACH STATEMENT EXECUTE FUNCTION tell_access();
