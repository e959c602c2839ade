"""How much is allowed; `CONFORMANCE_<NAME>` in the environment says otherwise."""

from os import environ


def _limit(name: str, default: float) -> float:
    return float(environ.get(f"CONFORMANCE_{name}", default))


READY_SECONDS = _limit("READY_SECONDS", 10)
"""From the start of a process to its readiness: the median of several."""
REFUSAL_SECONDS = _limit("REFUSAL_SECONDS", 10)
"""From the start of a process that cannot work to its end."""
OUTAGE_SECONDS = _limit("OUTAGE_SECONDS", 10)
"""From a request to its answer while a backing service is away or says nothing."""
RECOVERY_SECONDS = _limit("RECOVERY_SECONDS", 10)
"""From the return of a backing service to readiness."""
BYSTANDER_SECONDS = _limit("BYSTANDER_SECONDS", 1)
"""The slowest answer to a quick request beside one that is held up."""
LINE_SECONDS = _limit("LINE_SECONDS", 2)
"""From an answer to the log line that tells of it."""
STOP_MARGIN_SECONDS = _limit("STOP_MARGIN_SECONDS", 5)
"""What stopping may take beyond the time that it is given."""
COMPOSE_SECONDS = _limit("COMPOSE_SECONDS", 120)
"""From `docker compose up` with a built image to everything being healthy."""
