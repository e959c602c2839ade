"""Servers written in Go that no package provides; built on first use, with Go's own caches."""

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from .pythons import ROOT

FOLDER = ROOT / ".tools" / "go"
ATTEMPTS = 3
CONTRIB = "github.com/open-telemetry/opentelemetry-collector-contrib"
COLLECTOR_VERSION = "0.165.0"
CORE = "go.opentelemetry.io/collector"
COLLECTOR = {
    "receivers": [f"{CONTRIB}/receiver/filelogreceiver", f"{CORE}/receiver/otlpreceiver"],
    "exporters": [f"{CORE}/exporter/debugexporter", f"{CORE}/exporter/otlphttpexporter"],
    "extensions": [f"{CONTRIB}/extension/storage/filestorage"],
}
"""The components of the collector's image that are used, and one that prints what it gets."""


def victoria_logs(version: str) -> Path:
    """Return the path of VictoriaLogs."""
    return _install(f"github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs@v{version}")


def collector(version: str = COLLECTOR_VERSION) -> Path:
    """Return the path of an OpenTelemetry collector."""
    built = FOLDER / f"otelcol-v{version}"
    if not built.exists():
        builder = _install(f"{CORE}/cmd/builder@v{version}")
        with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
            lines = [f"dist: {{name: otelcol, output_path: {folder}, module: example.com/otelcol}}"]
            for kind, modules in COLLECTOR.items():
                lines += [f"{kind}:", *(f"  - gomod: {module} v{version}" for module in modules)]
            config = Path(folder, "builder.yaml")
            config.write_text("\n".join(lines))
            run(str(builder), f"--config={config}")
            Path(folder, "otelcol").rename(built)
    return built


def _install(module: str) -> Path:
    """Install a program once, and return its path."""
    path, version = module.split("@")
    built = FOLDER / f"{path.rpartition('/')[2]}-{version}"
    if not built.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
            run("env", f"GOBIN={folder}", "CGO_ENABLED=0", "go", "install", module)
            next(Path(folder).iterdir()).rename(built)
    return built


def run(*command: str, **options: Any) -> str:
    """Run a command that downloads modules; return its output.

    A download may fail for a moment, so there are three attempts. Go keeps downloaded modules.
    """
    for _ in range(ATTEMPTS):
        done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
        if done.returncode == 0:
            return str(done.stdout)
    raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
