"""What each hosted page shows: one frozen value per page, everything its template needs and nothing else.

Texts in a view are already in the person's language; the page's own wording comes from the catalogue. Every value is
escaped by the template, and addresses go through `links.displayable_link` or `displayable_image`: a view may carry
what a client registered, exactly as it was registered.

`interaction` names the interaction the form belongs to and `csrf` is the form's token: both are posted back as hidden
fields. `client_name` is the relying party's name, None where none is known. No view shows itself in a repr:
identifiers and form tokens are in it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal


@dataclass(frozen=True, slots=True)
class LanguageLink:
    """This page in another language: its tag (BCP 47) and its own name for itself."""

    locale: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class View:
    """What all pages have in common.

    Attributes:
        blanks: the values that differ from one request to the next (`pages.outlines`).
        language_links: the languages to switch to, shown in the footer; none by default.
        here: this page's own address with its query, to which `language_links` add a language.
    """

    template: ClassVar[str]
    blanks: ClassVar[tuple[str, ...]] = ()
    language_links: tuple[LanguageLink, ...] = ()
    here: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class IdentifierPage(View):
    """The first step: one box for an email address or a phone number.

    Posts `interaction`, `csrf`, `identifier` and, where phones are accepted, `region`.

    Attributes:
        action: where `continue` posts; `cancel_action` is where `cancel` posts the same form.
        identifier: what was typed before, shown again beside its error.
        creating: the client asked for a new account (`prompt=create`); what follows is the same.
        region: the selected country of numbers typed without `+` (ISO 3166-1 alpha-2).
        regions: the countries to choose from, as (code, label), in the order to show.
        accepts: "email", "phone" or both; one of them at least.
    """

    template: ClassVar[str] = "identifier.html"
    blanks: ClassVar[tuple[str, ...]] = (
        "here",
        "action",
        "cancel_action",
        "interaction",
        "csrf",
        "client_name",
        "identifier",
    )
    action: str
    interaction: str
    csrf: str
    client_name: str
    identifier: str = ""
    error: str | None = None
    creating: bool = False
    region: str = ""
    regions: tuple[tuple[str, str], ...] = ()
    accepts: frozenset[str] = frozenset({"email", "phone"})
    can_cancel: bool = False
    cancel_action: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CodePage(View):
    """The second step: the one-time code that was sent.

    Posts `interaction`, `csrf` and `one_time_code`; resending, changing the identifier and cancelling are forms of
    their own that post `interaction` and `csrf`.

    Attributes:
        sent_to: the identifier as this person may see it, in full or masked.
        code_letters: the code is of letters, not of digits.
        attempts_left: shown when not None; None hides how many guesses are left.
        minutes_left: how long the code still works, rounded up; 0 when there is no live code. A time of day would need
            the person's time zone, which a page without scripts does not know.
        resend_in: seconds until another code may be asked for; 0 is now. The server decides, the page only counts.
        notice: good news to announce, such as that the code was sent again.
        identifier: for password managers, in a field that is neither seen nor posted.
    """

    template: ClassVar[str] = "one_time_code.html"
    blanks: ClassVar[tuple[str, ...]] = (
        "here",
        "action",
        "resend_action",
        "change_action",
        "cancel_action",
        "interaction",
        "csrf",
        "client_name",
        "sent_to",
        "identifier",
    )
    action: str
    resend_action: str
    change_action: str
    cancel_action: str
    interaction: str
    csrf: str
    client_name: str
    sent_to: str
    channel: Literal["email", "sms", "whatsapp"]
    code_length: int = 6
    code_letters: bool = False
    error: str | None = None
    attempts_left: int | None = None
    minutes_left: int
    resend_in: int = 0
    notice: str | None = None
    identifier: str = ""


@dataclass(frozen=True, slots=True)
class ScopeLine:
    """One thing a client asks for: the scope's wire name, and what it means to the person."""

    name: str
    title: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ConsentPage(View):
    """Whether a client may have what it asks for.

    Posts `interaction`, `csrf`, `shown_to` and `decision`, `allow` or `deny`.

    Attributes:
        shown_to: ties the form to the account it was shown to.
        account_label: whose data it is: the identifier, masked.
        resources: the protected resources the client wants to call.
        logo_uri: the client's picture, loaded by the browser from the client; the page's policy must allow it.
        client_host: where a client that registered itself leads; None for those the operator registered. Its name
            can be anybody's.
        applications_url: the page where a yes is taken back.
    """

    template: ClassVar[str] = "consent.html"
    action: str
    interaction: str
    csrf: str
    shown_to: str
    client_name: str
    client_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    account_label: str
    scopes: tuple[ScopeLine, ...]
    resources: tuple[str, ...] = ()
    logo_uri: str | None = None
    client_host: str | None = None
    applications_url: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SelectAccountPage(View):
    """Which account to go on with (`prompt=select_account`): the one that is signed in, or another.

    Posts `interaction`, `csrf`, `shown_to` and `decision`, `continue` or `another`; cancelling is a form of its own.

    Attributes:
        shown_to: ties the form to the account it was shown to.
        account_label: the account that is signed in: its identifier, masked.
    """

    template: ClassVar[str] = "select_account.html"
    action: str
    cancel_action: str
    interaction: str
    csrf: str
    shown_to: str
    client_name: str
    account_label: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FormPostPage(View):
    """The authorization response as a form that the browser posts to the client (OAuth 2.0 Form Post Response Mode).

    Our own script submits it; without scripts there is the button.

    Attributes:
        action: the client's redirect URI; the page's policy must allow it.
        fields: name and value of each parameter of the response.
    """

    template: ClassVar[str] = "form_post.html"
    action: str
    fields: tuple[tuple[str, str], ...]
    client_name: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LeavingPage(View):
    """Before an error or a sign-out sends the browser to a client that registered itself (RFC 9700 section 4.11.2).

    Attributes:
        next_url: the client's redirect URI with the error in it; without it where `fields` are posted.
        host: where that leads; client names can be anybody's.
        fields: name and value of each parameter of the error, when the client wants them posted; the page's policy must
            allow it then.
        signed_out: it is a sign-out that nobody had to agree to.
    """

    template: ClassVar[str] = "leaving.html"
    next_url: str
    host: str
    client_name: str
    fields: tuple[tuple[str, str], ...] = ()
    signed_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ContinuePage(View):
    """A form's way out of our origin: the page moves on by itself and shows the link it follows.

    Attributes:
        next_url: our own `/authorize?interaction=...`.
    """

    template: ClassVar[str] = "continue.html"
    blanks: ClassVar[tuple[str, ...]] = ("next_url", "client_name")
    next_url: str
    client_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ErrorPage(View):
    """What went wrong, in words, and the request id to quote to whoever helps. `status` is the answer's HTTP status."""

    template: ClassVar[str] = "error.html"
    title: str
    description: str
    request_id: str
    status: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FinishedPage(View):
    """The interaction was finished before: nothing to do here."""

    template: ClassVar[str] = "finished.html"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LogoutPage(View):
    """Asks before signing out. Posts `csrf` and `decision`, `sign_out` or `stay`."""

    template: ClassVar[str] = "logout.html"
    action: str
    csrf: str
    account_label: str
    client_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StillSignedInPage(View):
    """The person chose to stay. `home_url` is the client's home page; with it comes `client_name`."""

    template: ClassVar[str] = "still_signed_in.html"
    client_name: str | None = None
    home_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SignedOutPage(View):
    """Signed out, and who was told.

    Attributes:
        told: names of the applications that were told, or are told by `frames`.
        frames: addresses of applications that are told by loading them (OpenID Connect Front-Channel Logout 1.0); the
            page's policy must allow them.
        next_url: where the relying party wants the browser back: followed once the frames are loaded, None stays here.
        client_name: the relying party's name behind `next_url`.
    """

    template: ClassVar[str] = "signed_out.html"
    told: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()
    next_url: str | None = None
    client_name: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class AllowedApplication:
    """A client that a person allowed something, and since when. `granted_at` is aware."""

    client_id: str
    name: str
    host: str | None
    scopes: tuple[ScopeLine, ...]
    granted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ApplicationsPage(View):
    """What a person allowed which client, each with a way to take it back. Posts `csrf` and `client_id`.

    Attributes:
        withdrawn: the name of the client that was just withdrawn, to say so.
    """

    template: ClassVar[str] = "applications.html"
    action: str
    csrf: str
    account_label: str
    applications: tuple[AllowedApplication, ...]
    withdrawn: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class MailboxMessage:
    """A message that development mode kept instead of sending it. `sent_at` is aware."""

    id: str
    to: str
    channel: str
    gateway: str
    subject: str | None
    text: str
    one_time_code: str | None
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MailboxPage(View):
    """The development mailbox.

    Attributes:
        messages: in the order to show, newest first.
        to: the recipient the list is narrowed to, empty for all; the form sends it back as `?to=`.
    """

    template: ClassVar[str] = "mailbox.html"
    messages: tuple[MailboxMessage, ...]
    to: str = ""
