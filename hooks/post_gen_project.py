"""Deletes the files of features not chosen, as `_features` in cookiecutter.json lists them."""

import json
import shutil
import sys
from pathlib import Path

ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")


def chosen(feature, answers):
    """Tell whether the answers choose `name` (yes), `name=value` or `name!=value`."""
    # Both hooks have this function: Cookiecutter runs each as a file that can import no other.
    name, differs, value = feature.partition("!=")
    if differs:
        return answers[name] != value
    name, equals, value = feature.partition("=")
    return answers[name] == value if equals else bool(answers[name])


def delete_unchosen(project, answers):
    """Delete what features that are not chosen list; return the patterns that match nothing."""
    missing, doomed = [], []
    for feature, patterns in answers["_features"].items():
        for pattern in patterns:
            # A replay file may say anything; what is deleted lies in the project all the same.
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
    """Delete a folder that has become empty, and those above it in the project."""
    # Others stay, such as those that git keeps where a project is rendered over an older one.
    while folder != project and not (folder.exists() and any(folder.iterdir())):
        if folder.exists():
            folder.rmdir()
        folder = folder.parent


if __name__ == "__main__":
    missing = delete_unchosen(Path.cwd(), ANSWERS)
    if missing:
        print("The template is broken, these match no file: " + "; ".join(missing), file=sys.stderr)
        sys.exit(1)
