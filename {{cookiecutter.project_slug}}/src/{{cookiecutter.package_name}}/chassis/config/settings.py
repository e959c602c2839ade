"""Settings of every process, and how settings are read."""

from pydantic import Field
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
