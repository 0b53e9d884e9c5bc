"""Checks of the message broker: Redis or RabbitMQ."""
