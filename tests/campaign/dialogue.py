"""One side of a connection: sends and receives as its plan says, and records what it did."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable
from typing import Any

from tests.campaign.ledger import Kind, Received
from tests.campaign.message import ChangedError, Message, build, parse
from tests.campaign.peers import Closed, Connection
from tests.campaign.plan import ConnectionPlan
from tests.campaign.records import Record

__all__ = ["LIMIT", "converse"]

LIMIT = 120.0  # seconds for all of a dialogue, which need a few on a machine that is not busy
PONG_LIMIT = 60.0


async def converse(
    connection: Connection, name: str, role: str, plan: ConnectionPlan, record: Record
) -> None:
    """Be one side of a connection until it has ended."""
    dialogue = Dialogue(connection, name, role, plan, record)
    try:
        async with asyncio.timeout(LIMIT):
            await dialogue.run()
    except TimeoutError:
        record.fault(Kind.HANG, f"not at its end after {LIMIT} s: {dialogue.state()}")
        connection.end("abort")
    except Exception as exc:
        record.fault(Kind.ERROR, f"{type(exc).__name__}: {exc}, {dialogue.state()}")
        connection.end("abort")
    side = record.side
    side.close_sent, side.close_received = connection.codes()
    record.finish()


class Dialogue:
    """The state of one side; the arguments are those of `converse`."""

    def __init__(
        self, connection: Connection, name: str, role: str, plan: ConnectionPlan, record: Record
    ) -> None:
        own, other = ("client", "server") if role == "client" else ("server", "client")
        self._connection = connection
        self._plan = plan.client if role == "client" else plan.server
        self._expected = (plan.server if role == "client" else plan.client).count
        self._ending = plan.ending
        self._ends = plan.ending.who in (role, "both")
        self._name = f"{name}/{own}"
        self._received = Received(f"{name}/{other}")
        self._record = record
        self._sending = random.Random(f"{self._plan.seed} sending")
        self._receiving = random.Random(f"{self._plan.seed} receiving")
        self._may_end = asyncio.Event()
        self._deaf = False

    def state(self) -> str:
        """Say how far it got."""
        return f"{self._record.side}, to send {self._plan.count}, to receive {self._expected}"

    async def run(self) -> None:
        """Do all of it."""
        receiver = asyncio.ensure_future(self._receive())
        sender = asyncio.ensure_future(self._send())
        tasks = {receiver, sender}
        try:
            if self._ends:
                await self._end(receiver)
            if not (self._ends and self._ending.how == "return"):
                await asyncio.wait(tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled():
                task.result()

    # -- the end

    async def _end(self, receiver: asyncio.Future[None]) -> None:
        await self._may_end.wait()
        how = self._ending.how
        if how == "close":
            await self._connection.close()
            return
        self._deaf = True
        receiver.cancel()
        await asyncio.wait({receiver})
        self._record.side.drained = False
        if how == "deaf close":
            await self._connection.close()
        elif how != "return":
            self._connection.end(how)
            # What comes now is of no interest, but that the end comes is.
            with contextlib.suppress(Closed):
                while True:
                    await self._connection.recv()

    def _look_whether_to_end(self) -> None:
        side, when = self._record.side, self._ending.when
        sent_all = side.handed >= self._plan.count
        if (
            (when == "sending" and side.handed * 2 >= self._plan.count)
            or (when == "sent" and sent_all)
            or (sent_all and self._received.end >= self._expected)
        ):
            self._may_end.set()

    # -- sending

    async def _send(self) -> None:
        self._look_whether_to_end()
        try:
            for number in range(self._plan.count):
                await self._send_one(number)
                self._look_whether_to_end()
                await self._after_sending()
        except Closed:
            pass
        except Exception:
            self._may_end.set()  # so that it is raised soon
            raise

    async def _send_one(self, number: int) -> None:
        rng, plan, side = self._sending, self._plan, self._record.side
        is_text = rng.random() < plan.text
        size = int(plan.largest ** rng.random()) if rng.random() < 0.9 else plan.largest
        content = Message(self._name, number, self._received.count)
        message = build(content, size, is_text, rng)
        side.begun = number + 1
        self._record.save()
        if rng.random() < plan.fragments:
            await self._uncertainly(number, self._connection.send_fragments(cut(message, rng)))
        elif rng.random() < plan.cancels_send and number + 1 < plan.count:
            await self._cancelled(number, message)
        else:
            await self._uncertainly(number, self._connection.send(message))
        side.handed = number + 1
        self._record.save()

    async def _uncertainly(self, number: int, sending: Awaitable[None]) -> None:
        """Send; if the connection closes meanwhile the message may have left or not."""
        try:
            await sending
        except BaseException:
            self._record.side.uncertain.append(number)
            raise

    async def _cancelled(self, number: int, message: str | bytes) -> None:
        """Send in a task that is cancelled at some moment, perhaps too late."""
        task = asyncio.ensure_future(self._connection.send(message))
        try:
            for _ in range(self._sending.choice((0, 0, 1, 2, 5))):
                await asyncio.sleep(0)
        finally:
            task.cancel()
            await asyncio.wait({task})
            if task.cancelled() or task.exception():
                self._record.side.uncertain.append(number)
        if not task.cancelled():
            task.result()

    async def _after_sending(self) -> None:
        rng, plan = self._sending, self._plan
        if rng.random() < plan.pauses:
            await asyncio.sleep(rng.random() * plan.pause)
        if rng.random() < plan.pings:
            try:
                async with asyncio.timeout(PONG_LIMIT):
                    await self._connection.ping()
            except TimeoutError:
                self._record.fault(Kind.HANG, f"no pong: {self.state()}")

    # -- receiving

    async def _receive(self) -> None:
        try:
            while True:
                self._take(await self._receive_one())
                if self._receiving.random() < self._plan.slow:
                    await asyncio.sleep(self._receiving.random() * max(self._plan.pause, 0.002))
        except Closed:
            self._record.side.drained = not self._deaf
        finally:
            self._may_end.set()

    async def _receive_one(self) -> str | bytes:
        rng = self._receiving
        while rng.random() < self._plan.cancels_recv:
            if rng.random() < 0.5:
                # The time-out may come at the very moment at which there is a message.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(rng.choice((0, 0, 0.0001, 0.001, 0.01))):
                        return await self._connection.recv()
            else:
                received = await self._cancelled_recv(rng.choice((0, 1, 2, 5)))
                if received is not None:
                    return received
        return await self._connection.recv()

    async def _cancelled_recv(self, iterations: int) -> str | bytes | None:
        """Receive in a task that is cancelled after so many iterations of the loop."""
        task = asyncio.ensure_future(self._connection.recv())
        try:
            for _ in range(iterations):
                await asyncio.sleep(0)
        finally:
            task.cancel()
            await asyncio.wait({task})
        return None if task.cancelled() else task.result()

    def _take(self, received: str | bytes) -> None:
        side = self._record.side
        try:
            message = parse(received)
        except ChangedError as exc:
            self._record.fault(Kind.CHANGED, str(exc))
            return
        fault = self._received.take(message)
        if fault is not None:
            self._record.fault(fault.kind, fault.text)
        side.received, side.gaps = self._received.end, self._received.gaps
        side.acknowledged = max(side.acknowledged, message.acknowledged)
        self._record.save()
        self._look_whether_to_end()


def cut(message: str | bytes, rng: random.Random) -> Any:
    """Cut a message into up to eight parts; some may be empty."""
    ends = sorted(rng.randrange(len(message) + 1) for _ in range(rng.randrange(8)))
    starts = [0, *ends]
    return [message[a:b] for a, b in zip(starts, [*ends, len(message)], strict=True)]
