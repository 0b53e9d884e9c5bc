# Made by oz-install. Do not edit: change answers.yml and run oz-install again.

# How links to media are built, and under which names the API answers.
PORT = 443
SCHEME = 'https'
HOST = 'oz.example.com'
ALLOWED_HOSTS = ['oz.example.com', 'oz-api', 'oz-api-nginx', 'localhost', '127.0.0.1', '10.0.0.11', '10.0.0.12']

# PostgreSQL
DB_ENGINE = 'django.db.backends.postgresql'
DB_HOST = 'db.example.com'
DB_PORT = 5432
DB_NAME = 'gateway'
DB_USER = 'gateway_user'
DB_PASS = 'p4$$ "w\'o\\rd#%{x}\xe9'

# The BIO
OZ_SERVICE_TFSS_HOST = 'http://oz-bio-balancer:9501/v1/'
OZ_BUNDLE_TFSS_HOST = 'http://oz-bio-balancer:9501/v1/'

# Queues
CELERY_BROKER_URL = 'redis://:redis-password-0123456789@oz-redis:6379/1'
CELERY_RESULT_BACKEND = 'redis://:redis-password-0123456789@oz-redis:6379/0'
OZ_REDIS_ANALYZES_NODE = 'redis://:redis-password-0123456789@oz-redis:6379/2'
OZ_REDIS_THROTTLING_NODE = 'redis://:redis-password-0123456789@oz-redis:6379/3'
OZ_CELERY_HEALTH_CHECK_QUEUES = ['default', 'maintenance', 'tfss', 'resolution', 'preview_convert']

# Limits and timing: the vendor's defaults, and the settings under extra.config of answers.yml
