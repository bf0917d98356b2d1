"""A data team's HTTP server, as cheap as can be: it takes whatever is posted, and looks at none of it.

A process of its own: `python -m loadtest.services.sink PORT`.
"""

import asyncio
import contextlib
import sys

HEAD_SIZE_MAX = 64 * 1024
TAKEN = b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            size = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(size))
            writer.write(TAKEN)
    writer.close()


async def _main(port: int) -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", port, limit=HEAD_SIZE_MAX)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
