"""Open resources of a process: opened in order, closed in reverse."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

{% if cookiecutter.database == "mongodb" %}
from .chassis.mongodb import schema
from .chassis.mongodb.client import open_database
{% endif %}
{% if cookiecutter.broker == "nats" %}
from .chassis.nats.broker import Broker, open_broker
{% endif %}
{% if cookiecutter.observe %}
from .chassis.observability.spans import open_spans
{% endif %}
from .chassis.observability.tracing import open_tracing
{% if cookiecutter.database == "postgresql" %}
from .chassis.postgres.database import Database, open_database
{% endif %}
{% if cookiecutter.__observed_postgresql %}
from .chassis.postgres.pool_metrics import measure_pool
from .chassis.postgres.spans import trace_statements
{% endif %}
from .chassis.readiness import Ping
{% if cookiecutter.redis %}
from .chassis.redis.client import open_redis
from .chassis.redis.rate_limiter import RedisRateLimiter
{% endif %}
{% if cookiecutter.database == "mongodb" %}
from .indexes import INDEXES
{% endif %}
{% if cookiecutter.__cached_orders %}
from .orders.cache import CachedOrderStore
{% endif %}
{% if cookiecutter.events %}
from .orders.event_store import EventOrderStore
{% endif %}
{% if cookiecutter.database != "none" %}
from .orders.model import OrderStore
{% endif %}
{% if cookiecutter.database == "mongodb" %}
from .orders.mongodb import MongoOrderStore
{% endif %}
{% if cookiecutter.database == "postgresql" %}
from .orders.postgres import PostgresOrderStore
{% endif %}
from .settings import Settings


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Open resources; each backing service has a ping."""

    pings: Mapping[str, Ping]
    {% if cookiecutter.database != "none" %}
    orders: OrderStore
    {% endif %}
    {% if cookiecutter.redis %}
    rate_limiter: RedisRateLimiter
    {% endif %}
    {% if cookiecutter.database == "postgresql" %}
    database: Database
    {% endif %}
    {% if cookiecutter.broker == "nats" %}
    broker: Broker
    {% endif %}


@asynccontextmanager
async def open_resources(settings: Settings, process: str) -> AsyncIterator[Resources]:
    """Open the resources of a process; backing services see the name `process`.

    Opening does not wait for a backing service: `/readyz` reports whether it responds.
    """
    pings: dict[str, Ping] = {}
    async with AsyncExitStack() as stack:
        stack.enter_context(open_tracing(settings, process))
        {% if cookiecutter.observe %}
        stack.enter_context(open_spans(settings))
        {% endif %}
        {% if cookiecutter.__observed_postgresql %}
        stack.enter_context(trace_statements(settings))
        {% endif %}
        {% if cookiecutter.database == "mongodb" %}
        database = await stack.enter_async_context(open_database(settings, process))
        pings["database"] = lambda: schema.ping(database, INDEXES)
        orders: OrderStore = MongoOrderStore(database)
        {% endif %}
        {% if cookiecutter.database == "postgresql" %}
        database = await stack.enter_async_context(open_database(settings, process))
        pings["database"] = database.ping
        orders: OrderStore = PostgresOrderStore(database.pool)
        {% endif %}
        {% if cookiecutter.__observed_postgresql %}
        measure_pool(database.pool)
        {% endif %}
        {% if cookiecutter.events %}
        orders = EventOrderStore(orders, database.pool)
        {% endif %}
        {% if cookiecutter.broker == "nats" %}
        broker = await stack.enter_async_context(open_broker(settings, process))
        if process != "web":  # Only the worker publishes.
            pings["broker"] = broker.ping
        {% endif %}
        {% if cookiecutter.redis %}
        redis = await stack.enter_async_context(open_redis(settings, process))
        rate_limiter = RedisRateLimiter(redis, settings)
        pings["redis"] = redis.ping
        {% endif %}
        {% if cookiecutter.__cached_orders %}
        orders = CachedOrderStore(orders, redis, settings)
        {% endif %}
        yield Resources(
            pings=pings,
            {% if cookiecutter.database != "none" %}
            orders=orders,
            {% endif %}
            {% if cookiecutter.redis %}
            rate_limiter=rate_limiter,
            {% endif %}
            {% if cookiecutter.database == "postgresql" %}
            database=database,
            {% endif %}
            {% if cookiecutter.broker == "nats" %}
            broker=broker,
            {% endif %}
        )
