"""All settings of one server process: frozen dataclasses, each setting a field with default, rule and meaning."""

import re
from dataclasses import dataclass

from jsonrpc_backend.config.backend_settings import BackendConfig
from jsonrpc_backend.config.fields import section, tables
from jsonrpc_backend.config.server_settings import (
    CollectionsConfig,
    ManagementConfig,
    MetricsConfig,
    PasswordsConfig,
    ServerConfig,
    SmtpConfig,
    ThrottleConfig,
)

BACKEND_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Config:
    """All settings of one server process."""

    server: ServerConfig = section(ServerConfig)
    management: ManagementConfig = section(ManagementConfig)
    metrics: MetricsConfig = section(MetricsConfig)
    collections: CollectionsConfig = section(CollectionsConfig)
    passwords: PasswordsConfig = section(PasswordsConfig)
    smtp: SmtpConfig = section(SmtpConfig)
    throttle: ThrottleConfig = section(ThrottleConfig)
    backends: dict[str, BackendConfig] = tables(BackendConfig, BACKEND_ID, "letters, digits, - and _, at most 64")
