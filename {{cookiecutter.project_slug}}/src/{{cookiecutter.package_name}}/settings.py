"""Environment variables of this service: those of the chassis that it uses, and its own."""

from .chassis.http.settings import HttpSettings
{% if cookiecutter.worker %}
from .chassis.jobs.settings import WorkerSettings
{% endif %}
{% if cookiecutter.database == "mongodb" %}
from .chassis.mongodb.settings import MongodbSettings
{% endif %}
{% if cookiecutter.broker == "nats" %}
from .chassis.nats.settings import NatsSettings
{% endif %}
{% if cookiecutter.sentry %}
from .chassis.observability.sentry import SentrySettings
{% endif %}
{% if cookiecutter.database == "postgresql" %}
from .chassis.postgres.settings import PostgresSettings
{% endif %}
{% if cookiecutter.redis %}
from .chassis.redis.settings import RedisSettings
{% endif %}
{% if cookiecutter.database != "none" %}
from .orders.settings import OrderSettings
{% endif %}


class Settings(
    {% if cookiecutter.database != "none" %}
    OrderSettings,
    {% endif %}
    {% if cookiecutter.worker %}
    WorkerSettings,
    {% endif %}
    HttpSettings,
    {% if cookiecutter.sentry %}
    SentrySettings,
    {% endif %}
    {% if cookiecutter.broker == "nats" %}
    NatsSettings,
    {% endif %}
    {% if cookiecutter.redis %}
    RedisSettings,
    {% endif %}
    {% if cookiecutter.database == "mongodb" %}
    MongodbSettings,
    {% endif %}
    {% if cookiecutter.database == "postgresql" %}
    PostgresSettings,
    {% endif %}
):
    """Settings of every process; add your own as fields, then run `make docs`."""
