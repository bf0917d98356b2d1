"""The password, and what a tenant asks of its people before they do what matters."""

import asyncio
from typing import Final

from core.audit.trail import Act
from core.errors import ProofRefused
from core.people import changing
from core.people.credentials import read_login
from core.people.demands import DEFAULT, Demands, set_demands
from hub.commands.context import Context, end_everywhere
from hub.commands.operating import require_operator
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.stepping_up import count_for, tell_refused
from hub.commands.values import given, or_unset
from hub.protocol import factors
from hub.protocol.codes import ErrorCode
from hub.session import Session


async def change_password(
    context: Context, session: Session, command: factors.ChangePassword
) -> factors.PasswordChanged:
    """A new one; who is logged in elsewhere logs in again."""
    speaker, tenant = session.speaker, context.tenants[session.speaker.tenant_id]
    login = await read_login(context.pool, context.keys, tenant.id, speaker.person_id)
    if login is None:
        raise CommandRefused(ErrorCode.NOT_FOUND, "You do not log in by a password here.", field="password")
    await context.passwords.refuse_weak(command.password, login, tenant.slug, tenant.name)
    count = await count_for(context, session)
    try:
        ended = await changing.change_password(
            context.pool, tenant.id, session.by, command.password, given(command.old), count
        )
    except ProofRefused as refused:
        await tell_refused(context, session, Act.FACTOR_REFUSED, refused)
        raise
    except ValueError as error:
        raise CommandRefused(ErrorCode.INVALID_FIELD, str(error), field="password") from None
    asyncio.get_running_loop().call_soon(end_everywhere, context, tenant.id, ended)
    return factors.PasswordChanged(command.id, ended)


async def set_security(context: Context, session: Session, command: factors.SetSecurity) -> factors.SecurityState:
    """From now on, on every hub within a few seconds."""
    require_operator(session)
    speaker = session.speaker
    demands = Demands(command.step_up_s, given(command.step_up_above), command.operators_need_factor)
    await set_demands(context.pool, speaker.tenant_id, demands, speaker.person_id)
    context.demands[speaker.tenant_id] = demands
    return _to_state(command.id, demands)


async def read_security(context: Context, session: Session, command: factors.ReadSecurity) -> factors.SecurityState:
    """As it is."""
    return _to_state(command.id, context.demands.get(session.speaker.tenant_id, DEFAULT))


def _to_state(id_: int, demands: Demands) -> factors.SecurityState:
    return factors.SecurityState(id_, demands.step_up_s, demands.operators_need_factor, or_unset(demands.step_up_above))


ROWS: Final = (
    Row(factors.ChangePassword, factors.PasswordChanged, change_password, "PUT", "/v1/password"),
    Row(factors.SetSecurity, factors.SecurityState, set_security, "PUT", "/v1/security"),
    Row(factors.ReadSecurity, factors.SecurityState, read_security, "GET", "/v1/security"),
)
