"""Signs without a key: Sigstore gives a certificate to the run of the pipeline, for ten minutes.

The two functions are what `signer.py` asks of a signer. Who signs is whom the platform of CI says
it is, by OIDC; what was signed is in a public log. So there is no secret to keep or to lose.
"""

import sys

from sigstore.dsse import Statement
from sigstore.errors import Error
from sigstore.hashes import Hashed
from sigstore.models import Bundle, ClientTrustConfig
from sigstore.oidc import IdentityToken, Issuer, detect_credential
from sigstore.sign import SigningContext
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity
from sigstore_models.common.v1 import HashAlgorithm

from .release import Release, required

IN_TOTO = "application/vnd.in-toto+json"


def sign(release: Release, statements: dict[str, bytes]) -> dict[str, bytes]:
    """Sign as the run of the pipeline that this is."""
    try:
        trusted = ClientTrustConfig.production()
        context = SigningContext.from_trust_config(trusted)
        with context.signer(identity(trusted)) as signer:
            bundles = {"signature": signer.sign_artifact(hashed(release))}
            for name, statement in statements.items():
                bundles[name] = signer.sign_dsse(Statement(statement))
    except Error as error:
        sys.exit(f"SIGNER=keyless: {release} was not signed: {one_line(error)}")
    return {name: bundle.to_json().encode() for name, bundle in bundles.items()}


def verify(release: Release, bundles: dict[str, bytes]) -> dict[str, bytes]:
    """Believe exactly `SIGNER_IDENTITY`, of whom `SIGNER_ISSUER` says who it is."""
    trusted = Identity(
        identity=exact("SIGNER_IDENTITY", "https://ci.example.com/team/order-service/release"),
        issuer=exact("SIGNER_ISSUER", "https://token.ci.example.com"),
    )
    statements = {}
    try:
        verifier = Verifier.production()
        for name, text in bundles.items():
            bundle = Bundle.from_json(text)
            if name == "signature":
                verifier.verify_artifact(hashed(release), bundle, trusted)
                continue
            kind, statements[name] = verifier.verify_dsse(bundle, trusted)
            if kind != IN_TOTO:
                sys.exit(f"{release}: its {name} is no statement but {kind}")
    except Error as error:
        sys.exit(f"{release}: is refused: {one_line(error)}")
    return statements


def identity(trusted: ClientTrustConfig) -> IdentityToken:
    """Return who this is: the run of a pipeline, or a person who says so in a browser."""
    if token := detect_credential():
        return IdentityToken(token)
    if not sys.stdin.isatty():
        sys.exit("SIGNER=keyless: nothing here says who runs this: neither a platform nor a person")
    return Issuer(trusted.signing_config.get_oidc_url()).identity_token()


def exact(name: str, example: str) -> str:
    """Return a variable that is one address; a pattern would let others in as well."""
    given = required(name, example)
    if set("*?[]()|^$\\").intersection(given) or not given.startswith(("https://", "mailto:")):
        sys.exit(f"{name}={given}: has to be exact, such as {example}; not a pattern")
    return given


def hashed(release: Release) -> Hashed:
    """Return the digest of a release as Sigstore takes it: its manifest, already hashed."""
    digest = bytes.fromhex(release.digest.removeprefix("sha256:"))
    return Hashed(algorithm=HashAlgorithm.SHA2_256, digest=digest)


def one_line(error: Error) -> str:
    """Return what an error says, without line ends."""
    return " ".join(str(error).split()) or type(error).__name__
