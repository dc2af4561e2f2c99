"""The live fuzzer: mutated handshakes and frames at running servers and clients.

`nox -s fuzz_live -- INPUTS` runs it. In the order of the data: `inputs` makes an input from its
number and says what it changed; `drive` sends it to a server, or a client, of each API; `target`
is such a process, which reports the messages that it was given; `verdicts` compares, and has the
table of the differences for which there is a reason; `features` says what an input has that they
are about.
"""

__all__: list[str] = []
