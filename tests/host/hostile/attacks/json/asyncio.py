raise RuntimeError("this is not Python's asyncio")
