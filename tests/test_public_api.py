"""What new extensions may import. A name that goes breaks them, so each change here is a decision."""

from llms import api

NAMES = """
AuthRequired Chat Chunk Completion ConfigError Context ExtensionContext Forbidden HttpClient Limits LlmsError Message
Model ModelNotFound NotFound OpenAiCompatible Provider ProviderError ProviderTimeout ProviderUnreachable
RequestError StreamAssembler StreamCut StreamEvent Usage
"""


def test_the_public_names_are_these() -> None:
    assert api.__all__ == NAMES.split()


def test_the_public_names_are_sorted_and_there() -> None:
    assert sorted(api.__all__) == api.__all__
    assert not [name for name in api.__all__ if not hasattr(api, name)]
