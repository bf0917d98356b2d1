"""An amount as people read it. Pure."""

from typing import Final

SYMBOLS: Final = {"BRL": "R$", "EUR": "€", "GBP": "£", "USD": "US$"}
# ISO 4217: the currencies whose minor unit is not a hundredth.
NO_DIGITS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
THREE_DIGITS: Final = "BHD IQD JOD KWD LYD OMR TND"


def money(amount: int, currency: str, language: str) -> str:
    """Minor units for people, as the language (pt or en) writes them."""
    digits = 0 if currency in NO_DIGITS else 3 if currency in THREE_DIGITS else 2
    whole, rest = divmod(abs(amount), 10**digits)
    text = f"{whole:,}" + (f".{rest:0{digits}d}" if digits else "")
    if language == "pt":
        text = text.translate(str.maketrans(",.", ".,"))
    space = "\u00a0" if language == "pt" or currency not in SYMBOLS else ""
    return f"{'-' if amount < 0 else ''}{SYMBOLS.get(currency, currency)}{space}{text}"
