"""What hub/protocol/bulks.py promises, asked for at both doors."""

from tests.hub.contracts.contract import Contract


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
