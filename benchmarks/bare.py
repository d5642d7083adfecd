"""The floor of HTTP: aiohttp that parses JSON and answers JSON, and does nothing else."""

import asyncio
import json

from aiohttp import web

from benchmarks.population import PROPERTIES

_RESULT = {"properties": json.loads(PROPERTIES)}


async def _answer(request: web.Request) -> web.Response:
    call = json.loads(await request.read())
    return web.json_response({"jsonrpc": "2.0", "result": _RESULT, "id": call["id"]})


async def _main() -> None:
    app = web.Application()
    app.router.add_post("/json-rpc/{backend_id}", _answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/json-rpc/", flush=True)  # as the real server does
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())
