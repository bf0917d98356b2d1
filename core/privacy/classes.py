"""The words in which data is classified: kinds, purposes, legal bases, how long it is kept, what an erasure does. Pure.

Articles are those of the LGPD unless another rule is named. What a rule says was read, where a comment says so, in
secondary sources: PRIVACY.md lists what the institution's lawyers should look at.
"""

from enum import Enum, StrEnum
from typing import Final, NamedTuple


class Words(NamedTuple):
    """The same in the two languages that people are answered in."""

    pt: str
    en: str


class Kind(StrEnum):
    """What sort of data it is."""

    IDENTIFICATION = "identification"
    CONTACT = "contact"
    FINANCIAL = "financial"  # one of the criteria of Resolução CD/ANPD 15/2024, art. 5, III
    SECURITY = "security"  # lets somebody in: art. 5, IV
    CONDUCT = "conduct"  # what somebody did here, when and from where
    FREE_TEXT = "free_text"
    CHOICE = "choice"  # what somebody wants, allowed or forbade
    POINTER = "pointer"  # an id or an account number that the installation made up


KIND_WORDS: Final[dict[Kind, Words]] = {
    Kind.IDENTIFICATION: Words("Identificação", "Identification"),
    Kind.CONTACT: Words("Contato", "Contact"),
    Kind.FINANCIAL: Words("Dados financeiros", "Financial data"),
    Kind.SECURITY: Words("Autenticação em sistemas", "Authentication data"),
    Kind.CONDUCT: Words("Registros de uso", "Records of use"),
    Kind.FREE_TEXT: Words("Textos livres", "Free text"),
    Kind.CHOICE: Words("Preferências e escolhas", "Preferences and choices"),
    Kind.POINTER: Words("Identificadores internos", "Internal identifiers"),
}


class Purpose(StrEnum):
    """What it is there for."""

    SERVE = "serve"
    LET_IN = "let_in"
    ANSWER_FOR = "answer_for"
    SETTLE_CLAIMS = "settle_claims"
    RIGHTS = "rights"
    RUN = "run"


PURPOSE_WORDS: Final[dict[Purpose, Words]] = {
    Purpose.SERVE: Words("Manter contas e executar pagamentos", "Keep accounts and carry out payments"),
    Purpose.LET_IN: Words("Autenticar pessoas e prevenir fraudes", "Let people in and keep others out"),
    Purpose.ANSWER_FOR: Words("Provar o que foi feito e por quem", "Prove what was done, and by whom"),
    Purpose.SETTLE_CLAIMS: Words("Resolver contestações", "Settle disputes"),
    Purpose.RIGHTS: Words("Atender aos direitos dos titulares", "Answer people's rights"),
    Purpose.RUN: Words("Operar a instalação", "Run the installation"),
}


class Basis(NamedTuple):
    """What makes it lawful. `article` is of the LGPD; `law`: the rule that obliges, where one does."""

    code: str
    article: str
    words: Words
    law: str | None = None


CONTRACT: Final = Basis("contract", "art. 7, V", Words("Execução de contrato", "Performance of a contract"))
LEGAL: Final = Basis(
    "legal_obligation",
    "art. 7, II",
    Words("Obrigação legal ou regulatória", "Legal or regulatory obligation"),
    "Lei 9.613/1998, art. 10; Circular BCB 3.978/2020",
)
LEGAL_LGPD: Final = LEGAL._replace(law="Lei 13.709/2018, arts. 8, 18, 37 e 48")
CLAIMS: Final = Basis(
    "claims", "art. 7, VI", Words("Exercício regular de direitos em processo", "Exercise of rights in proceedings")
)
INTEREST: Final = Basis(
    "legitimate_interest",
    "art. 7, IX",
    Words("Legítimo interesse: segurança e prevenção à fraude", "Legitimate interest: security, prevention of fraud"),
)
CONSENT: Final = Basis("consent", "art. 7, I", Words("Consentimento", "Consent"))
BASES: Final[dict[str, Basis]] = {one.code: one for one in (CONTRACT, LEGAL, CLAIMS, INTEREST, CONSENT)}


class Since(StrEnum):
    """From when a time is counted."""

    EVENT = "event"  # the row's own moment
    END = "end"  # the end of the relationship
    YEAR_AFTER_EVENT = "year_after_event"  # the first day of the year after
    YEAR_AFTER_END = "year_after_end"


class Keeping(NamedTuple):
    """How long it is kept: so many years or days since then. Neither: as long as `words` say.

    `law`: what obliges to keep it so long; None: nothing does, and an erasure takes it at once.
    """

    code: str
    words: Words
    since: Since = Since.EVENT
    years: int = 0
    days: int = 0
    law: str | None = None


# Art. 67, I and III, read in secondary sources; the shorter five years of Lei 9.613/1998, art. 10, § 2 are within them,
# and so are the five of the Código de Defesa do Consumidor, art. 27.
IDENTITY_YEARS: Final = 10
OPERATION_YEARS: Final = 10
IDENTITY: Final = Keeping(
    "identity",
    Words(
        "10 anos a partir do primeiro dia do ano seguinte ao término do relacionamento",
        "10 years from the first day of the year after the relationship ends",
    ),
    Since.YEAR_AFTER_END,
    years=IDENTITY_YEARS,
    law="Circular BCB 3.978/2020, art. 67, I; Lei 9.613/1998, art. 10, § 2",
)
OPERATION: Final = Keeping(
    "operation",
    Words(
        "10 anos a partir do primeiro dia do ano seguinte ao da operação",
        "10 years from the first day of the year after the operation",
    ),
    Since.YEAR_AFTER_EVENT,
    years=OPERATION_YEARS,
    law="Circular BCB 3.978/2020, art. 67, III; Lei 9.613/1998, art. 10, § 2",
)
# Of whoever was refused money, or gave it back: until nobody can claim it any more.
CLAIM: Final = Keeping(
    "claim",
    Words("10 anos a partir do encerramento", "10 years from the closing"),
    Since.EVENT,
    years=10,
    law="Código Civil, art. 205",
)
# Whoever answers for it has to prove that consent was given (art. 8, § 2) and that requests were met.
RIGHTS_PROOF: Final = Keeping(
    "rights_proof",
    Words("10 anos a partir do registro", "10 years from the record"),
    Since.EVENT,
    years=10,
    law="Lei 13.709/2018, art. 8, § 2; Código Civil, art. 205",
)
INCIDENT: Final = Keeping(
    "incident",
    Words("5 anos a partir do registro", "5 years from the record"),
    Since.EVENT,
    years=5,
    law="Resolução CD/ANPD 15/2024, art. 10",
)
WHILE_SERVED: Final = Keeping(
    "while_served", Words("Enquanto durar o relacionamento", "As long as the relationship lasts"), Since.END
)
WEEK: Final = Keeping("week", Words("7 dias", "7 days"), Since.EVENT, days=7)
QUARTER: Final = Keeping("quarter", Words("90 dias", "90 days"), Since.EVENT, days=90)
UNTIL_DONE: Final = Keeping("until_done", Words("Até ser processado", "Until it is worked off"))
# It names nobody when the key is gone (art. 12): the books and their proofs have to stay whole.
WITH_THE_BOOKS: Final = Keeping(
    "with_the_books",
    Words(
        "Enquanto existirem os livros; sem a chave da pessoa não identifica ninguém",
        "As long as the books; without the person's key it names nobody",
    ),
)


class Way(Enum):
    """How a column leads to a person."""

    PERSON = "person"  # it holds a person's id
    TEXT = "text"  # a person's id, or an account's number, as text
    ACCOUNT = "account"  # an account's number
    ROW = "row"  # the id of another table's row, which is somebody's


class Owner(NamedTuple):
    """Whose a row is: that of whoever `column` leads to.

    Of Way.ROW, `table` is the other table, `key` its column that is meant, and `of` the one of its owners; None: any.
    """

    column: str
    way: Way = Way.PERSON
    table: str | None = None
    key: str = "id"
    of: str | None = None


class Rows(Enum):
    """What becomes of a table's rows when their person is erased."""

    STAY = "stay"  # what is sealed in them is gone with the key
    GO_AT_ONCE = "go_at_once"  # as soon as the person asks: nobody is obliged to keep them
    GO_AT_THE_END = "go_at_the_end"  # with the key


class Column(NamedTuple):
    """A column of personal data. What is None is as the table says.

    `also`: which other kinds of data it may be, where one column holds several. `plain`: why it is not sealed under the
    person's key; None: it is. `of`: which of the table's owners it is about (their columns); None: all. `is_told`: to
    the person; secrets are not. `is_blanked`: emptied at an erasure, because neither the key nor the row takes it.
    `consent`: the purpose of consent without which it is not kept. `is_bytes`: it is a file's content and no text.
    """

    kind: Kind
    plain: Words | None = None
    of: tuple[str, ...] | None = None
    is_told: bool = True
    is_blanked: bool = False
    basis: Basis | None = None
    keeping: Keeping | None = None
    consent: str | None = None
    is_bytes: bool = False
    also: tuple[Kind, ...] = ()

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """All of its kinds."""
        return (self.kind, *self.also)


class Table(NamedTuple):
    """A table: what it is, whose its rows are, and each of its columns.

    `others` hold nothing personal and are told with the rest; `hidden` hold nothing personal and are told to nobody.
    `moment`: the column that says when a row came about. `is_shown` False: an export tells it in a section of its own.
    `is_in_keys`: of the database of keys.
    """

    name: str
    title: Words
    others: tuple[str, ...] = ()
    personal: dict[str, Column] = {}  # noqa: RUF012 - read alone
    owners: tuple[Owner, ...] = ()
    purpose: Purpose = Purpose.RUN
    basis: Basis = CONTRACT
    keeping: Keeping = WITH_THE_BOOKS
    recipients: tuple[Words, ...] = ()
    rows: Rows = Rows.STAY
    hidden: tuple[str, ...] = ()
    moment: str | None = None
    is_shown: bool = True
    is_in_keys: bool = False


# Why a column is not sealed.
OPAQUE: Final = Words(
    "Um identificador criado aqui: sem o que está cifrado, não identifica ninguém.",
    "An id or number that was made up here: it names nobody without what is sealed.",
)
FIGURES: Final = Words(
    "Valores, momentos e situações dos livros, de que se fazem somas e provas; não identificam ninguém.",
    "Amounts, moments and states of the books, which sums and proofs are made of; they name nobody.",
)
HASHED: Final = Words(
    "Um resumo criptográfico do qual nada se lê; é comparado, nunca mostrado.",
    "A hash that nothing can be read from; it is compared, never shown.",
)
CUT: Final = Words(
    "Uma rede, cortada de modo a não identificar uma só pessoa (IPv4 /24, IPv6 /48).",
    "A network, cut to what names no single person (IPv4 /24, IPv6 /48).",
)
ASKED: Final = Words(
    "Uma escolha de uma lista, ou um prazo: diz o que se quer e não identifica ninguém.",
    "A choice from a list, or a time: it says what is wanted, and names nobody.",
)
INDEXED: Final = Words(
    "Um resumo com chave, pelo qual se encontra o que está cifrado; é eliminado com a linha.",
    "A keyed hash by which what is sealed is found; it goes with the row.",
)
BEFORE_KEYS: Final = Words(
    "De antes de haver chaves; `payhub keys seal` cifra o que houver, e nada novo é escrito aqui.",
    "From before there were keys; `payhub keys seal` seals what there is, and nothing new is written here.",
)
# Who learns of it outside the institution.
OTHER_SIDE: Final = Words("a outra parte do pagamento", "the other side of the payment")
CARRIERS: Final = Words(
    "serviços de notificação (Apple, Google, navegadores) e de e-mail",
    "services that carry pushes (Apple, Google, browsers) and mails",
)


def sealed(kind: Kind, **more: object) -> Column:
    """A column that the person's key seals."""
    return Column(kind, **more)  # type: ignore[arg-type]


def pointer(*of: str) -> Column:
    """A column that leads to somebody, and names nobody."""
    return Column(Kind.POINTER, OPAQUE, of or None)


def secret(kind: Kind, plain: Words) -> Column:
    """A column that nobody is told, not even the person."""
    return Column(kind, plain, is_told=False)


def split(names: str) -> tuple[str, ...]:
    """Names of columns, as they stand in a line."""
    return tuple(names.split())
