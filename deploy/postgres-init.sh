#!/bin/sh
# Run once by the postgres image, on an empty volume: the two roles and the database.
#
# pilot_exchange_owner  owns the database; `pilot-exchange migrate` uses it
# pilot_exchange        the running service; may connect, and no more: `pilot-exchange migrate`
#                       grants it what it needs on each table
set -eu

psql --no-psqlrc --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=postgres <<'SQL'
\set owner_password `cat /run/secrets/owner_password`
\set application_password `cat /run/secrets/application_password`

CREATE ROLE pilot_exchange_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE pilot_exchange LOGIN PASSWORD :'application_password';

CREATE DATABASE pilot_exchange OWNER pilot_exchange_owner
    TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8';
REVOKE ALL ON DATABASE pilot_exchange FROM PUBLIC;
GRANT CONNECT ON DATABASE pilot_exchange TO pilot_exchange;
SQL
