DROP TRIGGER signing_key_tells ON signing_key;
DROP TRIGGER login_tells ON login;
DROP TRIGGER account_city_tells ON account_city;
DROP TRIGGER account_tells ON account;
DROP FUNCTION tell_access;
