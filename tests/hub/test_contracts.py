"""Every command of every room, at both doors, against the documents that the hub serves."""

from functools import partial
from types import ModuleType

import httpx2
import pytest

from core.database import Pool
from core.keys.safe import Safe
from core.people.opening import Tenant
from core.proof.notary import Signer
from hub.commands import (
    bulking,
    charging,
    confirming,
    consenting,
    disputing,
    enrolling,
    erasing,
    exporting,
    federating,
    hooking,
    inspecting,
    keying,
    knowing,
    leaving,
    overseeing,
    pairing,
    paying,
    pricing,
    proving,
    recalling,
    reporting,
    ruling,
    scheduling,
    seating,
    securing,
    staffing,
    standing,
    stepping_up,
    trailing,
    trying,
)
from tests.conftest import seal_all
from tests.core.people.crowd import Town
from tests.hub.conftest import Enter, Hubs, Join
from tests.hub.contracts import (
    of_api_keys,
    of_bulks,
    of_charges,
    of_consents,
    of_disputes,
    of_factors,
    of_histories,
    of_incidents,
    of_oversight,
    of_people,
    of_privacy,
    of_proofs,
    of_providers,
    of_rules,
    of_schedules,
    of_seats,
    of_security,
    of_sessions,
    of_staff,
    of_step_ups,
    of_steps,
    of_terminals,
    of_terms,
    of_webhooks,
)
from tests.hub.contracts.contract import Contract


@pytest.mark.parametrize(
    ("handlers", "promises"),
    [
        (paying, of_steps),
        (charging, of_charges),
        (bulking, of_bulks),
        (scheduling, of_schedules),
        (disputing, of_disputes),
        (ruling, of_rules),
        (pricing, of_terms),
        (recalling, of_histories),
        (leaving, of_sessions),
        (enrolling, of_factors),
        (stepping_up, of_step_ups),
        (securing, of_security),
        (keying, of_api_keys),
        (pairing, of_terminals),
        (seating, of_seats),
        (hooking, of_webhooks),
        (federating, of_providers),
        (trying, of_steps),
        (proving, of_proofs),
        (knowing, of_people),
        (confirming, of_people),
        (standing, of_people),
        (staffing, of_staff),
        (trailing, of_staff),
        (exporting, of_privacy),
        (erasing, of_privacy),
        (consenting, of_consents),
        (reporting, of_incidents),
        (overseeing, of_oversight),
        (inspecting, of_oversight),
    ],
    ids=lambda module: module.__name__.rsplit(".", 1)[1],
)
async def test_what_is_promised_is_kept_at_both_doors(
    handlers: ModuleType,
    promises: ModuleType,
    hubs: Hubs,
    web: httpx2.AsyncClient,
    tenant: Tenant,
    enter: Enter,
    join: Join,
    pool: Pool,
    signer: Signer,
    keys: Safe,
) -> None:
    openapi = (await web.get(f"{hubs.a.url}/docs/openapi.json")).json()
    asyncapi = (await web.get(f"{hubs.a.url}/docs/asyncapi.json")).json()
    codes = Town(pool, keys, tenant).codes
    seal = partial(seal_all, pool, signer)
    contract = Contract(openapi, asyncapi, hubs, web, tenant, enter, join, seal, pool, keys, codes)
    await promises.exercise(contract)
    assert contract.unmet(handlers.ROWS) == set()
