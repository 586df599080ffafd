#!/bin/sh
# Writes .env for docker-compose.yml, with passwords made up here; an .env that exists is kept.
# usage: deploy/docker/env.sh https://issuer.example
set -eu
cd "$(dirname "$0")/../.."

issuer=${1:-}
case $issuer in
    http*://*) ;;
    *) echo "usage: deploy/docker/env.sh ISSUER_URL (who signs the bearer tokens)" >&2; exit 2 ;;
esac
if [ -e .env ]; then
    echo "kawal: .env exists and is kept; the passwords in the volumes are the ones in it" >&2
    exit 2
fi

password() {
    # A letter first: NATS reads a value that starts with a digit as a number.
    echo "k$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"
}

umask 077
{
    echo "KAWAL_ISSUER=$issuer"
    echo "KAWAL_POSTGRES_PASSWORD=$(password)"
    for service in INVENTORY CUSTODY EXCHANGE CONSOLE; do
        echo "KAWAL_${service}_OWNER_PASSWORD=$(password)"
        echo "KAWAL_${service}_APP_PASSWORD=$(password)"
        echo "KAWAL_NATS_${service}_PASSWORD=$(password)"
    done
    echo "KAWAL_NATS_POLDA_METRO_JAYA_PASSWORD=$(password)"
} > .env
