"""Who comes in, and what they may do: names checked against their hashes, wrong tries slowed, roles."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import anyio.to_thread

from backend.cli.passwords import is_hash, matches
from iterit_ui.access.logins import Logins

FREE_TRIES = 5  # wrong ones from an address, or for a name from anywhere, before the next has to wait
LONGEST_WAIT = 60.0  # seconds
FORGOTTEN = 3600.0  # seconds after which wrong tries no longer count
MOST_KNOWN = 10_000  # addresses and names with wrong tries; beyond it the oldest are forgotten
LOGIN_WORDS = (
    "Ask whoever runs this app for a name and a password. "
    "After five wrong tries the next ones have to wait, a minute at the longest."
)

CLIENT: ContextVar[str] = ContextVar("client", default="")
"""The address that the present request comes from; `front` sets it."""


LOOKS: ContextVar[bool] = ContextVar("looks", default=False)
"""Whether the present event is of somebody who only looks; `guarded_page` sets it."""


@dataclass
class Tries:
    """Wrong tries by what they have in common. known : key -> (how many, seconds of the clock at the last)."""

    clock: Callable[[], float] = time.monotonic
    known: dict[str, tuple[int, float]] = field(default_factory=dict)

    def wait(self, *keys: str) -> float:
        """Seconds until another try is looked at, 0 for at once."""
        return max((self._wait(key) for key in keys), default=0.0)

    def wrong(self, *keys: str) -> None:
        """One more wrong try."""
        now = self.clock()
        for key in keys:
            count, last = self.known.pop(key, (0, now))
            self.known[key] = (count + 1 if now - last < FORGOTTEN else 1, now)
        while len(self.known) > MOST_KNOWN:
            del self.known[next(iter(self.known))]

    def right(self, *keys: str) -> None:
        """A right one: what came before no longer counts."""
        for key in keys:
            self.known.pop(key, None)

    def _wait(self, key: str) -> float:
        count, last = self.known.get(key, (0, 0.0))
        if count < FREE_TRIES:
            return 0.0
        pause = min(LONGEST_WAIT, 2.0 ** (count - FREE_TRIES))
        return max(0.0, last + pause - self.clock())


@dataclass(frozen=True)
class Access:
    """Who may come in and who may change something. logins : None for whoever reaches the address. read_only : nobody changes."""

    logins: Logins | None = None
    read_only: bool = False
    tries: Tries = field(default_factory=Tries)
    # one at a time: each check takes 32 MiB and a third of a second of a core
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def may_change(self, name: str | None) -> bool:
        """Whether this visitor may change anything; name : None where nobody was asked for one."""
        if self.read_only:
            return False
        return self.logins is None or any(one.name == name and one.role == "change" for one in self.logins)

    @property
    def refusal(self) -> str:
        """What a visitor reads who wants to change something and may not."""
        names = [] if self.read_only else [one.name for one in self.logins or [] if one.role == "change"]
        if not names:
            return "You can look; this app is open for looking only."
        who = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        return f"You can look; {who if len(names) <= 5 else 'others'} may change."

    async def admits(self, name: str, password: str) -> bool:
        """Whether name and password match. A login attempt made before its wait is over is refused unread and not counted."""
        keys = (f"address {CLIENT.get()}", f"name {name}")
        async with self.turn:
            # asked for within the turn, so that many tries at once are no way around it
            if self.tries.wait(*keys):
                return False
            right = await anyio.to_thread.run_sync(self._is_right, name, password)
            (self.tries.right if right else self.tries.wrong)(*keys)
        return right

    def _is_right(self, name: str, password: str) -> bool:
        secret = next((one.secret for one in self.logins or [] if one.name == name), None)
        if secret is not None and is_hash(secret):
            return matches(password, secret)
        # as long as for a hash, so that the time does not tell which names there are
        matches(password, _NOBODY)
        return secret is not None and hmac.compare_digest(secret.encode(), password.encode())


# of a password that nobody has written down
_NOBODY = "scrypt.15.8.3.XsGvq-Oh7uHkMSrsj91l4g.gz9bdAmh2ncubOMXsoyAI4-74fpH64AJZ3n_jyjBnZw"


def asked(access: Access) -> Any:
    """What Gradio asks whether somebody may come in; None where nobody is asked."""
    if access.logins is None:
        return None

    async def admits(name: str, password: str) -> bool:
        return await access.admits(name, password)

    return admits
