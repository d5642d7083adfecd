"""The floors of hashing and of writing: the work that a call cannot do without, alone in a process of its own."""

import os
import sqlite3
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import argon2

from benchmarks import population
from benchmarks.generator import Outcome
from benchmarks.measured import Floor
from jsonrpc_backend.config import PasswordsConfig

WRITERS = 32  # as many as the callers that the server is measured with


def argon2_verifications(seconds: float, workers: int) -> Floor:
    """Verifications in as many threads as the server has for them."""
    hasher = argon2.PasswordHasher(PasswordsConfig.iterations, PasswordsConfig.memory_kib, PasswordsConfig.parallelism)
    password_hash = population.argon2_hash()
    begin, cpu_begin = time.perf_counter(), time.process_time()

    def verify_until_end(_: int) -> list[float]:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)  # as in the server
        latencies = []
        now = time.perf_counter()
        while now < begin + seconds:
            hasher.verify(password_hash, population.PASSWORD)
            now, before = time.perf_counter(), now
            latencies.append(now - before)
        return latencies

    with ThreadPoolExecutor(workers) as pool:
        latencies = sorted(latency for each in pool.map(verify_until_end, range(workers)) for latency in each)
    elapsed, cpu = time.perf_counter() - begin, time.process_time() - cpu_begin
    return Floor(Outcome(len(latencies), elapsed, 0.0, latencies), cpu)


def durable_updates(seconds: float, folder: Path) -> Floor:
    """Updates of single rows, as many to a commit as there are callers; each commit is flushed to the disk."""
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        db = sqlite3.connect(Path(temporary) / "floor.sqlite3", isolation_level=None)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("CREATE TABLE users (key INTEGER PRIMARY KEY, updated_at INTEGER, properties TEXT) STRICT")
            rows = ((key, 0, population.PROPERTIES) for key in range(1000))
            db.executemany("INSERT INTO users VALUES (?, ?, ?)", rows)
            return _update(db, seconds)
        finally:
            db.close()


def _update(db: sqlite3.Connection, seconds: float) -> Floor:
    latencies: list[float] = []
    begin, cpu_begin = time.perf_counter(), time.process_time()
    now = begin
    while now < begin + seconds:
        db.execute("BEGIN IMMEDIATE")
        for writer in range(WRITERS):
            key = (len(latencies) + writer * 31) % 1000
            db.execute("UPDATE users SET properties = ?, updated_at = ? WHERE key = ?", (population.PROPERTIES, 1, key))
        db.execute("COMMIT")
        now, before = time.perf_counter(), now
        latencies += [now - before] * WRITERS
    return Floor(Outcome(len(latencies), now - begin, 0.0, sorted(latencies)), time.process_time() - cpu_begin)


if sys.platform != "linux":
    raise SystemExit("The benchmarks read /proc, which only Linux has.")
