# One root file system for every stand-in image: the real programs from Debian, no Oz software.
groupadd --gid 101 nginx
useradd --uid 101 --gid 101 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin nginx
mkdir -p /etc/postgresql-common
echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf
install bash curl locales openssl procps iproute2 netbase python3 gunicorn celery python3-redis python3-psycopg2 \
  python3-pyftpdlib redis-server nginx-light postgresql-17 postgresql-17-pgvector \
  prometheus-redis-exporter prometheus-postgres-exporter prometheus-nginx-exporter
localedef -i en_US -f UTF-8 en_US.UTF-8

ln -sf python3 /usr/bin/python
ln -sf /usr/lib/postgresql/17/bin/* /usr/local/bin/
for folder in /opt/gateway /opt/oz/o2n; do
  mkdir -p "$folder"
  python3 -m venv --system-site-packages --without-pip "$folder/env"
  for program in gunicorn celery; do
    printf '#!%s/env/bin/python\n' "$folder" > "$folder/env/bin/$program"
    tail -n +2 "/usr/bin/$program" >> "$folder/env/bin/$program"
    chmod 755 "$folder/env/bin/$program"
  done
done
mkdir -p /data /models /app/models /app/downloads /docker-entrypoint-initdb.d /var/lib/postgresql/data
chown postgres:postgres /var/lib/postgresql/data
chown nginx:nginx /var/lib/nginx /var/log/nginx
ln -sf /dev/stdout /var/log/nginx/access.log
ln -sf /dev/stderr /var/log/nginx/error.log

# What no stand-in uses: PostgreSQL's JIT compiler, character maps, Perl, byte code of tests.
rm -rf /usr/lib/x86_64-linux-gnu/libLLVM* /usr/lib/llvm* /usr/lib/x86_64-linux-gnu/libz3* \
  /usr/lib/postgresql/17/lib/llvmjit* /usr/lib/postgresql/17/lib/bitcode \
  /usr/share/i18n /usr/share/perl /usr/share/perl5 /usr/lib/x86_64-linux-gnu/perl /usr/lib/x86_64-linux-gnu/perl5 \
  /usr/lib/x86_64-linux-gnu/libperl* /usr/share/zoneinfo/right /usr/share/zoneinfo/posix
tidy
mkdir -p /var/cache/nginx /var/log/redis
chown nginx:nginx /var/cache/nginx
