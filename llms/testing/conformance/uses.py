"""Which permissions the code of an extension needs, as far as reading it tells.

Code can hide what it does, and means no harm by most of what looks suspicious. This is an aid to honest authors, and no
guard: see docs/extensions/security.md.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

from llms.kernel.secrets import is_secret_name
from llms.testing.conformance.source import Module, text_of

# Each name stands for itself and for all below it.
_NAMES = MappingProxyType(
    {
        "net": (
            *("socket", "ssl", "socketserver", "http.client", "http.server", "urllib.request", "xmlrpc.client"),
            *("ftplib", "imaplib", "nntplib", "poplib", "smtplib", "telnetlib"),
            *("asyncio.open_connection", "asyncio.start_server"),
            *("aiohttp.ClientSession", "aiohttp.TCPConnector", "aiohttp.request"),
            *("requests", "httpx", "httpcore", "urllib3", "websocket", "websockets", "paramiko", "grpc"),
            *("anthropic", "openai", "boto3", "botocore", "ddgs", "duckduckgo_search", "playwright", "selenium"),
            *("asyncpg", "psycopg", "psycopg2", "pymongo", "pymysql", "redis"),
            *("ctx.http", "ctx.download_file", "ctx.session_download_file"),
        ),
        "exec": (
            *("subprocess", "multiprocessing", "pty", "ctypes", "cffi", "pexpect", "sh", "plumbum"),
            *("concurrent.futures.ProcessPoolExecutor",),
            *("asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"),
            *("os.system", "os.popen", "os.fork", "os.forkpty", "os.startfile", "os.posix_spawn", "os.posix_spawnp"),
            *("os.execl", "os.execle", "os.execlp", "os.execlpe", "os.execv", "os.execve", "os.execvp", "os.execvpe"),
            *("os.spawnl", "os.spawnle", "os.spawnlp", "os.spawnlpe"),
            *("os.spawnv", "os.spawnve", "os.spawnvp", "os.spawnvpe"),
            "ctx.run_command",
        ),
        "files": (
            *("shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.copytree", "shutil.move", "shutil.rmtree"),
            *("shutil.chown", "shutil.make_archive", "shutil.unpack_archive"),
            *("os.chmod", "os.chown", "os.link", "os.makedirs", "os.mkdir", "os.remove", "os.removedirs"),
            *("os.rename", "os.renames", "os.replace", "os.rmdir", "os.symlink", "os.truncate", "os.unlink"),
        ),
        "ui": (*("ctx.register_ui_extension", "ctx.add_importmaps", "ctx.add_index_header", "ctx.add_index_footer"),),
    }
)
# Methods of paths that no other common object has.
_WRITING = ("write_text", "write_bytes", "unlink", "rmdir", "mkdir", "touch", "symlink_to", "hardlink_to")
_METHODS = ("get", "post", "put", "delete", "patch")
_READING_ENVIRON = ("os.environ.get", "os.environ.pop", "os.environ.setdefault", "os.getenv")


@dataclass(frozen=True, slots=True)
class Use:
    """Something for which an extension needs `permission`: `what` stands at `place`."""

    permission: str
    what: str
    place: str

    def __str__(self) -> str:
        return f"{self.what} at {self.place}"


def uses(module: Module) -> Iterator[Use]:
    """What in `module` needs a permission, in the order of the text."""
    for found in module.imports():
        yield from _named(found.name, found.place)
    for node in module.nodes():
        place = module.place(node)
        if isinstance(node, ast.Name | ast.Attribute):
            yield from _named(module.name(node), place)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            if module.name(node.value) == "os.environ":
                yield from _secret(text_of([node.slice]), place)
        elif isinstance(node, ast.Call):
            yield from _called(module, node, place)


def _named(name: str, place: str) -> Iterator[Use]:
    for permission, names in _NAMES.items():
        for known in names:
            if name == known or name.startswith(f"{known}."):
                yield Use(permission, known, place)


def _called(module: Module, call: ast.Call, place: str) -> Iterator[Use]:
    name = module.name(call.func)
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if name in _READING_ENVIRON:
        yield from _secret(text_of(call.args), place)
    if method in _WRITING or (name in ("open", "io.open") and _writes(call, at=1)):
        yield Use("files", method or "open", place)
    elif method == "open" and name not in ("io.open", "os.open") and _writes(call, at=0):
        yield Use("files", method, place)
    is_route = method.removeprefix("add_") in _METHODS
    if is_route and any(keyword.arg == "public" and _is_true(keyword.value) for keyword in call.keywords):
        yield Use("routes:public", "public=True", place)


def _secret(name: str, place: str) -> Iterator[Use]:
    if is_secret_name(name) or name.upper().endswith("_KEY"):
        yield Use(f"secrets:{name}", name, place)


def _writes(call: ast.Call, *, at: int) -> bool:
    """Whether the mode of an `open`, its argument number `at`, is one that writes."""
    given = [keyword.value for keyword in call.keywords if keyword.arg == "mode"] or call.args[at : at + 1]
    mode = text_of(given)
    return 0 < len(mode) <= 3 and any(sign in mode for sign in "wax+")


def _is_true(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is True
