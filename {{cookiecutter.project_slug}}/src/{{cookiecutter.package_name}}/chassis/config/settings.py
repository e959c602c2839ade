"""Settings of every process, and how settings are read."""

from typing import Literal

from pydantic import AnyHttpUrl, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class BaseServiceSettings(BaseSettings):
    """Field `port` is the variable `PORT`; a field without a default is required.

    A secret `X` may also come from the file that `X_FILE` names (see `secret_files.py`).
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    revision: str = Field(
        default="unknown", description="Commit that this release is built from; set in the image."
    )
    otel_service_name: str = Field(
        default="{{ cookiecutter.project_slug }}",
        description="Name of this service in logs and traces.",
    )
    log_level: Literal["debug", "info", "warning", "error", "critical"] = Field(
        default="info", description="Least severe level that is logged."
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="One JSON object a line (`json`), or text (`console`)."
    )
    otel_exporter_otlp_endpoint: AnyHttpUrl | None = Field(
        default=None, description="OTLP endpoint that traces are sent to, over HTTP; none if unset."
    )
