# Made by oz-install. Do not edit: change answers.yml and run oz-install again.

# How links to media are built, and under which names the API answers.
PORT = 443
SCHEME = 'https'
HOST = 'oz.example.com'
ALLOWED_HOSTS = ['oz.example.com', 'oz-api', 'oz-api-nginx', 'localhost', '127.0.0.1', '10.0.0.11']

# PostgreSQL
DB_ENGINE = 'django.db.backends.postgresql'
DB_HOST = 'db.example.com'
DB_PORT = 5432
DB_NAME = 'gateway'
DB_USER = 'gateway_user'
DB_PASS = 'p4$$ "w\'o\\rd#%{x}\xe9'
DB_OPTIONS = {'sslmode': 'require'}

# The BIO
OZ_SERVICE_TFSS_HOST = 'http://oz-bio-balancer:9501/v1/'
OZ_BUNDLE_TFSS_HOST = 'http://oz-bio-balancer:9501/v1/'

# Optional services
OZ_SERVICE_REGULA_HOST = 'https://regula.example.com'
OZ_SERVICE_O2N_HOST = 'http://oz-api-o2n:8010'

# Queues
CELERY_BROKER_URL = 'amqp://oz:rabbitmq-password-0123456789@oz-rabbitmq:5672//'
CELERY_RESULT_BACKEND = 'redis://:redis-password-0123456789@oz-redis:6379/0'
OZ_REDIS_ANALYZES_NODE = 'redis://:redis-password-0123456789@oz-redis:6379/2'
OZ_REDIS_THROTTLING_NODE = 'redis://:redis-password-0123456789@oz-redis:6379/3'
OZ_CELERY_HEALTH_CHECK_QUEUES = ['default', 'maintenance', 'tfss', 'resolution', 'preview_convert', 'regula']

# Limits and timing: the vendor's defaults, and the settings under extra.config of answers.yml
