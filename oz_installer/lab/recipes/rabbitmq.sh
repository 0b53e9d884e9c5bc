# The root file system of the RabbitMQ stand-in: the real broker from Debian, by the official image's conventions.
install bash curl rabbitmq-server
rm -f /var/lib/rabbitmq/.erlang.cookie
rabbitmq-plugins --offline enable rabbitmq_management
tidy
rm -f /var/log/rabbitmq/*
