"""Verdicts to an Amazon SQS queue, best a FIFO queue: of one prediction in order, and each once."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from app.aws import Refusal, SqsOptions, opened
from app.connecting import Secrets
from app.model.connection import Delivery
from app.model.errors import SettingsError, Unavailable, Undelivered

# What SQS takes as a group or a deduplication id.
_ALLOWED = re.compile(r"[!-~]{1,128}")
# What is no character to SQS. In JSON these stand in strings only, where an escape says the same.
_NO_CHARACTERS = {0xFFFE: "\\ufffe", 0xFFFF: "\\uffff"}


class SqsSink:
    """Sends each event as one message: the body is the CloudEvent."""

    Options = SqsOptions

    def __init__(self, options: SqsOptions, secrets: Secrets, root: Path) -> None:
        if not options.reply_queue_url:
            raise SettingsError(
                "Verdicts to SQS need reply_queue_url: the URL of the queue they go to. For a source whose verdicts "
                "do not go back, put `reply = false`."
            )
        if options.reply_queue_url == options.queue_url:
            raise SettingsError("reply_queue_url is queue_url: verdicts would come back as predictions.")
        self._fifo = options.reply_queue_url.endswith(".fifo")
        self._queue = opened(options, options.reply_queue_url, secrets)

    def send(self, delivery: Delivery) -> None:
        """Sends one event. A FIFO queue keeps the same event from coming twice within five minutes; whoever reads
        tells later repetitions by the event's id. Raises Undelivered."""
        more: dict[str, Any] = {}
        if self._fifo:
            more["MessageGroupId"] = allowed(str(delivery.event.get("subject") or delivery.event_id))
            more["MessageDeduplicationId"] = allowed(delivery.event_id)
        message_id = delivery.reference.get("message_id")
        if message_id:
            attribute = {"DataType": "String", "StringValue": str(message_id)}
            more["MessageAttributes"] = {"prediction_message_id": attribute}
        body = delivery.body.decode().translate(_NO_CHARACTERS)
        try:
            self._queue.call("SendMessage", MessageBody=body, **more)
        except Refusal as error:
            raise Undelivered(str(error), final=error.fault) from None
        except Unavailable as error:
            raise Undelivered(str(error)) from None

    def close(self) -> None:
        """Lets go of connections."""
        self._queue.close()


def allowed(text: str) -> str:
    """The text, or a digest of it where SQS would not take it as an id."""
    return text if _ALLOWED.fullmatch(text) else hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
