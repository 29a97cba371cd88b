"""Every place has one owner, and a registration can be taken back."""

from pathlib import Path
from typing import Any

import pytest

from llms.host.routes import RESERVED, Route, Routes, StaticFiles, web_path
from llms.kernel.errors import ConfigError


async def handler(_: Any) -> dict[str, Any]:
    return {}


def route(path: str, *, method: str = "GET", extension: str = "xmas") -> Route:
    return Route(method, path, handler, extension)


@pytest.mark.parametrize(
    ("path", "full"),
    [("", "/ext/xmas"), ("greet", "/ext/xmas/greet"), ("/auth", "/auth"), ("{id}/x", "/ext/xmas/{id}/x")],
)
def test_a_path_lies_below_the_prefix_unless_it_begins_with_a_slash(path: str, full: str) -> None:
    assert web_path("/ext/xmas", path) == full


def test_a_route_can_be_taken_back_once() -> None:
    routes = Routes()
    undo = routes.add(route("/ext/xmas/greet"))
    assert [found.path for found in routes.of("xmas")] == ["/ext/xmas/greet"]
    version = routes.version
    undo()
    undo()
    assert routes.all == []
    assert routes.version == version + 1


def test_files_can_be_taken_back(tmp_path: Path) -> None:
    routes = Routes()
    undo = routes.add_files(StaticFiles("/ext/xmas", tmp_path, "xmas"))
    assert len(routes.files) == 1
    undo()
    assert routes.files == []


def test_a_taken_route_is_an_error_of_the_second() -> None:
    routes = Routes()
    routes.add(route("/shared/{id}", extension="first"))
    with pytest.raises(ConfigError, match="taken by extension first"):
        routes.add(route("/shared/{name}", extension="second"))
    routes.add(route("/shared/{name}", method="POST", extension="second"))


def test_one_extension_cannot_register_a_route_twice() -> None:
    routes = Routes()
    routes.add(route("/ext/xmas/a"))
    with pytest.raises(ConfigError, match="taken"):
        routes.add(route("/ext/xmas/a"))


@pytest.mark.parametrize("path", [*sorted(RESERVED), "/v1/models", "/ui/app.css", "/providers/openai"])
def test_the_servers_own_places_cannot_be_taken(path: str) -> None:
    with pytest.raises(ConfigError, match="belongs to the server"):
        Routes().add(route(path))


@pytest.mark.parametrize("path", ["/{path:.*}", "/{a}/{b}"])
def test_a_route_that_would_match_everything_is_refused(path: str) -> None:
    with pytest.raises(ConfigError, match="every address"):
        Routes().add(route(path))


def test_the_folder_of_another_extension_cannot_be_taken() -> None:
    with pytest.raises(ConfigError, match="belongs to extension 'other'"):
        Routes().add(route("/ext/other/greet"))


@pytest.mark.parametrize("path", ["/ext/xmas/{", "/ext/xmas/{a:(}", "relative"])
def test_a_path_no_router_understands_is_refused_at_once(path: str) -> None:
    with pytest.raises(ConfigError, match="is no path"):
        Routes().add(route(path))


def test_an_option_no_router_understands_is_refused_at_once() -> None:
    with pytest.raises(ConfigError, match="is no path"):
        Routes().add(Route("GET", "/ext/xmas/a", handler, "xmas", options={"colour": "red"}))


def test_a_handler_must_be_callable() -> None:
    with pytest.raises(ConfigError, match="no function"):
        Routes().add(Route("GET", "/ext/xmas/a", "hello", "xmas"))  # type: ignore[arg-type]
