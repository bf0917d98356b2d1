"""Heads in a bucket with Object Lock (S3 and what speaks like it): one object per look, which nobody can overwrite or
delete before its date, the account's owner included (COMPLIANCE mode).

Credentials come from where AWS' tools find them; they need PutObject with retention, and for reading back
ListBucketVersions and GetObjectVersion. What is read back are all versions: a later one does not hide the first.
"""

import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError

from core.proof.anchors import Anchored, Waiting
from core.proof.kept import to_line
from workers.anchors.places import Outcome, PlaceAway

NAME: Final = "bucket"
# It may be in another region; a head waits for the next look anyway.
TIMEOUT_S: Final = 10.0


class BucketChoice(NamedTuple):
    """Which bucket. `prefix` goes before every key; `days`: for how long each object cannot be deleted.

    `region`, `endpoint` None: as the machine is set up, AWS itself.
    """

    bucket: str
    prefix: str
    days: int
    region: str | None = None
    endpoint: str | None = None


class AnchorBucket:
    """One bucket."""

    name = NAME

    def __init__(self, choice: BucketChoice, clock: Callable[[], float]) -> None:
        self._choice = choice
        self._clock = clock
        self._open = AsyncExitStack()
        self._client: Any = None
        self._is_locked = False

    async def take(self, waiting: Sequence[Waiting]) -> AsyncIterator[Sequence[Outcome]]:
        """Put them into an object of their own."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        await self._require_lock()
        await self._ask(
            "put_object",
            # In the order of time, and never twice the same.
            Key=f"{self._choice.prefix}{now:%Y/%m/%d/%H%M%S.%f}-{secrets.token_hex(8)}.jsonl",
            Body=b"".join(to_line(one.head) for one in waiting),
            ContentType="application/jsonl",
            ChecksumAlgorithm="SHA256",
            ObjectLockMode="COMPLIANCE",
            ObjectLockRetainUntilDate=now + timedelta(days=self._choice.days),
        )
        yield [Anchored(one.head) for one in waiting]

    async def read(self) -> AsyncIterator[bytes]:
        """Every object's content, in the order of their keys and then of their versions, the first one first."""
        versions = [version async for version in self._versions()]
        for key, _, version in sorted(versions):
            answer = await self._ask("get_object", Key=key, VersionId=version)
            async with answer["Body"] as stream:
                yield await stream.read()

    async def close(self) -> None:
        """Close the client."""
        self._client = None
        await self._open.aclose()

    async def _versions(self) -> AsyncIterator[tuple[str, datetime, str]]:
        marks: dict[str, str] = {}
        while True:
            page = await self._ask("list_object_versions", Prefix=self._choice.prefix, **marks)
            for one in page.get("Versions", ()):
                yield one["Key"], one["LastModified"], one["VersionId"]
            if not page.get("IsTruncated"):
                return
            marks = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}

    async def _require_lock(self) -> None:
        """Without Object Lock a bucket keeps nothing, and looks as if it did."""
        if self._is_locked:
            return
        found = await self._ask("get_object_lock_configuration")
        if found.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") != "Enabled":
            raise PlaceAway("ObjectLockIsOff")
        self._is_locked = True

    async def _ask(self, what: str, **arguments: Any) -> Any:
        try:
            if self._client is None:
                self._client = await self._connect()
            return await getattr(self._client, what)(Bucket=self._choice.bucket, **arguments)
        except ClientError as error:
            raise PlaceAway(error.response.get("Error", {}).get("Code", "ClientError")) from None
        except (BotoCoreError, OSError, TimeoutError) as error:
            raise PlaceAway(type(error).__name__) from None

    async def _connect(self) -> Any:
        config = AioConfig(
            connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S, retries={"mode": "standard", "total_max_attempts": 2}
        )
        opened = get_session().create_client(  # type: ignore[no-untyped-call]
            "s3", region_name=self._choice.region, endpoint_url=self._choice.endpoint, config=config
        )
        return await self._open.enter_async_context(opened)
