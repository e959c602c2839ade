"""`make demo`: render the default service and serve it until Ctrl-C."""

import os
import sys
from pathlib import Path

from cookiecutter.main import cookiecutter

from .pythons import ROOT, UV, newest_python, outside


def main(folder: str) -> None:
    """Render into `folder`, overwriting an earlier demo, and replace this process by `make run`."""
    rendered = cookiecutter(
        str(ROOT),
        no_input=True,
        extra_context={"python_version": newest_python()},
        output_dir=folder,
        overwrite_if_exists=True,
    )
    folder = str(Path(rendered).relative_to(Path.cwd()))
    print(f"Rendered {folder} for Python {newest_python()}", flush=True)
    os.chdir(rendered)
    os.execvpe("make", ["make", f"UV={UV}", "run"], outside())  # noqa: S606  # Runs without a shell.


if __name__ == "__main__":
    main(sys.argv[1])
