"""People with documents and contacts, for tests of what is known of them."""

import uuid
from typing import NamedTuple

from core.audit.trail import By, Entry, read_trail
from core.database import Pool, in_tenant
from core.keys.places import NOTICE_CONTENT
from core.keys.safe import Safe
from core.notices.kinds import NoticeKind
from core.people.confirming import confirm, send_code
from core.people.contacts import Address
from core.people.fields import Kind
from core.people.opening import Tenant
from core.people.persons import Role
from core.people.registering import Registered, register

PASSWORD = "correct horse battery"
HOME = Address("Rua da Praça", "São Paulo", "01310-100", "BR", number="17", state="SP")


class Told(NamedTuple):
    """A notice, opened as a worker would."""

    kind: NoticeKind
    person: str
    contact: tuple[int, int] | None
    content: str | None


class Town:
    """A tenant and what tests do in it."""

    def __init__(self, pool: Pool, keys: Safe, tenant: Tenant) -> None:
        self.pool, self.keys, self.tenant = pool, keys, tenant

    async def register(self, role: Role = Role.CUSTOMER, /, **given: str | Address) -> Registered:
        login = f"l{uuid.uuid4().hex}"
        return await register(
            self.pool,
            self.keys,
            self.tenant.id,
            role,
            "Ana Souza",
            login,
            PASSWORD,
            given,
            By(network="203.0.113.0/24"),
        )

    async def notices(self) -> list[Told]:
        """What the tenant's people are to be told, oldest first, but for money."""
        async with in_tenant(self.pool, self.tenant.id) as connection:
            rows = await connection.fetch(
                "select id::text, kind, person_id::text, field, field_number, sealed from notices"
                " where tenant_id = $1 and kind <> 0 order by noted_at, id",
                self.tenant.id,
            )
        found = []
        for id_, kind, person, field, number, sealed in rows:
            cipher = await self.keys.one(self.tenant.id, person)
            contact = None if field is None else (field, number)
            found.append(Told(NoticeKind(kind), person, contact, cipher.open(*NOTICE_CONTENT.at(id_), sealed)))
        return found

    async def codes(self, person: str) -> list[str]:
        """The codes that were sent to somebody, oldest first."""
        told = [one for one in await self.notices() if one.kind is NoticeKind.CONTACT_CODE and one.person == person]
        return [one.content for one in told if one.content is not None]

    async def confirm(self, person: str, kind: Kind = Kind.EMAIL) -> None:
        """Let somebody confirm a contact as they would."""
        await send_code(self.pool, self.keys, self.tenant.id, person, kind, By(person))
        code = (await self.codes(person))[-1]
        await confirm(self.pool, self.keys, self.tenant.id, person, kind, code, By(person))

    async def trail(self, **filters: str) -> list[Entry]:
        return await read_trail(self.pool, self.tenant.id, 100, **filters)  # type: ignore[arg-type]
