"""Metrics of the connection pool, named as in OpenTelemetry."""

from collections.abc import Iterator

from prometheus_client import REGISTRY
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from .pool import Pool


class _PoolMetrics(Collector):
    """Of the pool that was opened last; a process has one that requests and jobs use."""

    pool: Pool | None = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        if self.pool is None:
            return
        stats = self.pool._pool.get_stats()  # noqa: SLF001  # Only these metrics need it.
        idle = stats["pool_available"]
        text = "Connections of the pool; those that are being opened are in use."
        count = GaugeMetricFamily("db_client_connection_count", text, labels=["state"])
        count.add_metric(["used"], stats["pool_size"] - idle)
        count.add_metric(["idle"], idle)
        yield count
        text = "Most connections in the pool."
        yield GaugeMetricFamily("db_client_connection_max", text, stats["pool_max"])
        text = "Requests and jobs that wait for a connection."
        waiting = stats["requests_waiting"]
        yield GaugeMetricFamily("db_client_connection_pending_requests", text, waiting)


_metrics = _PoolMetrics()
REGISTRY.register(_metrics)


def measure_pool(pool: Pool) -> None:
    """Measure this pool at each scrape."""
    _metrics.pool = pool
