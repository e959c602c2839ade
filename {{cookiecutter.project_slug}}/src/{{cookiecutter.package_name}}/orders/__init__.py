"""The example resource: replace it with your own."""

from ..chassis.service import Command

COMMANDS = {
    "cleanup": Command(
        "delete old orders", f"{__name__}.cleanup:run", options=f"{__name__}.cleanup:add_options"
    )
}
