import os

from aiohttp import web


def init(ctx):
    """Initialize the example extension."""

    # Register a custom tool
    def greet_user(name: str, formal: bool = False) -> str:
        """Greet a user by name.

        Args:
            name: The user's name
            formal: Whether to use formal greeting

        Returns:
            A greeting message
        """
        if formal:
            return f"Good day, {name}. How may I assist you?"
        return f"Hey {name}! What's up?"

    ctx.register_tool(greet_user, group="social")

    # Register API routes
    async def get_status(request):
        is_auth, user = ctx.check_auth(request)
        return web.json_response({
            "extension": ctx.name,
            "authenticated": is_auth,
            "user": user.get("userName") if user else None
        })

    ctx.add_get("status", get_status)

    async def create_item(request):
        is_auth, _ = ctx.check_auth(request)
        if not is_auth:
            return ctx.error_auth_required
        try:
            data = await request.json()
            # Process data...
            return web.json_response({"success": True, "id": "123"})
        except Exception as e:
            return web.json_response(ctx.error_response(e), status=500)

    ctx.add_post("items", create_item)

    # Register filters
    async def log_requests(chat, context):
        ctx.log(f"Chat request for thread: {context.get('threadId')}")

    ctx.register_chat_request_filter(log_requests)

    # Cleanup on shutdown
    def cleanup():
        ctx.log("Extension shutting down, cleaning up...")

    ctx.register_shutdown_handler(cleanup)

    ctx.log("Example extension initialized!")
