"""What the workers of a server have in common, kept by their parent: they tell and ask it, and it tells them.

A message is a list: what it is, and what goes with it. What a worker has begun and not ended ends with the worker,
however that ends.
"""

import itertools
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Message = list[Any]
Send = Callable[[Message], None]


@dataclass(eq=False)
class HubMember:
    """A worker. `counted`: figures that stay when it has gone, by their names, as it told them last."""

    send: Send
    begun: Counter[str] = field(default_factory=Counter)
    counted: dict[str, float] = field(default_factory=dict)
    is_ready: bool = False


@dataclass(eq=False)
class _Question:
    """What one has asked, whose answers are still to come, and those that have."""

    asker: HubMember
    number: int
    awaited: set[HubMember]
    answers: list[Any]


class Hub:
    def __init__(self) -> None:
        self._members: list[HubMember] = []
        self._begun: Counter[str] = Counter()
        self._waiting: dict[str, deque[tuple[HubMember, int]]] = {}  # for a lock; the first one has it
        self._questions: dict[int, _Question] = {}
        self._numbers = itertools.count()
        self._counted: dict[str, float] = {}  # by those that have gone
        self._on_duty: HubMember | None = None

    def join(self, send: Send) -> HubMember:
        member = HubMember(send)
        self._members.append(member)
        return member

    def note_ready(self, member: HubMember) -> None:
        """It answers calls."""
        member.is_ready = True
        self._give_duty()

    def leave(self, member: HubMember) -> None:
        """It has ended."""
        self._members.remove(member)
        self._begun.subtract(member.begun)
        for name, number in member.counted.items():
            self._counted[name] = self._counted.get(name, 0) + number
        for name in list(self._waiting):
            self._give_up(member, name)
        for question in list(self._questions.values()):
            self._drop(member, question)
        if self._on_duty is member:
            self._on_duty = None
            self._give_duty()

    def hear(self, member: HubMember, message: Message) -> None:
        """Does what a worker asks for."""
        kind, *rest = message
        handler: Callable[..., None] = getattr(self, f"_hear_{kind}")
        handler(member, *rest)

    def _give_duty(self) -> None:
        if self._on_duty is None:
            self._on_duty = next((member for member in self._members if member.is_ready), None)
            if self._on_duty is not None:
                self._on_duty.send(["duty"])

    # --- what is under way -------------------------------------------------------------------------------

    def _hear_begin(self, member: HubMember, number: int, names: list[str]) -> None:
        member.send(["reply", number, [[self._begun[name], self._begun[name] - member.begun[name]] for name in names]])
        self._begun.update(names)
        member.begun.update(names)

    def _hear_end(self, member: HubMember, names: list[str]) -> None:
        for counter in (self._begun, member.begun):
            counter.subtract(names)
            for name in names:
                if not counter[name]:
                    del counter[name]

    # --- locks -------------------------------------------------------------------------------------------

    def _hear_lock(self, member: HubMember, number: int, name: str) -> None:
        waiting = self._waiting.setdefault(name, deque())
        waiting.append((member, number))
        if len(waiting) == 1:
            member.send(["reply", number, None])

    def _hear_unlock(self, _: HubMember, name: str) -> None:
        self._waiting[name].popleft()
        self._call_next(name)

    def _hear_give_up(self, member: HubMember, name: str, number: int) -> None:
        """It no longer waits for the lock, or has got it in vain."""
        self._remove(name, lambda entry: entry == (member, number))

    def _give_up(self, member: HubMember, name: str) -> None:
        self._remove(name, lambda entry: entry[0] is member)

    def _remove(self, name: str, is_gone: Callable[[tuple[HubMember, int]], bool]) -> None:
        before = self._waiting[name]
        self._waiting[name] = deque(entry for entry in before if not is_gone(entry))
        if before and is_gone(before[0]):
            self._call_next(name)

    def _call_next(self, name: str) -> None:
        if self._waiting[name]:
            member, number = self._waiting[name][0]
            member.send(["reply", number, None])
        else:
            del self._waiting[name]

    # --- telling and asking ------------------------------------------------------------------------------

    def _hear_tell(self, member: HubMember, what: str, data: list[Any]) -> None:
        for other in self._members:
            if other is not member:
                other.send(["told", what, data])

    def _hear_count(self, member: HubMember, counted: dict[str, float]) -> None:
        member.counted = counted

    def _hear_ask(self, member: HubMember, number: int, question: str) -> None:
        others = {other for other in self._members if other is not member and other.is_ready}
        key = next(self._numbers)
        self._questions[key] = _Question(member, number, others, [])
        for other in list(others):
            other.send(["question", key, question])
        self._settle(key)

    def _hear_answer(self, member: HubMember, key: int, answer: Any) -> None:
        question = self._questions.get(key)
        if question is not None and member in question.awaited:
            question.awaited.remove(member)
            question.answers.append(answer)
            self._settle(key)

    def _drop(self, member: HubMember, question: _Question) -> None:
        question.awaited.discard(member)
        key = next(key for key, each in self._questions.items() if each is question)
        if question.asker is member:
            del self._questions[key]
        else:
            self._settle(key)

    def _settle(self, key: int) -> None:
        question = self._questions[key]
        if not question.awaited:
            del self._questions[key]
            question.asker.send(["reply", question.number, [question.answers, self._counted]])
