"""The settings: what there is, what each may be, and the file they are written in.

The rest of the program takes from here what it needs; `mail_templates` and `example` have the rest.
"""

from jsonrpc_backend.config.backend_settings import (
    DEFAULT_EMAIL_PROPERTY,
    USERNAME,
    AutoLoginConfig,
    BackendConfig,
    ManagementKeyConfig,
    PasswordResetConfig,
)
from jsonrpc_backend.config.environment import CONFIG_FILE_VARIABLE, ENVIRONMENT_PREFIX, MANAGEMENT_KEY_VARIABLE
from jsonrpc_backend.config.fields import setting_key, setting_rule
from jsonrpc_backend.config.file import DEFAULT_CONFIG_FILE, read_config
from jsonrpc_backend.config.problems import ConfigError, Problem
from jsonrpc_backend.config.reader import load_config
from jsonrpc_backend.config.server_settings import (
    CollectionsConfig,
    ManagementConfig,
    MetricsConfig,
    PasswordsConfig,
    ServerConfig,
    SmtpConfig,
    ThrottleConfig,
)
from jsonrpc_backend.config.settings import Config

__all__ = [
    "CONFIG_FILE_VARIABLE",
    "DEFAULT_CONFIG_FILE",
    "DEFAULT_EMAIL_PROPERTY",
    "ENVIRONMENT_PREFIX",
    "MANAGEMENT_KEY_VARIABLE",
    "USERNAME",
    "AutoLoginConfig",
    "BackendConfig",
    "CollectionsConfig",
    "Config",
    "ConfigError",
    "ManagementConfig",
    "ManagementKeyConfig",
    "MetricsConfig",
    "PasswordResetConfig",
    "PasswordsConfig",
    "Problem",
    "ServerConfig",
    "SmtpConfig",
    "ThrottleConfig",
    "load_config",
    "read_config",
    "setting_key",
    "setting_rule",
]
