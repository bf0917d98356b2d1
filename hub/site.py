"""The web client as the hub serves it: pages, their hashed parts, and what browsers ask for by fixed names.

Read once, at the start, and served from memory. Parts are named for what is in them, so a browser or a CDN keeps them
for ever; pages have a tag and are asked for again. Nothing here knows a session: whoever has a page has no money yet.
"""

import base64
import hashlib
import json
import mimetypes
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from hub.endpoint import address_of
from hub.limits import ADDRESS_FILE, Limits

# What each page is for, by where it is. Below its root a page finds its way by itself.
PAGES: Final = {"app": "app.html", "pos": "pos.html", "console": "console.html"}
# The packed forms that the build made, the smaller one first.
ENCODINGS: Final = (("br", ".br"), ("gzip", ".gz"))
# By fixed names, beside the pages.
FIXED: Final = (
    "sw.js", "shell.json", "app.webmanifest", "pos.webmanifest", "console.webmanifest", "icon.svg", "icon-180.png",
    "icon-192.png", "icon-512.png", "icon-maskable-512.png", "badge-96.png", "robots.txt",
)  # fmt: skip
# Where the page is told whose people come here.
PLACE: Final = b'<script type="application/json" id="place">{}</script>'
FOR_EVER: Final = "public, max-age=31536000, immutable"
ASK_AGAIN: Final = "no-cache"
# The camera is the wallet's, for codes; everything else that a browser could give is nobody's.
PERMISSIONS: Final = (
    "camera=(self), geolocation=(), microphone=(), payment=(), usb=(), publickey-credentials-get=(self)"
)
# No inline script or style, nothing from elsewhere. The scanner of codes is WebAssembly; pictures that somebody brings
# as evidence are blobs of the page's own.
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "font-src 'self'",
        "connect-src 'self'{sockets}",
        "manifest-src 'self'",
        "worker-src 'self'",
        "media-src 'self' blob:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
# Python's list lacks some of them, and differs between systems.
TYPES: Final = {
    ".webmanifest": "application/manifest+json",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
}


Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]
# Seconds until this request would be served; 0: now.


class Part(NamedTuple):
    """A file as it is served. `bodies`: by content coding, "" for as it is."""

    media_type: str
    tag: str
    bodies: Mapping[str, bytes]


class Site:
    """All files of a built client; none, without a folder. `place`: what its pages are told about where they are."""

    def __init__(self, folder: Path | None, place: Mapping[str, Any], public_url: str = "") -> None:
        self.pages: dict[str, Part] = {}
        self.assets: dict[str, Part] = {}
        self.fixed: dict[str, Part] = {}
        self.headers: dict[str, str] = {}
        if folder is None:
            return
        said = json.dumps(place, ensure_ascii=False).replace("<", "\\u003c").encode()
        self.pages = {
            root: _read_page(folder / name, said) for root, name in PAGES.items() if (folder / name).is_file()
        }
        self.assets = {path.name: _read(path) for path in sorted((folder / "assets").glob("*")) if _is_own(path)}
        self.fixed = {name: _read(folder / name) for name in FIXED if (folder / name).is_file()}
        # Older browsers do not count a page's own WebSockets among 'self'.
        sockets = f" {public_url.replace('http', 'ws', 1)}" if public_url else ""
        self.headers = {
            "content-security-policy": POLICY.format(sockets=sockets),
            "permissions-policy": PERMISSIONS,
            "referrer-policy": "no-referrer",
            "cross-origin-opener-policy": "same-origin",
            "x-content-type-options": "nosniff",
        }

    def routes(self, limits: Limits, now: Callable[[], float]) -> list[Route]:
        """Pages, parts, and the root, which leads to the wallet. Whoever asks too often is told how long to wait."""

        def limited(endpoint: Endpoint) -> Endpoint:
            async def serve(request: Request) -> Response:
                wait_s = limits.bucket("address-file", 0, address_of(request), ADDRESS_FILE).spend(now())
                if wait_s:
                    return Response(status_code=429, headers={"retry-after": str(int(wait_s) + 1)})
                return await endpoint(request)

            return serve

        async def page(request: Request) -> Response:
            return _serve(request, self.pages[request.path_params["root"]], ASK_AGAIN, self.headers)

        async def asset(request: Request) -> Response:
            part = self.assets.get(request.path_params["name"])
            if part is None:
                # Of an older build, perhaps: nobody is to remember that it is not here.
                return Response(status_code=404, headers={"cache-control": "no-store"})
            return _serve(request, part, FOR_EVER, {"x-content-type-options": "nosniff"})

        async def fixed(request: Request) -> Response:
            part = self.fixed[request.url.path.removeprefix("/")]
            # A worker obeys a policy of its own.
            return _serve(request, part, ASK_AGAIN, self.headers)

        async def root(_: Request) -> Response:
            return RedirectResponse("/app/", 307, headers={"cache-control": ASK_AGAIN})

        async def bare(request: Request) -> Response:
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"{request.url.path}/{query}", 307, headers={"cache-control": ASK_AGAIN})

        found = []
        for name in self.pages:
            found.append(Route(f"/{name}", bare))
            found.append(Route(f"/{name}/{{path:path}}", limited(_of_root(page, name))))
        return [
            Route("/", root),
            *found,
            Route("/assets/{name}", limited(asset)),
            *(Route(f"/{name}", limited(fixed)) for name in self.fixed),
        ]


def _of_root(page: Endpoint, root: str) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        request.path_params["root"] = root
        return await page(request)

    return endpoint


def _serve(request: Request, part: Part, keeps: str, more: Mapping[str, str]) -> Response:
    accepted = {one.split(";")[0].strip() for one in request.headers.get("accept-encoding", "").split(",")}
    coding = next((name for name, _ in ENCODINGS if name in accepted and name in part.bodies), "")
    # Each coding is another sequence of bytes, and a strong tag is of those (RFC 9110, 8.8.3).
    tag = f'"{part.tag}{"-" if coding else ""}{coding}"'
    headers = {"etag": tag, "cache-control": keeps, **more}
    if len(part.bodies) > 1:
        headers["vary"] = "accept-encoding"
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if tag in known:
        return Response(status_code=304, headers=headers)
    if coding:
        headers["content-encoding"] = coding
    return Response(part.bodies[coding], headers=headers, media_type=part.media_type)


def _is_own(path: Path) -> bool:
    return path.is_file() and path.suffix not in {suffix for _, suffix in ENCODINGS}


def _read(path: Path) -> Part:
    bodies = {"": path.read_bytes()}
    for coding, suffix in ENCODINGS:
        packed = path.with_name(path.name + suffix)
        if packed.is_file():
            bodies[coding] = packed.read_bytes()
    return Part(_type_of(path), _tag(bodies[""]), bodies)


def _read_page(path: Path, place: bytes) -> Part:
    """A page is told where it is, so what the build packed of it does not fit any more; it is small."""
    body = path.read_bytes().replace(PLACE, PLACE.replace(b"{}", place))
    return Part(_type_of(path), _tag(body), {"": body})


def _type_of(path: Path) -> str:
    return TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def _tag(body: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(body).digest()[:12]).decode()
