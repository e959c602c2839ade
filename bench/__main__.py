"""Compare the performance of the rendered service with that of a minimal server."""

import argparse
import os
import shutil
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from .measure import measure_events, measure_rendering, measure_service
from .processes import BenchmarkError
from .report import table
from .service import prepare, rendered


def main() -> int:
    """Measure and print a table; return 0, or 2 if the measurement failed."""
    options = _options()
    # Raise SystemExit, so that child processes are stopped.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    if shutil.which("wrk") is None:
        print("bench: wrk is not installed; Debian's package is named wrk", file=sys.stderr)
        return 2
    try:
        with TemporaryDirectory(prefix="bench-") as folder:
            print(_measure(options, Path(folder)))
    except (BenchmarkError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def _measure(options: argparse.Namespace, work: Path) -> str:
    folder = options.service or rendered(work / "default", options.python)
    service = prepare(folder.resolve(), work)
    rows = measure_service(service, work, options.rounds, options.seconds)
    if not options.service:
        with_events = rendered(work / "events", options.python, "worker=yes", "events=yes")
        (work / "with-events").mkdir()
        prepared = prepare(with_events.resolve(), work)
        rows.append(measure_events(prepared, work / "with-events", options.rounds))
    return (
        table([*rows, measure_rendering(work)])
        + f"\nMedians of {options.rounds} rounds of {options.seconds} s, of 7 starts and renders;"
        f" {os.cpu_count()} processors, load average at the end {os.getloadavg()[0]:.1f}."
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=_count, default=5, help="rounds per path (5)")
    parser.add_argument("--seconds", type=_count, default=4, help="seconds per round (4)")
    rendered = parser.add_mutually_exclusive_group()
    rendered.add_argument("--service", type=Path, help="measure this render; by default a new one")
    rendered.add_argument("--python", metavar="3.X", help="Python of the new render (the newest)")
    return parser.parse_args()


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
