"""`make demo`: renders the default service into a folder and serves it until Ctrl-C."""

import subprocess
import sys
from pathlib import Path

from cookiecutter.main import cookiecutter

from .pythons import ROOT, UV, newest_python, outside


def main(folder: str) -> int:
    """Render into `folder`, over what an earlier demo left there, and run the service."""
    rendered = cookiecutter(
        str(ROOT),
        no_input=True,
        extra_context={"python_version": newest_python()},
        output_dir=folder,
        overwrite_if_exists=True,
    )
    print(f"Rendered {Path(rendered).relative_to(Path.cwd())} for Python {newest_python()}")
    try:
        return subprocess.call(["make", f"UV={UV}", "run"], cwd=rendered, env=outside())
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
