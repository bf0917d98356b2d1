"""What speaks for a merchant: core/machines."""

from typing import Final

from core.privacy.classes import (
    ASKED,
    CONTRACT,
    CUT,
    HASHED,
    OPAQUE,
    UNTIL_DONE,
    WEEK,
    WHILE_SERVED,
    WITH_THE_BOOKS,
    Column,
    Kind,
    Owner,
    Purpose,
    Rows,
    Table,
    Way,
    Words,
    pointer,
    sealed,
    secret,
    split,
)

PERSON: Final = (Owner("person_id"),)
HOLDER: Final = ("holder",)
MERCHANT: Final = ("person_id",)
OF_A_WEBHOOK: Final = (Owner("webhook_id", Way.ROW, "webhooks"),)
# Whoever made it: the merchant, or an operator for them.
MAKER: Final = Column(Kind.POINTER, OPAQUE, is_told=False)
LISTED: Final = Words(
    "Redes de onde a chave pode ser usada, escolhidas pela empresa.",
    "Networks that the key may be used from, which the merchant chose.",
)
BEGINNING: Final = Words(
    "O começo da chave, para reconhecê-la: o resto não está em lugar nenhum.",
    "The beginning of the key, to know it by: the rest of it is nowhere.",
)
THUMBPRINT: Final = Words(
    "O resumo de uma chave pública: reconhece um caixa e não identifica ninguém.",
    "The hash of a public key: it knows a till again, and names nobody.",
)

TABLES: Final = (
    Table(
        "api_keys",
        Words("Chaves de programas", "Keys of programs"),
        split("scopes made_at expires_at revoked_at last_used_on"),
        {
            "id": pointer(),
            "person_id": pointer(),
            "name_sealed": sealed(Kind.FREE_TEXT),
            "hash": secret(Kind.SECURITY, HASHED),
            "beginning": Column(Kind.SECURITY, BEGINNING),
            "networks": Column(Kind.CHOICE, LISTED),
            "made_by": MAKER,
            "successor": pointer(),
            "last_used_network": Column(Kind.CONDUCT, CUT),
        },
        PERSON,
        Purpose.LET_IN,
        CONTRACT,
        WHILE_SERVED,
        rows=Rows.GO_AT_ONCE,
        moment="made_at",
    ),
    Table(
        "terminals",
        Words("Caixas", "Tills"),
        split("may_refund algorithm paired_at revoked_at last_used_on"),
        {
            "id": pointer(),
            "person_id": pointer(),
            "account_id": pointer(),
            "session_id": Column(Kind.CONDUCT, OPAQUE),
            "name_sealed": sealed(Kind.FREE_TEXT),
            "thumbprint": secret(Kind.SECURITY, THUMBPRINT),
            "last_used_network": Column(Kind.CONDUCT, CUT),
        },
        PERSON,
        Purpose.LET_IN,
        CONTRACT,
        WHILE_SERVED,
        rows=Rows.GO_AT_ONCE,
        moment="paired_at",
    ),
    Table(
        "pairing_codes",
        Words("Códigos para parear caixas", "Codes that pair tills"),
        split("may_refund made_at expires_at attempts used_at"),
        {
            "hash": secret(Kind.SECURITY, HASHED),
            "person_id": pointer(),
            "account_id": pointer(),
            "name_sealed": sealed(Kind.FREE_TEXT),
            "made_by": MAKER,
            "terminal_id": pointer(),
        },
        PERSON,
        Purpose.LET_IN,
        CONTRACT,
        UNTIL_DONE,
        rows=Rows.GO_AT_ONCE,
        is_shown=False,
    ),
    # Who acted for whom stays with what they did.
    Table(
        "seats",
        Words("Lugares na equipe de uma empresa", "Seats among a merchant's people"),
        split("scopes invited_at lapses_at accepted_at ended_at last_used_on"),
        {
            "id": pointer(),
            "person_id": pointer(),
            "holder": pointer("holder"),
            "name_sealed": sealed(Kind.FREE_TEXT, of=MERCHANT),
            "invited_by": MAKER._replace(of=MERCHANT),
            "declined_at": Column(Kind.CHOICE, ASKED, HOLDER),
            "ended_by": Column(Kind.POINTER, OPAQUE, is_told=False),
        },
        (*PERSON, Owner("holder")),
        Purpose.LET_IN,
        CONTRACT,
        WITH_THE_BOOKS,
        moment="invited_at",
    ),
    Table(
        "webhooks",
        Words("Webhooks", "Webhooks"),
        split("events state made_at changed_at old_secret_until failing_since fails last_taken_at asides_in_row"),
        {
            "id": pointer(),
            "person_id": pointer(),
            "url_sealed": sealed(Kind.CONTACT),
            "description_sealed": sealed(Kind.FREE_TEXT),
            "secret_sealed": sealed(Kind.SECURITY, is_told=False),
            "old_secret_sealed": sealed(Kind.SECURITY, is_told=False),
            "accounts": pointer(),
            "made_by": MAKER,
        },
        PERSON,
        Purpose.SERVE,
        CONTRACT,
        WHILE_SERVED,
        rows=Rows.GO_AT_ONCE,
        hidden=("free_at",),
        moment="made_at",
    ),
    Table(
        "webhook_cursors",
        Words("Eventos já entregues a webhooks", "How far webhooks have been told"),
        split("only_number number is_aside after_gap due_at tries failed_at again_at code"),
        {"webhook_id": pointer(), "account_id": pointer()},
        OF_A_WEBHOOK,
        Purpose.SERVE,
        CONTRACT,
        WHILE_SERVED,
        rows=Rows.GO_AT_ONCE,
        hidden=("lease", "leased_until"),
        is_shown=False,
    ),
    Table(
        "webhook_attempts",
        Words("Tentativas de entrega a webhooks", "What was brought to webhooks"),
        split("number event at took_ms status code tries"),
        {"webhook_id": pointer(), "id": pointer(), "account_id": pointer(), "event_id": pointer()},
        OF_A_WEBHOOK,
        Purpose.SERVE,
        CONTRACT,
        WEEK,
        rows=Rows.GO_AT_ONCE,
        moment="at",
        is_shown=False,
    ),
)
