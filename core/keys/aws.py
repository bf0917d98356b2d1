"""AWS KMS as the key service. Who may use the key is said by IAM: credentials come from where AWS' tools find them.

The encryption context binds what is wrapped to its place, and shows in CloudTrail with every use.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, Final

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from core.errors import KeysRefused, KeysUnavailable
from core.keys.services import TIMEOUT_S

NAME: Final = "aws"
# Whatever else it says, asking again may help (AWS KMS API reference, common and operation errors).
PASSING: Final = frozenset(
    {"ThrottlingException", "DependencyTimeoutException", "KMSInternalException", "KeyUnavailableException"}
)
SERVER_ERROR: Final = 500


class AwsKeys:
    """A key service out of one KMS key."""

    name = NAME

    def __init__(self, key: str | None, region: str | None = None, endpoint: str | None = None) -> None:
        """`key`: its id, ARN or alias. `endpoint` None: AWS itself."""
        if not key:
            raise KeysRefused("PAYHUB_AWS_KMS_KEY names no key.")
        self._key = key
        self._region = region
        self._endpoint = endpoint
        self._open = AsyncExitStack()
        self._client: Any = None

    async def wrap(self, key: bytes, context: Mapping[str, str]) -> bytes:
        """Encrypt."""
        answer = await self._ask("encrypt", Plaintext=key, EncryptionContext=dict(context))
        wrapped: bytes = answer["CiphertextBlob"]
        return wrapped

    async def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        """Decrypt. The blob says which version of the key it is of."""
        answer = await self._ask("decrypt", CiphertextBlob=wrapped, EncryptionContext=dict(context))
        key: bytes = answer["Plaintext"]
        return key

    async def rotate(self) -> None:
        """Rotate the key on demand. AWS allows a number of these for each key; it also rotates by itself if told to."""
        await self._ask("rotate_key_on_demand")

    async def close(self) -> None:
        """Close the client."""
        self._client = None
        await self._open.aclose()

    async def _ask(self, what: str, **arguments: Any) -> Any:
        try:
            if self._client is None:
                self._client = await self._connect()
            return await getattr(self._client, what)(KeyId=self._key, **arguments)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if code in PASSING or status >= SERVER_ERROR:
                raise KeysUnavailable(f"AWS KMS is away: {code}.") from None
            raise KeysRefused(f"AWS KMS refuses to {what} with key {self._key}: {code}.") from None
        except (NoCredentialsError, NoRegionError) as error:
            raise KeysRefused(f"AWS KMS cannot be asked: {error}") from None
        except (BotoCoreError, OSError, TimeoutError) as error:
            raise KeysUnavailable(f"AWS KMS is away: {type(error).__name__}.") from None

    async def _connect(self) -> Any:
        config = AioConfig(
            connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S, retries={"mode": "standard", "total_max_attempts": 2}
        )
        opened = get_session().create_client(  # type: ignore[no-untyped-call]
            "kms", region_name=self._region, endpoint_url=self._endpoint, config=config
        )
        return await self._open.enter_async_context(opened)
