"""Where a command finds its settings, and how it reports what stops it."""

import contextlib
import dataclasses
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from jsonrpc_backend.config import (
    CONFIG_FILE_VARIABLE,
    DEFAULT_CONFIG_FILE,
    ENVIRONMENT_PREFIX,
    BackendConfig,
    Config,
    ConfigError,
    load_config,
    read_config,
    setting_rule,
)
from jsonrpc_backend.mail.unusable import MailUnusable
from jsonrpc_backend.store import private_file
from jsonrpc_backend.store.engine import DatabaseUnusable, StoreFailed
from jsonrpc_backend.telemetry.metrics import MetricsUnavailable

DEFAULT_BACKEND = "app"
DEFAULT_DATA_DIR = "data"
DATA_DIR_VARIABLE = ENVIRONMENT_PREFIX + "SERVER_DATA_DIR"


class ConfigurationFailed(click.ClickException):
    exit_code = 3


class DatabaseFailed(click.ClickException):
    exit_code = 4


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """Turns what can go wrong in every command into a message and the documented exit code."""
    try:
        yield
    except ConfigError as error:
        raise ConfigurationFailed(str(error)) from error
    except (MailUnusable, MetricsUnavailable) as error:
        raise ConfigurationFailed(str(error)) from error
    except DatabaseUnusable as error:
        raise DatabaseFailed(str(error)) from error
    except StoreFailed as error:
        raise DatabaseFailed(f"the database cannot be used: {error}") from error


def config_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--config and --data, which all commands that need settings share."""
    for option in (
        click.option(
            "--data",
            type=click.Path(path_type=Path, file_okay=False),
            help="Folder of the database files. [default: server.data_dir of the configuration, else ./data]",
        ),
        click.option(
            "--config",
            "config_file",
            type=click.Path(path_type=Path, dir_okay=False),
            help=f"Configuration file. [default: ${CONFIG_FILE_VARIABLE}, else ./{DEFAULT_CONFIG_FILE} if it exists]",
        ),
    ):
        command = option(command)
    return command


def config_path(given: Path | None) -> Path | None:
    """The configuration file to use; None for the embedded default."""
    if given is not None:
        return given
    if named := os.environ.get(CONFIG_FILE_VARIABLE):
        return Path(named)
    default = Path(DEFAULT_CONFIG_FILE)
    return default if default.is_file() else None


def find_config(config_file: Path | None, data: Path | None, *, keep_api_key: bool = False) -> Config:
    """The settings of a command. Raises ConfigError.

    Without a configuration file there is one backend, `app`. `keep_api_key` makes its API key where there is none.
    """
    path = config_path(config_file)
    config = _embedded_config(data, keep_api_key=keep_api_key) if path is None else read_config(path)
    if data is None:
        return config
    return dataclasses.replace(config, server=dataclasses.replace(config.server, data_dir=str(data)))


def _embedded_config(data: Path | None, *, keep_api_key: bool) -> Config:
    data_dir = data or Path(os.environ.get(DATA_DIR_VARIABLE, DEFAULT_DATA_DIR))
    key_file = api_key_path(data_dir, DEFAULT_BACKEND)
    api_key = _kept_api_key(key_file) if keep_api_key or key_file.is_file() else secrets.token_hex(16)
    table = {"server": {"data_dir": str(data_dir)}, "backends": {DEFAULT_BACKEND: {"api_key": api_key}}}
    return load_config(table, source="embedded configuration")


def api_key_path(data_dir: Path, backend_id: str) -> Path:
    """Where the API key of the embedded default is kept; others are in the configuration."""
    return data_dir / f"{backend_id}.api-key"


def _kept_api_key(file: Path) -> str:
    """The API key in a file, made the first time."""
    try:
        api_key = private_file.keep(file, lambda: secrets.token_hex(16))
    except OSError as error:
        raise DatabaseFailed(f"{file.parent}: {error.strerror}. Choose another folder with --data.") from error
    except UnicodeDecodeError:
        api_key = ""
    if not setting_rule(BackendConfig, "api_key").accepts(api_key):
        raise ConfigurationFailed(f"{file} does not hold an API key. Delete it to get a new one.")
    return api_key
