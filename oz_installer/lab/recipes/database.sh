# Starts the lab's external PostgreSQL server: TLS with a certificate of its own, passwords by SCRAM.
# OZ_LAB_ADDRESS: where it listens. /run/oz-lab/password: password of the role gateway_user.
set -euo pipefail
echo "STAND-IN: the external database server of the lab of oz-install." >&2
data=/var/lib/postgresql/data
mkdir -p /run/postgresql "$data"
chown postgres:postgres /run/postgresql "$data"
chmod 700 "$data"
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
if [ ! -e "$data/oz-lab-ready" ]; then
  find "$data" -mindepth 1 -delete
  as_postgres initdb -D "$data" --encoding=UTF8 --locale=en_US.UTF-8 --auth-local=trust \
    --auth-host=scram-sha-256 --no-sync > /dev/null
  as_postgres openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
    -subj "/CN=$OZ_LAB_ADDRESS" -addext "subjectAltName=IP:$OZ_LAB_ADDRESS,DNS:db" \
    -keyout "$data/server.key" -out "$data/server.crt" 2> /dev/null
  cat >> "$data/postgresql.conf" <<END
listen_addresses = '*'
ssl = on
password_encryption = 'scram-sha-256'
max_connections = 400
END
  echo 'host all all all scram-sha-256' >> "$data/pg_hba.conf"
  as_postgres pg_ctl -D "$data" -o "-c listen_addresses=''" -w -s -t 600 start
  { printf "\\set password \`cat /run/oz-lab/password\`\n"; cat <<'END'; } | psql -q -U postgres -v ON_ERROR_STOP=1
CREATE ROLE gateway_user LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE gateway OWNER gateway_user TEMPLATE template0 ENCODING 'UTF8' LOCALE 'en_US.UTF-8';
\connect gateway
CREATE EXTENSION pgcrypto;
END
  as_postgres pg_ctl -D "$data" -m fast -w -s stop
  as_postgres touch "$data/oz-lab-ready"
fi
exec setpriv --reuid=postgres --regid=postgres --init-groups postgres -D "$data"
