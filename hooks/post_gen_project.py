"""Delete the files of features not chosen, listed under `_features` in cookiecutter.json."""

import json
import shutil
import sys
from pathlib import Path

ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")


def chosen(feature, answers):
    """Return whether the answers choose `name` (yes), `name=value` or `name!=value`."""
    # Duplicated in both hooks: Cookiecutter runs each as a single file that cannot import another.
    name, differs, value = feature.partition("!=")
    if differs:
        return answers[name] != value
    name, equals, value = feature.partition("=")
    return answers[name] == value if equals else bool(answers[name])


def delete_unchosen(project, answers):
    """Delete the files of features not chosen; return the patterns that match no file."""
    missing, doomed = [], []
    for feature, patterns in answers["_features"].items():
        for pattern in patterns:
            # Replay files can hold any pattern; never delete outside of the project.
            found = [] if ".." in pattern else list(project.glob(pattern))
            if not found:
                missing.append(f"{feature}: {pattern}")
            if not chosen(feature, answers):
                doomed += found
    for path in doomed:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        prune(path.parent, project)
    return missing


def prune(folder, project):
    """Delete an empty folder and its empty parents, up to the project."""
    # Other empty folders are kept: an existing project that is rendered over may have some.
    while folder != project and not (folder.exists() and any(folder.iterdir())):
        if folder.exists():
            folder.rmdir()
        folder = folder.parent


if __name__ == "__main__":
    missing = delete_unchosen(Path.cwd(), ANSWERS)
    if missing:
        print("Patterns of _features that match no file: " + "; ".join(missing), file=sys.stderr)
        sys.exit(1)
