"""Environment variables of orders, a part of `Settings`."""

from pydantic import Field

from ..chassis.config.settings import BaseServiceSettings
{% if cookiecutter.worker %}
from ..chassis.jobs.settings import Cron
{% endif %}


class OrderSettings(BaseServiceSettings):
    """Variables of orders."""

    keep_days: int = Field(
        default=90, ge=1, le=99999, description="Delete orders older than this many days."
    )
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
