"""What a person sees who opens a link: of a payment, who asks for how much, and the code to pay it with; of a mail,
that they may say here that they have seen what it told, or that they want no more of its kind.

Pages of our own, with nothing from elsewhere. They know no session and show only what whoever has the link may see.
"""

import base64
import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from html import escape
from re import fullmatch
from typing import Final
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from core.errors import CoreError, NotFound
from core.payments.charges import Charge, Status, read_charge
from core.payments.money import money
from core.people.opening import Tenant, find_tenant
from hub.commands.charging import text_of
from hub.commands.context import Context
from hub.limits import ADDRESS_PAGE, address_key, network_of
from hub.protocol.fields import UUID_PATTERN
from hub.qr import draw
from hub.seeing import acknowledge
from hub.unsubscribing import unsubscribe

STYLE: Final = """
:root { color-scheme: light dark; --ink: #14231d; --soft: #566961; --paper: #eef2f0; --card: #fff; --line: #d9e2dd;
  --well: #f5f8f6; --act: #0a6b4a; --on-act: #fff; --good: #0a6b4a; --bad: #a03a2c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e9f1ed; --soft: #9db0a8; --paper: #0c1310; --card: #141d19;
  --line: #27352f; --well: #0f1714; --act: #3fc795; --on-act: #06140e; --good: #4fd1a0; --bad: #f0907f; } }
* { box-sizing: border-box; margin: 0; }
body { min-height: 100vh; min-height: 100dvh; display: grid; place-items: center; padding: 1rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { width: 100%; max-width: 25rem; padding: 1.75rem 1.5rem 1.5rem; text-align: center; background: var(--card);
  border: 1px solid var(--line); border-radius: 1.25rem; box-shadow: 0 1.25rem 3rem -1.5rem rgb(0 0 0 / .25); }
h1 { font-size: 1.2rem; line-height: 1.3; font-weight: 600; overflow-wrap: anywhere; text-wrap: balance; }
p { overflow-wrap: anywhere; text-wrap: balance; } .soft { color: var(--soft); font-size: .9375rem; }
.sum { margin: .75rem 0 .25rem; font-size: clamp(1.75rem, 10vw, 2.6rem); line-height: 1.15; font-weight: 650;
  letter-spacing: -.025em; font-variant-numeric: tabular-nums; white-space: nowrap; }
.sum.long { font-size: clamp(1.05rem, 5.6vw, 1.45rem); letter-spacing: -.01em; } .sum.over { color: var(--soft); }
.qr { width: min(100%, 15rem); margin: 1.25rem auto .75rem; overflow: hidden; background: #fff;
  border: 1px solid var(--line); border-radius: .875rem; }
.qr svg { display: block; width: 100%; height: auto; }
.code { margin-top: .875rem; padding: .75rem .875rem; text-align: left; text-wrap: wrap; word-break: break-all;
  background: var(--well); border: 1px solid var(--line); border-radius: .75rem;
  font: .75rem/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; -webkit-user-select: all;
  user-select: all; }
button { width: 100%; min-height: 3rem; margin-top: .75rem; border: 0; border-radius: .75rem; cursor: pointer;
  background: var(--act); color: var(--on-act); font: inherit; font-weight: 600; }
button:hover { filter: brightness(1.08); }
:focus-visible { outline: 3px solid var(--act); outline-offset: 3px; }
.until { margin-top: 1rem; color: var(--soft); font-size: .875rem; }
.state { margin: 1.5rem 0 .25rem; font-size: 1.25rem; font-weight: 650; }
.state.paid { color: var(--good); } .state.cancelled, .state.expired { color: var(--bad); }
h1.alone { margin: .5rem 0; }
"""
# Shows the button, which without a script would do nothing, and copies the code.
SCRIPT: Final = """
const button = document.querySelector("button"), code = document.querySelector(".code");
if (button && navigator.clipboard) {
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try { await navigator.clipboard.writeText(code.textContent); }
    catch { getSelection().selectAllChildren(code); return; }
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}
"""


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


HEADERS: Final = {
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_hash(STYLE)}'; script-src 'sha256-{_hash(SCRIPT)}';"
        " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    # Whoever has the address sees the charge: it is told to nobody and kept nowhere.
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "vary": "accept-language",
}
WORDS: Final = {
    "pt": {
        "title": "Pagamento",
        "asks": "Pagar para",
        "any": "Você escolhe o valor",
        "scan": "Aponte a câmera do seu aplicativo ou copie o código.",
        "picture": "Código QR",
        "copy": "Copiar código",
        "copied": "Copiado ✓",
        "until": "Válido até {}",
        "date": "%d/%m/%Y, %H:%M",
        "paid": "Pago",
        "cancelled": "Cobrança cancelada",
        "expired": "Cobrança vencida",
        "thanks": "Este pagamento já foi feito. Obrigado!",
        "over": "Ela não pode mais ser paga. Peça uma nova a quem cobra.",
        "none": "Não há cobrança aqui",
        "check": "Confira o endereço com quem o enviou.",
        "busy": "Tente de novo em instantes",
        "wait": "Não foi possível abrir a cobrança agora. Nada foi pago.",
        "not_now": "Não foi possível confirmar agora.",
        "done": "Combinado ✓",
        "seen_title": "Aviso",
        "seen_asked": "Você já viu este aviso?",
        "seen_why": "Confirme e ele não será repetido no seu celular nem por e-mail.",
        "seen_yes": "Sim, já vi",
        "seen_over": "Não vamos repetir este aviso. Pode fechar esta página.",
        "unwanted_title": "Novidades",
        "unwanted_asked": "Não quer mais receber estas novidades?",
        "unwanted_why": "Confirme e não enviamos mais nenhuma. Avisos sobre seu dinheiro e sua conta continuam.",
        "unwanted_yes": "Não quero mais receber",
        "unwanted_over": "Você não vai mais receber estas novidades. Pode fechar esta página.",
    },
    "en": {
        "title": "Payment",
        "asks": "Pay to",
        "any": "You choose the amount",
        "scan": "Scan it with your payment app, or copy the code.",
        "picture": "QR code",
        "copy": "Copy code",
        "copied": "Copied ✓",
        "until": "Valid until {}",
        "date": "%d %b %Y, %H:%M",
        "paid": "Paid",
        "cancelled": "This request was cancelled",
        "expired": "This request has expired",
        "thanks": "This payment has been made. Thank you!",
        "over": "It can no longer be paid. Ask whoever sent it for a new one.",
        "none": "There is nothing to pay here",
        "check": "Check the address with whoever sent it.",
        "busy": "Try again in a moment",
        "wait": "The request cannot be shown right now. Nothing was paid.",
        "not_now": "That could not be noted right now.",
        "done": "Done ✓",
        "seen_title": "Notice",
        "seen_asked": "Have you seen this notice?",
        "seen_why": "Say so, and neither your phone nor your mailbox will be told again.",
        "seen_yes": "Yes, I have",
        "seen_over": "You will not be told this again. You can close this page.",
        "unwanted_title": "News",
        "unwanted_asked": "You want no more of these news?",
        "unwanted_why": "Say so, and none will be sent. You will still be told of your money and your account.",
        "unwanted_yes": "I want no more of them",
        "unwanted_over": "You will not get these news any more. You can close this page.",
    },
}
# An amount as long as this is set smaller, to stay on one line of a small phone.
LONG_SUM = 16


def routes(context: Context) -> list[Route]:
    """The payment link, and the link of a mail."""

    async def page(request: Request) -> Response:
        language = language_of(request.headers.get("accept-language", ""))
        words = WORDS[language]
        client = address_key(request.client.host) if request.client else "unix"
        wait_s = context.limits.bucket("address-page", 0, client, ADDRESS_PAGE).spend(context.now())
        if wait_s:
            response = _html(language, _notice(words["busy"], words["wait"]), 429)
            response.headers["retry-after"] = str(int(wait_s) + 1)
            return response
        slug, charge_id = request.path_params["slug"], request.path_params["charge"]
        try:
            tenant = await find_tenant(context.pool, slug)
            # One answer for every address that leads nowhere.
            if tenant is None or not fullmatch(UUID_PATTERN, charge_id):
                raise NotFound
            charge = await read_charge(context.pool, context.keys, tenant.id, charge_id)
            return _html(language, await _charge(context, tenant, charge, language))
        except NotFound:
            return _html(language, _notice(words["none"], words["check"]), 404)
        except CoreError:
            return _html(language, _notice(words["busy"], words["wait"]), 503)

    async def confirmed(request: Request, about: str, do: Callable[[], Awaitable[None]]) -> Response:
        """A page with a button, and what follows when it is pressed. `about`: which words."""
        language = language_of(request.headers.get("accept-language", ""))
        words = {name.removeprefix(f"{about}_"): text for name, text in WORDS[language].items()}
        client = address_key(request.client.host) if request.client else "unix"
        wait_s = context.limits.bucket("address-page", 0, client, ADDRESS_PAGE).spend(context.now())
        title = f"{about}_title"
        if wait_s:
            response = _html(language, _notice(words["busy"], words["not_now"]), 429, title)
            response.headers["retry-after"] = str(int(wait_s) + 1)
            return response
        if request.method != "POST":
            # Who scans mails for viruses opens links, and nobody has said anything yet.
            ask = f'<form method="post"><button>{words["yes"]}</button></form>'
            return _html(language, _notice(words["asked"], words["why"]) + ask, 200, title)
        try:
            await do()
        except CoreError:
            return _html(language, _notice(words["busy"], words["not_now"]), 503, title)
        return _html(language, _notice(words["done"], words["over"]), 200, title)

    async def seen(request: Request) -> Response:
        return await confirmed(request, "seen", lambda: acknowledge(context, request.path_params["token"]))

    async def unwanted(request: Request) -> Response:
        network = network_of(request.client.host) if request.client else None
        return await confirmed(request, "unwanted", lambda: unsubscribe(context, request.path_params["token"], network))

    return [
        Route("/c/{slug}/{charge}", page),
        Route("/s/{token}", seen, methods=["GET", "POST"]),
        Route("/u/{token}", unwanted, methods=["GET", "POST"]),
    ]


def language_of(header: str) -> str:
    """Portuguese, unless English is preferred (RFC 9110, 12.5.4)."""
    best, language = 0.0, "pt"
    for part in header.lower().split(",")[:20]:
        name, _, quality = (piece.strip() for piece in part.partition(";"))
        weight = fullmatch(r"q\s*=\s*([01](?:\.[0-9]{0,3})?)", quality)
        if quality and not weight:
            continue
        if name[:2] in WORDS and name[2:3] in {"", "-"} and (found := float(weight[1]) if weight else 1.0) > best:
            best, language = found, name[:2]
    return language


def moment(at: datetime, time_zone: str, language: str) -> str:
    """A moment on the clocks of the tenant's zone, with their distance from GMT."""
    local = at.astimezone(ZoneInfo(time_zone))
    offset = local.utcoffset() or timedelta()
    minutes = round(offset.total_seconds() / 60)
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    zone = "GMT" + (f"{sign}{hours}" + (f":{rest:02}" if rest else "") if minutes else "")
    return f"{local.strftime(WORDS[language]['date'])} ({zone})"


async def _charge(context: Context, tenant: Tenant, charge: Charge, language: str) -> str:
    words, status = WORDS[language], charge.status
    amount = words["any"] if charge.amount is None else money(charge.amount, tenant.currency, language)
    look = " long" if charge.amount is None or len(amount) >= LONG_SUM else ""
    if status in {Status.CANCELLED, Status.EXPIRED}:
        look += " over"
    parts = [
        f'<p class="soft">{words["asks"]}</p><h1>{escape(charge.name or tenant.name)}</h1>',
        f'<p class="sum{look}">{escape(amount)}</p>',
    ]
    if charge.description is not None:
        parts.append(f'<p class="soft">{escape(charge.description)}</p>')
    if status is not Status.OPEN:
        name = status.name.lower()
        mark, more = ("✓ ", words["thanks"]) if status is Status.PAID else ("", words["over"])
        return "".join([*parts, f'<p class="state {name}">{mark}{words[name]}</p><p class="soft">{more}</p>'])
    code = await text_of(context, tenant, charge)
    parts.append(
        f'<div class="qr" role="img" aria-label="{words["picture"]}">{await draw(code)}</div>'
        f'<p class="soft">{words["scan"]}</p><p class="code" tabindex="0">{escape(code)}</p>'
        f'<button hidden aria-live="polite" data-done="{words["copied"]}">{words["copy"]}</button>'
    )
    if charge.expires_at is not None:
        until = words["until"].format(moment(charge.expires_at, tenant.time_zone, language))
        parts.append(f'<p class="until">{until}</p>')
    return "".join(parts)


def _notice(head: str, text: str) -> str:
    return f'<h1 class="alone">{head}</h1><p class="soft">{text}</p>'


def _html(language: str, body: str, status: int = 200, title: str = "title") -> HTMLResponse:
    return HTMLResponse(
        f'<!doctype html><html lang="{"pt-BR" if language == "pt" else language}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{WORDS[language][title]}</title><style>{STYLE}</style>"
        f"<main>{body}</main><script>{SCRIPT}</script></html>",
        status,
        HEADERS,
    )
