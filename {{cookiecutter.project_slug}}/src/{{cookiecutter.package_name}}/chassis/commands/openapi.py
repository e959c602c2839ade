"""Print the OpenAPI document; needs no configuration."""

import json
from argparse import Namespace
from pkgutil import resolve_name

from ..config.settings import BaseServiceSettings
from ..readiness import Readiness
from ..service import Service


def run(service: Service, settings: BaseServiceSettings, _: Namespace) -> int:
    """Print the document as JSON on stdout."""
    app = resolve_name(service.web)(settings, Readiness())
    print(json.dumps(app.openapi(), indent=2))
    return 0
