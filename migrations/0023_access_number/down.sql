CREATE OR REPLACE FUNCTION tell_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('pilot_exchange_access', '');
    RETURN NULL;
END $$;
DROP TABLE access_number;
