"""`python -m tests.campaign MINUTES`: see `nox -s field`."""

import argparse
import os
import random
import sys

from tests.campaign.peers import FAMILIES
from tests.campaign.run import Campaign, Settings


def say(line: str) -> None:
    """Print a line of the report."""
    print(line, flush=True)


def main() -> int:
    """Run one campaign or, to compare, one for each family."""
    parser = argparse.ArgumentParser(prog="nox -s field --", description=__doc__)
    parser.add_argument("minutes", type=float, nargs="?", default=5.0, help="5 if not given")
    parser.add_argument("--seed", type=int, default=None, help="of the whole campaign")
    parser.add_argument("--family", choices=[*FAMILIES], default="ours")
    parser.add_argument("--compare", action="store_true", help="a fifth of the time for each peer")
    parser.add_argument("--round", type=int, action="append", default=[], help="only this one")
    parser.add_argument("--connections", type=int, default=10, help="of each client process")
    arguments = parser.parse_args()
    seed = random.SystemRandom().getrandbits(32) if arguments.seed is None else arguments.seed
    settings = Settings(
        seconds=arguments.minutes * 60,
        seed=seed,
        family=arguments.family,
        rounds=arguments.round,
        connections=arguments.connections,
    )
    if "libasan" in os.environ.get("LD_PRELOAD", ""):
        settings.growth = None  # memory that was freed is kept for a while, on purpose
    well = Campaign(settings, say).run()
    if arguments.compare:
        for family in FAMILIES:
            if family != arguments.family:
                settings.family, settings.seconds = family, arguments.minutes * 12
                Campaign(settings, say).run()  # for the figures only
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
