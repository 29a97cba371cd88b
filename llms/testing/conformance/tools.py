"""Whether models can make something of the tools that an extension offers."""

import re
from collections.abc import Iterator, Sequence

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from llms.kernel.types import Json
from llms.testing.conformance.report import Check, counted, listed

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what every vendor takes


def check(definitions: Sequence[Json]) -> Check:
    """Looks at tools as models are given them."""
    if not definitions:
        return Check.skipped("tools", "It offers no tool.")
    if errors := [error for definition in definitions for error in _errors(definition["function"])]:
        return Check.failed("tools", " ".join(errors), "Complete the docstring, or pass `tool_def`.")
    undescribed = [place for definition in definitions for place in _undescribed(definition["function"])]
    hint = f"A model would choose better if these were described: {listed(undescribed)}." if undescribed else ""
    return Check.ok("tools", f"{counted(len(definitions), 'tool')} with name, description and valid parameters.", hint)


def _errors(function: Json) -> Iterator[str]:
    name, parameters = function["name"], function["parameters"]
    if not _NAME.fullmatch(name):
        yield f"'{name}' is a name that some vendors refuse: they take 64 letters, digits, _ and -."
    if not str(function.get("description") or "").strip():
        yield f"{name} has no description, so no model knows what it is for."
    try:
        Draft202012Validator.check_schema(parameters)
    except SchemaError as error:
        yield f"The parameters of {name} are no JSON schema: {error.message}."
        return
    if unknown := set(parameters.get("required", ())) - set(parameters["properties"]):
        yield f"{name} requires {listed(sorted(unknown))}, which it does not describe."


def _undescribed(function: Json) -> Iterator[str]:
    for parameter, schema in function["parameters"]["properties"].items():
        if not (isinstance(schema, dict) and schema.get("description")):
            yield f"{parameter} of {function['name']}"
