"""What stands behind the hub: one store, the queues' policies and rubrics, a desk for each person's terminal."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.audit import log
from app.deliver.events import Routes
from app.desk.base import wall_clock
from app.desk.local import LocalDesk
from app.hub.tokens import digest, is_token
from app.intake.ordering import put_in_order
from app.model.policy import QueuePolicy
from app.model.rights import ROLES, Role
from app.model.rubric import Rubric
from app.secrets import Keys
from db import tokens
from db.engine import Store

if TYPE_CHECKING:
    from app.hub.id_tokens import IdTokens

# Desks are light; so many terminals keep theirs between two requests.
_MOST_DESKS = 10_000
# A token's row is asked for again after so many seconds: a revoked one ends no later.
_TOKEN_SECONDS = 1.0
# Of refusals of one kind the log gets one entry in so many seconds, with how many there were.
_REFUSAL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, from which terminal."""

    person: str
    roles: tuple[Role, ...]
    token_id: str
    session: str


class Denied(Exception):
    """Nobody is signed in. The reason is for the log only."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


@dataclass(slots=True)
class _Refusals:
    at: float = float("-inf")
    count: int = 0


@dataclass
class Hub:
    """Safe to use from several threads. `keys` are for ingest alone; `id_tokens`: for people who sign in elsewhere."""

    store: Store
    policies: dict[str, QueuePolicy]
    rubrics: Mapping[str, Rubric]
    keys: Keys
    routes: Routes = field(default_factory=Routes)
    clock: Callable[[], int] = wall_clock
    id_tokens: IdTokens | None = None

    def __post_init__(self) -> None:
        put_in_order(self.store, self.policies, "hub", self.clock)
        self._desks: OrderedDict[tuple[str, str, tuple[Role, ...]], LocalDesk] = OrderedDict()
        self._known: dict[bytes, tuple[float, tokens.Token]] = {}
        self._refusals: dict[tuple[str, str], _Refusals] = {}
        self._lock = threading.Lock()

    # -- who ------------------------------------------------------------------------------------

    def identify(self, token: str, session: str) -> Identity:
        """Who shows this token; asks the database. Raises Denied, the same for all that is not valid."""
        if not is_token(token):
            raise Denied("no token of ours")
        wanted = digest(token)
        found = self._recent(wanted)
        if found is None:
            with self.store.read() as connection:
                found = tokens.by_digest(connection, wanted)
            self._remember(wanted, found)
        if found is None:
            raise Denied("unknown")
        return self._checked(found, session)

    def recently_identified(self, token: str, session: str) -> Identity | None:
        """As `identify`, where the token was asked about a moment ago; else None. Never waits."""
        found = self._recent(digest(token)) if is_token(token) else None
        return None if found is None else self._checked(found, session)

    def _checked(self, found: tokens.Token, session: str) -> Identity:
        if found.revoked_at is not None:
            raise Denied(f"revoked: {found.token_id}")
        if found.expires_at <= self.clock():
            raise Denied(f"expired: {found.token_id}")
        roles = tuple(role for role in ROLES if role in found.roles.split())
        return Identity(found.person, roles, found.token_id, session or f"token {found.token_id}")

    def _recent(self, wanted: bytes) -> tokens.Token | None:
        with self._lock:
            at, known = self._known.get(wanted, (float("-inf"), None))
        return known if time.monotonic() - at < _TOKEN_SECONDS else None

    def _remember(self, wanted: bytes, found: tokens.Token | None) -> None:
        with self._lock:
            if len(self._known) > _MOST_DESKS:
                self._known.clear()
            if found is not None:
                self._known[wanted] = (time.monotonic(), found)

    def note_refusal(self, actor: str, what: str) -> None:
        """A refusal in the log: one entry a second of each kind, so that nobody can fill it."""
        moment = time.monotonic()
        with self._lock:
            if len(self._refusals) > _MOST_DESKS:
                self._refusals.clear()
            kind = self._refusals.setdefault((actor, what), _Refusals())
            kind.count += 1
            if moment - kind.at < _REFUSAL_SECONDS:
                return
            kind.at, count, kind.count = moment, kind.count, 0
        with self.store.write() as connection:
            log.append(connection, self.clock(), actor, "refused", None, {"what": what[:100], "times": count})

    # -- desks ----------------------------------------------------------------------------------

    def desk(self, who: Identity) -> LocalDesk:
        """The desk of a person's terminal."""
        key = (who.person, who.session, who.roles)
        with self._lock:
            desk = self._desks.get(key)
            if desk is None:
                desk = self._desks[key] = LocalDesk(
                    self.store,
                    who.person,
                    self.policies,
                    dict(self.rubrics),
                    who.session,
                    self.clock,
                    self.routes,
                    who.roles,
                    lambda: self.keys.pseudonym,
                )
                if len(self._desks) > _MOST_DESKS:
                    self._desks.popitem(last=False)
            self._desks.move_to_end(key)
            return desk
