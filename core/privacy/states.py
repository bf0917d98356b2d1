"""Where things stand: exports, erasures, requests. The numbers are stored. Pure."""

from enum import IntEnum


class ExportStatus(IntEnum):
    """How far an export is. Stored in privacy_exports.status."""

    WAITING = 0
    MAKING = 1
    READY = 2
    EXPIRED = 3  # its files were removed
    FAILED = 4  # it could not be made, or its person was erased meanwhile


class Form(IntEnum):
    """In which form somebody is told of themselves. Stored in privacy_export_pieces.form."""

    JSON = 0
    PDF = 1


class ErasureStatus(IntEnum):
    """What became of a person who asked to be erased. Stored in erasures.status."""

    WAITING = 0  # what nobody is obliged to keep is gone; the rest waits for its day
    ERASING = 1  # its day has come, and the key is about to be destroyed
    ERASED = 2


class Right(IntEnum):
    """What is asked for (LGPD art. 18, 20). Stored in privacy_requests.what."""

    CONFIRMATION = 0  # art. 18, I: whether data are held, in full (art. 19, II)
    ACCESS = 1  # art. 18, II, where the export leaves a question
    CORRECTION = 2  # art. 18, III
    BLOCKING = 3  # art. 18, IV: anonymise, block or remove what is excessive or unlawful
    SHARING = 4  # art. 18, VII, where the list of disclosures leaves a question
    OBJECTION = 5  # art. 18, § 2
    REVIEW = 6  # art. 20: of a decision that nobody but a program took
    OTHER = 7


class RequestStatus(IntEnum):
    """Whether it was answered, and how. Stored in privacy_requests.status."""

    OPEN = 0
    GRANTED = 1
    PARTLY_GRANTED = 2
    REFUSED = 3
    WITHDRAWN = 4
