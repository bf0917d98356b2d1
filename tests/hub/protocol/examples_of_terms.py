"""Examples of hub/protocol/terms.py."""

from hub.protocol import terms
from hub.protocol.fields import Message

SHOP = terms.TermsState(1, "Shop", 15_000, 10, 5, True, 20, fee_max=5_000)

EXAMPLES: tuple[Message, ...] = (
    terms.SetTerms(
        1, 1, "Shop", fee_ppm=15_000, fee_fixed=10, fee_min=5, fee_max=5_000, returns_fee=True, tip_percent_max=20
    ),
    terms.SetTerms(1, 2, "Free"),
    terms.ReadTerms(2),
    terms.ReadAccountTerms(4, 123456789012),
    terms.PutUnderTerms(3, 123456789012, terms=1),
    terms.PutUnderTerms(3, 123456789012),
    terms.TermsSet(1, SHOP),
    terms.TermsAnswer(2, [SHOP, terms.TermsState(2, "Free", 0, 0, 0, False, 0)]),
    terms.AccountTermsAnswer(4, 123456789012, SHOP),
    terms.AccountTermsAnswer(4, 123456789012),
    terms.UnderTerms(3, 123456789012, terms=1),
    terms.UnderTerms(3, 123456789012),
)
