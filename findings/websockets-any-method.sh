#!/usr/bin/env bash
# websockets 17.4: process_request answers HEAD, OPTIONS, POST and HTTP/1.0, too; HEAD with a body.
#
# Up to version 16 a server refused such requests before anybody was asked. Now process_request
# sees all of them, whose method is `request.method`, and may answer 200: health checks and CORS
# preflights work, but a function that only looked at `request.path`, since nothing else than GET
# could reach it, now also lets POST in. The answer to HEAD has the body of the response in it,
# though an answer to HEAD has none (RFC 9110, 9.3.2).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check websockets==17.4
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio

from websockets.asyncio.server import serve

REQUESTS = {
    "GET": b"GET /health HTTP/1.1\r\nHost: h\r\n\r\n",
    "HEAD": b"HEAD /health HTTP/1.1\r\nHost: h\r\n\r\n",
    "OPTIONS": b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
    "POST": b"POST /health HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
    "GET of HTTP/1.0": b"GET /health HTTP/1.0\r\n\r\n",
}
asked = []


def answer(connection, request):
    asked.append(request.method)
    return connection.respond(200, "fine\n")


async def main():
    async with serve(lambda connection: None, "127.0.0.1", 0, process_request=answer) as server:
        for name, request in REQUESTS.items():
            address = server.sockets[0].getsockname()
            reader, writer = await asyncio.open_connection(*address)
            writer.write(request)
            async with asyncio.timeout(10):
                head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            writer.close()
            print(name, head.splitlines()[0], body)
            assert head.startswith(b"HTTP/1.1 200 ")
            assert body == b"fine\n"
    assert asked == ["GET", "HEAD", "OPTIONS", "POST", "GET"]


asyncio.run(main())
PYTHON
