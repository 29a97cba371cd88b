"""What new extensions may import. A name that goes breaks them, so each change here is a decision."""

from llms import api

NAMES = """
Attachment AuthRequired Chat Chunk Chunks Completion ConfigError Context Decoder DialectProvider Embedded
EmbeddingDialect EventReader ExtensionContext Forbidden GeneratorBase HttpClient Limits LlmsError Message Model
ModelNotFound NotFound OllamaProvider OpenAiCompatible OpenAiLocalProvider Provider ProviderError ProviderTimeout
ProviderUnreachable RequestError SseDecoder StorageConflict StorageError StreamAssembler StreamCut StreamEvent
ToolCallEvent Translator Usage Vendor VendorProvider arguments_of arguments_text attachment_of completion_of counts_in
embedding_tokens ext parts_of schema_of text_of usage_of vendor_classes wav_of
"""


def test_the_public_names_are_these() -> None:
    assert api.__all__ == NAMES.split()


def test_the_public_names_are_sorted_and_there() -> None:
    assert sorted(api.__all__) == api.__all__
    assert not [name for name in api.__all__ if not hasattr(api, name)]


def test_the_names_extensions_import_from_the_facades_are_these() -> None:
    """Contract 1.1: published extensions import them."""
    from llms import db, main

    promised = """
    AppExtensions AuthProvider CodestralProvider ExitCode ExtensionContext GeneratorBase GroqProvider HTTPError
    LMStudioProvider OllamaProvider OpenAiCompatible OpenAiLocalProvider XaiProvider cli get_app text_from_resource
    """
    assert main.__all__ == promised.split()
    columns = {"order_by", "select_columns", "table_columns", "valid_columns"}
    assert {"DbManager", "count_tokens_approx", "to_dto"} | columns <= {*db.__all__}
    assert all(hasattr(main, name) for name in main.__all__)
    assert all(hasattr(db, name) for name in db.__all__)
