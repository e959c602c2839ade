"""Environment variables of this service: those of the chassis that it uses, and its own."""

{% if cookiecutter.database != "none" %}
from pydantic import Field

{% endif %}
from .chassis.http.settings import HttpSettings
{% if cookiecutter.worker %}
from .chassis.jobs.settings import Cron, WorkerSettings
{% endif %}
{% if cookiecutter.database == "mongodb" %}
from .chassis.mongodb.settings import MongodbSettings
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


class Settings(
    {% if cookiecutter.sentry %}
    SentrySettings,
    {% endif %}
    {% if cookiecutter.worker %}
    WorkerSettings,
    {% endif %}
    HttpSettings,
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
    {% if cookiecutter.database != "none" %}

    keep_days: int = Field(
        default=90, ge=1, le=99999, description="Delete orders older than this many days."
    )
    {% endif %}
    {% if cookiecutter.worker %}
    cleanup_schedule: Cron = Field(
        default="0 3 * * *", description="Cron expression (UTC) for deleting old orders."
    )
    {% endif %}
    {% if cookiecutter.__cached_orders %}
    order_cache_seconds: int = Field(
        default=60, ge=1, description="Seconds that an order stays in the cache."
    )
    {% endif %}
