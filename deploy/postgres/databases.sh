#!/bin/sh
# Run once by the Postgres image, on an empty volume: a database for each service, owned by
# <service>_owner, which migrates it; <service>_app works in it and is let into no other.
# The passwords come from the environment: KAWAL_INVENTORY_OWNER_PASSWORD, KAWAL_INVENTORY_APP_PASSWORD, ...
set -eu

for service in inventory custody exchange console; do
    upper=$(echo "$service" | tr '[:lower:]' '[:upper:]')
    owner_password=$(printenv "KAWAL_${upper}_OWNER_PASSWORD")
    app_password=$(printenv "KAWAL_${upper}_APP_PASSWORD")
    psql --quiet --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 \
        --set name="$service" --set owner="${service}_owner" --set app="${service}_app" \
        --set owner_password="$owner_password" --set app_password="$app_password" <<'SQL'
create role :"owner" login password :'owner_password';
create role :"app" login password :'app_password';
create database :"name" owner :"owner";
revoke all on database :"name" from public;
grant connect on database :"name" to :"app";
SQL
done
