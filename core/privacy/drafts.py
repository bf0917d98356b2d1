"""The drafts of what has to be said after an incident: to the ANPD, and to the people concerned. Pure.

Each item of Resolução CD/ANPD 15/2024 (art. 6, § 2, I to XII; art. 9, I to VII) has its heading, in its order and in
Portuguese. What the register knows is filled in; what only the institution can say is marked, so that nobody overlooks
it. A draft is not a form, and sends itself to nobody.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from core.privacy.classes import KIND_WORDS
from core.privacy.controller import MISSING, Controller
from core.privacy.incidents import Figure, Incident, criteria, tables_hit

BLANK: Final = MISSING.pt
CRITERIA: Final = {"III": "dados financeiros (art. 5º, III)", "IV": "dados de autenticação em sistemas (art. 5º, IV)"}
# What holds of every installation, before anything happened (art. 6, § 2, III).
ALWAYS: Final = (
    "dados de identificação, contato e textos livres cifrados com AES-256-GCM sob uma chave própria de cada pessoa, "
    "guardada em outro banco de dados; isolamento entre instituições por segurança em nível de linha; senhas com "
    "Argon2id; trilha de auditoria e livros que não se alteram, com provas criptográficas"
)
# Both sides of a payment are people; what can happen to them with it (art. 6, § 2, IV), by kind of data.
RISKS: Final = {
    "identification": "golpes que se valem do nome (engenharia social)",
    "contact": "mensagens e ligações fraudulentas",
    "financial": "exposição da vida financeira; fraudes que se valem de valores e recebedores conhecidos",
    "security": "acesso indevido à conta, enquanto as credenciais não forem trocadas",
    "conduct": "conhecimento de hábitos de uso",
    "free_text": "exposição do que foi escrito ao lado de pagamentos e em contestações",
    "choice": "conhecimento de preferências",
    "pointer": "correlação de identificadores internos, que sozinhos não identificam ninguém",
}


def for_authority(incident: Incident, controller: Controller, time_zone: str, now: datetime) -> str:
    """The communication to the ANPD (art. 6, § 2), as Markdown."""
    return "\n".join(_for_authority(incident, controller, ZoneInfo(time_zone), now)) + "\n"


def for_persons(incident: Incident, controller: Controller, time_zone: str, now: datetime) -> str:
    """The communication to the people concerned (art. 9), as Markdown, in plain words."""
    return "\n".join(_for_persons(incident, controller, ZoneInfo(time_zone), now)) + "\n"


def _for_authority(incident: Incident, controller: Controller, zone: ZoneInfo, now: datetime) -> Iterator[str]:
    notes = incident.notes
    yield "# Comunicação de incidente de segurança à ANPD — MINUTA"
    yield ""
    yield f"Lei 13.709/2018, art. 48; Resolução CD/ANPD nº 15/2024, art. 6º. Incidente {incident.id}, "
    yield f"revisão {incident.revision}. Prazo: até {_day_before(incident.tell_by, zone)} (fim do dia)."
    met = [CRITERIA[one] for one in criteria(incident.figures)]
    yield "Critérios do art. 5º identificados: " + ("; ".join(met) if met else f"nenhum pelos dados; {BLANK}") + "."
    for heading, lines in (
        ("I — Natureza e categoria dos dados pessoais afetados", _kinds(incident)),
        (
            "II — Número de titulares afetados",
            [
                f"{_number(incident.persons)} titulares.",
                f"Crianças, adolescentes e idosos: {notes.vulnerable or BLANK}",
            ],
        ),
        (
            "III — Medidas técnicas e de segurança, antes e após o incidente",
            [
                f"Antes: {ALWAYS}." + (f" {_text(notes.measures_before)}" if notes.measures_before else ""),
                f"Após: {_text(notes.measures_after)}",
            ],
        ),
        ("IV — Riscos e possíveis impactos aos titulares", _risks(incident)),
        ("V — Motivos da demora", [_delay(incident, zone, now)]),
        ("VI — Medidas para reverter ou mitigar os efeitos", [_text(notes.mitigation)]),
        (
            "VII — Data da ocorrência e do conhecimento",
            [
                f"Ocorrência: de {_moment(incident.began_at, zone)} a {_moment(incident.ended_at, zone)}.",
                f"Conhecimento: {_moment(incident.known_at, zone)}.",
            ],
        ),
        ("VIII — Encarregado ou representante", [_officer(controller)]),
        (
            "IX — Identificação do controlador",
            [
                f"{_text(controller.name)}, CNPJ {_text(controller.document)}, {_text(controller.address)}.",
                "Agente de tratamento de pequeno porte: " + ("sim." if incident.is_small_agent else "não declarado."),
            ],
        ),
        ("X — Identificação do operador, quando aplicável", [_text(controller.operator)]),
        ("XI — Descrição do incidente e causa principal", [_text(notes.what), f"Causa: {_text(notes.cause)}"]),
        (
            "XII — Total de titulares cujos dados são tratados nas atividades afetadas",
            [f"{_number(incident.total_persons)} titulares."],
        ),
    ):
        yield ""
        yield f"## {heading}"
        yield ""
        yield from (f"- {line}" for line in lines)


def _for_persons(incident: Incident, controller: Controller, zone: ZoneInfo, now: datetime) -> Iterator[str]:
    notes = incident.notes
    yield f"# Aviso sobre os seus dados — {_text(controller.name)} — MINUTA"
    yield ""
    yield "Houve um incidente de segurança que atingiu dados seus. Este aviso diz o que aconteceu, o que fizemos e o "
    yield f"que você pode fazer (Resolução CD/ANPD nº 15/2024, art. 9º). Em resumo: {_text(notes.what)}"
    for heading, lines in (
        ("I — Quais dados foram atingidos", _kinds(incident, counted=False)),
        ("II — Como os seus dados são protegidos", [f"{ALWAYS[0].upper()}{ALWAYS[1:]}.", _text(notes.measures_after)]),
        ("III — Quais são os riscos para você", _risks(incident)),
        ("IV — Por que este aviso demorou, se demorou", [_delay(incident, zone, now)]),
        ("V — O que fizemos e o que faremos", [_text(notes.mitigation)]),
        ("VI — Quando soubemos", [f"{_moment(incident.known_at, zone)}."]),
        ("VII — Com quem falar", [_officer(controller), f"Canal de atendimento: {_text(controller.contact)}"]),
    ):
        yield ""
        yield f"## {heading}"
        yield ""
        yield from (f"- {line}" for line in lines)


def _kinds(incident: Incident, *, counted: bool = True) -> list[str]:
    def line(figure: Figure) -> str:
        protected = " (cifrados; sem as chaves, ilegíveis)" if figure.is_sealed else ""
        count = f": {_number(figure.persons)} titulares" if counted else ""
        return f"{KIND_WORDS[figure.kind].pt}{count}{protected}"

    found = [line(figure) for figure in incident.figures]
    where = "todos os cadastros e registros"
    if incident.hit.tables:
        where = ", ".join(table.title.pt for table in tables_hit(incident.hit))
    return [*found, f"Onde: {where}."] if found else [BLANK]


def _risks(incident: Incident) -> list[str]:
    found = [f"{RISKS[figure.kind.value]}." for figure in incident.figures if not figure.is_sealed]
    return [*found, _text(incident.notes.risks)]


def _delay(incident: Incident, zone: ZoneInfo, now: datetime) -> str:
    if incident.notes.delay is not None:
        return _text(incident.notes.delay)
    told = incident.told_authority_at or now
    if told < incident.tell_by:
        return "Não se aplica: dentro do prazo."
    return f"{BLANK} (o prazo terminou em {_day_before(incident.tell_by, zone)})"


def _officer(controller: Controller) -> str:
    return f"{_text(controller.officer)}, {_text(controller.officer_contact)}"


def _text(said: str | None) -> str:
    """What was said, on one line and as text; or that it has to be."""
    if said is None:
        return BLANK
    marked = "".join(f"\\{mark}" if mark in "\\`*_[]<>#|" else mark for mark in said)
    return " ".join(marked.split())


def _number(count: int) -> str:
    return f"{count:,}".replace(",", ".")


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%d/%m/%Y %H:%M:%S")


def _day_before(limit: datetime, zone: ZoneInfo) -> str:
    """The last day of a time that ends with it."""
    return (limit.astimezone(zone) - timedelta(microseconds=1)).strftime("%d/%m/%Y")
