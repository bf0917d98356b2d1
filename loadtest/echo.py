"""The echo server of the reference benchmark, in Python: a WebSocket and a POST that send back what they get.

A subprocess of `loadtest ws-vs-http`, served as the hub is. It knows no payment and no person.
"""

import sys

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect


async def echo_socket(socket: WebSocket) -> None:
    """Send back every message."""
    await socket.accept()
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        return


async def echo_post(request: Request) -> Response:
    """Parse the body and write it again, as the reference does."""
    return Response(msgspec.json.encode(msgspec.json.decode(await request.body())), media_type="application/json")


async def ready(_: Request) -> Response:
    """Say that it serves."""
    return PlainTextResponse("ready")


app = Starlette(
    routes=[
        WebSocketRoute("/", echo_socket),
        Route("/api/echo", echo_post, methods=["POST"]),
        Route("/readyz", ready),
    ]
)

if __name__ == "__main__":
    uvicorn.run(
        app,
        port=int(sys.argv[1]),
        loop="uvloop",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        access_log=False,
        log_level="warning",
    )
