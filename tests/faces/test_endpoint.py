"""A language model behind an endpoint in a head's place, against a small server that the test starts."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any
from urllib.error import HTTPError

import pytest

from understudy.agents.gatherer import Call, ask
from understudy.agents.generators import GENERATORS
from understudy.core.errors import UnderstudyError
from understudy.core.fields import Choice, Number, Record
from understudy.core.prompts import Example, Prompt
from understudy.endpoint import Endpoint
from understudy.endpoint_values import InvalidAnswer, as_json, values_of

TRIAGE = Record((("queue", Choice(("bug", "billing"))), ("days", Number(integer=True))))
SHOWN = (
    Example(Prompt(message=(("text", "it crashes"),), role="sorts messages"), TRIAGE, {"queue": "bug", "days": 2}),
    Example(Prompt(message=(("text", "paid twice"),), role="sorts messages"), TRIAGE, {"queue": "billing", "days": 9}),
)
CALL = Call(Prompt(message=(("text", "my card was charged"),), role="sorts messages"), TRIAGE, "triage")
GOOD = '{"queue": "billing", "days": 3}'
Answer = str | int | Mapping[str, Any] | bytes | tuple[int, bytes]


class Server:
    """Answers what the script says: a text as completion, a number as status (with bytes: and what is said with it; 0:
    they are sent as they are), bytes or an object as the whole reply.
    The last of the script is answered for ever. ``answer`` in its place is asked with the request's body.
    """

    def __init__(self) -> None:
        self.script: list[Answer] = [GOOD]
        self.answer: Callable[[Any], str] | None = None
        self.requests: list[tuple[str, Mapping[str, str], Any]] = []
        self.headers: dict[str, str] = {}
        self.pause = 0.0
        self.together = self.most = self.wanted = 0  # requests: in work now, most at a time, waited for by the first
        self.changed = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with outer.changed:
                    outer.requests.append((self.path, dict(self.headers), body))
                    said = outer.script[0] if len(outer.script) == 1 else outer.script.pop(0)
                    outer.together += 1
                    outer.most = max(outer.most, outer.together)
                    outer.changed.notify_all()
                    outer.changed.wait_for(lambda: outer.most >= outer.wanted, timeout=10)
                time.sleep(outer.pause)
                if outer.answer is not None:
                    said = outer.answer(body)
                with outer.changed:
                    outer.together -= 1  # before the reply, since whoever has it may ask the next thing at once
                if said == b"":
                    self.close_connection = True  # hung up without a word
                else:
                    self.reply(said)

            def reply(self, said: Answer) -> None:
                status, data = 200, b""
                if isinstance(said, tuple):
                    status, data = said
                    if not status:
                        self.wfile.write(data)
                        self.close_connection = True
                        return
                elif isinstance(said, int):
                    status, data = said, json.dumps({"error": {"message": "because of\nthe sk-secret key"}}).encode()
                elif isinstance(said, bytes):
                    data = said
                else:
                    used = {"prompt_tokens": 100, "completion_tokens": 7}
                    message = {"choices": [{"message": {"content": said}}], "usage": used}
                    data = json.dumps(message if isinstance(said, str) else said).encode()
                self.send_response(status)
                for name, value in {**outer.headers, "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                return None

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/v1"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    one = Server()
    thread = threading.Thread(target=one.http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield one
    one.http.shutdown()
    one.http.server_close()
    thread.join()


def endpoint(server: Server, **options: Any) -> Endpoint:
    return Endpoint(server.url, "tiny", {"triage": SHOWN}, **{"pause": 0.01, **options})


def test_the_demonstrations_are_shown_and_json_is_asked_for(server: Server) -> None:
    asked = endpoint(server, key="sk-secret")
    (reply,) = asked.decode([CALL])
    assert (reply.values, reply.confidence, reply.tokens) == ({"queue": "billing", "days": 3}, 1.0, 107)
    assert 0 < reply.seconds == asked.seconds
    ((path, headers, body),) = server.requests
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer sk-secret"
    assert {name: body[name] for name in body if name != "messages"} == {
        "model": "tiny", "temperature": 0, "response_format": {"type": "json_object"}
    }  # fmt: skip
    system, *turns = body["messages"]
    assert system["role"] == "system" and system["content"].splitlines()[0] == "sorts messages"
    for said in ("JSON", '"queue": one of "bug", "billing"', '"days": an integer'):
        assert said in system["content"]
    assert turns == [
        {"role": "user", "content": "text: it crashes"},
        {"role": "assistant", "content": '{"queue": "bug", "days": 2}'},
        {"role": "user", "content": "text: paid twice"},
        {"role": "assistant", "content": '{"queue": "billing", "days": 9}'},
        {"role": "user", "content": "text: my card was charged"},
    ]


def test_an_invalid_answer_is_asked_again_with_the_complaint(server: Server) -> None:
    server.script = ['{"queue": "howto", "days": 1}', GOOD, GOOD, "oops", GOOD]
    asked = endpoint(server)
    replies = [asked.decode([CALL])[0] for _ in range(3)]
    assert [reply.values["queue"] for reply in replies] == ["billing"] * 3
    assert [reply.tokens for reply in replies] == [214, 107, 214]
    assert (asked.calls, asked.valid_first, len(server.requests)) == (3, 1, 5)
    assert asked.seconds == pytest.approx(sum(reply.seconds for reply in replies))
    *_, answered, complaint = server.requests[1][2]["messages"]
    assert answered == {"role": "assistant", "content": '{"queue": "howto", "days": 1}'}
    assert complaint["role"] == "user"
    assert """the field 'queue' is not one of "bug", "billing": "howto".""" in complaint["content"]
    assert len(server.requests[2][2]["messages"]) == len(server.requests[0][2]["messages"])


def test_two_invalid_answers_are_an_error_that_says_what(server: Server) -> None:
    server.script = ['{"queue": "bug", "days": "3"}']
    asked = endpoint(server)
    with pytest.raises(InvalidAnswer) as caught:
        asked.decode([CALL])
    assert str(caught.value) == (
        f"{server.url}/chat/completions: tiny gave triage no valid answer in two tries: the field 'days' is not a "
        'number: "3"; show it more demonstrations, or another model'
    )
    assert (asked.calls, asked.valid_first, len(server.requests)) == (1, 0, 2)


def test_agents_that_ask_together_fail_each_for_itself(server: Server) -> None:
    server.pause, server.wanted = 0.05, 4
    server.answer = lambda body: GOOD if body["messages"][-1]["content"] != "text: bad" else "{}"
    asked = endpoint(server)
    bad = Call(Prompt(message=(("text", "bad"),)), TRIAGE, "triage")

    async def all_of_them() -> list[Any]:
        calls = [CALL, bad, *[CALL] * 6]
        return await asyncio.gather(*(ask(asked, call) for call in calls), return_exceptions=True)

    replies = asyncio.run(all_of_them())
    # The complaint about {} ends its second conversation, so that the server takes it for a good question.
    assert [reply.values["days"] for reply in replies] == [3] * 8
    assert (asked.calls, asked.valid_first, server.most) == (8, 7, 4)
    server.answer = lambda body: GOOD if "bad" not in str(body["messages"][-3:]) else "{}"
    replies = asyncio.run(all_of_them())
    assert [isinstance(reply, InvalidAnswer) for reply in replies] == [False, True, *[False] * 6]
    assert (asked.calls, asked.valid_first) == (16, 14)


@pytest.mark.parametrize("trouble", [500, 503, 429, b""])
def test_a_server_in_trouble_is_tried_again(server: Server, trouble: Answer) -> None:
    server.script = [trouble, trouble, GOOD]
    asked = endpoint(server)
    assert asked.decode([CALL])[0].values["days"] == 3
    assert (asked.calls, asked.valid_first, len(server.requests)) == (1, 1, 3)


def test_the_pause_that_a_server_asks_for_is_kept(server: Server) -> None:
    server.script, server.headers = [429, GOOD], {"Retry-After": "1"}
    asked = endpoint(server)
    asked.decode([CALL])
    assert asked.seconds >= 1


@pytest.mark.parametrize(
    ("status", "tries", "said"),
    [
        (401, 1, "the endpoint asks for a key (401); give it a key that is valid there"),
        (403, 1, "refuses the call (403): because of the sk-secret key; use a key that may use the model 'tiny'"),
        (404, 1, "knows no such address or no model 'tiny' (404): because of the sk-secret key; give the url"),
        (400, 1, "the endpoint refuses the call (400): because of the sk-secret key; it must take JSON mode"),
        (302, 1, "the endpoint sends to another address (302); give that address"),
        (429, 4, "takes no more calls now (429): because of the sk-secret key, 4 times; ask again later"),
        (500, 4, "the endpoint failed (500): because of the sk-secret key, 4 times; see the server's log"),
        (b"", 4, "cannot be reached"),
        (b"<html>", 1, "the reply is not JSON; give the url of the API"),
        (b"[1]", 1, "the reply is no chat completion; give the url of the API"),
        ({"choices": []}, 1, "the reply is no chat completion; give the url of the API"),
    ],
)
def test_a_refusal_says_where_and_how_to_mend_it(server: Server, status: Answer, tries: int, said: str) -> None:
    server.script, server.headers = [status], {"Location": f"{server.url}/elsewhere"}
    asked = endpoint(server)
    with pytest.raises(UnderstudyError) as caught:
        asked.decode([CALL])
    assert str(caught.value).startswith(f"{server.url}/chat/completions: ") and said in str(caught.value)
    assert not isinstance(caught.value, InvalidAnswer)
    assert (len(server.requests), asked.calls, asked.seconds) == (tries, 0, 0.0)


def test_a_key_that_is_not_taken_is_not_told(server: Server) -> None:
    server.script, server.pause = [401], 0.05
    with pytest.raises(UnderstudyError, match="does not take the key") as caught:
        endpoint(server, key="sk-secret").decode([CALL] * 12)
    assert "secret" not in str(caught.value)
    time.sleep(0.3)
    assert len(server.requests) < 12  # those in line are given up


@pytest.mark.parametrize("status", [400, 402, 403, 404, 409, 413, 418, 422, 429, 500, 502, 503, 504])
def test_a_server_that_repeats_the_key_is_not_repeated(server: Server, status: int) -> None:
    server.script = [status]
    with pytest.raises(UnderstudyError, match="because of the … key") as caught:
        endpoint(server, key="sk-secret").decode([CALL])
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("status", [301, 302, 307, 401])
def test_of_some_refusals_nothing_is_repeated(server: Server, status: int) -> None:
    server.script, server.headers = [status], {"Location": "http://sk-secret.example/"}
    with pytest.raises(UnderstudyError) as caught:
        endpoint(server, key="sk-secret").decode([CALL])
    assert "secret" not in str(caught.value) and "because" not in str(caught.value)


ODD = 'sk-"a\\b/c'
HEADERS = {"headers": {"Authorization": f"Bearer {ODD}"}}


@pytest.mark.parametrize(
    "said",
    [
        (400, f"Bearer {ODD} is wrong".encode()),
        (400, json.dumps(HEADERS).encode()),
        (400, json.dumps(HEADERS).replace("/", "\\/").replace("sk", "\\u0073k").encode()),
        (400, f"{'.' * 190} {ODD}".encode()),  # where it would be cut
        (0, f"no HTTP but {ODD}\r\n\r\n".encode()),
        f"Bearer {ODD}",
        json.dumps({"queue": ODD, "days": 1}),
        f"{'.' * 112} {ODD}",
    ],
)
def test_the_key_is_not_told_however_it_is_written(server: Server, said: Answer) -> None:
    server.script = [said]
    with pytest.raises(UnderstudyError) as caught:
        endpoint(server, key=ODD).decode([CALL])
    assert "…" in str(caught.value)
    assert not any(part in str(caught.value) for part in ("sk-", "b/c", "u0073"))


def test_a_key_that_may_not_go_over_http_wants_https() -> None:
    asked = Endpoint("http://192.0.2.1/v1", "tiny", {})
    refused = asked._refused(HTTPError(asked.url, 401, "", Message(), BytesIO()))
    assert str(refused).endswith("asks for a key (401); give it a key that is valid there, and an https address")


def test_this_machine_is_asked_without_a_proxy(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key for it would reach the proxy in plain words."""
    monkeypatch.delenv("no_proxy")
    monkeypatch.setenv("http_proxy", "http://192.0.2.1:9")
    assert endpoint(server, key="sk-secret", timeout=2.0).decode([CALL])[0].values["days"] == 3


def until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_closing_gives_up_the_calls_that_wait(server: Server) -> None:
    server.pause = 0.3
    asked = endpoint(server)
    futures = [asked.submit(CALL) for _ in range(12)]
    until(lambda: len(server.requests) == 4)
    asked.close()
    assert [future.cancelled() for future in futures] == [False] * 4 + [True] * 8
    assert [future.result(5).values["days"] for future in futures[:4]] == [3] * 4
    assert len(server.requests) == 4
    with pytest.raises(UnderstudyError, match="the endpoint is closed; make another"):
        asked.submit(CALL)


def test_closing_ends_the_pauses_between_tries(server: Server) -> None:
    server.script = [500]
    asked = endpoint(server, pause=20.0)
    future = asked.submit(CALL)
    until(lambda: len(server.requests) == 1)
    asked.close()
    assert isinstance(future.exception(5), UnderstudyError)
    assert len(server.requests) <= 2


def test_a_silent_server_is_given_up(server: Server) -> None:
    server.pause = 0.6
    with pytest.raises(UnderstudyError, match=r"/v1/chat/completions: no answer came within 0\.2 s; see"):
        endpoint(server, timeout=0.2).decode([CALL])
    assert len(server.requests) == 1


def test_no_server_is_told(server: Server) -> None:
    server.http.server_close()
    with pytest.raises(UnderstudyError, match=r"cannot be reached \(.*refused.*\), 4 times; start the server"):
        endpoint(server).decode([CALL])


@pytest.mark.parametrize(
    ("added", "path"),
    [
        ("", "/v1/chat/completions"),
        ("/", "/v1/chat/completions"),
        ("/chat/completions", "/v1/chat/completions"),
        ("/a", "/v1/a/chat/completions"),
    ],
)
def test_the_address_is_taken_as_it_is_given(server: Server, added: str, path: str) -> None:
    Endpoint(server.url + added, "tiny", {"triage": ()}).decode([CALL])
    assert server.requests[0][0] == path


@pytest.mark.parametrize("url", ["localhost:8000/v1", "file:///etc/hosts", "http://", "http://a b/v1", "http://a:b/v1"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UnderstudyError, match="no address of an API"):
        Endpoint(url, "tiny", {})


@pytest.mark.parametrize(
    ("url", "key", "said"),
    [
        ("http://me:hush@host/v1", None, "holds a name or password"),
        ("http://me:hush@ho st/v1", None, "the url is no address"),
        ("http://host/v1", "hush\n", "not one word"),
        ("http://host/v1", "", "not one word"),
        ("https://host/v1?key=hush", None, "goes on behind '?' or '#'; leave that out"),
        ("https://host/v1/chat/completions?key=hush", None, "goes on behind '?' or '#'; leave that out"),
        ("https://host/v1#hush", None, "goes on behind '?' or '#'; leave that out"),
        ("nowhere?hush", None, "goes on behind '?' or '#'; leave that out"),
    ],
)
def test_a_secret_in_the_url_or_a_broken_key_is_refused_untold(url: str, key: str | None, said: str) -> None:
    with pytest.raises(UnderstudyError) as caught:
        Endpoint(url, "tiny", {}, key=key)
    assert said in str(caught.value) and "hush" not in str(caught.value)


def test_a_role_that_is_shown_nothing_is_told(server: Server) -> None:
    with pytest.raises(UnderstudyError, match="no demonstrations of 'qa'; there are those of triage"):
        endpoint(server).decode([Call(CALL.prompt, TRIAGE, "qa")])


@pytest.mark.parametrize("role", ["planner", "coder", "qa", "recommender"])
def test_the_shipped_roles_get_the_right_values_back(server: Server, role: str) -> None:
    rng = random.Random(0)
    shown, asked = ([GENERATORS[role](rng) for _ in range(count)] for count in (4, 3))
    answers = [json.dumps(as_json(example.values, example.record)) for example in asked]

    def answer(body: Any) -> str:
        said = body["messages"][-1]["content"]
        return next(
            answer for example, answer in zip(asked, answers, strict=True)
            if all(f"{name}: {text}" in said for name, text in example.prompt.message)
            and all(passage.text in said for passage in example.prompt.passages)
        )  # fmt: skip

    server.answer = answer
    decoder = Endpoint(server.url, "tiny", {role: shown})
    replies = decoder.decode([Call(example.prompt, example.record, role) for example in asked])
    wanted = [values_of(answer, example.prompt, example.record) for example, answer in zip(asked, answers, strict=True)]
    assert [reply.values for reply in replies] == wanted
    assert decoder.valid_first == decoder.calls == 3
