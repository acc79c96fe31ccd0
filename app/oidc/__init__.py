"""Sign-in with OpenID Connect: what a provider says of itself, and the two ways for a person to sign in there."""
