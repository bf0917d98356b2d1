"""Both doors held to their documents: what is sent and what comes back is checked as it travels."""

import re
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import httpx2
import jsonschema  # type: ignore[import-untyped]

from core.database import Pool
from core.keys.safe import Safe
from core.people.opening import Tenant
from hub.commands.row import Row
from tests.hub.conftest import Enter, Hubs, Join, Somebody
from tests.hub.stranger import Stranger, Wire


class Answer(NamedTuple):
    """What came back over HTTP."""

    status: int
    body: Any


class Contract:
    """Two documents, the hubs that serve them, and what has been asked of them so far."""

    def __init__(
        self,
        openapi: Wire,
        asyncapi: Wire,
        hubs: Hubs,
        web: httpx2.AsyncClient,
        tenant: Tenant,
        enter: Enter,
        join: Join,
        seal: Callable[[], Awaitable[None]],
        pool: Pool,
        keys: Safe,
        codes: Callable[[str], Awaitable[list[str]]],
    ) -> None:
        self.openapi = openapi
        self.asyncapi = asyncapi
        self.hubs = hubs
        self.web = web
        self.tenant = tenant
        self.enter = enter
        self.join = join
        # Brings what was posted into the log, as a worker would.
        self.seal = seal
        # What workers have, for what they do.
        self.pool = pool
        self.keys = keys
        # The codes that a person was sent, as whoever reads their mailbox.
        self.codes = codes
        self._requested: set[tuple[str, str]] = set()
        self._answered: set[tuple[str, str]] = set()

    def id(self) -> str:
        """A new payment's."""
        return str(uuid.uuid4())

    async def http(
        self,
        who: Somebody,
        method: str,
        path: str,
        body: Any = None,
        /,
        query: str = "",
        headers: dict[str, str] | None = None,
        **in_path: Any,
    ) -> Answer:
        """One request, as documented both ways. `path` is the table's, with its braces."""
        operation = self.openapi["paths"][path][method.lower()]
        if body is not None:
            self._check(self.openapi, operation["requestBody"]["content"]["application/json"]["schema"], body)
        url = re.sub(r"{(\w+)}", lambda found: str(in_path[found[1]]), path)
        answer = await self.web.request(
            method,
            f"{self.hubs.b.url}{url}{query and '?' + query}",
            json=body,
            headers={"authorization": f"Bearer {who.token}", **(headers or {})},
        )
        documented = operation["responses"].get(str(answer.status_code)) or operation["responses"]["4XX"]
        if answer.status_code < 300:
            self._requested.add((method, path))
        if answer.status_code == 204:
            return Answer(204, None)
        content = answer.json()
        self._check(self.openapi, documented["content"][answer.headers["content-type"]]["schema"], content)
        return Answer(answer.status_code, content)

    async def ask(self, client: Stranger, type_: str, **fields: Any) -> Wire:
        """One command over a socket, as documented both ways."""
        payload = self.asyncapi["components"]["messages"][type_]["payload"]
        self._check(self.asyncapi, payload, {"type": type_, "id": 0, **fields})
        answer = await client.ask(type_, **fields)
        self.check(answer)
        possible = {one["$ref"].rsplit("/", 1)[1] for one in self.asyncapi["operations"][type_]["reply"]["messages"]}
        assert answer["type"] in possible, (type_, answer)
        self._answered.add((type_, answer["type"]))
        return answer

    def check(self, message: Wire) -> None:
        """A message from the hub, against its schema."""
        self._check(self.asyncapi, self.asyncapi["components"]["messages"][message["type"]]["payload"], message)

    def unmet(self, rows: tuple[Row, ...]) -> set[str]:
        """Of these commands, those that were not asked for with success at both doors."""
        return {f"{row.method} {row.path}" for row in rows if (row.method, row.path) not in self._requested} | {
            tag for row in rows if ((tag := _tag(row.takes)), _tag(row.gives)) not in self._answered
        }

    def _check(self, document: Wire, schema: Wire, value: Any) -> None:
        jsonschema.Draft202012Validator({**schema, "components": document["components"]}).validate(value)


def _tag(message: type) -> str:
    return str(message.__struct_config__.tag)  # type: ignore[attr-defined]
