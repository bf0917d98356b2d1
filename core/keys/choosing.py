"""Which key service, and which database of keys: from an operator's choice to a safe that works.

A service's module is loaded when it is chosen: what AWS needs is an extra.
"""

import importlib
from pathlib import Path
from typing import Any, Final, NamedTuple

from core.database import open_pool
from core.errors import KeysRefused
from core.keys.local import NAME as LOCAL
from core.keys.local import LocalKeys
from core.keys.master import Master
from core.keys.safe import Safe
from core.keys.services import KeyService

AWS: Final = "aws"
VAULT: Final = "vault"
# A question is one round trip of a fraction of a millisecond; these are for many at once.
POOL_SIZE: Final = 4


class Choice(NamedTuple):
    """What an operator says about keys.

    `service`: local, aws or vault. `master_key_file` is also for opening what was wrapped by it before another service
    was chosen. `aws_key`: the KMS key's id, ARN or alias; `aws_region`, `aws_endpoint` None: as the machine is set up.
    `vault_token_file` is read again when it has changed.
    """

    database_url: str
    service: str
    master_key_file: Path
    aws_key: str | None = None
    aws_region: str | None = None
    aws_endpoint: str | None = None
    vault_url: str | None = None
    vault_key: str | None = None
    vault_mount: str | None = None
    vault_token_file: Path | None = None


async def open_safe(choice: Choice, *, name: str, size_max: int = POOL_SIZE) -> Safe:
    """The safe that these settings mean. Raises KeysUnavailable (its database), KeysRefused (its master key).

    `name` is what the database sees of whoever asks.
    """
    master = open_master(choice)
    pool = await open_pool(choice.database_url, size_max=size_max, name=name)
    safe = Safe(pool, master)
    try:
        await safe.check()
    except BaseException:
        await safe.close()
        raise
    return safe


def open_master(choice: Choice) -> Master:
    """The master key that these settings mean. Raises KeysRefused when they are not whole."""
    service, *formers = services(choice)
    return Master(service, formers)


def services(choice: Choice) -> list[KeyService]:
    """The chosen service first, then whatever may have wrapped something before."""
    local = LocalKeys(choice.master_key_file)
    if choice.service == LOCAL:
        return [local]
    if choice.service == AWS:
        chosen = _room(AWS).AwsKeys(choice.aws_key, choice.aws_region, choice.aws_endpoint)
    else:
        chosen = _room(VAULT).VaultKeys(choice.vault_url, choice.vault_key, choice.vault_mount, choice.vault_token_file)
    return [chosen, local]


def _room(name: str) -> Any:
    try:
        return importlib.import_module(f"core.keys.{name}")
    except ModuleNotFoundError as error:
        raise KeysRefused(f"The key service {name} needs {error.name}: pip install 'payhub[{name}]'.") from None
