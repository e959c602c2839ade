"""Settings of logs and traces."""

from typing import Literal

from pydantic import AnyHttpUrl, Field

from ..config.settings import BaseServiceSettings


class ObservabilitySettings(BaseServiceSettings):
    """Variables of logs and traces."""

    log_level: Literal["debug", "info", "warning", "error", "critical"] = Field(
        default="info", description="Least severe level that is logged."
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="One JSON object a line (`json`), or text (`console`)."
    )
    otel_exporter_otlp_endpoint: AnyHttpUrl | None = Field(
        default=None, description="OTLP endpoint that traces are sent to, over HTTP; none if unset."
    )
