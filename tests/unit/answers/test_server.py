"""The server engine against servers on loopback that refuse, fail, stall or talk nonsense."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from reasonlite.answers.engines import Request, open_engine
from reasonlite.config.settings import Sampling, ServerEngine
from reasonlite.core.errors import UserError


def completion(content, finish="stop", **message):
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [
            {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8},
    }


class Fake(ThreadingHTTPServer):
    """Answers each POST with the next of ``replies`` (status, body); the last one is repeated."""

    def __init__(self, replies, models=None):
        self.replies, self.asked, self.busy, self.most_busy = list(replies), [], 0, 0
        self.models = {"data": [{"id": "m"}]} if models is None else models
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def send(self, status, body):
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.send(200, self.server.models)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        with server.lock:
            server.asked.append(body)
            server.busy += 1
            server.most_busy = max(server.most_busy, server.busy)
            status, reply = server.replies.pop(0) if len(server.replies) > 1 else server.replies[0]
        threading.Event().wait(0.02)
        with server.lock:
            server.busy -= 1
        self.send(status, reply)


def ask(server, count=1, template_arguments=None, **settings):
    engine = open_engine(
        ServerEngine(kind="server", url=server.url, model="m", **({"attempts": 3, "timeout_seconds": 10} | settings)),
        None,
        Sampling(temperature=0.5, top_p=0.9, max_tokens=7),
        template_arguments or {},
    )
    requests = [Request(str(n), [{"role": "user", "content": "q"}], seed=n) for n in range(count)]
    found = {request.key: reply for request, reply in engine.replies(requests)}
    return [found[request.key] for request in requests]


def test_a_request_carries_sampling_seed_and_template_arguments():
    server = Fake([(200, completion("\\boxed{4}"))])
    reply = ask(server, template_arguments={"reasoning_effort": "high"})[0]
    assert (reply.text, reply.prompt_tokens, reply.tokens, reply.finish_reason) == ("\\boxed{4}", 3, 5, "stop")
    sent = server.asked[0]
    assert (sent["temperature"], sent["top_p"], sent["max_tokens"], sent["seed"]) == (0.5, 0.9, 7, 0)
    assert sent["chat_template_kwargs"] == {"reasoning_effort": "high"}


def test_vllms_server_is_told_everything_and_another_only_what_was_asked_for():
    vllm = Fake([(200, completion("4"))], models={"data": [{"id": "m", "owned_by": "vllm"}]})
    ask(vllm)
    assert {name: vllm.asked[0][name] for name in ("top_k", "min_p", "repetition_penalty", "presence_penalty")} == {
        "top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0, "presence_penalty": 0.0,
    }  # fmt: skip
    other = Fake([(200, completion("4"))])
    ask(other)
    assert not {"top_k", "min_p", "repetition_penalty"} & set(other.asked[0])


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_reasoning_that_the_server_split_off_is_put_back(field):
    reply = ask(Fake([(200, completion("\\boxed{4}", **{field: "2+2"}))]))[0]
    assert reply.text == "<think>\n2+2\n</think>\\boxed{4}"


def test_failures_are_tried_again():
    server = Fake([(500, "oops"), (429, "slow down"), (200, completion("4"))])
    assert ask(server)[0].text == "4" and len(server.asked) == 3


def test_empty_content_with_stop_is_a_failed_reply():
    server = Fake([(200, completion("4")), (200, completion(None))])
    replies = ask(server, count=2, concurrency=1)
    assert [reply.text for reply in replies] == ["4", None] and len(server.asked) == 2
    assert replies[1].error == "empty reply with finish_reason stop" and not replies[1].lost


@pytest.mark.parametrize("garbage", ["not json", "{}", '{"choices": []}', "[]", '"text"', '{"choices": [{}]}'])
def test_garbage_is_a_named_failure(garbage):
    reply = ask(Fake([(200, garbage)]), attempts=1)[0]
    assert reply.text is None and reply.error and not reply.lost


@pytest.mark.parametrize(("status", "lost"), [(400, False), (401, True), (404, True), (429, True), (503, True)])
def test_what_the_server_did_not_take_is_lost_and_others_go_on(status, lost):
    replies = ask(Fake([(status, "no"), (200, completion("4"))]), count=3, concurrency=1, attempts=1)
    assert [reply.text for reply in replies] == [None, "4", "4"]
    assert str(status) in replies[0].error and replies[0].lost == lost


def test_no_more_requests_at_once_than_configured():
    server = Fake([(200, completion("4"))])
    assert len(ask(server, count=20, concurrency=3)) == 20
    assert 1 < server.most_busy <= 3


def test_a_refusing_server_a_wrong_model_and_a_wrong_page_stop_before_any_request():
    server = Fake([(200, completion("4"))])
    server.shutdown()
    server.server_close()
    with pytest.raises(UserError, match="does not answer"):
        ask(server)
    with pytest.raises(UserError, match="has no model 'm'; it has other"):
        ask(Fake([], models={"data": [{"id": "other"}]}))
    with pytest.raises(UserError, match="not an OpenAI-compatible list of models"):
        ask(Fake([], models="<html>"))


def test_a_missing_key_is_named(monkeypatch):
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with pytest.raises(UserError, match="NO_SUCH_KEY is not set"):
        ask(Fake([(200, completion("4"))]), api_key_variable="NO_SUCH_KEY")
