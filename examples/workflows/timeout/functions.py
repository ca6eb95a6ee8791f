"""The functions of team.yaml."""

import asyncio

from understudy import register


@register
async def forecast(city: str) -> str:
    await asyncio.sleep(30)
    return f"sun in {city}"
