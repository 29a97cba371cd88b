"""Ends the process, and asks nobody."""

import os

os._exit(3)
