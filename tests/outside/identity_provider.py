"""A small OpenID Connect provider that signs real RS256 tokens and checks what a strict one checks. The stock provider of the
tests cannot be made to lie; this one can."""

import base64
import hashlib
import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "countersign", "a secret: with % and +"


def new_key(kid: str = "one") -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


class IdentityProvider:
    """Signs in whomever `claims` describes, at once; `tamper` bends the claims, the key and the header of each ID token."""

    def __init__(self):
        self.claims: dict = {"email": "ana@example.com", "email_verified": True}
        self.user_info: dict = {}
        self.tamper = lambda claims, key: (claims, key)
        self.denies = False
        self.reuses = False
        self.key = new_key()
        self.codes: dict[str, dict] = {}
        self.asked: list[dict] = []
        self.calls: list[str] = []
        self.port = 0
        self.start()
        self.issuer = f"http://localhost:{self.port}"

    def start(self) -> None:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                provider.get(self)

            def do_POST(self):
                provider.post(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def get(self, call) -> None:
        url = urlsplit(call.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        self.calls.append(url.path)
        if url.path == "/.well-known/openid-configuration":
            answer(call, 200, self.discovery())
        elif url.path == "/keys":
            answer(call, 200, {"keys": [self.key.as_dict(private=False)]})
        elif url.path == "/authorize":
            self.authorize(call, query)
        elif url.path == "/userinfo":
            answer(call, 200, {"sub": "user-1"} | self.user_info)
        else:
            answer(call, 404, {})

    def discovery(self) -> dict:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "HS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def authorize(self, call, query: dict) -> None:
        self.asked.append(query)
        assert query["response_type"] == "code" and query["client_id"] == CLIENT, query
        assert query["code_challenge_method"] == "S256" and {"openid", "email"} <= set(query["scope"].split()), query
        back = {"state": query["state"]}
        if self.denies:
            back["error"] = "access_denied"
        else:
            back["code"] = uuid.uuid4().hex
            self.codes[back["code"]] = query
        call.send_response(302)
        call.send_header("Location", f"{query['redirect_uri']}?{urlencode(back)}")
        call.send_header("Content-Length", "0")
        call.end_headers()

    def post(self, call) -> None:
        self.calls.append(call.path)
        form = call.rfile.read(int(call.headers["Content-Length"])).decode()
        fields = {name: values[0] for name, values in parse_qs(form).items()}
        basic = base64.b64decode(call.headers.get("Authorization", "Basic ").removeprefix("Basic ")).decode()
        name, _, secret = basic.partition(":")
        query = self.codes.get(fields.get("code")) if self.reuses else self.codes.pop(fields.get("code"), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(fields.get("code_verifier", "").encode()).digest()).rstrip(b"=")
        if (unquote(name), unquote(secret.replace("+", " "))) != (CLIENT, SECRET):
            return answer(call, 401, {"error": "invalid_client"})
        if query is None or challenge.decode() != query["code_challenge"] or fields["redirect_uri"] != query["redirect_uri"]:
            # It quotes what it was given, as a careless one does.
            return answer(call, 400, {"error": "invalid_grant", "error_description": f"no such code: {fields.get('code')}"})
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": "user-1", "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": query["nonce"]}
        token = self.tamper(claims | self.claims, self.key)
        if not isinstance(token, str):
            claims, key = token
            token = jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)
        return answer(call, 200, {"access_token": uuid.uuid4().hex, "token_type": "Bearer", "expires_in": 300, "id_token": token})


def answer(call, status: int, document: dict) -> None:
    body = json.dumps(document).encode()
    call.send_response(status)
    call.send_header("Content-Type", "application/json")
    call.send_header("Content-Length", str(len(body)))
    call.end_headers()
    call.wfile.write(body)
