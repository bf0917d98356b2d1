"""Charges, schedules, disputes, files of payments: core/payments and core/bulk."""

from typing import Final

from core.privacy.classes import (
    ASKED,
    BEFORE_KEYS,
    CLAIM,
    CLAIMS,
    CONTRACT,
    FIGURES,
    HASHED,
    LEGAL,
    OPERATION,
    OTHER_SIDE,
    Column,
    Kind,
    Owner,
    Purpose,
    Table,
    Way,
    Words,
    pointer,
    sealed,
    secret,
    split,
)

MONEY: Final = Column(Kind.FINANCIAL, FIGURES)
BEFORE: Final = Column(Kind.FREE_TEXT, BEFORE_KEYS)
WRITTEN: Final = sealed(Kind.FREE_TEXT)
REPEATED: Final = Words(
    "Um resumo com chave, só para este arquivo, pelo qual se acham as repetidas; nada se lê dele.",
    "A keyed hash, good for this file alone, by which repeated ones are found; nothing can be read from it.",
)
CHOSEN: Final = Column(Kind.CHOICE, ASKED)
PAYER, PAYEE = Owner("payer", Way.ACCOUNT), Owner("payee", Way.ACCOUNT)
SIDES: Final = (OTHER_SIDE,)

TABLES: Final = (
    Table(
        "charges",
        Words("Cobranças", "Charges"),
        split("id status paid_count created_at lasts_s expires_at is_reusable"),
        {
            "payee": pointer(),
            "amount": MONEY,
            "paid_amount": MONEY,
            "description": BEFORE,
            "description_sealed": WRITTEN,
            "reference": BEFORE,
            "reference_sealed": WRITTEN,
            "asked_by": pointer(),
        },
        (PAYEE,),
        Purpose.SERVE,
        LEGAL,
        OPERATION,
        (Words("quem tem o link ou o código da cobrança", "whoever has the charge's link or code"),),
        moment="created_at",
    ),
    Table(
        "schedules",
        Words("Agendamentos", "Schedules"),
        split("id status number on_day attempts due_at created_at"),
        {
            "payer": pointer(),
            "payee": pointer(),
            "amount": MONEY,
            "description": BEFORE,
            "description_sealed": WRITTEN,
            "created_by": pointer(),
            **dict.fromkeys(
                split("rule first_on at day on_closed until times attempts_max retry_after_s if_unpaid"), CHOSEN
            ),
        },
        (PAYER,),
        Purpose.SERVE,
        CONTRACT,
        OPERATION,
        hidden=split("seed"),
        moment="created_at",
    ),
    Table(
        "schedule_outcomes",
        Words("Tentativas de agendamentos", "Attempts of schedules"),
        split("on_day attempt payment_id status at"),
        {"schedule_id": pointer()},
        (Owner("schedule_id", Way.ROW, "schedules"),),
        Purpose.SERVE,
        CONTRACT,
        OPERATION,
        moment="at",
    ),
    Table(
        "disputes",
        Words("Contestações", "Disputes"),
        split(
            "id payment_id reason rules status is_overdue by_operator paid_at opened_at answer_due_at answered_at"
            " decision_due_at decided_at claim_due_at claimed_at refund_due_at collect_until closed_at due_at"
        ),
        {
            "payer": pointer(),
            "payee": pointer(),
            **dict.fromkeys(split("amount held offered awarded charged_back owed short"), MONEY),
            "text": BEFORE,
            "text_sealed": WRITTEN,
            "answer": BEFORE,
            "answer_sealed": WRITTEN,
            "note": BEFORE,
            "note_sealed": WRITTEN,
            "opened_by": pointer("payer"),
            "decided_by": Column(Kind.POINTER, FIGURES, is_told=False),
        },
        (PAYER, PAYEE),
        Purpose.SETTLE_CLAIMS,
        CLAIMS,
        CLAIM,
        SIDES,
        hidden=split("rest_until"),
        moment="opened_at",
    ),
    Table(
        "dispute_evidence",
        Words("Provas em contestações", "Evidence in disputes"),
        split("dispute_id id side media_type added_at"),
        {
            "person_id": pointer(),
            "text": BEFORE,
            "text_sealed": WRITTEN,
            "name": BEFORE,
            "name_sealed": WRITTEN,
            "content": BEFORE._replace(is_bytes=True),
            "content_sealed": WRITTEN._replace(is_bytes=True),
        },
        (Owner("person_id"),),
        Purpose.SETTLE_CLAIMS,
        CLAIMS,
        CLAIM,
        SIDES,
        moment="added_at",
    ),
    Table(
        "dispute_profiles",
        Words("Regras de contestação", "Rules for disputes"),
        split("name rules is_default updated_at"),
    ),
    Table(
        "bulks",
        Words("Arquivos de pagamentos", "Files of payments"),
        split(
            "id is_atomic is_again status declared_lines attempt lines good through posted refused failed_line"
            " failed_code created_at checked_at approved_at finished_at touched_at"
        ),
        {
            "account": pointer(),
            "maker": pointer("maker"),
            "approver": pointer("approver"),
            "session_at": Column(Kind.CONDUCT, FIGURES, ("maker",)),
            **dict.fromkeys(split("declared_sum amount good_amount posted_amount"), MONEY),
            "digest": Column(Kind.FINANCIAL, HASHED, is_told=False),
        },
        (Owner("account", Way.ACCOUNT), Owner("maker"), Owner("approver")),
        Purpose.SERVE,
        LEGAL,
        OPERATION,
        hidden=split("seed"),
        moment="created_at",
    ),
    Table(
        "bulk_lines",
        Words("Linhas de arquivos", "Lines of files"),
        split("bulk_id number code field"),
        {
            "payer": pointer(),
            "payee": pointer(),
            "amount": MONEY,
            # What a line says stands in bulk_words, and is told with the line.
            "description": Column(Kind.FREE_TEXT, BEFORE_KEYS, ("bulk_id",)),
            "reference": Column(Kind.FREE_TEXT, BEFORE_KEYS, ("bulk_id",)),
            "reference_hash": secret(Kind.FREE_TEXT, REPEATED),
        },
        (Owner("bulk_id", Way.ROW, "bulks", of="account"),),
        Purpose.SERVE,
        LEGAL,
        OPERATION,
    ),
    Table(
        "bulk_words",
        Words("Textos de arquivos", "Words of files"),
        split("bulk_id first length"),
        {"person_id": pointer(), "sealed": sealed(Kind.FREE_TEXT)},
        (Owner("person_id"),),
        Purpose.SERVE,
        LEGAL,
        OPERATION,
        is_shown=False,
    ),
)
