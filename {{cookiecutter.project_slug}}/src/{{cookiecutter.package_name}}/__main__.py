"""`python -m {{ cookiecutter.package_name }} <command>`: the one way into this service."""

import gc
import sys

gc.disable()  # Nothing that an import makes is garbage: starting is a tenth faster without looking.

from .cli import main  # noqa: E402

gc.freeze()
gc.enable()

sys.exit(main(sys.argv[1:]))
