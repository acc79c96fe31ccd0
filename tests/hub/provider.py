"""An OpenID provider on loopback that checks what real ones check: clients, redirects, PKCE, codes that serve once,
device codes with all their answers; real keys that can be rotated."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT = "secondlook"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
_MAKE: dict[str, Callable[[], Any]] = {
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "PS256": lambda: rsa.generate_private_key(65537, 2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


@dataclass
class Key:
    """A signing key with its name."""

    algorithm: str = "RS256"
    key_id: str = field(default_factory=lambda: secrets.token_hex(4))

    def __post_init__(self) -> None:
        self.private = _MAKE[self.algorithm]()

    def public(self) -> dict[str, Any]:
        """As it stands in the key set."""
        kinds: dict[str, Any] = {"RS256": RSAAlgorithm, "PS256": RSAAlgorithm, "ES256": ECAlgorithm}
        found: dict[str, Any] = kinds.get(self.algorithm, OKPAlgorithm).to_jwk(self.private.public_key(), as_dict=True)
        return {**found, "kid": self.key_id, "alg": self.algorithm, "use": "sig"}

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        """A token."""
        return jwt.encode(claims, self.private, self.algorithm, {"kid": self.key_id, **header})


@dataclass
class Provider:
    """The provider; `account`: the claims of whoever signs in, `answers`: what the device flow says before it gives a
    token, `fetched`: how often its keys were asked for."""

    key: Key = field(default_factory=Key)
    account: dict[str, Any] = field(
        default_factory=lambda: {"sub": "7f3a", "preferred_username": "ada", "groups": ["desk-reviewers", "staff"]}
    )
    deny: bool = False
    echoes: bool = False
    answers: list[str] = field(default_factory=list)
    fetched: int = 0
    polled: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.codes: dict[str, dict[str, str]] = {}
        self.devices: dict[str, dict[str, str]] = {}
        self.keys = [self.key]
        self.document: dict[str, Any] = {}
        routes = [
            Route("/.well-known/openid-configuration", self._discovery),
            Route("/authorize", self._authorize),
            Route("/token", self._token, methods=["POST"]),
            Route("/device", self._device, methods=["POST"]),
            Route("/keys", self._keys),
        ]
        config = uvicorn.Config(Starlette(routes=routes), "127.0.0.1", 0, log_level="warning", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        self.issuer = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    def close(self) -> None:
        """Ends."""
        self._server.should_exit = True
        self._thread.join(10)

    def rotate(self, algorithm: str = "RS256") -> Key:
        """A new key in place of the old one."""
        self.key = Key(algorithm)
        self.keys = [self.key]
        return self.key

    def claims(self, nonce: Any = None, **more: Any) -> dict[str, Any]:
        """The claims of an ID token; None takes one out."""
        now = int(time.time())
        made: dict[str, Any] = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce}
        made |= {**self.account, **more}
        return {name: value for name, value in made.items() if value is not None}

    def id_token(self, nonce: Any = None, **more: Any) -> str:
        """A genuine ID token."""
        return self.key.sign(self.claims(nonce, **more))

    # -- endpoints ------------------------------------------------------------------------------

    async def _discovery(self, _request: Request) -> Response:
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "device_authorization_endpoint": f"{self.issuer}/device",
            "authorization_response_iss_parameter_supported": True,
            **self.document,
        }
        return JSONResponse({name: value for name, value in said.items() if value is not None})

    async def _keys(self, _request: Request) -> Response:
        self.fetched += 1
        return JSONResponse({"keys": [key.public() for key in self.keys]})

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        back = urlsplit(asked.get("redirect_uri", ""))
        if asked.get("client_id") != CLIENT or (back.scheme, back.hostname, back.path) != (
            "http",
            "127.0.0.1",
            "/callback",
        ):
            return PlainTextResponse("unknown client or redirect_uri", 400)
        answer = {"state": asked.get("state", ""), "iss": self.issuer}
        if (asked.get("response_type"), asked.get("code_challenge_method")) != ("code", "S256"):
            answer |= {"error": "invalid_request", "error_description": "PKCE with S256 is required"}
        elif "openid" not in asked.get("scope", "").split():
            answer |= {"error": "invalid_scope"}
        elif self.deny:
            answer |= {"error": "access_denied"}
        else:
            answer["code"] = secrets.token_urlsafe(16)
            self.codes[answer["code"]] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", 302)

    async def _token(self, request: Request) -> Response:
        given = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        if given.get("client_id") != CLIENT:
            return _error("invalid_client", 401)
        if given.get("grant_type") == DEVICE:
            return self._polled(given)
        asked = self.codes.pop(given.get("code", ""), None)
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            given.get("grant_type") != "authorization_code"
            or asked is None
            or asked["redirect_uri"] != given.get("redirect_uri")
            or asked["code_challenge"] != challenge
        ):
            return _error("invalid_grant")
        return self._tokens(asked.get("nonce"))

    async def _device(self, request: Request) -> Response:
        given = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        if given.get("client_id") != CLIENT:
            return _error("invalid_client", 401)
        code = secrets.token_urlsafe(16)
        self.devices[code] = given
        where = f"{self.issuer}/activate"
        said: dict[str, Any] = {"device_code": code, "user_code": "WDJB-MJHT", "verification_uri": where}
        said |= {"verification_uri_complete": f"{where}?user_code=WDJB-MJHT", "expires_in": 600, "interval": 5}
        return JSONResponse(said)

    def _polled(self, given: dict[str, str]) -> Response:
        asked = self.devices.get(given.get("device_code", ""))
        if asked is None:
            return _error("invalid_grant")
        answer = self.answers.pop(0) if self.answers else ""
        if answer == "broken":
            return PlainTextResponse("<html>", 502)
        if answer:
            return _error(answer)
        del self.devices[given["device_code"]]
        return self._tokens(asked.get("nonce") if self.echoes else None)

    def _tokens(self, nonce: str | None) -> Response:
        return JSONResponse(
            {"access_token": secrets.token_hex(8), "token_type": "Bearer", "id_token": self.id_token(nonce)}
        )


def _error(name: str, status: int = 400) -> Response:
    return JSONResponse({"error": name, "error_description": f"{name}, as the tests want it"}, status)


class Person:
    """Somebody with a browser, who follows redirects wherever they lead."""

    def __init__(self) -> None:
        self.pages: list[httpx.Response] = []
        self.threads: list[threading.Thread] = []

    def open(self, address: str) -> bool:
        """As `webbrowser.open`."""
        self.threads.append(threading.Thread(target=self._go, args=(address,)))
        self.threads[-1].start()
        return True

    def _go(self, address: str) -> None:
        # Browsers connect ahead, ask for an icon, and only then follow.
        with httpx.Client(follow_redirects=True, trust_env=False) as client:
            self.pages.append(client.get(address))

    def close(self) -> None:
        """Waits for the browser."""
        for thread in self.threads:
            thread.join(10)
