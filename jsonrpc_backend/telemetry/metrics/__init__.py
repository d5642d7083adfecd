"""Metrics for Prometheus. Their package, prometheus-client, is an extra."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jsonrpc_backend.telemetry.metrics.meters import Meters


class MetricsUnavailable(Exception):
    """They are wanted and cannot be served; the message says what is to be mended."""


def load_meters() -> "type[Meters]":
    """Raises MetricsUnavailable where the extra is not installed."""
    try:
        from jsonrpc_backend.telemetry.metrics.meters import Meters  # noqa: PLC0415 (its package is an extra)
    except ModuleNotFoundError as error:
        if error.name != "prometheus_client":
            raise
        install = f"{sys.executable} -m pip install prometheus-client"
        raise MetricsUnavailable(f"metrics.enabled needs a package that is not installed: {install}") from error
    return Meters
