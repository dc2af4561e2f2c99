"""The fault-injection campaign: real processes that talk while they are disturbed.

`nox -s field -- MINUTES` runs it; `docs/development/test.md` says what it counts as a loss. In the
order of the data: `plan` says what happens, from a seed; `message` is what is exchanged; `peers`
and its neighbours make every API look alike; `dialogue` is one side of a connection; `records`
keeps what each side did, also if its process is killed; `ledger` judges; `attackers` and `link`
disturb; `run` starts everything and counts.
"""

__all__: list[str] = []
