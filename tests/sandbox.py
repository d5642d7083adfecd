"""Runs a command under the system call rules of a systemd unit: `python -m tests.sandbox UNIT COMMAND …`.

What systemd would do for SystemCallFilter=, MemoryDenyWriteExecute= and NoNewPrivileges=, done with the same library,
for machines where systemd does not run. The command takes this process's place.
"""

import ctypes
import errno
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

ALLOW = 0x7FFF0000
REFUSE = 0x00050000 | errno.EPERM
PR_SET_NO_NEW_PRIVS = 38
MASKED_EQUAL = 7
PROT_WRITE, PROT_EXEC = 2, 4


class Argument(ctypes.Structure):
    """libseccomp's scmp_arg_cmp: an argument of a call, by its number, masked and compared."""

    _fields_ = (("number", ctypes.c_uint), ("op", ctypes.c_int), ("mask", ctypes.c_uint64), ("value", ctypes.c_uint64))


def values(unit: Path, key: str) -> list[str]:
    """The values of a setting of a unit file, in their order."""
    lines = unit.read_text(encoding="utf-8").splitlines()
    return [line.partition("=")[2].strip() for line in lines if line.partition("=")[0] == key]


@cache
def calls(name: str) -> frozenset[str]:
    """The system calls that a name of a unit stands for: one, or those of a group and the groups in it."""
    if not name.startswith("@"):
        return frozenset({name})
    printed = subprocess.check_output(["systemd-analyze", "syscall-filter", name], text=True)
    members = [line.strip() for line in printed.splitlines()[1:]]
    return frozenset().union(*(calls(member) for member in members if member and not member.startswith("#")))


def allowed_calls(unit: Path) -> set[str]:
    allowed: set[str] = set()
    for value in values(unit, "SystemCallFilter"):
        for name in value.removeprefix("~").split():
            allowed = allowed - calls(name) if value.startswith("~") else allowed | calls(name)
    return allowed


def enter(unit: Path) -> None:
    """Puts this process, and what it becomes, under the rules. There is no way back."""
    assert values(unit, "NoNewPrivileges") == values(unit, "MemoryDenyWriteExecute") == ["yes"]
    rules = dict.fromkeys(allowed_calls(unit))
    assert ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    # As systemd: no memory that is both written and executed, and none that becomes executable later.
    both = PROT_WRITE | PROT_EXEC
    _load(ALLOW, REFUSE, {"mmap": Argument(2, MASKED_EQUAL, both, both)})
    _load(ALLOW, REFUSE, {"mprotect": Argument(2, MASKED_EQUAL, PROT_EXEC, PROT_EXEC)})
    _load(REFUSE, ALLOW, rules)


def _load(otherwise: int, action: int, rules: Mapping[str, Argument | None]) -> None:
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(otherwise)))
    for name, argument in rules.items():
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:  # not one of another processor
            compared = (0, None) if argument is None else (1, ctypes.byref(argument))
            assert seccomp.seccomp_rule_add_array(context, ctypes.c_uint32(action), number, *compared) == 0, name
    assert seccomp.seccomp_load(context) == 0


if __name__ == "__main__":
    enter(Path(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
