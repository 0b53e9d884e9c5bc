# Made by oz-install. Do not edit: change answers.yml and run oz-install again.

# How links to media are built, and under which names the API answers.
PORT = 8880
SCHEME = 'http'
HOST = '192.0.2.11'
ALLOWED_HOSTS = ['192.0.2.11', 'oz-api', 'oz-api-nginx', 'localhost', '127.0.0.1']

# PostgreSQL
DB_ENGINE = 'django.db.backends.postgresql'
DB_HOST = 'oz-api-pg'
DB_PORT = 5432
DB_NAME = 'gateway'
DB_USER = 'gateway_user'
DB_PASS = 'database-password-0123456789'
DB_OPTIONS = {'sslmode': 'disable'}

# The BIO
OZ_SERVICE_TFSS_HOST = 'http://oz-tfss:8501/v1/'
OZ_BUNDLE_TFSS_HOST = 'http://oz-tfss:8501/v1/'

# Queues
CELERY_BROKER_URL = 'redis://:redis-password-0123456789@oz-redis:6379/1'
CELERY_RESULT_BACKEND = 'redis://:redis-password-0123456789@oz-redis:6379/0'
OZ_REDIS_ANALYZES_NODE = 'redis://:redis-password-0123456789@oz-redis:6379/2'
OZ_REDIS_THROTTLING_NODE = 'redis://:redis-password-0123456789@oz-redis:6379/3'
OZ_CELERY_HEALTH_CHECK_QUEUES = ['default', 'maintenance', 'tfss', 'resolution', 'preview_convert']

# Limits and timing: the vendor's defaults, and the settings under extra.config of answers.yml
