"""What a tenant asks of its people: with what they begin, what they may while nobody has looked at them, who agrees."""

from typing import Any, Final, NamedTuple

from core.audit.trail import Act, By, note
from core.database import Connection, Pool, in_tenant
from core.errors import Refusal
from core.people.fields import FIELDS, Kind
from core.people.persons import Role

READ = """
select customers_begin_pending, merchants_begin_pending, pending_are_paid, pending_pay, customers_need, merchants_need,
       needs_second_operator
  from people_settings
 where tenant_id = $1
"""
SET = "select set_people_settings($1, $2, $3, $4, $5, $6, $7, $8)"


class PeopleSettings(NamedTuple):
    """A tenant's settings about people.

    Whoever is pending reads, and is paid and pays as far as these say. `*_need`: the fields without which nobody is
    registered by themselves, or activated. `needs_second_operator`: for a role among the staff.
    """

    customers_begin_pending: bool = False
    merchants_begin_pending: bool = True
    pending_are_paid: bool = True
    pending_pay: bool = False
    customers_need: tuple[Kind, ...] = ()
    merchants_need: tuple[Kind, ...] = ()
    needs_second_operator: bool = False

    def needs(self, role: Role) -> tuple[Kind, ...]:
        """The fields that somebody of this role has to bring."""
        return {Role.CUSTOMER: self.customers_need, Role.MERCHANT: self.merchants_need}.get(role, ())

    def begins_pending(self, role: Role) -> bool:
        """Whether somebody of this role who registers waits until the tenant has looked at them."""
        return {Role.CUSTOMER: self.customers_begin_pending, Role.MERCHANT: self.merchants_begin_pending}.get(
            role, True
        )


DEFAULT: Final = PeopleSettings()


async def read_settings(pool: Pool, tenant_id: int) -> PeopleSettings:
    """The tenant's settings, or the defaults."""
    async with in_tenant(pool, tenant_id) as connection:
        return await read_in(connection, tenant_id)


async def read_in(connection: Connection, tenant_id: int) -> PeopleSettings:
    """The same, in a transaction of the tenant's."""
    row = await connection.fetchrow(READ, tenant_id)
    if row is None:
        return DEFAULT
    found = dict(row)
    for name in ("customers_need", "merchants_need"):
        found[name] = tuple(map(Kind, found[name]))
    return PeopleSettings(**found)


async def set_settings(
    pool: Pool, tenant_id: int, settings: PeopleSettings, by: By, *, by_administrator: bool = False
) -> None:
    """Write the settings, from now on; whoever is pending may what they say.

    That two operators agree is given up by the administrator alone: one operator could not be held to it otherwise.
    Raises Refusal.
    """
    for role, needed in ((Role.CUSTOMER, settings.customers_need), (Role.MERCHANT, settings.merchants_need)):
        for kind in needed:
            if role not in FIELDS[kind].roles:
                raise Refusal("field_not_theirs", field=f"{role.name.lower()}s_need")
    if settings.pending_pay and not settings.pending_are_paid:
        raise Refusal("invalid_field", "Whoever may pay may be paid.", field="pending_pay")
    async with in_tenant(pool, tenant_id) as connection:
        before = await read_in(connection, tenant_id)
        if before.needs_second_operator and not settings.needs_second_operator and not by_administrator:
            raise Refusal("second_operator_needed", field="needs_second_operator")
        await connection.execute(SET, tenant_id, *settings)
        details = {"before": _to_details(before), "after": _to_details(settings)}
        await note(connection, tenant_id, by, Act.PEOPLE_SET, "people", details=details)


def _to_details(settings: PeopleSettings) -> dict[str, Any]:
    found: dict[str, Any] = settings._asdict()
    for name in ("customers_need", "merchants_need"):
        found[name] = [FIELDS[kind].name for kind in found[name]]
    return found
