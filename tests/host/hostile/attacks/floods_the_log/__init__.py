"""Never stops talking."""

import logging


def __install__(ctx):
    for number in range(3000):
        ctx.err(f"drop {number}")
        logging.getLogger(__name__).warning("drip %d", number)
    ctx.add_get("drip", lambda request: {"said": ctx.err("drip")})
