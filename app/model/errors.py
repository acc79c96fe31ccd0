"""Every error that a person may read, in one tree.

SecondlookError
├── BadInput             exit 2   a file, an option or an answer cannot be used
│   ├── RecordError               one prediction record; names field and expectation
│   ├── RubricError               a rubric or the answers to one
│   └── SettingsError             secondlook.toml
├── Refused              exit 3   rights or leases say no
│   ├── LeaseLost                 the lease is over or somebody else's
│   └── Gone                      the case was erased
├── NothingToDo          exit 4   an empty queue, with the reason
└── Unavailable          exit 5   database, disk or network cannot serve now
    └── Undelivered               a verdict did not arrive at its sink

A message says what happened, what was kept, and what to do.
"""

from __future__ import annotations


class SecondlookError(Exception):
    """Base of all errors whose text is meant for a person."""

    exit_code = 1


class BadInput(SecondlookError):
    """Something given by the user cannot be used."""

    exit_code = 2


class RecordError(BadInput):
    """A prediction record that cannot be admitted.

    `code` is a stable word (`json`, `schema`, `changed`, `too_large`, `encoding`),
    `field` a path such as `inputs[2].value`, empty where the record as a whole is meant.
    """

    def __init__(self, code: str, field: str, expected: str) -> None:
        self.code = code
        self.field = field
        self.expected = expected
        super().__init__(f"{field}: {expected}" if field else expected)

    def __reduce__(self) -> tuple[type[RecordError], tuple[str, str, str]]:
        # Errors travel between processes; by default only the message would.
        return type(self), (self.code, self.field, self.expected)


class RubricError(BadInput):
    """A rubric that cannot be used, or answers that do not fit one."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


class SettingsError(BadInput):
    """secondlook.toml cannot be used."""


class Refused(SecondlookError):
    """The act is not allowed to this person, or not now."""

    exit_code = 3


class LeaseLost(Refused):
    """The lease behind an act is over; `holder` names who has the case now, if anybody."""

    def __init__(self, message: str, holder: str | None = None, settled: bool = False) -> None:
        self.holder = holder
        self.settled = settled
        super().__init__(message)


class Gone(Refused):
    """The case behind an act is not there any more."""


class NothingToDo(SecondlookError):
    """No case can be given out; the message says why."""

    exit_code = 4


class Unavailable(SecondlookError):
    """A database, a disk or a service cannot be used now."""

    exit_code = 5


class Undelivered(Unavailable):
    """A verdict did not arrive.

    `retry_after` seconds, where the receiver said when to come again; `final`: trying again would not help this one;
    `stop`: the receiver wants nothing more at all.
    """

    def __init__(self, message: str, retry_after: float | None = None, final: bool = False, stop: bool = False) -> None:
        self.retry_after = retry_after
        self.final = final
        self.stop = stop
        super().__init__(message)
