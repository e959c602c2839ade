"""Print the OpenAPI document, which needs no configuration."""

import json
from argparse import Namespace

from ..main import create_app
from ..settings import Settings


def run(settings: Settings, _: Namespace) -> int:
    """Print the document as JSON on stdout."""
    print(json.dumps(create_app(settings).openapi(), indent=2))
    return 0
