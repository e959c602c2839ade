"""What the router sees of a request: HEAD as GET, and the path with the proxy's prefix."""

from starlette.types import ASGIApp, Receive, Scope, Send


class RoutingMiddleware:
    """ASGI middleware, the innermost: serves HEAD by the route for GET; adds `root_path`.

    The server omits the body of a response to HEAD.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route a copy of the scope; other middleware sees the method and path of the request."""
        root_path = scope.get("root_path", "")
        if scope["type"] != "http" or (scope["method"] != "HEAD" and not root_path):
            return await self._app(scope, receive, send)
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        routed = {**scope, "method": method, "path": root_path + scope["path"]}
        try:
            return await self._app(routed, receive, send)
        finally:
            scope.update({**routed, "method": scope["method"], "path": scope["path"]})
