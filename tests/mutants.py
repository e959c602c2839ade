"""Faults that a service may come to have, each with the one check that must find it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mutant:
    """A fault: what to replace in which file, and the check at which it aims.

    `edits` are a path that may hold `*`, the old text and the new; without an old text the file
    is new. `also` are checks of the same factor that cannot pass either.
    """

    fault: str
    factor: str
    check: str
    edits: tuple[tuple[str, str, str], ...]
    also: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()

    def apply(self, service: Path) -> None:
        """Put the fault into a service; raises `LookupError` where its place is not found."""
        for pattern, old, new in self.edits:
            if not old:
                path = service / pattern
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(new, encoding="utf-8")
                continue
            (path,) = service.glob(pattern)
            text = path.read_text(encoding="utf-8")
            if old not in text:
                raise LookupError(f"{self.fault}: {path.name} holds no {old!r}")
            path.write_text(text.replace(old, new), encoding="utf-8")


def edit(path: str, old: str, new: str) -> tuple[tuple[str, str, str], ...]:
    """Make the edits of a mutant that needs one."""
    return ((path, old, new),)


SERVE = "    app = create_app(settings)\n    server = Server("
PRIVATE_KEY = "-----BEGIN " + "PRIVATE KEY-----\nMIIEvQIBADANBg\n"

MUTANTS = [
    # I. Codebase
    Mutant(
        "a file for one environment",
        "i_codebase",
        "test_no_file_is_for_one_environment_alone",
        edit("config/production.toml", "", "debug = false\n"),
    ),
    Mutant(
        "code that asks where it runs",
        "i_codebase",
        "test_no_code_asks_where_it_runs",
        edit(
            "src/*/main.py",
            SERVE,
            '    if settings.revision == "production":\n        log.info("careful")\n' + SERVE,
        ),
    ),
    Mutant(
        "a secret in the repository",
        "i_codebase",
        "test_no_commit_holds_a_secret",
        edit("deploy/server.pem", "", PRIVATE_KEY),
    ),
    Mutant(
        "an .env that can be added",
        "i_codebase",
        "test_what_holds_secrets_cannot_be_added",
        edit(".gitignore", ".env\n.env.*\n!.env.example\n", ""),
    ),
    # II. Dependencies
    Mutant(
        "an import that is not declared",
        "ii_dependencies",
        "test_what_is_imported_is_declared_and_what_is_declared_is_imported",
        edit("src/*/exits.py", "UNAVAILABLE = 69", "import httpx as _\n\nUNAVAILABLE = 69"),
    ),
    Mutant(
        "a declaration that nothing imports",
        "ii_dependencies",
        "test_what_is_imported_is_declared_and_what_is_declared_is_imported",
        edit("pyproject.toml", '    "fastapi==', '    "anyio==4.16.0",\n    "fastapi=='),
    ),
    Mutant(
        "a dependency of whatever version",
        "ii_dependencies",
        "test_every_dependency_is_pinned_exactly",
        edit("pyproject.toml", '"uvloop==', '"uvloop>='),
    ),
    Mutant(
        "a lock without hashes",
        "ii_dependencies",
        "test_the_lock_knows_every_file_by_its_hash",
        edit("uv.lock", 'hash = "sha256:', 'hash = "md5:'),
    ),
    Mutant(
        "checks that let a stale lock pass",
        "ii_dependencies",
        "test_the_checks_refuse_a_stale_lock_and_the_image_installs_from_it",
        edit("Makefile", "\t$(UV) lock --check --quiet\n", ""),
    ),
    Mutant(
        "an image that does not install from the lock",
        "ii_dependencies",
        "test_the_checks_refuse_a_stale_lock_and_the_image_installs_from_it",
        edit("Dockerfile", "uv sync --locked --no-dev &&", "uv sync --no-dev &&"),
    ),
    Mutant(
        "a program of the surroundings",
        "ii_dependencies",
        "test_it_serves_where_there_is_no_other_program",
        (
            ("src/*/main.py", "import uvloop\n", "import subprocess\n\nimport uvloop\n"),
            ("src/*/main.py", SERVE, '    subprocess.run(["git", "--version"])\n' + SERVE),
        ),
    ),
    # III. Config
    Mutant(
        "a default secret",
        "iii_config",
        "test_no_variable_has_a_secret_for_a_default",
        edit(".env.example", "DATABASE_URL=\n", "DATABASE_URL=postgresql://app:app@db/app\n"),
    ),
    Mutant(
        "a secret in the image",
        "iii_config",
        "test_no_variable_has_a_secret_for_a_default",
        edit(
            "Dockerfile", "USER 10001", "ENV DATABASE_URL=postgresql://app:app@db/app\nUSER 10001"
        ),
    ),
    Mutant(
        "problems that are named one by one",
        "iii_config",
        "test_every_value_of_the_wrong_kind_is_named_and_never_repeated",
        edit(
            "src/*/environment.py",
            "        raise ConfigurationError(problems)",
            "        raise ConfigurationError(dict([problems.popitem()]))",
        ),
        also=("test_what_is_required_suffices",),
    ),
    Mutant(
        "a refusal that repeats what was given",
        "iii_config",
        "test_every_value_of_the_wrong_kind_is_named_and_never_repeated",
        edit(
            "src/*/environment.py",
            'else detail["msg"]',
            "else f\"{detail['msg']}: {environ.get(name)}\"",
        ),
    ),
    Mutant(
        "a port that is opened before the configuration is read",
        "iii_config",
        "test_a_process_that_refuses_never_opens_its_port",
        edit(
            "src/*/cli.py",
            "    try:\n        settings = load_settings()",
            "    import socket\n\n"
            '    port = os.environ.get("PORT", "")\n'
            '    with socket.create_server(("127.0.0.1", int(port if port.isdigit() else 0))):\n'
            "        pass\n"
            "    try:\n        settings = load_settings()",
        ),
    ),
    Mutant(
        "a setting missing from the documentation",
        "iii_config",
        "test_what_is_documented_is_what_is_read",
        edit("README.md", "| `LOG_FORMAT` |", "| LOG_FORMAT |"),
    ),
    Mutant(
        "a variable read behind the back of the settings",
        "iii_config",
        "test_only_one_module_reads_the_environment_and_one_looks_for_slips",
        (
            ("src/*/main.py", "import uvloop\n", "import os\n\nimport uvloop\n"),
            ("src/*/main.py", SERVE, '    os.getenv("DEBUG")\n' + SERVE),
        ),
    ),
    Mutant(
        "a slip that nobody notices",
        "iii_config",
        "test_a_misspelt_variable_is_warned_of",
        edit("src/*/cli.py", "misspelt(os.environ).items()", "misspelt(os.environ and []).items()"),
    ),
    Mutant(
        "a secret in an error",
        "iii_config",
        "test_no_secret_is_ever_repeated",
        edit(
            "src/*/adapters/postgres_pool.py",
            'raise Unavailable("database", type(error).__name__) from error',
            'raise Unavailable("database", str(self._pool.conninfo())) from error',
        ),
    ),
    Mutant(
        "a log line with the query in it",
        "iii_config",
        "test_no_secret_is_ever_repeated",
        edit(
            "src/*/api/observe.py",
            'path=scope["path"],',
            'path=scope["path"] + "?" + scope["query_string"].decode("latin-1"),',
        ),
    ),
    # IV. Backing services
    Mutant(
        "liveness that asks the database",
        "iv_backing_services",
        "test_liveness_asks_none_of_them",
        edit(
            "src/*/api/health.py",
            '        return {"status": "ok"}',
            '        await readiness.checks()\n        return {"status": "ok"}',
        ),
    ),
    Mutant(
        "a start that insists on the database",
        "iv_backing_services",
        "test_one_that_is_down_at_the_start_is_waited_for",
        edit(
            "src/*/adapters/postgres_pool.py",
            "    await pool.open()\n",
            "    await pool.open(wait=True, timeout=2)\n",
        ),
    ),
    Mutant(
        "a wait without an end",
        "iv_backing_services",
        "test_one_that_says_nothing_holds_up_no_answer",
        edit(
            "src/*/adapters/postgres_pool.py",
            "asyncio.timeout(seconds + 0.5), asyncio.timeout(seconds)",
            "asyncio.timeout(None), asyncio.timeout(None)",
        ),
        also=("test_liveness_asks_none_of_them",),
    ),
    Mutant(
        "a database that is fixed in code",
        "iv_databases",
        "test_another_one_is_attached_by_its_address_alone",
        edit(
            "src/*/adapters/postgres_pool.py",
            '            "autocommit": True,\n',
            '            "autocommit": True,\n            "dbname": "postgres",\n',
        ),
    ),
    # V. Build, release, run
    Mutant(
        "an image built on the latest Python",
        "v_build_release_run",
        "test_no_image_is_built_on_something_that_changes_its_meaning",
        edit("Dockerfile", "FROM python:", "FROM python:latest  # "),
    ),
    Mutant(
        "`latest` in a manifest",
        "v_build_release_run",
        "test_no_image_is_built_on_something_that_changes_its_meaning",
        edit("compose/service.yaml", "${REVISION:-development}", "latest"),
    ),
    Mutant(
        "a release that is called 1.0",
        "v_build_release_run",
        "test_the_release_is_the_commit_and_every_line_tells_it",
        edit("src/*/main.py", '"revision": settings.revision', '"revision": "1.0"'),
    ),
    Mutant(
        "an image that does not say its commit",
        "v_build_release_run",
        "test_the_image_is_told_its_commit_and_nothing_else",
        edit("Dockerfile", ' org.opencontainers.image.revision="$REVISION"', ""),
    ),
    Mutant(
        "configuration at build time",
        "v_build_release_run",
        "test_the_image_is_told_its_commit_and_nothing_else",
        edit("Dockerfile", "ARG REVISION=unknown", "ARG REVISION=unknown\nARG DATABASE_URL"),
    ),
    Mutant(
        "an image that migrates when it starts",
        "v_build_release_run",
        "test_nothing_is_installed_or_compiled_at_run_time",
        edit("Dockerfile", 'CMD ["web"]', 'CMD ["migrate-and-web"]'),
    ),
    Mutant(
        "a process with an image of its own",
        "v_build_release_run",
        "test_every_process_runs_the_same_image",
        edit("compose/web.yaml", "    restart:", "    image: web:1\n    restart:"),
    ),
    Mutant(
        "an image that is built before the tests are done",
        "v_build_release_run",
        "test_the_image_is_built_after_the_checks_and_once",
        edit(".github/workflows/ci.yml", "needs: [check, test, conformance]", "needs: [check]"),
    ),
    # VI. Processes
    Mutant(
        "state kept in memory",
        "vi_processes",
        "test_what_one_replica_stores_every_other_finds_and_deletes",
        (
            (
                "src/*/adapters/postgres.py",
                "        async with self.pool.connection() as connection:\n"
                "            cursor = connection.cursor(row_factory=class_row(Order))\n"
                "            await cursor.execute(\n"
                '                "SELECT id, item, quantity, status, placed_at FROM orders WHERE id',
                "        if order_id in self._seen:\n"
                "            return self._seen[order_id]\n"
                "        async with self.pool.connection() as connection:\n"
                "            cursor = connection.cursor(row_factory=class_row(Order))\n"
                "            await cursor.execute(\n"
                '                "SELECT id, item, quantity, status, placed_at FROM orders WHERE id',
            ),
            (
                "src/*/adapters/postgres.py",
                "        self.pool = pool\n",
                "        self.pool = pool\n        self._seen: dict[UUID, Order] = {}\n",
            ),
            (
                "src/*/adapters/postgres.py",
                "            return await cursor.fetchone()\n",
                "            found = await cursor.fetchone()\n"
                "            if found:\n"
                "                self._seen[order_id] = found\n"
                "            return found\n",
            ),
        ),
    ),
    Mutant(
        "an answer before the order is stored",
        "vi_processes",
        "test_what_was_acknowledged_outlasts_a_kill",
        (
            (
                "src/*/api/orders.py",
                "order = await domain.place(_store(request), new.item, new.quantity, idempotency_key)",
                "order = Order(uuid4(), new.item, new.quantity, 'placed', datetime.now(UTC))\n"
                "        asyncio.get_running_loop().call_later(\n"
                "            1, lambda: asyncio.ensure_future(_store(request).add(order, None))\n"
                "        )",
            ),
            (
                "src/*/api/orders.py",
                "from datetime import UTC, datetime",
                "import asyncio\nfrom datetime import UTC, datetime",
            ),
            ("src/*/api/orders.py", "from uuid import UUID", "from uuid import UUID, uuid4"),
        ),
        also=("test_what_one_replica_stores_every_other_finds_and_deletes",),
    ),
    Mutant(
        "a file written where it runs",
        "vi_processes",
        "test_nothing_is_written_but_below_the_temporary_directory",
        edit("src/*/main.py", SERVE, '    open("service.pid", "w").close()\n' + SERVE),
    ),
    Mutant(
        "a file written at home",
        "vi_processes",
        "test_nothing_is_written_but_below_the_temporary_directory",
        (
            ("src/*/main.py", "import uvloop\n", "from pathlib import Path\n\nimport uvloop\n"),
            ("src/*/main.py", SERVE, '    (Path("~").expanduser() / "last").touch()\n' + SERVE),
        ),
    ),
    Mutant(
        "a session that only one replica knows",
        "vi_processes",
        "test_replicas_need_no_sticky_sessions",
        edit(
            "src/*/api/observe.py",
            'message["headers"].append((b"x-request-id"',
            'message["headers"].append((b"set-cookie", b"replica=1"))\n'
            '                message["headers"].append((b"x-request-id"',
        ),
    ),
    # VII. Port binding
    Mutant(
        "a port fixed in code",
        "vii_port_binding",
        "test_it_listens_where_it_is_told_and_nowhere_else",
        edit("src/*/main.py", "port = settings.metrics_port", "port = 19876"),
        also=("test_a_port_that_is_taken_is_named",),
    ),
    Mutant(
        "a port that nobody asked for",
        "vii_port_binding",
        "test_it_listens_where_it_is_told_and_nowhere_else",
        (
            ("src/*/main.py", "import uvloop\n", "import socket\n\nimport uvloop\n"),
            (
                "src/*/main.py",
                SERVE,
                '    debug = socket.create_server(("", 0))\n    log.debug(str(debug))\n' + SERVE,
            ),
        ),
    ),
    Mutant(
        "an address fixed in code",
        "vii_port_binding",
        "test_it_can_be_reached_from_outside_unless_told_otherwise",
        edit("src/*/main.py", "bind(settings.host, port)", 'bind("127.0.0.1", port)'),
    ),
    Mutant(
        "another port where the one is taken",
        "vii_port_binding",
        "test_a_port_that_is_taken_is_named",
        edit(
            "src/*/main.py",
            '            log.critical("cannot listen", host=settings.host, port=port, reason=error.strerror)\n'
            "            return exits.OSERR\n",
            "            log.info(str(error))\n            return serve(settings.model_copy(update={'port': 18765, 'metrics_port': 18766, 'drain_seconds': 0}))\n",
        ),
    ),
    Mutant(
        "a number that is no port",
        "vii_port_binding",
        "test_what_is_no_port_is_refused",
        edit("src/*/kinds.py", "Port = Annotated[int, Field(ge=1, le=65535)]", "Port = int"),
    ),
    # VIII. Concurrency
    Mutant(
        "a child process",
        "viii_concurrency",
        "test_every_process_type_runs_alone_and_stays_in_the_foreground",
        (
            ("src/*/main.py", "import uvloop\n", "import subprocess\n\nimport uvloop\n"),
            (
                "src/*/main.py",
                SERVE,
                '    subprocess.Popen(["sleep", "9"], start_new_session=True)\n' + SERVE,
            ),
        ),
    ),
    Mutant(
        "a child that outlives its parent",
        "viii_concurrency",
        "test_what_ends_leaves_nothing_running",
        (
            ("src/*/main.py", "import uvloop\n", "import subprocess\n\nimport uvloop\n"),
            ("src/*/main.py", SERVE, '    subprocess.Popen(["sleep", "9"])\n' + SERVE),
        ),
        also=("test_every_process_type_runs_alone_and_stays_in_the_foreground",),
    ),
    Mutant(
        "one request at a time",
        "viii_concurrency",
        "test_a_request_that_is_held_up_holds_up_no_other",
        (
            ("src/*/api/observe.py", "import re\n", "import asyncio\nimport re\n"),
            (
                "src/*/api/observe.py",
                "class ObserveRequests:",
                "_one = asyncio.Lock()\n\n\nclass ObserveRequests:",
            ),
            (
                "src/*/api/observe.py",
                "            await self._app(scope, receive, send_observed)\n",
                "            async with _one:\n                await self._app(scope, receive, send_observed)\n",
            ),
        ),
    ),
    Mutant(
        "a port of the host for one replica only",
        "viii_concurrency",
        "test_the_platform_can_run_any_number_of_them",
        edit("compose/web.yaml", "${PORT:-8000-8009}", "8000"),
    ),
    Mutant(
        "a container with a name of its own",
        "viii_concurrency",
        "test_the_platform_can_run_any_number_of_them",
        edit("compose/web.yaml", "    restart:", "    container_name: web\n    restart:"),
    ),
    Mutant(
        "a process that is not on the menu",
        "viii_concurrency",
        "test_every_process_type_is_a_command_of_the_menu",
        edit("compose/migrate.yaml", "command: [migrate]", "command: [alembic, upgrade, head]"),
    ),
    # IX. Disposability
    Mutant(
        "an ignored SIGTERM",
        "ix_disposability",
        "test_a_request_in_flight_is_answered",
        edit("src/*/server.py", "        del frame\n", "        del frame\n        return\n"),
        also=(
            "test_no_request_fails_while_it_stops",
            "test_it_says_at_once_that_it_wants_no_more_requests",
            "test_a_client_that_never_ends_does_not_keep_it",
            "test_a_second_signal_ends_it_at_once",
            "test_the_command_of_the_image_is_what_gets_the_signal",
            "test_every_process_type_stops_with_status_0",
        ),
    ),
    Mutant(
        "a stop without a drain",
        "ix_disposability",
        "test_no_request_fails_while_it_stops",
        edit("src/*/server.py", "        self._readiness.draining = True\n", ""),
        also=("test_it_says_at_once_that_it_wants_no_more_requests",),
    ),
    Mutant(
        "requests in flight that are cut off",
        "ix_disposability",
        "test_a_request_in_flight_is_answered",
        edit(
            "src/*/server.py",
            "            self.should_exit = monotonic() >= self._stop_at\n",
            "            self.should_exit = monotonic() >= self._stop_at\n"
            "            self.force_exit = self.should_exit\n",
        ),
    ),
    Mutant(
        "a client that is waited for without an end",
        "ix_disposability",
        "test_a_client_that_never_ends_does_not_keep_it",
        edit(
            "src/*/server.py",
            "timeout_graceful_shutdown=graceful",
            "timeout_graceful_shutdown=None",
        ),
    ),
    Mutant(
        "a second signal that says nothing new",
        "ix_disposability",
        "test_a_second_signal_ends_it_at_once",
        edit("src/*/server.py", "            os._exit(128 + sig)\n", "            return\n"),
    ),
    Mutant(
        "a command in shell form",
        "ix_disposability",
        "test_the_command_of_the_image_is_what_gets_the_signal",
        edit("Dockerfile", 'CMD ["web"]', "CMD web"),
    ),
    Mutant(
        "a shell around the command",
        "ix_disposability",
        "test_the_command_of_the_image_is_what_gets_the_signal",
        edit("Dockerfile", 'ENTRYPOINT ["python",', 'ENTRYPOINT ["sh", "-c", "python",'),
    ),
    Mutant(
        "a status that says it was killed",
        "ix_disposability",
        "test_a_request_in_flight_is_answered",
        edit(
            "src/*/commands/web.py",
            "    return serve(settings)",
            "    return serve(settings) or 143",
        ),
        also=(
            "test_no_request_fails_while_it_stops",
            "test_a_client_that_never_ends_does_not_keep_it",
            "test_the_command_of_the_image_is_what_gets_the_signal",
            "test_every_process_type_stops_with_status_0",
        ),
    ),
    # X. Dev/prod parity
    Mutant(
        "an unpinned backing version",
        "x_parity",
        "test_backing_services_have_one_version_wherever_they_are_named",
        edit("compose/postgres.yaml", "image: postgres:18", "image: postgres"),
    ),
    Mutant(
        "two versions of one backing service",
        "x_parity",
        "test_backing_services_have_one_version_wherever_they_are_named",
        edit(
            "compose/postgres.yaml",
            "  secrets:\n    image: postgres:18",
            "  secrets:\n    image: postgres:17",
        ),
    ),
    Mutant(
        "another Python in production",
        "x_parity",
        "test_one_version_of_python_everywhere",
        edit(".python-version", "3.", "3.1"),
    ),
    Mutant(
        "another command in development",
        "x_parity",
        "test_one_command_starts_it_everywhere",
        edit("dev/run.py", "SERVICE = [sys.executable,", 'SERVICE = ["uvicorn", "--reload",'),
    ),
    Mutant(
        "an interface that debugging changes",
        "x_parity",
        "test_debugging_changes_nothing_but_the_log",
        edit(
            "src/*/main.py",
            '"revision": settings.revision}',
            '"revision": settings.revision + (settings.log_level == "debug") * "!"}',
        ),
    ),
    # XI. Logs
    Mutant(
        "a line of text",
        "xi_logs",
        "test_every_line_is_an_event_from_the_first_to_the_last",
        edit("src/*/main.py", '    log.info("stopped")', '    print("stopped", flush=True)'),
    ),
    Mutant(
        "something on stderr",
        "xi_logs",
        "test_every_line_is_an_event_from_the_first_to_the_last",
        (
            ("src/*/main.py", "import uvloop\n", "import sys\n\nimport uvloop\n"),
            (
                "src/*/main.py",
                '    log.info("stopped")',
                '    sys.stderr.write("stopped\\n")\n    log.info("stopped")',
            ),
        ),
    ),
    Mutant(
        "a time without a zone",
        "xi_logs",
        "test_every_line_is_an_event_from_the_first_to_the_last",
        edit("src/*/logs.py", 'utc=True, key="ts"', 'utc=False, key="ts"'),
        also=("test_a_process_that_cannot_start_says_so_in_an_event",),
    ),
    Mutant(
        "lines that clients can break",
        "xi_logs",
        "test_what_clients_send_stays_inside_the_line_of_their_request",
        edit(
            "src/*/log_lines.py",
            "        return line if line.isascii()",
            '        line = line.replace(b"\\\\n", b"\\n")\n        return line if line.isascii()',
        ),
    ),
    Mutant(
        "a level that nobody honours",
        "xi_logs",
        "test_the_level_is_honoured",
        edit(
            "src/*/logs.py",
            "structlog.make_filtering_bound_logger(level)",
            "structlog.make_filtering_bound_logger(0)",
        ),
    ),
    Mutant(
        "an id that clients do not get back",
        "xi_logs",
        "test_a_line_carries_the_ids_of_its_request",
        edit(
            "src/*/api/observe.py", "given.decode() if _request_id(given) else trace_id", "trace_id"
        ),
    ),
    Mutant(
        "requests that are not counted",
        "xi_logs",
        "test_what_the_log_tells_is_what_the_metrics_count",
        edit(
            "src/*/api/observe.py",
            '        request_duration(scope["method"], route, status).observe(seconds)\n',
            "",
        ),
    ),
    Mutant(
        "traces that are not sent",
        "xi_logs",
        "test_a_request_is_traced_where_the_environment_says",
        edit("src/*/tracing.py", "is None:\n        yield", "is not False:\n        yield"),
    ),
    # XII. Admin processes
    Mutant(
        "migration inside web",
        "xii_databases",
        "test_web_never_migrates_and_says_what_it_misses",
        edit(
            "src/*/commands/web.py",
            "    return serve(settings)",
            "    from .migrate import run as migrate\n\n    migrate(settings, _)\n    return serve(settings)",
        ),
    ),
    Mutant(
        "migrations without a lock",
        "xii_databases",
        "test_several_may_migrate_at_once",
        edit("migrations/env.py", "pg_advisory_lock(", "abs("),
    ),
    Mutant(
        "an admin command that opens the port",
        "xii_admin_processes",
        "test_one_runs_beside_the_server_and_opens_no_port",
        (
            ("src/*/commands/check.py", "import asyncio\n", "import asyncio\nimport socket\n"),
            (
                "src/*/commands/check.py",
                "    checks = asyncio.run(",
                '    socket.create_server(("127.0.0.1", settings.port)).close()\n    checks = asyncio.run(',
            ),
        ),
    ),
    Mutant(
        "a shell that talks",
        "xii_admin_processes",
        "test_the_shell_prints_the_result_and_nothing_else",
        edit(
            "src/*/commands/shell.py",
            "    with asyncio.Runner() as runner:",
            '    print("opening")\n    with asyncio.Runner() as runner:',
        ),
    ),
    Mutant(
        "a command that takes any configuration",
        "xii_admin_processes",
        "test_each_refuses_what_a_server_would_refuse",
        edit(
            "src/*/cli.py",
            'WITHOUT_CONFIGURATION = {"openapi"}',
            'WITHOUT_CONFIGURATION = {"openapi", "cleanup"}',
        ),
    ),
    Mutant(
        "help that needs a configuration",
        "xii_admin_processes",
        "test_each_explains_itself_without_configuration",
        edit(
            "src/*/cli.py",
            "    arguments = options.parse_args(argv[1:])",
            "    load_settings()\n    arguments = options.parse_args(argv[1:])",
        ),
        also=(
            "test_each_refuses_what_a_server_would_refuse",
            "test_the_document_of_the_interface_needs_no_environment",
        ),
    ),
    # Beyond
    Mutant(
        "an interface that is not in its document",
        "beyond_api_first",
        "test_what_is_served_is_what_the_command_prints",
        edit(
            "src/*/main.py",
            SERVE,
            SERVE.replace("    server =", '    app.get("/hidden")(dict)\n    server ='),
        ),
    ),
    Mutant(
        "an error of another shape",
        "beyond_api_first",
        "test_every_error_has_one_shape",
        edit(
            "src/*/api/problems.py",
            "    app.exception_handler(HTTPException)(_on_http_exception)\n",
            "",
        ),
    ),
    Mutant(
        "a refusal of another shape",
        "beyond_api_first",
        "test_what_is_invalid_is_an_error_of_that_shape",
        edit(
            "src/*/api/problems.py",
            "    app.exception_handler(RequestValidationError)(_on_invalid)\n",
            "",
        ),
    ),
    Mutant(
        "an answer that tells what serves it",
        "beyond_security",
        "test_no_answer_tells_what_serves_it",
        edit("src/*/server.py", "server_header=False", "server_header=True"),
    ),
    Mutant(
        "answers that any site may read",
        "beyond_security",
        "test_no_other_site_may_read_an_answer",
        edit(
            "src/*/api/observe.py",
            'message["headers"].append((b"x-request-id"',
            'message["headers"].append((b"access-control-allow-origin", b"*"))\n'
            '                message["headers"].append((b"x-request-id"',
        ),
    ),
    Mutant(
        "bodies of any size",
        "beyond_security",
        "test_a_body_that_is_too_large_is_refused",
        edit("src/*/main.py", "max_bytes=settings.max_body_bytes", "max_bytes=10**12"),
    ),
    Mutant(
        "an image that root runs",
        "beyond_security",
        "test_the_image_is_run_by_nobody_and_without_rights",
        edit("Dockerfile", "USER 10001:10001", "USER root"),
    ),
    Mutant(
        "a root that can be written on",
        "beyond_security",
        "test_the_image_is_run_by_nobody_and_without_rights",
        edit("compose/service.yaml", "    read_only: true\n", ""),
    ),
    Mutant(
        "a database that the network can reach",
        "beyond_security",
        "test_no_port_but_that_of_web_is_open_to_the_host",
        edit(
            "compose/postgres.yaml",
            "    user: postgres\n",
            '    user: postgres\n    ports: ["5432:5432"]\n',
        ),
    ),
    Mutant(
        "an action that others may change",
        "beyond_security",
        "test_the_pipeline_runs_only_what_is_pinned_and_may_do_next_to_nothing",
        edit(".github/workflows/ci.yml", "3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "v7"),
    ),
    Mutant(
        "a pipeline that may do anything",
        "beyond_security",
        "test_the_pipeline_runs_only_what_is_pinned_and_may_do_next_to_nothing",
        edit(".github/workflows/ci.yml", "permissions: {}", "permissions: write-all"),
    ),
]
