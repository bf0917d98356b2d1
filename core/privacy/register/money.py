"""The books: core/ledger and the rules of payments."""

from typing import Final

from core.privacy.classes import (
    CONTRACT,
    FIGURES,
    INTEREST,
    LEGAL,
    OPAQUE,
    OPERATION,
    OTHER_SIDE,
    WHILE_SERVED,
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
    split,
)

MONEY: Final = Column(Kind.FINANCIAL, FIGURES)
# Nobody may change a payment: what the institution's and its merchants' programs wrote beside it stays with the books.
WORDS: Final = Column(
    Kind.FREE_TEXT,
    Words(
        "Em claro, para que pagamentos sejam encontrados por elas; não é lugar de dados pessoais. Pagamentos nunca são "
        "alterados: permanecem após uma eliminação.",
        "Plain, so that payments are found by them; no place for personal data. Payments are never changed: they stay "
        "after an erasure.",
    ),
)
SEARCHED: Final = Words(
    "Em claro: contas são encontradas por estas palavras, que são eliminadas na hora.",
    "Plain: accounts are found by these words. They go at once.",
)
PAYER, PAYEE = Owner("payer", Way.ACCOUNT), Owner("payee", Way.ACCOUNT)
ACCOUNT: Final = (Owner("account_id", Way.ACCOUNT),)
OF_PAYMENT: Final = (Owner("payment_id", Way.ROW, "payments"),)
SIDES: Final = (OTHER_SIDE,)

TABLES: Final = (
    Table(
        "accounts",
        Words("Contas", "Accounts"),
        split("status version opened_at terms limits"),
        {
            "id": pointer(),
            "person_id": pointer(),
            "balance": MONEY,
            "floor": MONEY,
            "held": MONEY,
        },
        (Owner("person_id"),),
        Purpose.SERVE,
        LEGAL,
        OPERATION,
        moment="opened_at",
    ),
    Table(
        "payments",
        Words("Pagamentos", "Payments"),
        split(
            "id status kind subject charge judged_at payer_version payee_version fee fee_version fee_balance rule hold"
        ),
        {
            "payer": pointer(),
            "payee": pointer(),
            "asked_by": Column(Kind.CONDUCT, OPAQUE, ("asked_by",)),
            "session_id": Column(Kind.CONDUCT, OPAQUE, ("asked_by",)),
            "amount": MONEY,
            "payer_balance": MONEY._replace(of=("payer",)),
            "payee_balance": MONEY._replace(of=("payee",)),
            "payer_held": MONEY._replace(of=("payer",)),
            "shared": MONEY._replace(of=("payee",)),
            "description": Column(
                Kind.FREE_TEXT,
                Words(
                    "De antes de haver chaves: pagamentos nunca são alterados, e nada novo é escrito aqui.",
                    "From before there were keys: payments are never changed, and nothing new is written here.",
                ),
            ),
            # Its author's, who is whoever asked for the payment; read by both sides.
            "description_sealed": sealed(Kind.FREE_TEXT),
            "metadata": WORDS,
            "options": MONEY,
        },
        (PAYER, PAYEE, Owner("asked_by")),
        Purpose.SERVE,
        LEGAL,
        OPERATION,
        SIDES,
        moment="judged_at",
        is_shown=False,
    ),
    Table(
        "shares",
        Words("Repasses", "Shares"),
        split("payment_id version"),
        {"account_id": pointer(), "amount": MONEY, "balance": MONEY},
        ACCOUNT,
        Purpose.SERVE,
        LEGAL,
        OPERATION,
        SIDES,
        is_shown=False,
    ),
    Table(
        "standings",
        Words("Situação de pagamentos", "Standings of payments"),
        split("expires_at in_review warned_at"),
        {
            "payment_id": pointer(),
            **dict.fromkeys(split("held captured refunded disputed fee fee_returned shared capture_max"), MONEY),
        },
        OF_PAYMENT,
        Purpose.SERVE,
        LEGAL,
        OPERATION,
        SIDES,
        is_shown=False,
    ),
    Table(
        "decisions",
        Words("Decisões automáticas sobre pagamentos", "Automated decisions on payments"),
        split("rule measure action decided_at"),
        {"payment_id": pointer(), "measured": MONEY, "max": MONEY},
        OF_PAYMENT,
        Purpose.LET_IN,
        INTEREST,
        OPERATION,
        moment="decided_at",
        is_shown=False,
    ),
    Table(
        "account_metadata",
        Words("Anotações sobre contas", "Words about accounts"),
        (),
        {
            "account_id": pointer(),
            "key": Column(Kind.FREE_TEXT, SEARCHED),
            "value": Column(Kind.FREE_TEXT, SEARCHED),
        },
        ACCOUNT,
        Purpose.SERVE,
        CONTRACT,
        WHILE_SERVED,
        rows=Rows.GO_AT_ONCE,
    ),
    Table(
        "own_limits",
        Words("Limites próprios", "Own limits"),
        split("measure next_from updated_at"),
        {
            "account_id": pointer(),
            "max": Column(Kind.CHOICE, FIGURES),
            "next_max": Column(Kind.CHOICE, FIGURES),
            "asked_by": pointer("account_id"),
        },
        ACCOUNT,
        Purpose.LET_IN,
        CONTRACT,
        OPERATION,
        moment="updated_at",
    ),
    Table(
        "payees",
        Words("Favorecidos conhecidos", "Known payees"),
        split("since listing listed_from"),
        {"account_id": pointer(), "payee": Column(Kind.CONDUCT, OPAQUE)},
        ACCOUNT,
        Purpose.LET_IN,
        INTEREST,
        OPERATION,
        moment="since",
    ),
    Table(
        "usages",
        Words("Uso dos limites", "Use of limits"),
        split("day night month full_at received_day received_month"),
        {
            "account_id": pointer(),
            **dict.fromkeys(split("day_sum night_sum month_sum received_day_sum received_month_sum"), MONEY),
        },
        ACCOUNT,
        Purpose.LET_IN,
        INTEREST,
        OPERATION,
    ),
    Table(
        "acknowledgements",
        Words("Avisos lidos", "Events that were seen"),
        split("number updated_at"),
        {"account_id": pointer(), "person_id": Column(Kind.CONDUCT, OPAQUE)},
        (Owner("person_id"),),
        Purpose.SERVE,
        CONTRACT,
        WHILE_SERVED,
        moment="updated_at",
    ),
    Table(
        "outbox",
        Words("Lotes a processar", "Batches to work off"),
        split("xid payment_ids account_ids created_at batch judged_at"),
    ),
    Table(
        "terms",
        Words("Tarifas", "Terms"),
        split("id name fee_ppm fee_fixed fee_min fee_max returns_fee tip_percent_max updated_at"),
    ),
    Table("limits", Words("Conjuntos de limites", "Sets of limits"), split("id name created_at")),
    Table(
        "rules",
        Words("Regras", "Rules"),
        split("limits id name measure max action within_s night_from night_to own_max raise_wait_s is_on updated_at"),
    ),
    Table(
        "tenants",
        Words("Instituições", "Tenants"),
        split("id slug name currency time_zone country settings created_at"),
    ),
)
