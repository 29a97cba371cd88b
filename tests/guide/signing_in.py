"""An extension that asks people to sign in, as one would be written with `llms.main`."""

SIGN_IN = """
    from llms.main import AuthProvider

    class Tokens(AuthProvider):
        def get_session_token(self, request):
            return request.headers.get("X-Session-Token")

    def __install__(ctx):
        ctx.sessions["ann-token"] = {"userId": "1", "userName": "ann", "roles": ["User"]}
        ctx.sessions["chief-token"] = {"userId": "2", "userName": "chief", "roles": ["Admin"]}
        ctx.set_auth_provider(Tokens(ctx.app))
"""
ANN = {"X-Session-Token": "ann-token"}
CHIEF = {"X-Session-Token": "chief-token"}
