"""The commands of the core, for `--help` and the reference page."""

from types import MappingProxyType

VERBS = MappingProxyType(
    {
        "ls [provider ...]": "Show providers, models and prices.",
        "ext [ls]": "Show extensions, and why one is not loaded.",
        "ext plan SOURCE": "Show what installing an extension would do, and do nothing.",
        "ext add SOURCE": "Install an extension: NAME, user/repo[@ref], a URL, a path or pypi:NAME.",
        "ext update NAME|all": "Update installed extensions, after showing what changes.",
        "ext rollback NAME": "Go back to the version before the last update.",
        "ext remove NAME": "Remove an installed extension.",
        "ext enable NAME": "Load an extension again; a running server does so at once.",
        "ext disable NAME": "Load an extension no more.",
        "ext doctor": "Check what is installed, and tell how to mend it.",
        "ext new NAME": "Write a working extension to start from.",
        "ext test PATH": "Check that an extension keeps to the rules.",
    }
)
