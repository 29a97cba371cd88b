"""The names that extensions import from `llms.main`. No logic: each lives in its own room."""

from llms.cli.exit_code import ExitCode
from llms.cli.programmatic import cli, get_app
from llms.host.app_extensions import AppExtensions
from llms.host.context import ExtensionContext
from llms.kernel.http_error import HTTPError
from llms.kernel.reading import text_from_resource
from llms.providers.discovery import LMStudioProvider, OllamaProvider, OpenAiLocalProvider
from llms.providers.generator import GeneratorBase
from llms.providers.openai_compatible import CodestralProvider, GroqProvider, OpenAiCompatible, XaiProvider
from llms.users.auth import AuthProvider

__all__ = [
    "AppExtensions",
    "AuthProvider",
    "CodestralProvider",
    "ExitCode",
    "ExtensionContext",
    "GeneratorBase",
    "GroqProvider",
    "HTTPError",
    "LMStudioProvider",
    "OllamaProvider",
    "OpenAiCompatible",
    "OpenAiLocalProvider",
    "XaiProvider",
    "cli",
    "get_app",
    "text_from_resource",
]
