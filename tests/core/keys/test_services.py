"""The three key services: each wraps, opens in its place alone, and turns its master key while old ones still open."""

import asyncio
import secrets
import stat
from pathlib import Path

import pytest

from core.errors import KeysRefused, KeysUnavailable
from core.keys.aws import AwsKeys
from core.keys.choosing import Choice, services
from core.keys.local import LocalKeys, id_of, split
from core.keys.services import KeyService
from core.keys.vault import VaultKeys
from tests.core.keys.conftest import Kms
from tests.core.keys.transit import Transit

KEY = secrets.token_bytes(32)
CONTEXT = {"tenant": "7", "key": "k-1", "purpose": "persons"}
SERVICES = ["local", "aws", "vault"]


def kept_in(file: Path) -> bytes:
    """What a file for its owner alone holds."""
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    return file.read_bytes()


@pytest.mark.parametrize("service", SERVICES, indirect=True)
async def test_a_key_comes_back_and_shows_nowhere(service: KeyService) -> None:
    wrapped = await service.wrap(KEY, CONTEXT)
    assert KEY not in wrapped
    assert await service.wrap(KEY, CONTEXT) != wrapped
    assert await service.unwrap(wrapped, dict(reversed(CONTEXT.items()))) == KEY


@pytest.mark.parametrize("service", SERVICES, indirect=True)
async def test_another_context_is_refused(service: KeyService) -> None:
    wrapped = await service.wrap(KEY, CONTEXT)
    for context in (CONTEXT | {"tenant": "8"}, {"tenant": "7"}, {}, CONTEXT | {"more": "1"}):
        with pytest.raises(KeysRefused):
            await service.unwrap(wrapped, context)
    assert await service.unwrap(wrapped, CONTEXT) == KEY


@pytest.mark.parametrize("service", SERVICES, indirect=True)
async def test_a_wrapped_key_that_was_changed_is_refused(service: KeyService) -> None:
    wrapped = await service.wrap(KEY, CONTEXT)
    for changed in (wrapped[:-4], wrapped[:20] + bytes(30), b"\xff" * len(wrapped)):
        with pytest.raises(KeysRefused):
            await service.unwrap(changed, CONTEXT)


@pytest.mark.parametrize("service", SERVICES, indirect=True)
async def test_after_a_rotation_both_open(service: KeyService) -> None:
    before = await service.wrap(KEY, CONTEXT)
    await service.rotate()
    after = await service.wrap(KEY, CONTEXT)
    assert await service.unwrap(before, CONTEXT) == KEY
    assert await service.unwrap(after, CONTEXT) == KEY


async def test_a_file_is_for_its_owner_and_grows_by_a_key(file: Path) -> None:
    old = kept_in(file)
    keys = LocalKeys(file)
    wrapped = await keys.wrap(KEY, CONTEXT)
    assert wrapped[1:9] == id_of(old)
    await keys.rotate()
    assert split(kept_in(file))[0] == old
    assert len(split(kept_in(file))) == 2
    assert list(file.parent.iterdir()) == [file]
    newer = await keys.wrap(KEY, CONTEXT)
    assert newer[1:9] == id_of(kept_in(file)[32:])
    assert await keys.forget_old() == 1
    assert await keys.forget_old() == 0
    assert await keys.unwrap(newer, CONTEXT) == KEY
    with pytest.raises(KeysRefused, match="is not in"):
        await keys.unwrap(wrapped, CONTEXT)


async def test_a_process_learns_a_new_key_of_the_file_by_itself(file: Path) -> None:
    here, there = LocalKeys(file), LocalKeys(file)
    await here.wrap(KEY, CONTEXT)
    await there.wrap(KEY, CONTEXT)
    await there.rotate()
    assert await here.unwrap(await there.wrap(KEY, CONTEXT), CONTEXT) == KEY


async def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeysUnavailable, match=r"The master key .*master\.key cannot be read"):
        await LocalKeys(tmp_path / "master.key").wrap(KEY, CONTEXT)


async def test_a_blob_of_another_kms_key_is_refused(kms: Kms) -> None:
    other = kms.client.create_key(Description="another")["KeyMetadata"]["KeyId"]
    here, there, nobody = (AwsKeys(key, "sa-east-1", kms.url) for key in (kms.key, other, "no-such-key"))
    try:
        wrapped = await there.wrap(KEY, CONTEXT)
        with pytest.raises(KeysRefused):
            await here.unwrap(wrapped, CONTEXT)
        with pytest.raises(KeysRefused, match="NotFoundException"):
            await nobody.wrap(KEY, CONTEXT)
    finally:
        for keys in (here, there, nobody):
            await keys.close()


async def test_kms_that_is_away_is_unavailable(kms: Kms) -> None:
    keys = AwsKeys(kms.key, "sa-east-1", "http://127.0.0.1:9")
    try:
        with pytest.raises(KeysUnavailable, match="AWS KMS is away"):
            await keys.wrap(KEY, CONTEXT)
    finally:
        await keys.close()


async def test_no_aws_credentials_are_a_sentence(kms: Kms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    keys = AwsKeys(kms.key, "sa-east-1", kms.url)
    try:
        with pytest.raises(KeysRefused, match="Unable to locate credentials"):
            await keys.wrap(KEY, CONTEXT)
    finally:
        await keys.close()


@pytest.mark.parametrize("status", [429, 473, 500, 503])
async def test_vault_that_is_sealed_is_unavailable_and_comes_back(
    transit: Transit, token_file: Path, status: int
) -> None:
    keys = VaultKeys(transit.url, "payhub", None, token_file)
    try:
        wrapped = await keys.wrap(KEY, CONTEXT)
        transit.fails_with = status
        with pytest.raises(KeysUnavailable, match=f"HTTP {status}"):
            await keys.unwrap(wrapped, CONTEXT)
        transit.fails_with = None
        assert await keys.unwrap(wrapped, CONTEXT) == KEY
    finally:
        await keys.close()


async def test_vault_that_is_gone_is_unavailable(token_file: Path) -> None:
    keys = VaultKeys("http://127.0.0.1:9", "payhub", None, token_file)
    try:
        with pytest.raises(KeysUnavailable, match="Vault is away: ConnectError"):
            await keys.wrap(KEY, CONTEXT)
    finally:
        await keys.close()


async def test_a_new_vault_token_is_taken_up_and_a_wrong_one_said(transit: Transit, token_file: Path) -> None:
    keys = VaultKeys(transit.url, "payhub", None, token_file)
    try:
        wrapped = await keys.wrap(KEY, CONTEXT)
        transit.tokens = {"s.second"}
        with pytest.raises(KeysRefused) as refused:
            await keys.unwrap(wrapped, CONTEXT)
        assert "HTTP 403" in str(refused.value)
        assert "s.first" not in str(refused.value)
        await asyncio.to_thread(token_file.write_text, "s.second")
        assert await keys.unwrap(wrapped, CONTEXT) == KEY
    finally:
        await keys.close()


@pytest.mark.parametrize(("key", "mount"), [("another", None), ("payhub", "elsewhere")])
async def test_vault_without_that_key_or_engine_refuses(
    transit: Transit, token_file: Path, key: str, mount: str | None
) -> None:
    keys = VaultKeys(transit.url, key, mount, token_file)
    try:
        with pytest.raises(KeysRefused):
            await keys.wrap(KEY, CONTEXT)
    finally:
        await keys.close()


def test_a_choice_that_is_not_whole_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(KeysRefused, match="PAYHUB_VAULT_URL"):
        services(Choice("", "vault", tmp_path / "master.key", vault_key="payhub"))
    with pytest.raises(KeysRefused, match="PAYHUB_AWS_KMS_KEY"):
        services(Choice("", "aws", tmp_path / "master.key"))
