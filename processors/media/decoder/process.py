"""One decoder, as its pool sees it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

from processors.media.decoder.decoded import Decoded, DecoderBroken, DecoderLimits, Undecodable, printable
from processors.media.decoder.protocol import (
    Begun,
    Made,
    ProtocolViolation,
    Ready,
    Refused,
    Reply,
    receive_decoded,
    receive_reply,
    send_item,
)

START_TIMEOUT_S = 60.0
"""Loading the libraries takes a fraction of a second; on a machine that is short of everything, much longer."""

DYING_S = 5.0
"""A process whose pipe is closed is as good as gone: so long it may take to be so by itself, and as long again once it
is killed. A process that left its group may hold the pipes for ever: nobody waits for that."""

_BUFFER_BYTES = 1024 * 1024
"""Read ahead from a decoder's pipe."""

_LAST_WORDS = 2_000
"""Bytes kept of what a decoder writes to standard error."""

_log = logging.getLogger(__name__)


class DecoderLost(Exception):
    """The decoder died of something that the item need not have caused.

    `begun`: whether the item's bytes had all arrived there.
    """

    def __init__(self, reason: str, *, begun: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.begun = begun


class DecoderProcess:
    """Owns the child process: whoever has one must `end` it."""

    def __init__(self, process: Process, limits: DecoderLimits) -> None:
        assert process.stdin is not None  # noqa: S101  # asked for in `start`
        assert process.stdout is not None  # noqa: S101
        assert process.stderr is not None  # noqa: S101
        self._process = process
        self._input = process.stdin
        self._output = process.stdout
        self._limits = limits
        self._last_words = bytearray()
        self._listening = asyncio.create_task(self._listen(process.stderr))
        self._ending: asyncio.Task[int] | None = None
        self._begun = False
        self.items = 0
        """Items that it was given."""
        self.usable = False
        """Whether it may be given another: it has answered the last one as it should."""

    @classmethod
    async def start(
        cls, command: Sequence[str], environment: Mapping[str, str], limits: DecoderLimits
    ) -> DecoderProcess:
        """Raises `DecoderBroken` where the system does not let us."""
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                limit=_BUFFER_BYTES,
                env=environment,
                cwd="/",
                start_new_session=True,  # a terminal's interrupt is for the worker alone
            )
        except OSError as error:
            raise DecoderBroken(f"a decoder cannot be started: {error}") from error
        return cls(process, limits)

    @property
    def alive(self) -> bool:
        return self._process.returncode is None and self._ending is None

    @property
    def pid(self) -> int:
        return self._process.pid

    async def become_ready(self) -> None:
        """Before the first item. Raises `DecoderBroken` where it does not come up."""
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                self._expect(await receive_reply(self._output), Ready)
        except TimeoutError:
            raise DecoderBroken(f"a decoder did not come up within {START_TIMEOUT_S:g} s") from None
        except (ProtocolViolation, asyncio.IncompleteReadError, OSError) as error:
            status = await self._gone()
            words = printable(self._last_words.decode("utf-8", "replace").strip()[-200:])
            raise DecoderBroken(f"a decoder ended with status {status} before it was ready: {words or error}") from None
        self.usable = True

    async def decode(self, data: bytes, media_type: str) -> Decoded:
        """Raises `Undecodable` and `DecoderLost`; `usable` says whether the process is still good for more."""
        self.items += 1
        self.usable = self._begun = False
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                return await self._exchange(data, media_type)
        except TimeoutError:
            raise self._too_slow(media_type) from None
        except ProtocolViolation as error:
            _log.warning("a decoder (pid %d) was killed: it sent %s over a %s file", self.pid, error, media_type)
            raise Undecodable(f"the {media_type} file made its decoder send {error}; it was killed") from None
        except (asyncio.IncompleteReadError, OSError):
            raise self._death(await self._gone(), media_type) from None

    async def end(self) -> int:
        """Kills it, waits until it is gone, and gives its exit status: minus the signal, where it died of one.

        Once begun, it goes on even where the caller is cancelled.
        """
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())
        return await asyncio.shield(self._ending)

    async def _exchange(self, data: bytes, media_type: str) -> Decoded:
        await send_item(self._input, data)
        self._expect(await receive_reply(self._output), Begun)
        self._begun = True
        reply = await receive_reply(self._output)
        if isinstance(reply, Refused):
            self.usable = not reply.spent
            raise Undecodable(reply.reason)
        if not isinstance(reply, Made):
            raise ProtocolViolation(f"{type(reply).__name__} out of turn")
        decoded = await receive_decoded(self._output, reply, media_type, self._limits)
        self.usable = True
        return decoded

    @staticmethod
    def _expect(reply: Reply, kind: type[Ready | Begun]) -> None:
        if not isinstance(reply, kind):
            raise ProtocolViolation(f"{type(reply).__name__} instead of {kind.__name__}")

    def _too_slow(self, media_type: str) -> Undecodable | DecoderLost:
        seconds = f"{self._limits.timeout_s:g} s"
        if not self._begun:
            return DecoderLost(f"it took none of an item's bytes for {seconds}", begun=False)
        return Undecodable(f"the {media_type} file took too long: its decoder was killed after {seconds}")

    def _death(self, status: int, media_type: str) -> Undecodable | DecoderLost:
        how = f"died of {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        if not self._begun:
            return DecoderLost(how, begun=False)
        if status == -signal.SIGKILL:  # not by us: the system, short of memory, or a person
            return DecoderLost("was killed from outside, as systems short of memory do", begun=True)
        if status == -signal.SIGXCPU:
            limit = f"its CPU limit of {self._limits.timeout_s:g} s"
            return Undecodable(f"the {media_type} file took too long: its decoder was killed by {limit}")
        # Libraries in C++ abort where memory runs out, others run into a null pointer.
        limit = f"{self._limits.memory_mb:,} MB"
        return Undecodable(f"the {media_type} file made its decoder crash (it {how}; its memory limit is {limit})")

    async def _listen(self, stream: asyncio.StreamReader) -> None:
        # Read all the time: libraries warn there, and would wait for ever on a pipe that is full.
        while chunk := await stream.read(4_096):
            self._last_words += chunk
            del self._last_words[:-_LAST_WORDS]

    async def _gone(self) -> int:
        """The exit status of a process that seems to have died by itself."""
        # Not killed at once: asking a dead `Popen` to kill reaps it behind the event loop's back, who then cannot tell
        # what it died of.
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), DYING_S)
        return await self.end()

    async def _end(self) -> int:
        # Its whole group: what it started would hold its pipes. While one is held, the group's number is nobody else's.
        if self._process.returncode is None or not self._listening.done():
            with suppress(ProcessLookupError, PermissionError):  # all are dead, and will be waited for
                os.killpg(self.pid, signal.SIGKILL)
        self._input.close()
        gone = asyncio.create_task(self._process.wait())  # until its pipes are closed too
        await asyncio.wait({gone, self._listening}, timeout=DYING_S)
        if not gone.done() or not self._listening.done():
            _log.warning(
                "a decoder (pid %d) was killed and its pipes are held: by processes that it started?", self.pid
            )
            self._listening.cancel()
        cast("Any", self._process)._transport.close()  # noqa: SLF001  # asyncio has no other way to let go of its pipes
        await asyncio.wait({gone, self._listening}, timeout=DYING_S)
        gone.cancel()  # where not even the system gets rid of it
        status = self._process.returncode
        return -signal.SIGKILL if status is None else status
