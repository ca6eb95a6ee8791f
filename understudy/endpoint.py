"""Endpoint: a language model behind an OpenAI-compatible endpoint in a head's place, same prompts and same records.

The demonstrations are shown to it as earlier turns of the conversation, and it answers in JSON mode.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .address import EXAMPLE, completions, is_loopback
from .core.errors import UnderstudyError
from .core.prompts import Example
from .endpoint_prompt import conversation
from .endpoint_values import InvalidAnswer, values_of

if TYPE_CHECKING:
    from .agents.gatherer import Call

AT_ONCE = 4
TRIES = 4
LONGEST_PAUSE = 20.0
_DETAIL = 200


@dataclass(frozen=True)
class EndpointReply:
    """Attributes:
    values: the record's values.
    confidence: 1.0; an endpoint does not say how sure it is.
    tokens: tokens read and written, as the endpoint counts them; of both answers where it was asked again.
    seconds: wall time of the call, pauses and the second answer included.
    """

    values: dict[str, Any]
    confidence: float
    tokens: int
    seconds: float


class Endpoint:
    """Fills records by a model that is asked over HTTP, at most four calls at the same time.

    Args:
        url: of the API, as ``http://localhost:8000/v1``; ``/chat/completions`` is added where it is not there. One of
            this machine (:func:`.address.is_loopback`) is asked without a proxy.
        model: the name under which the endpoint serves the model.
        shown: role → the demonstrations that it is shown; a call's ``head`` is its role.
        key: sent as the bearer token; where an error tells what the server said, ``…`` stands in its place.
        timeout: seconds of silence after which a call is given up.
        pause: seconds before an overloaded or unreachable endpoint is tried again, up to four times in all; the second
            pause is twice as long, and so on.

    Attributes:
        calls: calls that the endpoint has answered, validly or not.
        valid_first: those of them whose first answer filled the record.
        seconds: sum of their wall times; they overlap where several are made at once.

    Raises:
        UnderstudyError: the url or the key cannot be one.
    """

    def __init__(
        self, url: str, model: str, shown: Mapping[str, Sequence[Example]], *,
        key: str | None = None, timeout: float = 60.0, pause: float = 0.5,
    ) -> None:  # fmt: skip
        self.url = completions(url)
        self.model, self.shown, self.timeout, self.pause = model, shown, timeout, pause
        self.calls, self.valid_first, self.seconds = 0, 0, 0.0
        self._key = key
        self._headers = {"Content-Type": "application/json", "User-Agent": "understudy"}
        if key is not None:
            if not key.isascii() or not key.isprintable() or not key or " " in key:
                raise UnderstudyError("the key is not one word of ASCII characters", mend="copy the key once more")
            self._headers["Authorization"] = f"Bearer {key}"
        direct = [urllib.request.ProxyHandler({})] if is_loopback(self.url) else []
        self._open = urllib.request.build_opener(_Straight, *direct).open
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="endpoint")
        self._counting = threading.Lock()
        self._closed = threading.Event()

    def decode(self, calls: Sequence[Call], /) -> list[EndpointReply]:
        """The replies to ``calls``, in the order given; where one fails, those that wait are given up.

        Raises:
            InvalidAnswer: two answers to a call did not fill its record.
            UnderstudyError: the endpoint refuses, cannot be reached or is too slow; a role has no demonstrations.
        """
        futures = [self.submit(call) for call in calls]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            for future in futures:
                future.cancel()
        for future in futures:
            if not future.cancelled() and (error := future.exception()):
                raise error
        return [future.result() for future in futures]

    def submit(self, call: Call, owner: str = "") -> Future[EndpointReply]:
        """The reply to one call, when it comes: so agents whose calls wait together each fail for themselves.

        Raises UnderstudyError after :meth:`close`.
        """
        try:
            return self._pool.submit(self._reply, call)
        except RuntimeError:  # the pool takes no more
            raise self._failed("the endpoint is closed", "make another") from None

    def close(self) -> None:
        """Give up the calls that wait, and the further tries of those under way; nothing can be asked any more."""
        self._closed.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _reply(self, call: Call) -> EndpointReply:
        if call.head not in self.shown:
            known = ", ".join(self.shown) or "no role"
            raise UnderstudyError(f"there are no demonstrations of {call.head!r}", mend=f"there are those of {known}")
        began, messages = time.perf_counter(), conversation(self.shown[call.head], call.prompt, call.record)
        text, tokens = self._complete(messages)
        valid = False
        try:
            try:
                values = values_of(text, call.prompt, call.record)
                valid = True
            except InvalidAnswer as first:
                complaint = f"That answer is not valid: {first}. Answer again with the whole JSON object."
                messages.append({"role": "assistant", "content": text or "(nothing)"})
                messages.append({"role": "user", "content": complaint})
                text, more = self._complete(messages)
                tokens += more
                values = self._last(text, call)
        finally:
            seconds = time.perf_counter() - began
            with self._counting:
                self.calls += 1
                self.valid_first += valid
                self.seconds += seconds
        return EndpointReply(values, 1.0, tokens, seconds)

    def _last(self, text: str, call: Call) -> dict[str, Any]:
        try:
            return values_of(text, call.prompt, call.record)
        except InvalidAnswer:
            what = f"{self.model} gave {call.head or 'the call'} no valid answer in two tries: {self._why(text, call)}"
            raise InvalidAnswer(what, where=self.url, mend="show it more demonstrations, or another model") from None

    def _why(self, text: str, call: Call) -> str:
        """Why an answer is not valid, without the key, which is taken out before the answer is cut for show."""
        try:
            values_of(self._untold(text), call.prompt, call.record)
        except InvalidAnswer as error:
            return self._untold(str(error))
        return "it repeats the key"

    def _complete(self, messages: Sequence[Mapping[str, str]]) -> tuple[str, int]:
        """The text that follows the messages (empty where there is none), and the tokens read and written."""
        import tenacity

        body = {"model": self.model, "messages": messages, "temperature": 0,
                "response_format": {"type": "json_object"}}  # fmt: skip
        growing = tenacity.wait_exponential(self.pause, LONGEST_PAUSE)

        def pause(state: tenacity.RetryCallState) -> float:
            busy = state.outcome.exception() if state.outcome else None
            asked = busy.pause if isinstance(busy, _Busy) else 0.0
            return max(growing(state), min(asked, LONGEST_PAUSE))

        policy = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(TRIES) | tenacity.stop_when_event_set(self._closed), wait=pause,
            retry=tenacity.retry_if_exception_type(_Busy), sleep=tenacity.sleep_using_event(self._closed), reraise=True,
        )  # fmt: skip
        try:
            reply = policy(self._post, json.dumps(body).encode())
        except _Busy as busy:
            raise UnderstudyError(f"{busy.what}, {TRIES} times", where=self.url, mend=busy.mend) from None
        try:
            text, usage = reply["choices"][0]["message"].get("content"), reply.get("usage") or {}
            counts = [usage.get(f"{part}_tokens") for part in ("prompt", "completion")]
        except (LookupError, TypeError, AttributeError):
            raise self._failed("the reply is no chat completion", f"give the url of the API, as {EXAMPLE}") from None
        return text if isinstance(text, str) else "", sum(count for count in counts if isinstance(count, int))

    def _post(self, body: bytes) -> Any:
        """The endpoint's reply as JSON; raises _Busy where it is worth trying again."""
        try:
            with self._open(urllib.request.Request(self.url, body, self._headers), timeout=self.timeout) as response:
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            raise self._refused(error) from None
        except (OSError, http.client.HTTPException) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            if isinstance(reason, TimeoutError):
                mend = "see whether the server is well, or give it more time"
                raise self._failed(f"no answer came within {self.timeout:g} s", mend) from None
            told = self._untold(str(reason))[:_DETAIL] or type(reason).__name__  # may be a line that the server sent
            what = f"the endpoint cannot be reached ({told})"
            raise _Busy(what, "start the server, or give another url") from None
        except (ValueError, RecursionError):
            raise self._failed("the reply is not JSON", f"give the url of the API, as {EXAMPLE}") from None

    def _refused(self, error: urllib.error.HTTPError) -> Exception:
        status, detail = error.code, self._detail(error)
        if status == 429:
            return _Busy(f"the endpoint takes no more calls now (429){detail}", "ask again later", _after(error))
        if status >= 500:
            return _Busy(f"the endpoint failed ({status}){detail}", "see the server's log, or ask again later",
                         _after(error))  # fmt: skip
        if status == 401:  # the detail may repeat a part of the key
            wrong = "asks for a key" if self._key is None else "does not take the key"
            open_way = self.url.startswith("http:") and not is_loopback(self.url)  # on which a key may be kept back
            mend = "give it a key that is valid there" + (", and an https address" if open_way else "")
            return self._failed(f"the endpoint {wrong} (401)", mend)
        if status == 403:
            return self._failed(f"the endpoint refuses the call (403){detail}",
                                f"use a key that may use the model {self.model!r}")  # fmt: skip
        if status == 404:
            return self._failed(f"the endpoint knows no such address or no model {self.model!r} (404){detail}",
                                f"give the url of the API, as {EXAMPLE}, and a model that it serves")  # fmt: skip
        if status < 400:
            return self._failed(f"the endpoint sends to another address ({status})", "give that address as the url")
        return self._failed(f"the endpoint refuses the call ({status}){detail}",
                            "it must take JSON mode, temperature 0 and a prompt of this length")  # fmt: skip

    def _detail(self, error: urllib.error.HTTPError) -> str:
        """What the endpoint says of a refusal, in one line without the key; empty where it says nothing."""
        try:
            said = error.read().decode(errors="replace")
        except (OSError, http.client.HTTPException):
            return ""
        try:
            told = whole = json.loads(said)
            while isinstance(told, dict):
                told = next((told[name] for name in ("error", "message", "detail") if name in told), None)
            said = told if isinstance(told, str) else json.dumps(whole, ensure_ascii=False)  # without escaped letters
        except (ValueError, RecursionError):
            pass
        line = " ".join("".join(letter if letter.isprintable() else " " for letter in self._untold(said)).split())
        return f": {line[:_DETAIL]}" if line else ""

    def _untold(self, said: str) -> str:
        """What a server said, with ``…`` in place of the key: as it is, and as JSON and Python write it."""
        for written in () if self._key is None else (self._key, json.dumps(self._key)[1:-1], repr(self._key)[1:-1]):
            said = said.replace(written, "…")
        return said

    def _failed(self, what: str, mend: str) -> UnderstudyError:
        return UnderstudyError(what, where=self.url, mend=mend)


class _Busy(Exception):
    """A failure after which the endpoint is tried again; ``pause``: seconds for which it asks."""

    def __init__(self, what: str, mend: str, pause: float = 0.0) -> None:
        super().__init__(what)
        self.what, self.mend, self.pause = what, mend, pause


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: nothing is sent, and no key, to an address that was not given."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> None:
        return None


def _after(error: urllib.error.HTTPError) -> float:
    """The seconds for which the endpoint asks to wait; 0 where it does not say, or names a date."""
    asked = error.headers.get("Retry-After", "")
    return float(asked) if asked.isascii() and asked.isdigit() else 0.0
