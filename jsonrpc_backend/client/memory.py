"""Holds a client's state and, if it has a file, keeps the two the same."""

import threading
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from . import state_file
from .state import State


class Memory:
    """The state is read and changed in the client's event loop; `load` and `save` wait for the disk, in any thread."""

    def __init__(self, endpoint: str, device: str | None, path: Path | None) -> None:
        self._endpoint = endpoint
        self._device = device
        self._path = path
        self._state = None if path else State(device or str(uuid4()))
        self._saved: State | None = None
        self._disk = threading.Lock()

    @property
    def is_loaded(self) -> bool:
        return self._state is not None

    @property
    def is_saved(self) -> bool:
        return self._path is None or self._state == self._saved

    @property
    def state(self) -> State:
        if self._state is None:
            raise RuntimeError("the state file has not been read yet: use `async with` or `await client.open()` first")
        return self._state

    def learn(self, sent: State, after: State) -> None:
        self._state = self.state.updated(sent, after)

    def load(self) -> None:
        """Read the file, or make it, so that the device id is the same from the first run on."""
        with self._disk:
            if self._path is None or self._state is not None:
                return
            self._saved = state_file.read(self._path, self._endpoint)
            state = self._saved or State(str(uuid4()))
            if self._device is not None:
                state = replace(state, device=self._device)
            self._write(state)
            self._state = state

    def save(self) -> None:
        # Whoever gets the lock writes the state of that moment, so writes cannot overtake each other, not even
        # when the caller of one was cancelled and its thread goes on.
        with self._disk:
            if self._state is not None:
                self._write(self._state)

    def _write(self, state: State) -> None:
        if self._path is not None and state != self._saved:
            state_file.write(self._path, self._endpoint, state)
            self._saved = state
