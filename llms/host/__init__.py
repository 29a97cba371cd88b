"""Finds extensions, gives each its context, and takes the blame off everything else when one fails."""
