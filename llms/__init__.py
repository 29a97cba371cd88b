"""`llms`: one lightweight LLM server that is a gateway, a CLI, a web chat and a host for extensions."""

__version__ = "0.3.0"
