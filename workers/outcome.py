"""How it went to hand something to the outside world: four answers, and every sender gives one of them."""

from typing import Final, NamedTuple, TypeAlias


class Delivered(NamedTuple):
    """It was taken. `reference`: the name that they gave it, if they gave one."""

    reference: str | None = None


class Later(NamedTuple):
    """It was not taken now. `code`: why, a short stable word. `after_s`: they asked us to wait so long.

    `is_theirs`: the whole service failed (nobody answered, it is down, it is busy), not this message: no try of the
    message's is used up, and the sender is asked less often until something was taken again.
    """

    code: str
    after_s: float | None = None
    is_theirs: bool = False


class Gone(NamedTuple):
    """Nobody is behind this address any more, or never was: it is to be forgotten. `code`: why."""

    code: str


class Refused(NamedTuple):
    """This message will never be taken, however often it is sent. `code`: why."""

    code: str


Outcome: TypeAlias = Delivered | Later | Gone | Refused

# Longer than a service says and it is not believed: an hour of silence is theirs, a day is somebody's mistake.
AFTER_S_MAX: Final = 3_600.0
