"""Examples of hub/protocol/people.py."""

from hub.protocol import people
from hub.protocol.fields import Message
from hub.protocol.messages import AccountState

PERSON = "6f1f2a4e-8d5e-4b0a-9a34-2f6f6a1d0c11"
STAFF = "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b"
SESSION = "ffffffff-ffff-4fff-bfff-ffffffffffff"
AT = "2026-03-01T12:34:56.789012Z"
HOME = people.Address("Rua da Praça", "São Paulo", "01310-100", "BR", number="17", district="Sé", state="SP")
ABROAD = people.Address("10 Downing Street", "London", "SW1A 2AA", "GB", complement="first floor")
EMAIL = people.FieldState("email", 2, AT, value="ana@example.com", confirmed_at=AT, set_by=PERSON, session=SESSION)
TAKEN_AWAY = people.FieldState("phone", 3, AT, set_by=STAFF)

EXAMPLES: tuple[Message, ...] = (
    people.ReadPerson(1, PERSON),
    people.ReadPerson(1, PERSON, reason="fraud_check", case="case-2026/17"),
    people.FindPeople(2, cpf="529.982.247-25", reason="own_request", case="A#1"),
    people.FindPeople(2, cnpj="12.ABC.345/01DE-35"),
    people.FindPeople(2, email="ana@example.com"),
    people.FindPeople(2, phone="+5511987654321"),
    people.FindPeople(2, login="ana"),
    people.FindPeople(2, account=123456789012),
    people.FindPeople(2, name="José da Conceição"),
    people.EditProfile(3, PERSON, email="ana@example.com", address=HOME, remove=["phone"]),
    people.EditProfile(
        3,
        PERSON,
        name="Padaria São João",
        cnpj="12ABC34501DE35",
        legal_name="Padaria São João Ltda",
        trade_name="São João",
        category="5462",
        phone="+55 11 98765-4321",
        address=ABROAD,
        reason="correction",
        case="case-2026/17",
    ),
    people.EditProfile(3, PERSON, cpf="52998224725", birth_date="1990-02-28"),
    people.ReadProfileHistory(4, PERSON),
    people.ReadProfileHistory(
        4,
        PERSON,
        field="email",
        before=AT,
        before_field="email",
        before_number=2,
        limit=10,
        reason="legal_duty",
        case="case-2026/17",
    ),
    people.SetPersonStatus(5, PERSON, "blocked", "suspected_fraud", case="case-2026/17"),
    people.SetPersonStatus(5, PERSON, "active", "identified"),
    people.SendConfirmation(6, "email"),
    people.ConfirmContact(7, "phone", "012345"),
    people.PersonAnswer(
        1,
        PERSON,
        "customer",
        "pending",
        AT,
        [EMAIL, people.FieldState("address", 1, AT, address=HOME)],
        name="Ana Souza",
        login="ana",
        accounts=[AccountState(123456789012, 5, 0, 5, 0, 1, "receiving")],
    ),
    people.PersonAnswer(
        1,
        PERSON,
        "customer",
        "blocked",
        AT,
        [],
        masked=True,
        account_numbers=[123456789012],
        status_reason="court_order",
        status_set_at=AT,
        status_set_by=STAFF,
    ),
    people.PeopleFound(
        2,
        [
            people.FoundState(PERSON, "customer", "active", True, name="Ana Souza"),
            people.FoundState(STAFF, "merchant", "closed", False),
        ],
    ),
    people.ProfileEdited(3, PERSON, ["email", "address", "phone"]),
    people.ProfileHistory(4, PERSON, [EMAIL, TAKEN_AWAY]),
    people.ProfileHistory(4, PERSON, [], masked=True, next_before=AT, next_field="phone", next_number=3),
    people.PersonStatusSet(5, PERSON, "blocked", "active"),
    people.ConfirmationSent(6, "email", AT),
    people.ContactConfirmed(7, "phone", AT),
    people.StatusChanged("pending", True, False),
)
