"""Files reach a model in a form that it can read."""

import base64
from typing import Any

import pytest

from llms.media.documents import Documents
from llms.testing import FakeUpstream, make_app
from llms.testing.app import upstream_config
from tests.media.test_documents import WORD, docx, pdf

from .clock import Clock


def part(data: bytes, mime: str, name: str = "a.pdf") -> Any:
    uri = f"data:{mime};base64,{base64.b64encode(data).decode()}"
    return {"type": "file", "file": {"filename": name, "file_data": uri}}


async def sent(upstream: FakeUpstream, *parts: Any, reads: list[str] | None = None) -> Any:
    """What a model that reads these modalities is sent, or the error its caller gets."""
    model: Any = {"id": "fake-model", "name": "F"}
    if reads is not None:
        model["modalities"] = {"input": reads, "output": ["text"]}
    content = [*parts, {"type": "text", "text": "What?"}]
    async with make_app(config=upstream_config(upstream, models={"fake-model": model})) as server:
        messages = [{"role": "user", "content": content}]
        reply = await server.post("/v1/chat/completions", {"model": "fake-model", "messages": messages})
    return upstream.requests[-1].body["messages"][0]["content"] if reply.status == 200 else reply.body["error"]


@pytest.mark.parametrize("reads", [None, ["text", "pdf"]])
async def test_a_pdf_stays_one_for_a_model_that_may_read_it(fake_upstream: FakeUpstream, reads: Any) -> None:
    given = part(pdf("Hello"), "application/pdf")
    assert (await sent(fake_upstream, given, reads=reads))[0] == given


async def test_a_pdf_becomes_text_for_a_model_that_cannot_read_it(fake_upstream: FakeUpstream) -> None:
    content = await sent(fake_upstream, part(pdf("Hello"), "application/pdf"), reads=["text", "image"])
    assert content[0] == {"type": "text", "text": '<file name="a.pdf">\n[Page 1]\nHello\n\n\n</file>'}


async def test_a_pdf_becomes_text_for_a_model_that_reads_text_alone(fake_upstream: FakeUpstream) -> None:
    content = await sent(fake_upstream, part(pdf("Hello"), "application/pdf"), reads=["text"])
    assert content == '<file name="a.pdf">\n[Page 1]\nHello\n\n\n</file>\nWhat?'


async def test_an_office_document_becomes_text(fake_upstream: FakeUpstream) -> None:
    content = await sent(fake_upstream, part(docx(), WORD, 'a "b".docx'))
    assert content[0]["text"].startswith('<file name="a &quot;b&quot;.docx">\n## Plan\n')


async def test_a_text_file_becomes_text(fake_upstream: FakeUpstream) -> None:
    content = await sent(fake_upstream, part(b"a,b", "text/csv", "a.csv"))
    assert content[0]["text"] == '<file name="a.csv">\na,b\n</file>'


async def test_a_file_that_nobody_can_read_is_refused(fake_upstream: FakeUpstream) -> None:
    error = await sent(fake_upstream, part(b"\0\1", "application/zip", "a.zip"))
    assert error["message"].startswith("The model cannot read 'a.zip' (application/zip)")
    assert fake_upstream.requests == []


async def test_a_broken_pdf_is_refused_with_the_reason(fake_upstream: FakeUpstream) -> None:
    error = await sent(fake_upstream, part(b"%PDF-1.7", "application/pdf"), reads=["text"])
    assert "'a.pdf' cannot be read" in error["message"]


async def test_a_file_that_lies_with_the_provider_stays_there(fake_upstream: FakeUpstream) -> None:
    given = {"type": "file", "file": {"file_id": "file-1"}}
    assert (await sent(fake_upstream, given, reads=["text", "image"]))[0] == given


async def test_the_time_it_takes_to_read_a_document_is_not_the_providers(fake_upstream: FakeUpstream) -> None:
    clock = Clock()

    class Slow(Documents):
        async def text(self, *args: Any) -> str:
            clock.passes(60)
            return "Hello"

    async with make_app(config=upstream_config(fake_upstream, models={"fake-model": {"id": "fake-model"}})) as server:
        server.app.pipeline._documents = Slow()
        server.app.pipeline.routing.timings.clock = clock
        content = [part(docx(), WORD, "a.docx"), {"type": "text", "text": "What?"}]
        await server.chat(messages=[{"role": "user", "content": content}])
        [provider] = server.app.registry.live
        waits = server.app.pipeline.routing.timings.expected((provider, "fake-model", False))
    assert waits == 0
