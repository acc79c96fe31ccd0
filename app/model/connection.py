"""Sources and sinks as settings name them, and what passes through them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from app.model.errors import RecordError

# Systems in which an item waits for its verdict; and the option that says so of others.
TWO_WAY = frozenset(("mlflow", "phoenix", "label-studio", "langgraph", "langfuse"))
WITH_REPLY = {"sql": "answer", "sqs": "reply_queue_url", "redis": "reply_stream"}
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class ConnectionSettings(BaseModel):
    """One `[sources.NAME]` or `[sinks.NAME]`: its type; the rest is checked by the type's own `Options`."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str

    @property
    def options(self) -> dict[str, Any]:
        """What only this type knows."""
        return dict(self.model_extra or {})


class SourceSettings(ConnectionSettings):
    """Where predictions come from. `reply`: verdicts go back to it; left out: to types that wait for an answer, and to
    those whose settings say where it goes."""

    queue: str
    every_seconds: Seconds = 30
    reply: bool | None = None

    @property
    def replies(self) -> bool:
        """Whether verdicts go back to it."""
        if self.reply is not None:
            return self.reply
        return self.type in TWO_WAY or bool(self.options.get(WITH_REPLY.get(self.type, "")))


class SinkSettings(ConnectionSettings):
    """Where verdicts go. `after_undo`: not before the undo of a decision is over."""

    after_undo: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One thing a source gave: a record as JSON or a table's row; `reference` is what a verdict needs to find it
    again, `receipt` what the source wants back when it is kept. `problem` says why it cannot become a record."""

    data: bytes
    row: Mapping[str, Any] | None = None
    reference: Mapping[str, Any] = field(default_factory=dict)
    receipt: Any = None
    problem: str | RecordError = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one pull gave. `cursor` is where to go on (None: as before), `lag` how many items wait, if that is known."""

    items: Sequence[Item]
    cursor: str | None = None
    lag: int | None = None


class Source(Protocol):
    """Gives predictions. Both methods may block; they raise errors of `app.model.errors` only.

    A class whose records never say what their task is has `brings_task = False`: then the queue has to.
    """

    def pull(self, limit: int, cursor: str) -> Batch:
        """At most `limit` items after the cursor; an empty batch where there is nothing now."""

    def acknowledge(self, batch: Batch) -> None:
        """Everything in the batch is kept: the source may forget it."""

    def close(self) -> None:
        """Lets go of connections."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one sink. `event` is a CloudEvent; `reference` what the case's source gave with it, if it was this
    one. `kind`: verdict or retracted. The event's id stays the same over all attempts."""

    event_id: str
    kind: str
    event: Mapping[str, Any]
    body: bytes
    reference: Mapping[str, Any]
    attempt: int


class Sink(Protocol):
    """Takes verdicts. `send` returns when the verdict has arrived; sending it twice must do no harm."""

    def send(self, delivery: Delivery) -> None:
        """Raises Undelivered where it did not arrive."""

    def close(self) -> None:
        """Lets go of connections."""
