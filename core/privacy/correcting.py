"""A correction that was asked for (LGPD art. 18, III) is made: the profile is edited, then its request is answered.

What somebody may change by themselves they change at once, without asking (core.people.profiles); this is for the rest,
which the institution has to look at first: documents, names, a birth date.
"""

from collections.abc import Mapping

from core.audit.trail import By
from core.database import Pool
from core.errors import Refusal
from core.keys.safe import Safe
from core.people.fields import Value
from core.people.profiles import edit_profile
from core.privacy.requests import Request, read_request, respond
from core.privacy.states import RequestStatus, Right


async def correct(
    pool: Pool,
    keys: Safe,
    tenant_id: int,
    request_id: str,
    given: Mapping[str, Value],
    status: RequestStatus,
    answer: str,
    by: By,
) -> Request:
    """Write the field that a request names, and answer it. Interrupted in between, the same again does the rest.

    Raises NotFound; Refusal `invalid_field` (it is not what was asked for, or is refused at the same time),
    `request_answered`, `not_on_yourself` (nobody corrects what they ask for themselves), and those of `edit_profile`.
    """
    request = await read_request(pool, keys, tenant_id, request_id)
    if request.right is not Right.CORRECTION or set(given) != {request.field} or status is RequestStatus.REFUSED:
        raise Refusal("invalid_field", "It corrects the one field that the request names.", field="correct")
    if request.person_id == by.person_id:
        raise Refusal("not_on_yourself", field="request")
    if request.status is RequestStatus.OPEN:
        await edit_profile(pool, keys, tenant_id, request.person_id, given, [], by, f"privacy request {request_id}")
    return await respond(pool, keys, tenant_id, request_id, status, answer, by)
