"""Every environment variable that this service reads: one flat, frozen class, built once."""

from typing import Literal

from pydantic import AnyHttpUrl, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

{% if cookiecutter.worker %}
from . import job_settings
{% endif %}
from .kinds import Port, Seconds
from .limit_settings import (
    HeaderBytes,
    HeaderFields,
    HeaderSeconds,
    HstsSeconds,
    Origins,
    RequestSeconds,
    SendSeconds,
    UrlBytes,
)
{% if cookiecutter.database == "mongodb" %}
from .mongodb_url import MongodbUrl
{% endif %}
{% if cookiecutter.database == "postgresql" %}
from .postgres_url import PostgresUrl
{% endif %}
{% if cookiecutter.redis %}
from .redis_url import RedisUrl
{% endif %}


class Settings(BaseSettings):
    """Field `port` is the variable `PORT`; a field without a default is required.

    A secret `X` may also come from the file that `X_FILE` names (see `environment.py`).
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    {% if cookiecutter.database == "postgresql" %}
    database_url: PostgresUrl = Field(description="`postgresql://user:password@host:5432/name`.")
    {% endif %}
    {% if cookiecutter.database == "mongodb" %}
    mongodb_url: MongodbUrl = Field(description="`mongodb://user:password@host:27017/name`.")
    {% endif %}
    {% if cookiecutter.database != "none" %}
    database_pool_size: int = Field(default=10, ge=1, description="Connections its pool may open.")
    {% endif %}
    {% if cookiecutter.redis %}
    redis_url: RedisUrl = Field(description="`redis://:password@host:6379/0`.")
    rate_limit_per_minute: int = Field(default=6000, ge=1, description="Requests from one address.")
    {% endif %}
    {% if cookiecutter.__cached_orders %}
    order_cache_seconds: int = Field(default=60, ge=1, description="Seconds an order is cached.")
    {% endif %}
    {% if cookiecutter.worker %}
    worker_concurrency: job_settings.Concurrency = 5
    job_seconds: job_settings.AttemptSeconds = 60
    job_retry_seconds: job_settings.RetrySeconds = 2
    job_lease_seconds: job_settings.LeaseSeconds = 30
    cleanup_schedule: job_settings.Schedule = "0 3 * * *"
    keep_days: job_settings.KeepDays = 90
    {% endif %}
    host: str = Field(
        default="0.0.0.0",  # noqa: S104  # A container is reached from outside.
        description="Address that the web process listens on.",
    )
    port: Port = Field(default=8000, description="TCP port that the web process listens on.")
    metrics_port: Port = Field(default=9090, description="TCP port that answers `GET /metrics`.")
    log_level: Literal["debug", "info", "warning", "error", "critical"] = Field(
        default="info", description="Least severe level that is logged."
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="One JSON object a line (`json`), or text (`console`)."
    )
    drain_seconds: Seconds = Field(
        default=5,
        description="Seconds after SIGTERM in which requests are served while `/readyz` says 503.",
    )
    shutdown_seconds: Seconds = Field(
        default=20, description="Seconds after draining in which requests in flight may finish."
    )
    keep_alive_seconds: int = Field(
        default=75,
        ge=1,
        description="Seconds that an idle connection stays open: more than at the load balancer.",
    )
    header_seconds: HeaderSeconds = 10
    request_seconds: RequestSeconds = 15
    send_seconds: SendSeconds = 30
    max_url_bytes: UrlBytes = 8_192
    max_header_bytes: HeaderBytes = 32_768
    max_header_fields: HeaderFields = 100
    max_body_bytes: int = Field(
        default=1_048_576, ge=0, description="Largest request body; a larger one is answered 413."
    )
    forwarded_allow_ips: str = Field(
        default="127.0.0.1",
        description="Proxies whose `X-Forwarded-*` is believed: addresses, networks or `*`.",
    )
    cors_origins: Origins = ""
    hsts_seconds: HstsSeconds = 0
    docs_enabled: bool = Field(
        default=True, description="Whether `/docs` and `/openapi.json` are answered."
    )
    revision: str = Field(
        default="unknown", description="Commit that this release is built from; set in the image."
    )
    otel_service_name: str = Field(
        default="{{ cookiecutter.project_slug }}",
        description="Name of this service in logs and traces.",
    )
    otel_exporter_otlp_endpoint: AnyHttpUrl | None = Field(
        default=None, description="Where traces are sent, by OTLP over HTTP; none are if unset."
    )
