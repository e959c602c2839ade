"""Compares the rendered service with the limit, and what was measured with what is promised."""

import argparse
import os
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.pythons import ROOT, newest_python

from .commands import UnmeasurableError
from .figures import table
from .load import require_wrk
from .measure import measure_rendering, measure_service
from .prepared import prepare
from .rendering import render


def main() -> int:
    """Measure and print; return 0 if all could be measured, whatever it is, and else 2."""
    options = _options()
    for end in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(end, lambda number, _: sys.exit(128 + number))  # What runs is ended first.
    try:
        require_wrk()
        with TemporaryDirectory(prefix="bench-") as name:
            print(_measure(options, Path(name)))
    except (UnmeasurableError, OSError) as problem:
        print(f"bench: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def _measure(options: argparse.Namespace, work: Path) -> str:
    """Return what there is to print."""
    folder = options.service or _rendered(work, options.python or newest_python())
    service = prepare(folder.resolve(), work)
    figures = measure_service(service, work, options.rounds, options.seconds)
    figures.append(measure_rendering(work))
    return table(figures) + _circumstances(options)


def _rendered(work: Path, python: str) -> Path:
    render(ROOT, work / "default", f"python_version={python}")
    return next((work / "default").glob("*/pyproject.toml")).parent


def _circumstances(options: argparse.Namespace) -> str:
    busy = os.getloadavg()[0]
    return (
        f"\nMedians of {options.rounds} rounds of {options.seconds} s and of 7 starts and renders, "
        f"on {os.cpu_count()} processors, at the end {busy:.1f} of them busy."
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=_count, default=5, help="of each path (5)")
    parser.add_argument("--seconds", type=_count, default=4, help="of each round (4)")
    rendered = parser.add_mutually_exclusive_group()
    rendered.add_argument("--service", type=Path, help="a rendered service, not to render one")
    rendered.add_argument("--python", metavar="3.X", help="to render one for (the newest there is)")
    return parser.parse_args()


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
