"""A table of an extension called notes, and what listens to it."""

import threading
from typing import Any

from llms.db import DbManager

COLUMNS = {"id": "INTEGER", "title": "TEXT", "tags": "TEXT", "order": "INTEGER"}
TABLE = "CREATE TABLE thread (id INTEGER PRIMARY KEY, title TEXT UNIQUE, tags TEXT, `order` INTEGER)"


class Ctx:
    """Of an extension's context what is used, keeping what is reported."""

    name = "notes"

    def __init__(self) -> None:
        self.reported: list[str] = []

    def err(self, message: str, e: BaseException | None) -> None:
        self.reported.append(f"{message}: {e}")


class Answers:
    """A callback that keeps what it was told, and waits for it."""

    def __init__(self) -> None:
        self.told: list[tuple[int | None, int, Exception | None]] = []
        self._came = threading.Semaphore(0)

    def __call__(self, lastrowid: int | None, rowcount: int, error: Exception | None = None) -> None:
        self.told.append((lastrowid, rowcount, error))
        self._came.release()

    def wait(self, count: int = 1) -> list[tuple[int | None, int, Exception | None]]:
        for _ in range(count):
            assert self._came.acquire(timeout=30)
        return self.told


def added(db: DbManager, **info: Any) -> int | None:
    answers = Answers()
    db.insert("thread", COLUMNS, info, answers)
    [(lastrowid, _, error)] = answers.wait()
    assert error is None
    return lastrowid
