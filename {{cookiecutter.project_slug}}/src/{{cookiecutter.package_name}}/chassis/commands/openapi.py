"""Print the OpenAPI document; needs no configuration."""

import json
from argparse import Namespace

from ..config.settings import BaseServiceSettings
from ..readiness import Readiness
from ..service import Service


def run(service: Service, settings: BaseServiceSettings, _: Namespace) -> int:
    """Print the document as JSON on stdout."""
    app = service.target("openapi")(settings, Readiness())
    print(json.dumps(app.openapi(), indent=2))
    return 0
