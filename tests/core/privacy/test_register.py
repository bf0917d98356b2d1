"""The register against PostgreSQL's catalogue: nothing unclassified, nothing unexplained, nothing that is not there."""

import pytest

from core.database import Pool
from core.privacy.catalogue import find_gaps, find_powerless
from core.privacy.classes import KIND_WORDS, PURPOSE_WORDS, Kind, Purpose, Rows, Words
from core.privacy.tables import KEYS, LEDGER, TABLES, personal, place_of

PLANTED = {
    "a column": "alter table payhub.profiles add column shoe_size int",
    "a table": "create table payhub.diaries (tenant_id int, person_id uuid, entry text)",
    "a column that is gone": "alter table payhub.own_limits drop column next_max cascade",
    "a table that is gone": "drop table payhub.notices",
    "a renamed column": "alter table payhub.sessions rename column revoked_at to ended_at",
    "a column of a table without people": "alter table payhub.terms add column asked_for_by text",
    "a sealed column that holds text": "alter table payhub.privacy_requests drop constraint a_sealed_text_has_a_length;"
    " alter table payhub.privacy_requests alter column text_sealed type text using encode(text_sealed, 'hex')",
    "a column that can no longer be emptied": "update payhub.consents set network = ''; alter table payhub.consents alter column network set not null",
}
POWERLESS = {
    "rows that nobody may remove": "revoke delete on payhub.sessions from payhub_app",
    "a column that nobody may empty": "revoke update (network) on payhub.consents from payhub_app",
}


async def test_every_column_is_classified_and_every_class_is_true(admin: Pool, keys_admin: Pool) -> None:
    async with admin.acquire() as connection:
        assert await find_gaps(connection, LEDGER) == []
        assert await find_powerless(connection) == []
    async with keys_admin.acquire() as connection:
        assert await find_gaps(connection, KEYS) == []


@pytest.mark.parametrize("what", PLANTED)
async def test_a_planted_gap_is_found(admin: Pool, what: str) -> None:
    async with admin.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(PLANTED[what])
            gaps = await find_gaps(connection, LEDGER)
            assert gaps, what
        finally:
            await transaction.rollback()


@pytest.mark.parametrize("what", POWERLESS)
async def test_an_erasure_that_could_not_do_what_the_register_says_is_found(admin: Pool, what: str) -> None:
    async with admin.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(POWERLESS[what])
            assert await find_powerless(connection), what
        finally:
            await transaction.rollback()


async def test_a_column_in_the_database_of_keys_is_found_too(keys_admin: Pool) -> None:
    async with keys_admin.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute("alter table payhub.holders add column nickname text")
            assert await find_gaps(connection, KEYS) == ["column holders.nickname is not classified"]
        finally:
            await transaction.rollback()


async def test_a_personal_column_that_is_neither_sealed_nor_explained_is_found(admin: Pool) -> None:
    table = LEDGER["profiles"]
    unexplained = table._replace(
        personal={**table.personal, "display_name": table.personal["display_name"]._replace(plain=None)}
    )
    empty = table._replace(
        personal={**table.personal, "display_name": table.personal["display_name"]._replace(plain=Words("", " "))}
    )
    requests = LEDGER["privacy_requests"]
    explained_away = requests._replace(
        personal={
            **requests.personal,
            "text_sealed": requests.personal["text_sealed"]._replace(plain=Words("por quê", "why not")),
        }
    )
    strangers = requests._replace(
        personal={**requests.personal, "text_sealed": requests.personal["text_sealed"]._replace(of=("somebody",))}
    )
    twice = table._replace(others=(*table.others, "display_name"))
    async with admin.acquire() as connection:
        for wrong in (unexplained, empty, explained_away, strangers, twice, table._replace(owners=())):
            gaps = await find_gaps(connection, {**LEDGER, wrong.name: wrong})
            assert [gap for gap in gaps if wrong.name in gap] == gaps != [], wrong


def test_the_register_has_words_for_all_it_says() -> None:
    assert {*KIND_WORDS} == {*Kind}
    assert {*PURPOSE_WORDS} == {*Purpose}
    assert len({table.title for table in TABLES}) == len(TABLES) - 1  # both databases remember their migrations
    for table, name, column in personal():
        assert (column.basis or table.basis).article.startswith("art. ")
        assert (column.keeping or table.keeping).words.pt
        if place_of(table, name) is not None:
            # What is sealed goes with the key, or before it.
            assert not column.is_blanked
        if (column.keeping or table.keeping).law is None and table.rows is Rows.STAY and not column.is_blanked:
            assert column.kind not in {column.kind.IDENTIFICATION, column.kind.CONTACT}, (table.name, name)


def test_whoever_follows_an_owner_comes_to_a_table_of_people() -> None:
    followed = [(LEDGER[owner.table], owner) for table in TABLES for owner in table.owners if owner.table is not None]
    assert followed
    for parent, owner in followed:
        assert parent.owners
        assert owner.of is None or owner.of in {one.column for one in parent.owners}
