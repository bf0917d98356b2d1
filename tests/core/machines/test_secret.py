import zlib

from hypothesis import given
from hypothesis import strategies as st

from core.machines.secret import ALPHABET, SHAPE, draw_secret, hash_of, is_well_formed


def test_a_key_is_recognised_by_its_beginning_and_its_checksum() -> None:
    for _ in range(200):
        secret = draw_secret()
        assert SHAPE.fullmatch(secret)
        assert is_well_formed(secret)
        # As a scanner of another language would compute it.
        number = 0
        for mark in secret[-6:]:
            number = number * 62 + ALPHABET.index(mark)
        assert number == zlib.crc32(secret[:-6].encode())


def test_keys_have_all_their_bits_and_no_two_are_alike() -> None:
    secrets = [draw_secret() for _ in range(500)]
    assert len({*secrets}) == 500
    # 62 ** 43 is more than 2 ** 256: no bit is lost.
    assert 62**43 > 2**256 > 62**42
    assert {mark for secret in secrets for mark in secret[6:47]} == {*ALPHABET}


def test_a_slip_of_the_pen_is_no_key() -> None:
    secret = draw_secret()
    for at in range(4, len(secret)):
        for other in "aZ7":
            if secret[at] != other:
                assert not is_well_formed(secret[:at] + other + secret[at + 1 :])


@given(st.text(max_size=60))
def test_nothing_else_is_a_key(text: str) -> None:
    assert not is_well_formed(text)
    assert not is_well_formed("phk_" + text)


def test_a_hash_is_sha_256_of_the_whole_text() -> None:
    assert hash_of("phk_x").hex() == "329119512be67dd1653106414e191df1faf4981cc793ca8adf259c38afb51cd2"
