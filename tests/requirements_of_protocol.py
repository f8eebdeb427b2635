"""The security criteria of the OpenID endpoints, of tokens and of clients, and the tests that prove each.

Where the provider departs from a criterion on purpose, the text says so and says why.
"""

from collections.abc import Mapping

from tests.requirements import Requirement
from tests.requirements_of_openid import OF_OPENID

_PROFILES = ("basic-", "config-", "form-post-", "rp-logout-", "back-channel-")

OF_PROTOCOL: Mapping[str, Requirement] = {
    "G-01": Requirement(
        "A redirect URI is compared byte for byte; only the port of a literal loopback address is free.",
        (
            "endpoints/test_authorize_redirect_uris.py::test_what_is_not_registered_byte_for_byte_shows_a_page",
            "endpoints/test_authorize_redirect_uris.py::test_a_native_app_is_answered_where_it_listens",
            "endpoints/test_authorize_redirect_uris.py::test_only_the_port_of_a_literal_loopback_address_is_free",
            "protocol/test_client.py::test_a_redirect_uri_that_differs_in_anything_is_foreign",
        ),
    ),
    "G-02": Requirement(
        "No redirect URI is registered that has a fragment, user, wildcard, dot segment or non-ASCII host, is plain "
        "http off loopback, or uses a script scheme or a scheme without a dot.",
        (
            "endpoints/test_register.py::test_a_redirect_uri_that_could_leak_a_code_is_not_registered",
            "endpoints/test_registered_client.py::test_an_update_that_does_not_hold_changes_nothing",
            "protocol/test_registration.py::test_a_redirect_uri_that_could_leak_a_code_is_refused",
        ),
    ),
    "G-03": Requirement(
        "Without a known client and its own redirect URI there is no redirect, whatever else is wrong.",
        (
            "endpoints/test_authorize_errors.py::test_without_a_trusted_target_the_person_gets_a_page",
            "endpoints/test_authorize_form_post.py::test_without_a_trusted_target_nothing_is_posted_anywhere",
            "endpoints/test_authorize_redirect_uris.py::test_a_request_object_does_not_get_round_a_wrong_redirect_uri",
            "endpoints/test_hostile_input.py::test_no_target_that_is_not_registered_is_ever_redirected_to",
        ),
    ),
    "G-04": Requirement(
        "PKCE with S256 is required; plain, a missing, a wrong and an unexpected verifier are refused. A departure: a "
        "confidential client that registered itself may come without a challenge, since certification sends none; "
        "one that it sends binds. An operator may allow that for a confidential client, and nobody for a public one.",
        (
            "endpoints/test_authorize_errors.py::test_with_a_trusted_target_the_client_gets_the_error_with_state_and_issuer",
            "endpoints/test_authorize_redirect_uris.py::test_an_app_without_pkce_is_told_so",
            "endpoints/test_register.py::test_whoever_registered_itself_is_asked_about_and_must_keep_to_pkce_when_public",
            "endpoints/test_authorization_code.py::test_pkce_is_optional_for_a_confidential_stranger_and_binds_once_sent",
            "endpoints/test_authorization_code.py::test_a_wrong_verifier_or_redirect_uri_consumes_nothing",
            "protocol/test_registration.py::test_even_the_operator_cannot_lift_pkce_from_a_public_client",
        ),
    ),
    "G-05": Requirement(
        "A code lives sixty seconds, lies in the store as a hash, and is bound to client, redirect URI, challenge, "
        "session and nonce.",
        (
            "endpoints/test_authorization_code.py::test_a_code_lives_sixty_seconds",
            "endpoints/test_authorization_code.py::test_a_code_belongs_to_its_client",
            "endpoints/test_authorization_code.py::test_a_wrong_verifier_or_redirect_uri_consumes_nothing",
            "endpoints/test_authorization_code.py::test_a_code_of_one_session_does_not_answer_the_verifier_of_another",
            "endpoints/test_authorization_code.py::test_a_code_dies_with_its_session",
            "endpoints/test_authorization_code.py::test_an_id_token_holds_the_nonce_of_its_own_request",
            "endpoints/test_authorization_code.py::test_a_code_lies_in_the_store_as_a_hash_alone",
        ),
    ),
    "G-06": Requirement(
        "Of sixty exchanges of one code one gives tokens; a replay revokes all that came of the code.",
        (
            "journeys/test_races.py::test_of_sixty_exchanges_of_one_code_one_succeeds_and_nothing_is_revoked",
            "stores/test_database_races.py::test_of_240_redemptions_of_one_code_one_wins",
            "endpoints/test_authorization_code.py::test_a_later_second_use_revokes_all_that_came_of_the_code",
            "endpoints/test_authorization_code.py::test_a_second_use_by_who_lacks_the_verifier_is_theft_at_once",
            "endpoints/test_authorization_code.py::test_a_second_use_by_another_client_is_theft_at_once",
            "endpoints/test_authorization_code.py::test_a_second_use_within_five_seconds_is_a_race_and_revokes_nothing",
            "endpoints/test_authorization_code.py::test_a_replay_revokes_one_grant_and_no_other",
            "endpoints/test_introspection.py::test_a_replayed_code_ends_its_token",
        ),
    ),
    "G-07": Requirement(
        "Code is the only response type: nothing is implicit or hybrid, and no password is ever exchanged.",
        (
            "endpoints/test_authorize_errors.py::test_with_a_trusted_target_the_client_gets_the_error_with_state_and_issuer",
            "endpoints/test_token_requests.py::test_grant_types_are_known_and_registered",
            "endpoints/test_register.py::test_metadata_that_does_not_hold_is_refused",
            "endpoints/test_discovery_truth.py::test_response_types_and_modes",
            "endpoints/test_discovery_truth.py::test_grant_types",
        ),
    ),
    "G-08": Requirement(
        "The issuer stands in every answer to an authorization request, errors too, and discovery says so.",
        (
            "endpoints/test_authorize.py::test_success_holds_code_state_and_issuer_and_nothing_else",
            "endpoints/test_authorize_errors.py::test_with_a_trusted_target_the_client_gets_the_error_with_state_and_issuer",
            "endpoints/test_authorize_form_post.py::test_success_is_a_form_with_code_state_and_issuer_and_nothing_else",
            "endpoints/test_authorize_form_post.py::test_an_error_is_a_form_with_the_state_and_the_issuer",
            "endpoints/test_discovery_truth.py::test_the_issuer_stands_in_the_answer",
        ),
    ),
    "G-09": Requirement(
        "A client assertion is for us, counts five minutes, and is used once. A departure: the token endpoint and the "
        "endpoint that is asked are audiences too, since clients of OpenID Connect name them; and one that names a "
        "later end, as many libraries do, counts five minutes from when it was made.",
        (
            "endpoints/test_client_assertions.py::test_the_issuer_and_the_token_endpoint_are_audiences_alone_or_among_others",
            "endpoints/test_client_assertions.py::test_another_audience_is_refused",
            "endpoints/test_client_assertions.py::test_clocks_may_differ_a_little",
            "endpoints/test_client_assertions.py::test_an_assertion_of_an_hour_counts_five_minutes",
            "endpoints/test_client_assertions.py::test_an_assertion_is_used_once_whatever_for",
            "endpoints/test_client_assertions.py::test_an_assertion_that_was_used_stays_used_until_it_has_expired",
            "journeys/test_assertion_races.py::test_of_sixty_uses_of_one_assertion_one_succeeds",
        ),
    ),
    "G-10": Requirement(
        "Consent is kept per account, client, scope and resource, asked for again when a stranger wants more, and its "
        "form is bound to the request.",
        (
            "login/test_consent.py::test_a_yes_is_remembered_and_asked_again_only_for_more",
            "login/test_consent.py::test_consent_is_a_persons_and_not_a_browsers",
            "login/test_consent.py::test_the_yes_of_one_person_is_no_yes_of_the_next_one_in_this_browser",
            "login/test_consent.py::test_a_yes_for_one_resource_is_no_yes_for_another",
            "login/test_consent.py::test_a_yes_to_one_client_is_no_yes_to_another",
            "login/test_consent.py::test_a_form_cannot_ask_for_more_than_the_request",
            "protocol/test_interaction.py::test_a_yes_counts_for_the_account_that_said_it",
            "endpoints/test_authorize_claims.py::test_a_claim_asked_for_by_itself_needs_a_yes_that_is_remembered",
            "endpoints/test_registered_client.py::test_a_client_that_nobody_vouches_for_stays_where_people_allowed_it",
        ),
    ),
    "G-11": Requirement(
        "In production a page asks the person before an error, of prompt=none too, leads to a client that registered "
        "itself. In development and test mode, where people register clients of their own, the redirect is at once.",
        (
            "endpoints/test_authorize_leaving.py::test_a_person_sees_where_an_error_leads_before_they_follow_it",
            "endpoints/test_authorize_leaving.py::test_an_error_that_is_to_be_posted_waits_for_the_person_too",
            "endpoints/test_authorize_leaving.py::test_who_cancels_is_told_where_that_leads",
            "endpoints/test_authorize_leaving.py::test_a_client_that_the_operator_registered_is_told_at_once",
        ),
    ),
    "G-13": Requirement(
        "nonce, max_age, prompt and acr_values are honoured exactly; a weaker method never meets a stronger demand.",
        (
            "endpoints/test_authorize.py::test_a_nonce_comes_back_exactly_and_only_when_it_was_sent",
            "endpoints/test_authorize.py::test_max_age_asks_again_once_the_session_is_older",
            "endpoints/test_authorize.py::test_max_age_in_silence_is_login_required",
            "endpoints/test_authorize.py::test_a_prompt_for_the_person_really_asks_and_auth_time_moves",
            "endpoints/test_authorize.py::test_prompt_consent_asks_even_a_first_party_client",
            "endpoints/test_authorize_accounts.py::test_who_is_signed_in_may_go_on_as_they_are",
            "endpoints/test_authorize_acr.py::test_acr_values_that_the_session_lacks_lead_to_a_sign_in_by_that_method_alone",
            "endpoints/test_authorize_acr.py::test_an_essential_acr_is_never_met_in_silence_by_a_weaker_sign_in",
            "endpoints/test_authorize_acr.py::test_a_weaker_sign_in_in_another_tab_does_not_satisfy_a_waiting_demand",
            "endpoints/test_authorize_acr.py::test_an_essential_acr_that_nobody_can_have_here_is_refused_at_once",
        ),
    ),
    "G-15": Requirement(
        "No client id is ever a subject.",
        (
            "endpoints/test_pairwise.py::test_no_subject_is_a_client_id",
            "endpoints/test_register.py::test_privileges_are_not_there_for_the_asking",
            "protocol/test_subject.py::test_no_subject_is_a_client_id_or_an_account_id_and_all_are_short_and_printable",
        ),
    ),
    "G-16": Requirement(
        "Introspection and revocation tell nothing of another client's token; UserInfo tells what the token's own "
        "client may know, to whoever holds it.",
        (
            "endpoints/test_introspection.py::test_nobody_else_learns_anything_about_it",
            "endpoints/test_introspection.py::test_of_a_token_for_two_resources_each_learns_its_own_part",
            "endpoints/test_introspection.py::test_a_refresh_token_is_its_own_clients_business_alone",
            "endpoints/test_introspection.py::test_who_does_not_authenticate_learns_nothing",
            "endpoints/test_revocation.py::test_another_clients_token_is_answered_alike_and_nothing_happens",
            "endpoints/test_requested_claims.py::test_a_client_gets_no_claim_that_its_registered_scopes_do_not_give",
            "endpoints/test_userinfo.py::test_scopes_show_exactly_their_claims",
        ),
    ),
    "G-17": Requirement(
        "A sign-out without an ID token about this very session asks the person; a return address matches exactly.",
        (
            "endpoints/test_logout.py::test_without_a_hint_the_person_is_asked",
            "endpoints/test_logout.py::test_a_hint_about_somebody_else_asks",
            "endpoints/test_logout.py::test_a_hint_of_an_earlier_session_of_the_same_person_asks",
            "endpoints/test_logout.py::test_a_hint_that_is_not_ours_is_a_page_and_ends_nothing",
            "endpoints/test_logout.py::test_a_hint_signed_by_the_client_itself_is_a_page_and_ends_nothing",
            "endpoints/test_logout.py::test_an_address_that_is_not_registered_is_a_page_and_ends_nothing",
            "login/test_signing_out.py::test_no_keeps_the_session",
            "protocol/test_logout.py::test_only_a_hint_about_this_very_session_spares_the_question",
        ),
    ),
    "G-18": Requirement(
        "Every case of certification in Basic, Config, Form Post, RP-Initiated Logout and Back-Channel Logout passes, "
        "as these tests tell each from outside on https.",
        tuple(
            dict.fromkeys(test for name, case in OF_OPENID.items() if name.startswith(_PROFILES) for test in case.tests)
        ),
    ),
    "H-01": Requirement(
        "A refresh token rotates at each use; sixty at once get one successor.",
        (
            "endpoints/test_refresh.py::test_a_refresh_rotates_and_its_tokens_are_about_the_same_sign_in",
            "endpoints/test_refresh.py::test_parallel_refreshes_all_get_the_same_successor",
            "journeys/test_races.py::test_sixty_refreshes_of_one_token_give_one_successor",
            "stores/test_database_races.py::test_of_240_rotations_of_one_generation_one_wins",
        ),
    ),
    "H-02": Requirement(
        "An old copy ends the whole family and is an event. A departure: the copy before the current one is good for "
        "thirty seconds in place of ten to a public client, and to one that authenticates until its successor is used, "
        "so that a lost answer signs nobody out.",
        (
            "endpoints/test_refresh.py::test_an_older_generation_ends_the_whole_family",
            "endpoints/test_refresh.py::test_a_public_client_has_thirty_seconds_for_that",
            "endpoints/test_refresh.py::test_a_client_that_authenticates_has_until_the_successor_is_used",
            "endpoints/test_refresh.py::test_an_old_copy_in_foreign_hands_ends_nothing",
            "endpoints/test_skewed_clock.py::test_the_grace_of_a_refresh_token_is_thirty_seconds",
        ),
    ),
    "H-03": Requirement(
        "Refresh tokens end unused and at their last day.",
        (
            "endpoints/test_refresh.py::test_a_family_unused_for_seven_days_is_over",
            "endpoints/test_refresh.py::test_a_family_is_over_after_thirty_days_however_busy",
        ),
    ),
    "H-04": Requirement(
        "A refresh token is bound to client, scope, resource and session. No client holds a key for it yet: the column "
        "that will bind one is compared in the rotating statement already.",
        (
            "endpoints/test_refresh.py::test_an_old_copy_in_foreign_hands_ends_nothing",
            "endpoints/test_refresh.py::test_a_refusal_about_scope_or_resource_burns_nothing",
            "endpoints/test_refresh.py::test_a_narrower_scope_never_narrows_the_family",
            "endpoints/test_refresh.py::test_signing_out_ends_the_family_unless_it_is_for_offline_use",
            "endpoints/test_refresh.py::test_a_bent_token_changes_nothing",
            "stores/test_grants.py::test_a_family_is_dead_and_does_not_rotate_once",
        ),
    ),
    "H-05": Requirement(
        "Each refresh looks at account, client and session anew.",
        (
            "endpoints/test_refresh.py::test_each_refresh_looks_at_account_client_and_session_again",
            "endpoints/test_refresh.py::test_what_is_kept_for_offline_use_ends_with_its_account_and_its_client",
            "stores/test_grants.py::test_a_family_is_dead_and_does_not_rotate_once",
            "journeys/test_races.py::test_a_grant_that_is_revoked_among_sixty_refreshes_is_over",
        ),
    ),
    "H-06": Requirement(
        "An access token is an at+jwt with issuer, subject, audience, end, beginning, id, client and scope. A "
        "departure: it lives 15 minutes by default in place of ten, and an hour at most.",
        (
            "endpoints/test_authorization_code.py::test_both_tokens_hold_exactly_their_claims",
            "protocol/test_token_claims.py::test_an_access_token_says_for_whom_what_and_how_long",
            "endpoints/test_userinfo.py::test_an_expired_token_is_invalid",
            "workspace/test_settings.py::test_a_setting_that_cannot_be_used_is_named_in_one_line",
        ),
    ),
    "H-07": Requirement(
        "No token passes for one of another kind: access, ID, refresh, logout and UserInfo tokens, codes, assertions.",
        (
            "endpoints/test_token_kinds.py::test_only_an_access_token_opens_userinfo",
            "endpoints/test_token_kinds.py::test_only_a_refresh_token_is_refreshed_and_only_a_code_redeemed",
            "endpoints/test_token_kinds.py::test_only_an_id_token_is_a_hint",
            "endpoints/test_token_kinds.py::test_no_token_of_ours_authenticates_a_client",
            "endpoints/test_backchannel_logout.py::test_a_logout_token_is_neither_a_hint_nor_an_access_token",
            "endpoints/test_client_assertions.py::test_no_token_of_ours_passes_for_an_assertion",
            "endpoints/test_introspection.py::test_what_is_no_token_is_not_active",
            "protocol/test_jwt.py::test_one_type_never_passes_for_another",
        ),
    ),
    "H-09": Requirement(
        "After a restore no earlier token, code or session works.",
        (
            "endpoints/test_restore.py::test_a_restore_begins_an_epoch_in_which_nothing_from_before_counts",
            "endpoints/test_opaque_tokens.py::test_tokens_from_before_a_restore_are_dead_those_of_machines_too",
            "protocol/test_refresh_token.py::test_the_tag_is_bound_to_every_fact",
        ),
    ),
    "H-10": Requirement(
        "Each client may choose pairwise subjects; no address and no number is ever a subject.",
        (
            "endpoints/test_pairwise.py::test_a_sector_knows_a_person_by_one_subject_and_others_by_another",
            "endpoints/test_pairwise.py::test_a_client_meets_the_same_subject_everywhere",
            "endpoints/test_pairwise.py::test_no_token_of_such_a_client_names_the_account",
            "endpoints/test_pairwise.py::test_no_identifier_is_ever_a_subject",
            "protocol/test_subject.py::test_another_sector_account_or_key_gives_another_subject",
        ),
    ),
    "H-11": Requirement(
        "amr and acr name what was truly used; no one-time code claims a level of assurance or a passkey's strength.",
        (
            "endpoints/test_authorization_code.py::test_tokens_name_the_method_that_was_truly_used_and_no_level_that_it_does_not_meet",
            "endpoints/test_authorize_acr.py::test_the_id_token_tells_what_was_truly_used",
            "workspace/test_settings_acr.py::test_a_value_that_cannot_be_used_or_claims_too_much_stops_the_start",
        ),
    ),
    "J-01": Requirement(
        "Addresses that others choose are reached by the guarded fetch alone.",
        (
            "fetch/test_only_way_out.py::test_the_guarded_fetch_is_the_only_way_out",
            "fetch/test_only_way_out.py::test_the_rule_would_find_another",
        ),
    ),
    "J-02": Requirement(
        "The guarded fetch refuses every address of the inside, goes to the address it judged, follows no redirect, "
        "reads 64 KiB at most and takes five seconds at most.",
        (
            "fetch/test_addresses.py::test_an_address_of_the_inside_is_not_public",
            "fetch/test_addresses.py::test_one_address_of_the_inside_refuses_all_of_a_host",
            "fetch/test_fetch.py::test_a_host_is_resolved_once_and_an_address_of_the_inside_is_never_connected_to",
            "fetch/test_fetch.py::test_a_document_is_fetched_by_name_from_the_one_address",
            "fetch/test_fetch.py::test_a_redirect_is_refused_and_not_followed",
            "fetch/test_fetch.py::test_an_answer_that_is_too_long_is_not_read_to_its_end",
            "fetch/test_fetch.py::test_an_answer_that_drips_is_over_when_the_time_is",
            "fetch/test_fetch.py::test_five_seconds_are_all_that_a_fetch_may_take",
            "endpoints/test_client_keys.py::test_without_the_switch_nothing_on_this_machine_is_ever_connected_to",
            "endpoints/test_registration_tokens.py::test_a_sector_that_does_not_answer_is_refused",
            "endpoints/test_backchannel_logout.py::test_an_address_that_leads_elsewhere_is_given_up",
        ),
    ),
    "J-03": Requirement(
        "What does not resolve is refused.",
        (
            "fetch/test_fetch.py::test_what_does_not_resolve_is_not_fetched",
            "fetch/test_addresses.py::test_a_host_without_an_address_is_refused_in_the_same_words_as_one_of_the_inside",
        ),
    ),
    "J-04": Requirement(
        "Logos and pages of clients are never fetched by us.",
        (
            "endpoints/test_client_keys.py::test_logos_and_pages_of_a_client_are_never_fetched",
            "login/test_consent.py::test_the_logo_is_loaded_by_the_browser_from_the_client_alone_and_never_by_us",
            "certification/test_registration.py::test_logo_policy_and_terms_are_shown_before_the_first_yes",
        ),
    ),
    "J-05": Requirement(
        "Registration is off by default, takes a token where it is on, and gives no privilege; `open` is a choice that "
        "an operator spells out.",
        (
            "endpoints/test_register.py::test_registration_is_off_unless_the_operator_opens_it",
            "endpoints/test_register.py::test_privileges_are_not_there_for_the_asking",
            "endpoints/test_registered_client.py::test_an_update_gives_no_privilege",
            "endpoints/test_registration_tokens.py::test_without_a_token_nobody_registers",
            "endpoints/test_registration_tokens.py::test_a_policy_bounds_a_client_for_good",
            "endpoints/test_registration_tokens.py::test_of_sixty_registrations_at_once_a_token_allows_its_uses",
            "endpoints/test_registration_tokens.py::test_a_token_is_over_when_it_expires",
        ),
    ),
    "J-06": Requirement(
        "Secrets of clients are ours, of 256 bits, shown once, kept hashed; two may overlap.",
        (
            "endpoints/test_register.py::test_a_client_registers_itself_and_learns_what_stands",
            "endpoints/test_register.py::test_secrets_are_kept_hashed",
            "endpoints/test_registered_client.py::test_a_client_reads_what_stands_registered_but_its_secret",
            "endpoints/test_client_secrets.py::test_a_secret_has_256_bits_in_plain_letters_and_only_its_hash_is_kept",
            "endpoints/test_client_secrets.py::test_the_old_secret_works_until_its_day_is_over",
            "endpoints/test_client_secrets.py::test_two_secrets_live_at_most",
        ),
    ),
}
