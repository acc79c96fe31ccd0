"""ID tokens of the hub's OpenID provider: whether one is genuine, meant for us, and fresh.

Follows OpenID Connect Core 1.0, 3.1.3.7, and RFC 8725. Every reason to refuse is one of a few fixed words, for the log
alone: what is in a refused token is not repeated anywhere.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import jwt

from app.hub.hub import Denied
from app.model.errors import SettingsError, Unavailable
from app.model.oidc import OidcSettings
from app.oidc import provider
from app.oidc.nonce import is_for

# Algorithm → the kind of key it takes, and its curve. No shared secrets, and never `none`.
ALGORITHMS: dict[str, tuple[str, str | None]] = {
    "RS256": ("RSA", None),
    "PS256": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "EdDSA": ("OKP", "Ed25519"),
}
# Clocks may differ by so many seconds.
_LEEWAY = 60.0
# An ID token is shown as soon as it was made; some providers date them five minutes back.
_MOST_AGE = 600.0
# The provider's documents are fetched anew after so many seconds, and for a key that is not among them no more often
# than the second number; after a failure nobody waits for the provider for so long as the third.
_KEPT, _ANEW, _PAUSE = 900.0, 30.0, 10.0
# So many checks at once: one of them only takes long while the provider hangs, and it must not take the hub with it.
_AT_ONCE = 8
_MOST_SEEN = 100_000
_RSA_BITS = 2048
_REQUIRED = ["iss", "sub", "aud", "exp", "iat"]
_log = logging.getLogger("secondlook.hub")


class IdTokens:
    """Checks ID tokens. Safe to use from several threads."""

    def __init__(self, settings: OidcSettings, clock: Callable[[], float] = time.time) -> None:
        """`clock`: seconds since 1970, for what is not in the token's own times."""
        self.settings = settings
        self._clock = clock
        self._keys: list[Mapping[str, Any]] = []
        self._fetched = self._failed = float("-inf")
        self._fetching = threading.Lock()
        self._few = threading.BoundedSemaphore(_AT_ONCE)
        self._seen: OrderedDict[bytes, float] = OrderedDict()
        self._seeing = threading.Lock()

    def claims(self, id_token: str, nonce: str) -> dict[str, Any]:
        """What a genuine token says. Raises Denied, and Unavailable while the provider's keys cannot be had."""
        if not self._few.acquire(timeout=1.0):
            raise _away()
        try:
            found = self._verified(id_token)
        finally:
            self._few.release()
        self._check_client(found)
        self._check_nonce(found.get("nonce"), nonce)
        if self._clock() - float(found["iat"]) > _MOST_AGE + _LEEWAY:
            raise Denied("sign-in: too old")
        return found

    def use(self, id_token: str, claims: Mapping[str, Any]) -> None:
        """Notes that a token was used; it serves once. Raises Denied for the second time."""
        # The signed part: of some signatures one can make others that are as good.
        digest = hashlib.sha256(id_token.rpartition(".")[0].encode()).digest()
        with self._seeing:
            now = self._clock()
            while self._seen and (len(self._seen) > _MOST_SEEN or next(iter(self._seen.values())) < now):
                self._seen.popitem(last=False)
            if digest in self._seen:
                raise Denied("sign-in: used before")
            self._seen[digest] = float(claims["iat"]) + _MOST_AGE + 2 * _LEEWAY

    # -- what is checked ------------------------------------------------------------------------

    def _verified(self, id_token: str) -> dict[str, Any]:
        """The claims of a token that the provider signed, for us, and that is not over."""
        try:
            header = jwt.get_unverified_header(id_token)
            algorithm, key_id = header.get("alg"), header.get("kid")
            if algorithm not in ALGORITHMS:
                raise Denied("sign-in: algorithm")
            if "crit" in header:
                raise Denied("sign-in: unknown conditions")
            found: dict[str, Any] = jwt.decode(
                id_token,
                jwt.PyJWK(dict(self._key(algorithm, key_id)), algorithm=algorithm),
                algorithms=[algorithm],
                audience=self.settings.client_id,
                issuer=self.settings.issuer,
                leeway=_LEEWAY,
                options={"require": _REQUIRED},
            )
        except (jwt.PyJWTError, ValueError, OverflowError, TypeError) as error:
            # The class says enough: ExpiredSignatureError, InvalidAudienceError, …
            raise Denied(f"sign-in: {type(error).__name__}") from None
        return found

    def _check_client(self, claims: Mapping[str, Any]) -> None:
        """A token for several is ours only if it was given to us."""
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else self.settings.client_id) != self.settings.client_id:
            raise Denied("sign-in: given to another client")

    def _check_nonce(self, claimed: Any, given: str) -> None:
        if claimed is None:
            # The device flow has none at most providers.
            if given or not self.settings.device:
                raise Denied("sign-in: no nonce")
            return
        if not isinstance(claimed, str) or not hmac.compare_digest(claimed.encode(), given.encode()):
            raise Denied("sign-in: nonce")
        if self.settings.address and not is_for(given, self.settings.address):
            raise Denied("sign-in: for another hub")

    # -- keys -----------------------------------------------------------------------------------

    def _key(self, algorithm: str, key_id: Any) -> Mapping[str, Any]:
        """The one key that fits. For a name that is not known the key set is asked for again: keys are rotated."""
        for least in (_KEPT, _ANEW):
            fitting = [key for key in self._key_set(least) if _fits(key, algorithm, key_id)]
            if len(fitting) == 1:
                return fitting[0]
        raise Denied("sign-in: unknown key")

    def _key_set(self, most_age: float) -> list[Mapping[str, Any]]:
        """The provider's keys, fetched no longer ago than so many seconds."""
        with self._fetching:
            now = time.monotonic()
            if now - self._fetched < most_age:
                return self._keys
            if now - self._failed < _PAUSE:
                raise _away()
            try:
                self._keys = _fetch(self.settings.issuer)
            except (Unavailable, SettingsError) as error:
                self._failed = time.monotonic()
                _log.warning("sign-in: %s", error)
                raise _away() from None
            self._fetched = time.monotonic()
            return self._keys


def _fetch(issuer: str) -> list[Mapping[str, Any]]:
    found = provider.get(provider.discover(issuer).keys)
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list):
        raise Unavailable("The provider's key set has no list of keys.")
    return [key for key in keys if isinstance(key, dict)]


def _fits(key: Mapping[str, Any], algorithm: str, key_id: Any) -> bool:
    """Whether a key may have signed: its name, its kind, and what it is for."""
    kind, curve = ALGORITHMS[algorithm]
    return (
        (key_id is None or key.get("kid") == key_id)
        and key.get("kty") == kind
        and (curve is None or key.get("crv") == curve)
        and key.get("alg", algorithm) == algorithm
        and key.get("use", "sig") == "sig"
        and "verify" in key.get("key_ops", ["verify"])
        and (kind != "RSA" or _bits(key.get("n")) >= _RSA_BITS)
    )


def _bits(modulus: Any) -> int:
    """How many bits a modulus in base64url has, give or take seven."""
    return len(modulus.rstrip("=")) * 6 if isinstance(modulus, str) else 0


def _away() -> Unavailable:
    return Unavailable(
        "Sign-ins cannot be checked now: the provider does not answer as it should. Nobody was signed in; tokens that "
        "were given before go on working. Try again later."
    )
