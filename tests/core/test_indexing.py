from core.indexing import derive_index_key, index_of

KEY = derive_index_key(bytes(range(32)))


def test_the_same_is_found_again_and_nothing_else_is() -> None:
    here = index_of(KEY, 7, "external id", "ana@example.com")
    assert here == index_of(derive_index_key(bytes(range(32))), 7, "external id", "ana@example.com")
    assert len(here) == 32
    others = [
        index_of(KEY, 8, "external id", "ana@example.com"),
        index_of(KEY, 7, "pairing code", "ana@example.com"),
        index_of(KEY, 7, "external id", "Ana@example.com"),
        index_of(derive_index_key(bytes(32)), 7, "external id", "ana@example.com"),
        index_of(KEY, 7, "external", "id\nana@example.com"),
    ]
    assert len({here, *others}) == 6


def test_the_index_key_is_not_the_master_key() -> None:
    assert bytes(range(32)) != KEY
    assert len(KEY) == 32
