"""`kawal rebuild`: a read model is built anew beside the live one, with a progress bar."""

import asyncio

import aiohttp
from rich.console import Console
from rich.progress import Progress

from shared.cli.app import Failure

ASK_SECONDS = 0.2


async def rebuild(url: str, token: str, name: str, console: Console) -> None:
    """Starts the rebuild of projection `name` of the service at `url` and follows it to its end."""
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with aiohttp.ClientSession(url, headers=headers) as session:
            async with session.post(f"/projections/{name}/rebuild") as answer:
                if answer.status != 202:
                    raise Failure((await answer.json()).get("detail", f"status {answer.status}"))
            await _follow(session, name, console)
    except aiohttp.ClientError as error:
        raise Failure(f"{url}: {error}") from None


async def _follow(session: aiohttp.ClientSession, name: str, console: Console) -> None:
    with Progress(console=console, disable=not console.is_terminal) as bars:
        task = bars.add_task(name, total=1.0)
        building = True
        while building:
            await asyncio.sleep(ASK_SECONDS)
            async with session.get("/projections") as answer:
                status = (await answer.json())[name]
            building = status["state"] == "building"
            bars.update(task, completed=status["progress"])
    console.print(f"{name} is built anew", highlight=False)
