"""The environment variables of the program.

That of a setting is its path in upper case behind `JSONRPC_BACKEND_`, with `_` for every other character:
`JSONRPC_BACKEND_SERVER_PORT`, `JSONRPC_BACKEND_BACKENDS_APP_API_KEY`.
"""

import re
from collections.abc import Iterable

ENVIRONMENT_PREFIX = "JSONRPC_BACKEND_"
CONFIG_FILE_VARIABLE = ENVIRONMENT_PREFIX + "CONFIG"
MANAGEMENT_KEY_VARIABLE = ENVIRONMENT_PREFIX + "MANAGEMENT_KEY"  # of the command line, for `user --url`

# Kubernetes injects these into every container when a service is called "jsonrpc-backend".
_INJECTED = re.compile(ENVIRONMENT_PREFIX + r"(SERVICE_(HOST|PORT)|PORT)(_\w+)?")


def variable_of(path: str) -> str:
    """The variable of the setting at a path."""
    return ENVIRONMENT_PREFIX + re.sub(r"[^A-Z0-9]", "_", path.upper())


def not_settings(variables: Iterable[str], known: set[str]) -> list[str]:
    """Those of our variables that are no setting's: a typo there would otherwise go unnoticed."""
    others = known | {CONFIG_FILE_VARIABLE, MANAGEMENT_KEY_VARIABLE}
    ours = [name for name in sorted(variables) if name.startswith(ENVIRONMENT_PREFIX) and not _INJECTED.fullmatch(name)]
    return [name for name in ours if name not in others]
