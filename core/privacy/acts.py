"""What the acts of the audit trail are called on paper, for the person whose trail it is. Pure."""

from typing import Final

from core.audit.trail import Act
from core.privacy.classes import Words

ACTS: Final[dict[str, Words]] = {
    Act.PERSON_OPENED: Words("Cadastro aberto", "Registered"),
    Act.SESSION_STARTED: Words("Entrada", "Logged in"),
    Act.SESSION_REFUSED: Words("Entrada recusada", "Log-in refused"),
    Act.SESSION_ENDED: Words("Sessão encerrada", "Session ended"),
    Act.PASSWORD_PROVED: Words("Senha confirmada", "Password confirmed"),
    Act.DEVICE_FIRST_SEEN: Words("Aparelho visto pela primeira vez", "Device seen for the first time"),
    Act.FACTOR_ENROLLED: Words("Segundo fator cadastrado", "Second factor enrolled"),
    Act.FACTOR_REMOVED: Words("Segundo fator removido", "Second factor removed"),
    Act.FACTOR_REFUSED: Words("Segundo fator recusado", "Second factor refused"),
    Act.PASSKEY_COPIED: Words("Chave de acesso talvez copiada", "Passkey perhaps copied"),
    Act.RECOVERY_CODES_DRAWN: Words("Códigos de recuperação gerados", "Recovery codes drawn"),
    Act.STEPPED_UP: Words("Identidade confirmada de novo", "Identity confirmed again"),
    Act.LADDER_SET: Words("Prazos de avisos definidos", "How notices climb was set"),
    Act.NEWS_SENT: Words("Novidades enviadas", "News sent"),
    Act.DELIVERIES_RETRIED: Words("Avisos reenviados", "Notices sent again"),
    Act.PASSWORD_CHANGED: Words("Senha trocada", "Password changed"),
    Act.PERSONAL_DATA_READ: Words("Dados pessoais consultados", "Personal data read"),
    Act.API_KEY_MADE: Words("Chave de programa criada", "Key of a program made"),
    Act.API_KEY_ROTATED: Words("Chave de programa trocada", "Key of a program rotated"),
    Act.API_KEY_REVOKED: Words("Chave de programa revogada", "Key of a program revoked"),
    Act.API_KEY_USED: Words("Chave de programa usada", "Key of a program used"),
    Act.API_KEY_REFUSED: Words("Chave de programa recusada", "Key of a program refused"),
    Act.PAIRING_CODE_MADE: Words("Código de caixa criado", "Code for a till made"),
    Act.TERMINAL_PAIRED: Words("Caixa pareado", "Till paired"),
    Act.TERMINAL_CHANGED: Words("Caixa alterado", "Till changed"),
    Act.TERMINAL_REVOKED: Words("Caixa revogado", "Till revoked"),
    Act.TERMINAL_USED: Words("Caixa usado", "Till used"),
    Act.PROVIDER_SET: Words("Provedor de identidade definido", "Identity provider set"),
    Act.EXTERNAL_IDENTITY_LINKED: Words("Identidade de outro provedor ligada", "Identity elsewhere linked"),
    Act.EXTERNAL_IDENTITY_UNLINKED: Words("Identidade de outro provedor desligada", "Identity elsewhere unlinked"),
    Act.EXTERNAL_IDENTITY_USED: Words("Entrada por outro provedor", "Logged in by an identity elsewhere"),
    Act.KEY_MADE: Words("Chave da pessoa criada", "The person's key made"),
    Act.KEY_ROTATED: Words("Chave da pessoa trocada", "The person's key rotated"),
    Act.KEY_DESTROYED: Words("Chave da pessoa destruída", "The person's key destroyed"),
    Act.LOG_REFUSED: Words("Registro recusado por testemunha", "Log refused by a witness"),
    Act.PRIVACY_SET: Words("Regras de privacidade definidas", "Rules of privacy set"),
    Act.EXPORT_ASKED: Words("Cópia dos dados pedida", "Copy of the data asked for"),
    Act.EXPORT_MADE: Words("Cópia dos dados pronta", "Copy of the data made"),
    Act.EXPORT_FETCHED: Words("Cópia dos dados baixada", "Copy of the data fetched"),
    Act.EXPORT_REMOVED: Words("Cópia dos dados apagada", "Copy of the data removed"),
    Act.CONSENT_GIVEN: Words("Consentimento dado", "Consent given"),
    Act.CONSENT_REVOKED: Words("Consentimento revogado", "Consent revoked"),
    Act.DATA_SHARED: Words("Dados compartilhados", "Data shared"),
    Act.ERASURE_ASKED: Words("Eliminação pedida", "Erasure asked for"),
    Act.ERASURE_DONE: Words("Eliminação concluída", "Erasure done"),
    Act.REQUEST_MADE: Words("Solicitação feita", "Request made"),
    Act.REQUEST_ANSWERED: Words("Solicitação respondida", "Request answered"),
    Act.INCIDENT_RECORDED: Words("Incidente registrado", "Incident recorded"),
    Act.RECORD_READ: Words("Registro das operações consultado", "Record of processing read"),
}


def act_in(language: str, what: str) -> str:
    """What an act is called; of a setting that has no words here, its own name."""
    words = ACTS.get(what)
    return what.replace(".", " ").replace("_", " ").capitalize() if words is None else str(getattr(words, language))
