"""A small OpenID provider as Authlib's documentation builds one: Flask, SQLAlchemy on SQLite, a form that asks a name.

It runs in an environment of its own, under gunicorn; `PEER_CONFIGURATION` says what it serves.
"""

# What it imports is not installed where the checks run, and its methods are Authlib's to name.
# mypy: ignore-errors
# ruff: noqa: ARG002, D101, D102

import json
import os
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.sqla_oauth2 import (
    OAuth2AuthorizationCodeMixin,
    OAuth2ClientMixin,
    OAuth2TokenMixin,
    create_query_client_func,
    create_save_token_func,
)
from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode, UserInfo
from flask import Flask, redirect, render_template_string, request, session, url_for
from joserfc.jwk import RSAKey
from sqlalchemy import create_engine, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, scoped_session, sessionmaker

CONFIGURATION = json.loads(os.environ["PEER_CONFIGURATION"])
ISSUER = f"http://localhost:{CONFIGURATION['port']}"
KEY = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig", "alg": "RS256"})
FORM = '<!doctype html><title>Sign in</title><form method="post"><input name="login"><button>Continue</button></form>'

engine = create_engine(f"sqlite:///{CONFIGURATION['database']}")
database = scoped_session(sessionmaker(engine))


@event.listens_for(engine, "connect")
def set_pragmas(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


class Base(DeclarativeBase):
    """The tables."""


class User(Base):
    __tablename__ = "user"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)

    def get_user_id(self) -> int:
        return self.id


class Client(Base, OAuth2ClientMixin):
    __tablename__ = "client"
    id: Mapped[int] = mapped_column(primary_key=True)


class AuthorizationCode(Base, OAuth2AuthorizationCodeMixin):
    __tablename__ = "code"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int]


class Token(Base, OAuth2TokenMixin):
    __tablename__ = "token"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int]


class CodeGrant(grants.AuthorizationCodeGrant):
    def save_authorization_code(self, code: str, request: Any) -> None:
        payload = request.payload
        row = AuthorizationCode(
            code=code,
            client_id=request.client.client_id,
            redirect_uri=payload.redirect_uri,
            scope=payload.scope,
            nonce=payload.data.get("nonce"),
            user_id=request.user.id,
            code_challenge=payload.data.get("code_challenge"),
            code_challenge_method=payload.data.get("code_challenge_method"),
        )
        database.add(row)
        database.commit()

    def query_authorization_code(self, code: str, client: Any) -> Any:
        return database.scalar(select(AuthorizationCode).filter_by(code=code, client_id=client.client_id))

    def delete_authorization_code(self, authorization_code: Any) -> None:
        database.delete(authorization_code)
        database.commit()

    def authenticate_user(self, authorization_code: Any) -> Any:
        return database.get(User, authorization_code.user_id)


class Code(OpenIDCode):
    def exists_nonce(self, nonce: str, request: Any) -> bool:
        used = select(AuthorizationCode.id).filter_by(client_id=request.payload.client_id, nonce=nonce)
        return database.scalar(used) is not None

    def resolve_client_private_key(self, client: Any) -> RSAKey:
        return KEY

    def get_client_algorithm(self, client: Any) -> str:
        return "RS256"

    def get_client_claims(self, client: Any) -> dict[str, Any]:
        return {"iss": ISSUER}

    def generate_user_info(self, user: User, scope: str) -> UserInfo:
        return UserInfo(sub=str(user.id), email=user.name)


app = Flask(__name__)
app.secret_key = "a key that signs the cookies of a benchmark"
app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
server = AuthorizationServer(app, create_query_client_func(database, Client), create_save_token_func(database, Token))
server.register_grant(CodeGrant, [Code(require_nonce=True), CodeChallenge(required=True)])


@app.teardown_appcontext
def forget(_problem: BaseException | None) -> None:
    database.remove()


@app.get("/")
def alive() -> str:
    return "ok"


@app.route("/login", methods=["GET", "POST"])
def login() -> Any:
    if request.method == "GET":
        return render_template_string(FORM)
    name = request.form["login"]
    user = database.scalar(select(User).filter_by(name=name))
    if user is None:
        user = User(name=name)
        database.add(user)
        database.commit()
    session["user"] = user.id
    return redirect(request.args["next"])


@app.get("/authorize")
def authorize() -> Any:
    user = database.get(User, session["user"]) if "user" in session else None
    if user is None:
        return redirect(url_for("login", next=request.full_path))
    grant = server.get_consent_grant(end_user=user)
    return server.create_authorization_response(grant_user=user, grant=grant)


@app.post("/token")
def token() -> Any:
    return server.create_token_response()


def register(client_id: str, client_secret: str, metadata: dict[str, Any]) -> None:
    client = Client(client_id=client_id, client_secret=client_secret)
    client.set_client_metadata(metadata)
    database.add(client)
    database.commit()


Base.metadata.create_all(engine)
for entry in CONFIGURATION["clients"]:
    if database.scalar(select(Client).filter_by(client_id=entry["client_id"])) is None:
        register(entry.pop("client_id"), entry.pop("client_secret"), entry)
database.remove()
