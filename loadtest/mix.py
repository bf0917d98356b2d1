"""Batches of whole lives of payments, as arrays for post_payments: what `posting --mix` posts.

Of a hundred, seventy pay, ten authorize, ten capture a half of what was authorized, five void the rest and five refund
what was paid. Every payee keeps a fee back, so that each tenant's fees account takes part in nearly every payment.
"""

import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

# A step is about a payment so many batches ago: by then it is committed, whichever connection posted it.
BATCHES_BETWEEN = 24
PAY, AUTHORIZE, CAPTURE, VOID, REFUND = 0, 1, 2, 3, 5
SHARES = {PAY: 70, AUTHORIZE: 10, CAPTURE: 10, VOID: 5, REFUND: 5}


class Life(NamedTuple):
    """A payment that steps can be about, and the batch that has its last step so far."""

    batch: int
    tenant: int
    id: str
    payer: int
    payee: int
    amount: int


class Mix:
    """Makes one batch after the other. They are to be posted in this order."""

    def __init__(
        self,
        tenants: Sequence[int],
        size: int,
        make_id: Callable[[], str],
        draw_parties: Callable[[], tuple[int, int]],
        asked_by: str,
    ) -> None:
        self._tenants = tenants
        self._size = size
        self._make_id = make_id
        self._draw_parties = draw_parties
        self._asked_by = asked_by
        self._made = 0
        # What waits for its capture, its void, its refund.
        self._waiting: dict[int, deque[Life]] = {CAPTURE: deque(), VOID: deque(), REFUND: deque()}
        self.counts = dict.fromkeys(SHARES, 0)

    def batch(self) -> tuple[Any, ...]:
        """The next batch, as post_payments takes it."""
        kinds = random.choices(list(SHARES), weights=list(SHARES.values()), k=self._size)
        rows = [self._row(kind) for kind in kinds]
        self._made += 1
        kinds = [row[0] for row in rows]
        for kind in kinds:
            self.counts[kind] += 1
        lives = [row[1] for row in rows]
        subjects = [row[2] for row in rows]
        tenants = [life.tenant for life in lives]
        payer_keys = [(life.tenant, life.payer) for life in lives]
        payee_keys = [(life.tenant, life.payee) for life in lives]
        accounts = sorted({*payer_keys, *payee_keys})
        position = {key: at for at, key in enumerate(accounts, start=1)}
        about = [
            (life.tenant, life.id if kind == AUTHORIZE else subject)
            for kind, life, subject in zip(kinds, lives, subjects, strict=True)
        ]
        roots = sorted({key for key in about if key[1] is not None})
        places = {key: at for at, key in enumerate(roots, start=1)}
        return (
            [tenant for tenant, _ in accounts],
            [account for _, account in accounts],
            tenants,
            [life.id for life in lives],
            [life.payer for life in lives],
            [life.payee for life in lives],
            [position[key] for key in payer_keys],
            [position[key] for key in payee_keys],
            [life.amount for life in lives],
            [None] * self._size,
            [self._asked_by] * self._size,
            None,
            None,
            kinds,
            subjects,
            None,
            None,
            None,
            [tenant for tenant, _ in roots],
            [id_ for _, id_ in roots],
            [places.get(key) for key in about],
            None,
        )

    def _row(self, kind: int) -> tuple[int, Life, str | None]:
        waiting = self._waiting.get(kind)
        if waiting is not None and (not waiting or waiting[0].batch > self._made - BATCHES_BETWEEN):
            # Nothing is old enough yet: at the beginning there is more to pay than to go on with.
            kind, waiting = PAY, None
        if waiting is None:
            payer, payee = self._draw_parties()
            amount = random.randrange(2, 100)
            life = Life(self._made, random.choice(self._tenants), self._make_id(), payer, payee, amount)
            if kind == AUTHORIZE:
                self._waiting[CAPTURE].append(life)
            elif len(self._waiting[REFUND]) < self._size:
                self._waiting[REFUND].append(life)
            return kind, life, None
        subject = waiting.popleft()
        step = subject._replace(id=self._make_id(), amount=0)
        if kind == CAPTURE:
            step = step._replace(amount=subject.amount // 2)
            if len(self._waiting[VOID]) < self._size:
                self._waiting[VOID].append(subject._replace(batch=self._made))
        elif kind == REFUND:
            step = step._replace(payer=subject.payee, payee=subject.payer, amount=subject.amount)
        return kind, step, subject.id
