"""No free text of any message takes a card number or a CPF, however deep it lies."""

from typing import Any

import httpx2
import msgspec
import pytest

from core.people.opening import Tenant
from hub.protocol.catalogue import FROM_CLIENT
from hub.protocol.codec import CODECS, FREE_TEXTS, ProtocolError
from hub.protocol.fields import Message
from tests.hub.conftest import Enter, Hubs, Join
from tests.hub.protocol.examples import EXAMPLES

# As they may stand in the name of a word, too.
CARD, CPF = "4111-1111-1111-1111", "529.982.247-25"


def with_text(value: Any, text: str) -> Any:
    """The same value with its texts that are no ids or names of ours replaced."""
    if isinstance(value, str):
        return text
    if isinstance(value, dict):
        # A part of a link: its description; metadata: its values.
        if "type" in value:
            return {**value, "description": text}
        return {key: with_text(one, text) for key, one in value.items()}
    return [with_text(one, text) for one in value]


def examples() -> list[tuple[str, Message]]:
    return [
        (field, example)
        for example in EXAMPLES
        for field, _ in FREE_TEXTS.get(type(example), ())
        if getattr(example, field) is not msgspec.UNSET and type(example) in FROM_CLIENT
    ]


@pytest.mark.parametrize("subprotocol", CODECS)
@pytest.mark.parametrize(("text", "code"), [(CARD, "card_data_in_text"), (CPF, "document_in_text")])
def test_every_free_text_of_every_message_is_looked_into(subprotocol: str, text: str, code: str) -> None:
    codec = CODECS[subprotocol]
    met = set()
    for field, example in examples():
        value = msgspec.to_builtins(example)
        codec.decode(codec.encode(example))
        changed = with_text(value[field], text)
        if field == "parts" and not any(one["type"] in {"pay", "authorize", "refund"} for one in value["parts"]):
            continue
        if field == "parts":
            kept = [one for one in value["parts"] if one["type"] in {"pay", "authorize", "refund"}]
            changed = with_text(kept, text)
        encoder = msgspec.msgpack if codec.is_binary else msgspec.json
        with pytest.raises(ProtocolError) as refused:
            codec.decode(encoder.encode(value | {field: changed}))
        assert (refused.value.code, refused.value.field) == (code, field), (example, changed)
        assert refused.value.id == value.get("id")
        assert not refused.value.fatal
        met.add((type(example).__name__, field))
    for expected in (
        ("Pay", "description"),
        ("Pay", "metadata"),
        ("Authorize", "metadata"),
        ("Link", "parts"),
        ("DryRun", "parts"),
        ("CreateCharge", "description"),
        ("CreateCharge", "reference"),
        ("OpenDispute", "text"),
        ("AddEvidence", "name"),
        ("OpenPerson", "name"),
        ("SetAccountMetadata", "metadata"),
        ("DecideDispute", "note"),
    ):
        assert expected in met, sorted(met)


@pytest.mark.parametrize("subprotocol", CODECS)
@pytest.mark.parametrize(("name", "code"), [(CARD, "card_data_in_text"), (CPF, "document_in_text")])
def test_the_names_of_words_are_looked_into(subprotocol: str, name: str, code: str) -> None:
    codec = CODECS[subprotocol]
    encoder = msgspec.msgpack if codec.is_binary else msgspec.json
    for example in EXAMPLES:
        if type(example) not in FROM_CLIENT or not isinstance(getattr(example, "metadata", None), dict):
            continue
        value = msgspec.to_builtins(example)
        with pytest.raises(ProtocolError) as refused:
            codec.decode(encoder.encode(value | {"metadata": {name: "a word"}}))
        assert (refused.value.code, refused.value.field) == (code, "metadata"), example


async def test_a_card_number_is_refused_at_both_doors_and_changes_nothing(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, web: httpx2.AsyncClient
) -> None:
    payer, payee = await enter(tenant, funds=100), await enter(tenant)
    client = await join(hubs.a, payer)
    answer = await client.pay(payer.account, payee.account, 1, description=f"card {CARD}")
    assert (answer["type"], answer["code"], answer["field"]) == ("error", "card_data_in_text", "description")
    assert CARD not in str(answer)
    body = {
        "payment": "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b",
        "payer": payer.account,
        "payee": payee.account,
        "amount": 1,
    }
    headers = {"authorization": f"Bearer {payer.token}"}
    refused = await web.post(f"{hubs.a.url}/v1/payments", json={**body, "metadata": {"note": CPF}}, headers=headers)
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (
        422,
        "document_in_text",
        "metadata",
    )
    register = {
        "tenant": tenant.slug,
        "name": f"Ana {CARD}",
        "login": "ana.of.cards",
        "password": "correct horse battery",
    }
    refused = await web.post(f"{hubs.a.url}/v1/register", json=register)
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (422, "card_data_in_text", "name")
    assert (await client.ask("balance", account=payer.account))["posted"] == 100
