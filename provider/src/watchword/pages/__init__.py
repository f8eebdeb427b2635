"""The hosted pages: handlers, and the templates they fill. PAGES is the only list of their routes."""

from watchword.pages import applications, consent, login, logout, mailbox, select_account, static
from watchword.web.endpoint import Access, Endpoint

PAGES: tuple[Endpoint, ...] = (
    Endpoint("/login", {"GET": login.show_identifier, "POST": login.ask_for_code}, Access.PERSON),
    Endpoint("/login/code", {"GET": login.show_code, "POST": login.check_code}, Access.PERSON),
    Endpoint("/login/resend", {"GET": login.back_to_code, "POST": login.resend}, Access.PERSON),
    Endpoint("/login/change", {"POST": login.change_identifier}, Access.PERSON),
    Endpoint("/login/cancel", {"POST": login.cancel}, Access.PERSON),
    Endpoint("/login/select-account", {"GET": select_account.show, "POST": select_account.decide}, Access.PERSON),
    Endpoint("/login/static/*", {"GET": static.static_file}, Access.PUBLIC),
    Endpoint("/consent", {"GET": consent.show, "POST": consent.decide}, Access.PERSON),
    Endpoint("/account/applications", {"GET": applications.show, "POST": applications.take_back}, Access.PERSON),
    Endpoint("/logout/confirm", {"GET": logout.show, "POST": logout.decide}, Access.PERSON),
    Endpoint("/logout/done", {"GET": logout.done}, Access.PERSON),
    Endpoint("/dev/mailbox", {"GET": mailbox.show}, Access.DEVELOPMENT),
    Endpoint("/dev/mailbox.json", {"GET": mailbox.list_messages}, Access.DEVELOPMENT),
)
