"""{{ cookiecutter.project_slug }}: start reading in `main.py`."""
