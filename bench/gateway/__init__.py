"""Our gateway against a bare aiohttp + uvloop reverse proxy: `python -m bench.gateway`."""
