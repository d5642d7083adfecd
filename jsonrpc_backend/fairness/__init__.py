"""Who goes next where many want the same thing, and who gives way: one rule for everything that callers share.

What is free is given at once. What is not is waited for in turn: next is whoever has asked for least and got least of
it lately, first among networks, then among the addresses of one, then among the users of one. So whoever takes much
waits behind himself, from however many addresses he calls, and who comes now and then does not wait for him. Where a
queue is full, the newest of whoever has most in it gives way.
"""

from contextvars import ContextVar

# Who calls, or whom something is done for: names from the widest network to the address, and the user where known.
Caller = tuple[str, ...]

# For whom the work at hand is done. What the server does by itself takes its turn like one caller.
current_caller: ContextVar[Caller] = ContextVar("current_caller", default=("the server itself",))
