"""`make without-example`: remove the example resource and each line that names it."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = (
    *("dev/example.mk", "dev/without_example.py"),
    *("src/*/orders", "migrations/versions/*_order*.py", "deploy/base/cleanup.yaml"),
    *("tests/orders", "tests/support/job_fixtures.py", "tests/twelve_factor/test_ix_workers.py"),
    *("tests/chassis/jobs", "tests/chassis/postgres", "tests/chassis/events"),  # They use orders.
    "docs/recipes/scheduled-job.md",
    ".dev",  # Its data has the schema of the example.
)
LINES = {
    "src/*/*.py": r'\.orders\b|(?<!")\borders[.:=]|Order[A-Z]|\bORDERS\b',
    "pyproject.toml": r'^    "orders",$',
    "README.md": r"^orders/|:8000/orders",
    "docs/*.md": r"`orders/|`old orders deleted`|`cleanup failed`",
    "deploy/base/kustomization.yaml": r"cleanup\.yaml",
}


def main() -> None:
    """Check everything first, so that a rejected call changes nothing."""
    status = subprocess.run(
        ["git", "status", "--porcelain", "."],  # noqa: S607  # git, wherever it is installed.
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if status.returncode or status.stdout:
        sys.exit("make without-example: commit this folder first, it has uncommitted changes")
    edits = {}
    for pattern, named in LINES.items():
        for path in ROOT.glob(pattern):
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            edits[path] = "".join(line for line in lines if not re.search(named, line))
    for path, text in edits.items():
        try:
            ast.parse(text if path.suffix == ".py" else "")
        except SyntaxError as error:
            sys.exit(f"make without-example: remove orders from {path.name} first: {error}")
    for path, text in edits.items():
        path.write_text(text, encoding="utf-8")
    for path in [path for pattern in FILES for path in ROOT.glob(pattern)]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for number, path in enumerate(sorted(ROOT.glob("migrations/versions/*.py")), 1):
        previous = f'"{number - 1:04d}"' if number > 1 else None
        numbers = f'revision = "{number:04d}"\ndown_revision = {previous}'
        text = re.sub("revision = .*\ndown_revision = .*", numbers, path.read_text("utf-8"))
        path.unlink()
        path.with_name(f"{number:04d}{path.name[4:]}").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
