"""What handlers find in the aiohttp application."""

from aiohttp import web

from llms.app import App
from llms.host.live import Live
from llms.host.shared import Shared

APP = web.AppKey("llms", App)
SHARED = web.AppKey("shared", Shared)
LIVE = web.AppKey("live", Live)
DEV = web.AppKey("dev", bool)
