"""Tenants that start with people and money in them: the demo, and what load tests pay with.

The money comes from the tenant's cash-in account, by ordinary payments; nothing here bends the books.
"""

import uuid
from collections.abc import Sequence
from typing import NamedTuple

from core.database import Pool, acquire
from core.keys.safe import Safe
from core.ledger.posting import post_payments
from core.nouns import Payment, PaymentStatus, SystemAccount
from core.people.opening import Opened, Tenant, create_tenant, find_tenant, open_people, open_person
from core.people.persons import Role

BATCH = 200

DEMO_SLUG = "demo"
# Printed on the terminal of whoever starts the demo, and good for nothing else.
DEMO_PASSWORD = "demo-payhub-2026"  # noqa: S105


class DemoPerson(NamedTuple):
    """Somebody in the demo: `funds` in minor units."""

    login: str
    name: str
    role: Role
    funds: int


DEMO_PEOPLE = (
    DemoPerson("ana", "Ana Souza", Role.CUSTOMER, 1_250_00),
    DemoPerson("bruno", "Bruno Lima", Role.CUSTOMER, 430_50),
    DemoPerson("cafe", "Café da Praça", Role.MERCHANT, 2_980_00),
    DemoPerson("operator", "Olívia, the operator", Role.OPERATOR, 0),
)


async def open_demo(admin: Pool, pool: Pool, keys: Safe) -> Tenant:
    """The demo tenant with its people, opened if it is not there yet."""
    tenant = await find_tenant(pool, DEMO_SLUG)
    if tenant is not None:
        return tenant
    tenant = await create_tenant(admin, DEMO_SLUG, "Demo", "BRL", "America/Sao_Paulo")
    people = [
        await open_person(pool, keys, tenant.id, person.role, person.name, person.login, DEMO_PASSWORD)
        for person in DEMO_PEOPLE
    ]
    await fund(pool, tenant.id, people, [person.funds for person in DEMO_PEOPLE], people[-1].person_id)
    return tenant


async def open_crowd(
    pool: Pool, keys: Safe, tenant_id: int, role: Role, count: int, balance: int, asked_by: str
) -> list[Opened]:
    """`count` people without logins, each with one account holding `balance`."""
    people = await open_people(pool, keys, tenant_id, role, [f"Person {number}" for number in range(1, count + 1)])
    await fund(pool, tenant_id, people, [balance] * count, asked_by)
    return people


async def fund(pool: Pool, tenant_id: int, people: Sequence[Opened], amounts: Sequence[int], asked_by: str) -> None:
    """Pay each person its amount out of cash in."""
    payments = [
        Payment(tenant_id, str(uuid.uuid4()), SystemAccount.CASH_IN, person.account_id, amount, asked_by, None)
        for person, amount in zip(people, amounts, strict=True)
        if amount
    ]
    async with acquire(pool) as connection:
        for start in range(0, len(payments), BATCH):
            postings = await post_payments(connection, payments[start : start + BATCH])
            refused = [posting for posting in postings if posting.status != PaymentStatus.POSTED]
            if refused:
                raise ValueError(f"The ledger refused to fund: {PaymentStatus(refused[0].status).name.lower()}")
