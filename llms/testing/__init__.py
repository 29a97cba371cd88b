"""For authors of extensions, and for our own tests: a real server, and far ends that do as they are told.

async with make_app(install) as server:
    server.provider.enqueue("Hello!")
    reply = await server.chat("Hi")
    assert reply.text == "Hello!"
"""

from llms.testing.app import Reply, TestServer, make_app
from llms.testing.ext_app import ExtApp
from llms.testing.provider import FakeProvider, tool_call
from llms.testing.sync import SyncServer
from llms.testing.upstream import Cut, FakeUpstream, Gate, Hang, Pause, Received, Script, sse

__all__ = [
    "Cut",
    "ExtApp",
    "FakeProvider",
    "FakeUpstream",
    "Gate",
    "Hang",
    "Pause",
    "Received",
    "Reply",
    "Script",
    "SyncServer",
    "TestServer",
    "make_app",
    "sse",
    "tool_call",
]
