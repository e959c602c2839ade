"""`python -m {{ cookiecutter.package_name }} <command>`: the one way into this service."""

import gc
import os
import signal
import sys

# Until a command has its own way to stop, it ends at once; a first process would not end at all.
signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))
gc.disable()  # Nothing that an import makes is garbage: starting is a tenth faster without looking.

from .cli import main  # noqa: E402

gc.freeze()
gc.enable()

sys.exit(main(sys.argv[1:]))
