"""Examples of hub/protocol/privacy.py, consents.py and incidents.py."""

from hub.protocol import consents, incidents, privacy
from hub.protocol.fields import Message

ID = "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b"
PERSON = "6f1f2a4e-8d5e-4b0a-9a34-2f6f6a1d0c11"
AT = "2026-03-01T12:34:56.789012Z"
READY = privacy.ExportState(ID, "ready", "pt", AT, 9, 9, 12_345_678, 3, AT, AT)
ASKED = consents.PurposeState("offers", 2, "Ofertas", "Podemos?", "Offers", "May we?", True, 1, AT)
REQUEST = consents.RequestState(
    ID, PERSON, "correction", "granted", AT, AT, field="name", text="É com s.", answer="Corrigido.", answered_at=AT
)
NOTES = incidents.IncidentNotes(
    "A copy got out.",
    "A backup",
    measures_before="a",
    measures_after="b",
    risks="c",
    mitigation="d",
    delay="e",
    not_told_why="f",
    vulnerable="g",
)
INCIDENT = incidents.IncidentState(
    ID,
    2,
    AT,
    AT,
    AT,
    AT,
    "store",
    False,
    ["profiles"],
    NOTES,
    100_000,
    100_001,
    [incidents.FigureState("financial", 100_000, False)],
    ["III"],
    AT,
    False,
    AT,
    AT,
    AT,
)

EXAMPLES: tuple[Message, ...] = (
    privacy.ReadData(1, "en"),
    privacy.ReadData(1),
    privacy.AskExport(2, ID, "pt"),
    privacy.ReadExport(3, ID, watch=True),
    privacy.ReadExports(4, before=ID, limit=10),
    privacy.ReadDisclosures(5, before=ID, limit=200),
    privacy.ReadErasure(6, PERSON),
    privacy.ReadErasure(6),
    privacy.Erase(7, PERSON),
    privacy.DataAnswer(
        1,
        "Acme",
        [privacy.HeldState("entries", "Entries", 5, "serve", "art. 7, II", "10 years", ["them"], "Lei", True)],
        "Maria",
        "dpo@acme.example",
    ),
    privacy.DataAnswer(1, "Acme", []),
    privacy.ExportAnswer(2, READY),
    privacy.ExportAnswer(2, privacy.ExportState(ID, "waiting", "en", AT, 0, 0)),
    privacy.ExportsAnswer(4, [READY], next=ID),
    privacy.ExportProgress(ID, "making", 4, 9),
    privacy.DisclosuresAnswer(
        5, [privacy.DisclosureState(ID, AT, "Banco Central", "DICT", "consent", ["financial"], "offers")], next=ID
    ),
    privacy.ErasureAnswer(
        6,
        PERSON,
        "not_asked",
        [privacy.ObstacleState("balance_left", "Pay it out.", 123456789012, ID)],
        [privacy.DutyState("operation", "Circular", "2037-01-01", ["payments"])],
        "2037-01-01",
        AT,
        AT,
    ),
    privacy.ErasureAnswer(6, PERSON, "erased", [], []),
    consents.SetPurpose(1, "offers", "Ofertas", "Podemos?", "Offers", "May we?", asks_again=True, open=False),
    consents.ReadPurposes(2),
    consents.GiveConsent(3, "offers", 2),
    consents.RevokeConsent(4, "offers"),
    consents.ReadConsents(5, before_at=AT, before_purpose="offers", before_number=7, limit=10),
    consents.ReadConsents(5),
    consents.MakeRequest(6, ID, "correction", "name", "É com s."),
    consents.MakeRequest(6, ID, "review"),
    consents.ReadRequest(7, ID),
    consents.ReadRequests(8, open=True, watch=True, before=ID, limit=10),
    consents.AnswerRequest(9, ID, "partly_granted", "Só o nome."),
    consents.AnswerRequest(10, ID, "granted", "Corrigido.", consents.Corrected(name="Ana Luísa")),
    consents.WithdrawRequest(10, ID),
    consents.PurposeSet(1, "offers", 2),
    consents.PurposesAnswer(2, [ASKED]),
    consents.PurposeAnswer(3, ASKED),
    consents.ConsentsAnswer(5, [consents.ConsentChange("offers", 1, 2, True, AT, "web", ID)], more=True),
    consents.RequestAnswer(6, REQUEST),
    consents.RequestsAnswer(8, [REQUEST], next=ID),
    consents.PrivacyAlert(2, 1),
    incidents.RecordIncident(1, ID, AT, AT, AT, "traffic", NOTES, tables=["profiles"], keys_too=True),
    incidents.RecordIncident(1, ID, AT, AT, AT, "store", incidents.IncidentNotes("x")),
    incidents.ReviseIncident(2, ID, notes=NOTES, told_authority_at=AT, told_persons_at=AT),
    incidents.ReadIncident(3, ID),
    incidents.ReadIncidents(4, before=ID, limit=5),
    incidents.ReadIncidentPersons(5, ID, after=PERSON, limit=200),
    incidents.IncidentAnswer(1, INCIDENT),
    incidents.IncidentsAnswer(4, [INCIDENT], next=ID),
    incidents.IncidentPersonsAnswer(5, ID, [PERSON], next=PERSON),
)
