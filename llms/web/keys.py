"""What handlers find in the aiohttp application."""

from aiohttp import web

from llms.app import App

APP = web.AppKey("llms", App)
EXTENSIONS = web.AppKey("extensions", list[str])
