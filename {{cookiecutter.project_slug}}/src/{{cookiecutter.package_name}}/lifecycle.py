"""What a process holds open: opened in order, closed in reverse, whatever the process."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

{% if cookiecutter.database == "mongodb" %}
from .adapters import mongodb
{% endif %}
{% if cookiecutter.database == "postgresql" %}
from .adapters import postgres
{% endif %}
{% if cookiecutter.__cached_orders %}
from .adapters.cached_orders import CachedOrders
{% endif %}
{% if cookiecutter.worker %}
from .adapters.job_queue import JobQueue
{% endif %}
{% if cookiecutter.redis %}
from .adapters.redis import open_redis
from .adapters.redis_rate_limiter import RedisRateLimiter
{% endif %}
from .api.health import Ping
{% if cookiecutter.database != "none" %}
from .domain.orders import Orders
{% endif %}
{% if cookiecutter.redis %}
from .domain.rate_limit import RateLimiter
{% endif %}
from .settings import Settings
from .tracing import open_tracing


@dataclass
class Resources:
    """What the process of this name has open.

    For each backing service there is a ping, which tells whether the service is fit for use.
    """

    process: str
    pings: dict[str, Ping] = field(default_factory=dict)
    {% if cookiecutter.database != "none" %}
    orders: Orders = field(init=False)
    {% endif %}
    {% if cookiecutter.__cached_orders %}
    cache: CachedOrders = field(init=False)
    {% endif %}
    {% if cookiecutter.redis %}
    rate_limiter: RateLimiter = field(init=False)
    {% endif %}
    {% if cookiecutter.worker %}
    jobs: JobQueue = field(init=False)
    {% endif %}


@asynccontextmanager
async def open_resources(settings: Settings, process: str) -> AsyncIterator[Resources]:
    """Open what a process needs; `process` is the name by which backing services know it.

    Opening does not wait for a backing service: whether it answers is for `/readyz` to say.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(open_tracing(settings))
        resources = Resources(process)
        {% if cookiecutter.database == "mongodb" %}
        orders = await stack.enter_async_context(mongodb.open_orders(settings, process))
        {% endif %}
        {% if cookiecutter.database == "postgresql" %}
        orders = await stack.enter_async_context(postgres.open_orders(settings, process))
        {% endif %}
        {% if cookiecutter.database != "none" %}
        resources.orders, resources.pings["database"] = orders, orders.ping
        {% endif %}
        {% if cookiecutter.redis %}
        redis = await stack.enter_async_context(open_redis(settings, process))
        resources.rate_limiter = RedisRateLimiter(redis, settings)
        resources.pings["redis"] = redis.ping
        {% endif %}
        {% if cookiecutter.__cached_orders %}
        resources.orders = resources.cache = CachedOrders(resources.orders, redis, settings)
        {% endif %}
        {% if cookiecutter.worker %}
        resources.jobs = JobQueue(orders.pool)
        {% endif %}
        yield resources
