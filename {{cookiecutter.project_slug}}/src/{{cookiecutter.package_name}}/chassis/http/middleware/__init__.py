"""ASGI middleware; `http/app.py` declares its order."""
