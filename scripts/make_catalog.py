"""Makes the catalogue of the package: `python scripts/make_catalog.py api.json 2026-09-28`

`api.json` is https://models.dev/api.json as it was on that day (models.dev is under the MIT licence). Facts are taken
over; descriptions, which somebody has worded, are not. `models-dev.json.gz` holds all providers that speak a dialect we
know; a new home gets those of them that its llms.json names.
"""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

from llms.kernel import catalog, snapshot

PACKAGE = Path(catalog.__file__).parents[1]
SOURCE = "https://models.dev/api.json"
SPOKEN = frozenset(
    f"@ai-sdk/{name}"
    for name in (
        *(
            "alibaba",
            "amazon-bedrock",
            "anthropic",
            "azure",
            "cerebras",
            "cohere",
            "deepinfra",
            "deepseek",
            "fireworks",
        ),
        *("gateway", "google", "google-vertex", "google-vertex/anthropic", "groq", "huggingface", "mistral"),
        *("moonshotai", "openai", "openai-compatible", "perplexity", "togetherai", "vercel", "xai"),
    )
) | {"@openrouter/ai-sdk-provider"}


def main(api: Path, date: str) -> None:
    known = json.loads(api.read_bytes())
    providers = {id: _facts(provider) for id, provider in sorted(known.items()) if provider["npm"] in SPOKEN}
    everything = catalog.to_bytes(providers, catalog.Origin(date, SOURCE))
    (PACKAGE / snapshot.NAME).write_bytes(gzip.compress(everything, 9, mtime=0))


def _facts(provider: dict[str, Any]) -> dict[str, Any]:
    models = {
        id: {name: fact for name, fact in model.items() if name != "description"}
        for id, model in sorted(provider["models"].items())
    }
    return {**provider, "models": catalog.in_order(models)}


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
