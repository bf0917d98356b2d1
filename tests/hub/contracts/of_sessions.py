"""What hub/protocol/sessions.py promises, asked for at both doors."""

from core.people.persons import Role
from tests.hub.contracts.contract import Contract


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
    operator, somebody = await contract.enter(contract.tenant, Role.OPERATOR), await contract.enter(contract.tenant)
    client = await contract.join(contract.hubs.a, somebody)
    others = [await contract.enter(contract.tenant, again=somebody) for _ in range(3)]
    listed = (await contract.ask(client, "sessions"))["sessions"]
    assert {one["session"] for one in listed} == {somebody.session, *(one.session for one in others)}
    assert [one["session"] for one in listed if one.get("current")] == [somebody.session]
    looked = await contract.http(operator, "GET", "/v1/sessions", query=f"person={somebody.person}")
    assert len(looked.body["sessions"]) == 4
    path = "/v1/sessions/{session}"
    await contract.ask(client, "name_session", session=somebody.session, name="This one")
    named = await contract.http(somebody, "PUT", f"{path}/name", {"name": "That one"}, session=others[0].session)
    assert named.body == {"session": others[0].session, "name": "That one"}
    assert (await contract.ask(client, "end_session", session=others[0].session))["sessions"] == [others[0].session]
    reason = {"reason": "Case 17"}
    ended = await contract.http(operator, "POST", f"{path}/end", reason, session=others[1].session)
    assert ended.body["sessions"] == [others[1].session]
    assert (await contract.ask(client, "end_sessions"))["sessions"] == [others[2].session]
    ended = await contract.http(operator, "POST", "/v1/sessions/end", {"person": somebody.person, **reason})
    assert ended.body["sessions"] == [somebody.session]
    assert await client.closed() == 4503
