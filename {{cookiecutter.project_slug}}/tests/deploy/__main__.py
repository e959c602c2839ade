"""`kubectl kustomize DIR | python -m tests.deploy`: say what is wrong with any rendered objects."""

import sys

from .checks import CHECKS
from .objects import parse

objects = parse(sys.stdin.read())
found = [fault for check in CHECKS.values() for fault in check(objects)]
sys.exit("\n".join(found) or 0)
