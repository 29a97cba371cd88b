"""The checks that run an extension, on extensions that break one rule each."""

from pathlib import Path

from llms.testing.conformance.report import Check, Outcome
from llms.testing.conformance.running import CHECKS

from .conftest import Try

GOOD = '''
from llms.api import ext


@ext.get("hello/{name}")
async def hello(request, ctx):
    return {"hello": request.match_info["name"]}


@ext.tool
def double(number: int) -> int:
    """Doubles a number.

    Args:
        number: The number.
    """
    return 2 * number


@ext.filter("chat_request")
async def change_nothing(chat, context): ...
'''


def failed(checks: dict[str, Check]) -> list[str]:
    return [name for name, check in checks.items() if check.outcome is Outcome.FAILED]


async def test_a_good_extension_passes_every_check(trying: Try) -> None:
    checks = await trying(GOOD)
    assert tuple(checks) == CHECKS
    assert {check.outcome for check in checks.values()} == {Outcome.OK}
    assert checks["loads"].told == "It loads in a clean home, with 1 route, 1 tool, 1 filter."
    assert checks["loop"].told == "Its start and 1 GET route kept nobody else waiting."
    assert checks["guarded"].told == "1 route turned away who is not signed in."


async def test_an_extension_that_is_all_page_passes_too(trying: Try) -> None:
    checks = await trying(None, {"ui/index.mjs": "export default {};"})
    assert failed(checks) == []
    assert checks["tools"].told == "It offers no tool."
    assert checks["guarded"].told == "It has no routes."


# -- loading -----------------------------------------------------------------------------------------------------


async def test_one_that_does_not_load_fails_with_the_reason_and_nothing_else_is_tried(trying: Try) -> None:
    checks = await trying("raise ValueError('no luck')")
    assert failed(checks) == ["loads"]
    assert checks["loads"].told == "It is not loaded: no luck"
    assert {check.told for name, check in checks.items() if name != "loads"} == {"It is not loaded."}


async def test_one_that_takes_no_part_is_not_judged(trying: Try) -> None:
    checks = await trying("def __install__(ctx):\n    ctx.disabled = 'There is nothing to do here.'")
    assert {check.outcome for check in checks.values()} == {Outcome.SKIPPED}
    assert "There is nothing to do here." in checks["loads"].told


async def test_a_handler_that_fails_at_the_start_is_told(trying: Try) -> None:
    checks = await trying("def __install__(ctx):\n    ctx.register_startup_handler(lambda: 1 / 0)")
    assert "division by zero" in checks["loads"].told
    assert "loads" in failed(checks)


async def test_one_that_cannot_be_loaded_twice_fails(trying: Try) -> None:
    source = """
        from pathlib import Path

        def __install__(ctx):
            Path(ctx.get_home_path("lock")).touch(exist_ok=False)
    """
    checks = await trying(source)
    assert failed(checks) == ["reloads"]
    assert "lock" in checks["reloads"].told
    assert checks["unloads"].told == "It is not loaded."


async def test_one_that_is_another_when_loaded_again_fails(trying: Try) -> None:
    source = """
        from pathlib import Path

        def __install__(ctx):
            mark = Path(ctx.get_home_path("mark"))
            ctx.add_get("again" if mark.exists() else "first", lambda request: {})
            mark.touch()
    """
    checks = await trying(source)
    assert failed(checks) == ["reloads"]
    told = checks["reloads"].told
    assert "added route GET /ext/mine/again, missing route GET /ext/mine/first" in told


# -- tools -------------------------------------------------------------------------------------------------------


async def test_a_tool_without_a_description_fails(trying: Try) -> None:
    checks = await trying("def __install__(ctx):\n    ctx.register_tool(lookup)\n\ndef lookup(word: str): ...")
    assert failed(checks) == ["tools"]
    assert "lookup has no description" in checks["tools"].told


async def test_a_tool_that_vendors_would_refuse_fails(trying: Try) -> None:
    source = """
        def lookup(**_): ...

        def __install__(ctx):
            wrong = {"type": "object", "properties": {"x": {"type": "text"}}}
            function = {"name": "a.b", "description": "Looks up.", "parameters": wrong}
            ctx.register_tool(lookup, {"type": "function", "function": function})
            more = {"name": "more", "description": "More.", "parameters": {"required": ["y"], "properties": {}}}
            ctx.register_tool(lookup, {"type": "function", "function": more})
    """
    told = (await trying(source))["tools"].told
    assert "'a.b' is a name that some vendors refuse" in told
    assert "The parameters of a.b are no JSON schema" in told
    assert "more requires y, which it does not describe" in told


async def test_of_parameters_without_a_description_it_is_told(trying: Try) -> None:
    source = 'def lookup(word: str):\n    """Looks up."""\n\ndef __install__(ctx):\n    ctx.register_tool(lookup)'
    check = (await trying(source))["tools"]
    assert (check.outcome, "word of lookup" in check.fix) == (Outcome.OK, True)


# -- the event loop ----------------------------------------------------------------------------------------------


async def test_a_get_route_that_blocks_the_loop_fails_with_the_place(trying: Try) -> None:
    source = """
        import time

        async def slow(request):
            time.sleep(2.2)

        def __install__(ctx):
            ctx.add_get("slow/{number:[0-9]+}", slow)
            ctx.add_get("threaded", lambda request: time.sleep(2.2))
    """
    checks = await trying(source)
    assert failed(checks) == ["loop"]
    assert checks["loop"].told.endswith("s at __init__.py:5 in slow.")


async def test_a_load_that_blocks_the_loop_fails(trying: Try) -> None:
    source = """
        import time
        from pathlib import Path

        async def __load__(ctx):
            mark = Path(ctx.get_home_path("mark"))
            if not mark.exists():
                mark.touch()
                time.sleep(2.2)
    """
    checks = await trying(source)
    assert failed(checks) == ["loop"]
    assert checks["loop"].told.endswith("s at __init__.py:9 in __load__.")


# -- routes ------------------------------------------------------------------------------------------------------

PUBLIC = "def __install__(ctx):\n    for add in (ctx.add_get, ctx.add_post): add('x', lambda r: {}, public=True)"


async def test_a_public_route_that_is_not_declared_fails(trying: Try) -> None:
    checks = await trying(PUBLIC)
    assert failed(checks) == ["guarded"]
    assert checks["guarded"].told == "GET /ext/mine/x, POST /ext/mine/x answered somebody who is not signed in."


async def test_a_public_route_that_is_declared_is_fine(trying: Try) -> None:
    check = (await trying(PUBLIC, {"extension.toml": 'permissions = ["routes:public"]'}))["guarded"]
    assert (check.outcome, "2 declared as public" in check.told) == (Outcome.OK, True)


async def test_a_route_for_which_no_path_is_known_is_told(trying: Try) -> None:
    check = (await trying("def __install__(ctx):\n    ctx.add_get('{a:z{40}}', lambda r: {})"))["guarded"]
    assert (check.outcome, "GET /ext/mine/{a:z{40}}" in check.fix) == (Outcome.OK, True)


async def test_routes_are_tried_as_somebody_where_the_extension_asks_people_to_sign_in(
    trying: Try, tmp_path: Path
) -> None:
    source = """
        from pathlib import Path
        from llms.api import ext
        from llms.main import AuthProvider

        @ext.get("me")
        async def me(request, ctx):
            Path(ctx.get_home_path("me")).write_text(f"{ctx.get_username(request)} {ctx.is_admin(request)}")
            return {}

        def __install__(ctx):
            ctx.set_auth_provider(AuthProvider(ctx.app))
    """
    assert failed(await trying(source)) == []
    assert (tmp_path / "home/me").read_text() == "tester True"


# -- unloading ---------------------------------------------------------------------------------------------------


async def test_a_task_of_its_own_that_goes_on_fails(trying: Try) -> None:
    source = """
        import asyncio

        TASKS = []

        async def forever():
            await asyncio.sleep(3600)

        async def __load__(ctx):
            TASKS.append(asyncio.create_task(forever()))
    """
    checks = await trying(source)
    assert failed(checks) == ["unloads"]
    assert "a task at __init__.py:7 in forever" in checks["unloads"].told


async def test_a_thread_that_goes_on_fails(trying: Try) -> None:
    source = """
        import threading

        END = threading.Event()

        def wait():
            END.wait(30)

        def __install__(ctx):
            threading.Thread(target=wait, daemon=True).start()
    """
    checks = await trying(source)
    assert failed(checks) == ["unloads"]
    assert "a thread at __init__.py:7 in wait" in checks["unloads"].told


async def test_tasks_of_ctx_are_no_trouble(trying: Try) -> None:
    source = """
        import asyncio

        async def __load__(ctx):
            ctx.spawn(asyncio.sleep(3600))
            ctx.schedule(lambda: None, every=0.01)
    """
    assert failed(await trying(source)) == []
