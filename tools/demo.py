"""`make demo`: renders the default service into a folder and serves it until Ctrl-C."""

import os
import sys
from pathlib import Path

from cookiecutter.main import cookiecutter

from .pythons import ROOT, UV, newest_python, outside


def main(folder: str) -> None:
    """Render into `folder`, over what an earlier demo left there, and become its `make run`."""
    rendered = cookiecutter(
        str(ROOT),
        no_input=True,
        extra_context={"python_version": newest_python()},
        output_dir=folder,
        overwrite_if_exists=True,
    )
    shown = Path(rendered).relative_to(Path.cwd())
    print(f"Rendered {shown} for Python {newest_python()}", flush=True)
    os.chdir(rendered)
    os.execvpe("make", ["make", f"UV={UV}", "run"], outside())  # noqa: S606  # No shell is meant.


if __name__ == "__main__":
    main(sys.argv[1])
