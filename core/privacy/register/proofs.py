"""What is proved and by which keys: core/audit, core/proof, core/keyring, core/keys."""

from typing import Final

from core.privacy.classes import (
    CUT,
    FIGURES,
    INTEREST,
    LEGAL,
    OPAQUE,
    WITH_THE_BOOKS,
    Column,
    Kind,
    Owner,
    Purpose,
    Table,
    Way,
    Words,
    pointer,
    secret,
    split,
)

WRAPPED: Final = Words(
    "Cifrada por outra chave e guardada à parte do que abre.",
    "Wrapped by another key, and held apart from what it opens.",
)
HOLDER: Final = (Owner("person_id"),)

TABLES: Final = (
    Table(
        "audit_entries",
        Words("Trilha de auditoria", "Audit trail"),
        split("at id what why details"),
        {
            "who": Column(Kind.POINTER, OPAQUE, ("who",)),
            "about": pointer("about"),
            "session_id": Column(Kind.CONDUCT, OPAQUE, ("who",)),
            "network": Column(Kind.CONDUCT, CUT, ("who",)),
        },
        (Owner("who"), Owner("about", Way.TEXT)),
        Purpose.ANSWER_FOR,
        INTEREST,
        WITH_THE_BOOKS,
        (Words("auditores", "auditors"),),
        moment="at",
    ),
    Table("audit_unlogged", Words("Trilha a selar", "Trail to be sealed"), split("at id")),
    Table("batches_unlogged", Words("Lotes a selar", "Batches to be sealed"), split("batch created_at root")),
    Table("proof_salts", Words("Sais das provas", "Salts of proofs"), (), hidden=split("salt")),
    Table(
        "log_leaves", Words("Folhas do registro", "Leaves of the log"), split("number kind batch judged_at ids root")
    ),
    Table("log_nodes", Words("Nós do registro", "Nodes of the log"), split("level number hash")),
    Table("log_heads", Words("Cabeças assinadas", "Signed heads"), split("size root sealed_at kid signature")),
    Table("thinned_logs", Words("Registros revistos", "Logs that were thinned"), split("size")),
    Table(
        "anchors",
        Words("Cabeças guardadas fora", "Heads kept elsewhere"),
        split("place size sealed_at anchored_at"),
    ),
    Table(
        "sink_cursors",
        Words("Registros já entregues aos sistemas de dados", "How far sinks of data have been told the logs"),
        split("sink number taken due_at fails failing_since code last_taken_at made_at"),
        hidden=("lease", "leased_until"),
    ),
    Table(
        "cosignatures",
        Words("Assinaturas de testemunhas", "Witnesses' signatures"),
        split("size witness seen_at signature"),
    ),
    Table(
        "anchor_refusals",
        Words("Recusas de testemunhas", "Witnesses' refusals"),
        split("place kept_size kept_root kept_at kept_kid kept_signature size root sealed_at kid signature refused_at"),
    ),
    Table(
        "signing_keys",
        Words("Chaves de assinatura", "Signing keys"),
        split("kid algorithm public_key signs_from signs_until created_at wrapped_by purpose"),
        hidden=split("private_key"),
    ),
    Table("applied_files", Words("Migrações", "Migrations"), split("name hash applied_at")),
    Table(
        "tenant_keys",
        Words("Chaves de instituições", "Keys of tenants"),
        split("id purpose wrapped_by created_at retired_at"),
        hidden=split("wrapped"),
        is_in_keys=True,
    ),
    Table(
        "holders",
        Words("Titulares de chaves", "Holders of keys"),
        split("version created_at destroyed_at"),
        {"person_id": Column(Kind.POINTER, FIGURES)},
        HOLDER,
        Purpose.RIGHTS,
        LEGAL,
        WITH_THE_BOOKS,
        is_shown=False,
        is_in_keys=True,
    ),
    Table(
        "person_keys",
        Words("Chaves de pessoas", "Keys of persons"),
        split("version tenant_key created_at"),
        {"person_id": pointer(), "wrapped": secret(Kind.SECURITY, WRAPPED)},
        HOLDER,
        Purpose.RIGHTS,
        LEGAL,
        is_shown=False,
        is_in_keys=True,
    ),
    Table(
        "key_events",
        Words("Eventos de chaves", "Events of keys"),
        split("at id what why details"),
        {
            "who": Column(Kind.POINTER, OPAQUE, ("who",)),
            "about": pointer("about"),
            "session_id": Column(Kind.CONDUCT, OPAQUE, ("who",)),
            "network": Column(Kind.CONDUCT, CUT, ("who",)),
        },
        (Owner("who"), Owner("about", Way.TEXT)),
        Purpose.ANSWER_FOR,
        INTEREST,
        is_shown=False,
        is_in_keys=True,
    ),
    Table("applied_files", Words("Migrações", "Migrations"), split("name hash applied_at"), is_in_keys=True),
)
