"""What certification asks of a provider, profile by profile, and the tests that prove each: all of them on https."""

from collections.abc import Mapping

from tests.requirements import Requirement

OF_OPENID: Mapping[str, Requirement] = {
    "basic-01": Requirement(
        "oidcc-server: the code flow completes, and the ID token holds what it may and no more.",
        ("certification/test_basic.py::test_the_code_flow_completes_and_the_id_token_is_slim",),
    ),
    "basic-02": Requirement(
        "oidcc-response-type-missing: the client is told, by a redirect with its state.",
        ("certification/test_basic.py::test_a_missing_response_type_is_told_to_the_client",),
    ),
    "basic-03": Requirement(
        "oidcc-idtoken-signature: RS256 by default, under a kid.",
        ("certification/test_basic.py::test_the_default_signature_is_rs256_with_a_kid",),
    ),
    "basic-04": Requirement(
        "oidcc-idtoken-unsigned: nothing is unsigned.",
        ("certification/test_basic.py::test_nothing_is_ever_unsigned",),
    ),
    "basic-05": Requirement(
        "oidcc-userinfo-get: the token in the header of a GET.",
        ("certification/test_basic.py::test_userinfo_takes_the_token_in_every_allowed_way",),
    ),
    "basic-06": Requirement(
        "oidcc-userinfo-post-header: the token in the header of a POST.",
        ("certification/test_basic.py::test_userinfo_takes_the_token_in_every_allowed_way",),
    ),
    "basic-07": Requirement(
        "oidcc-userinfo-post-body: the token in the form of a POST.",
        ("certification/test_basic.py::test_userinfo_takes_the_token_in_every_allowed_way",),
    ),
    "basic-08": Requirement(
        "oidcc-ensure-request-without-nonce-succeeds-for-code-flow: no nonce sent, none returned.",
        ("certification/test_basic.py::test_a_request_without_a_nonce_succeeds",),
    ),
    "basic-09": Requirement(
        "oidcc-scope-profile: all fourteen claims, of the right types.",
        ("certification/test_basic.py::test_a_scope_shows_all_its_claims_at_userinfo_and_none_in_the_id_token",),
    ),
    "basic-10": Requirement(
        "oidcc-scope-email.",
        ("certification/test_basic.py::test_a_scope_shows_all_its_claims_at_userinfo_and_none_in_the_id_token",),
    ),
    "basic-11": Requirement(
        "oidcc-scope-address: an object of texts.",
        ("certification/test_basic.py::test_a_scope_shows_all_its_claims_at_userinfo_and_none_in_the_id_token",),
    ),
    "basic-12": Requirement(
        "oidcc-scope-phone.",
        ("certification/test_basic.py::test_a_scope_shows_all_its_claims_at_userinfo_and_none_in_the_id_token",),
    ),
    "basic-13": Requirement(
        "oidcc-scope-all.",
        ("certification/test_basic.py::test_a_scope_shows_all_its_claims_at_userinfo_and_none_in_the_id_token",),
    ),
    "basic-14": Requirement(
        "oidcc-alternate-happy-flow: no order matters.",
        ("certification/test_basic.py::test_the_order_of_scopes_and_parameters_does_not_matter",),
    ),
    "basic-15": Requirement(
        "oidcc-display-page.",
        ("certification/test_basic.py::test_no_display_fails",),
    ),
    "basic-16": Requirement(
        "oidcc-display-popup.",
        ("certification/test_basic.py::test_no_display_fails",),
    ),
    "basic-17": Requirement(
        "oidcc-prompt-login: the person signs in again, and auth_time moves.",
        ("certification/test_basic.py::test_prompt_login_asks_again_and_auth_time_moves",),
    ),
    "basic-18": Requirement(
        "oidcc-prompt-none-not-logged-in: an error without a page, and a long state intact.",
        ("certification/test_basic.py::test_prompt_none_without_a_session_is_told_with_its_long_state",),
    ),
    "basic-19": Requirement(
        "oidcc-prompt-none-logged-in: a code at once, the same subject and auth_time.",
        ("certification/test_basic.py::test_prompt_none_with_a_session_answers_at_once",),
    ),
    "basic-20": Requirement(
        "oidcc-max-age-1: the person signs in again.",
        ("certification/test_basic.py::test_max_age_of_a_second_asks_again",),
    ),
    "basic-21": Requirement(
        "oidcc-max-age-10000: nobody is asked, auth_time is the same.",
        ("certification/test_basic.py::test_a_long_max_age_does_not_ask_and_auth_time_stays",),
    ),
    "basic-22": Requirement(
        "oidcc-ensure-request-with-unknown-parameter-succeeds.",
        ("certification/test_basic.py::test_an_unknown_parameter_is_ignored",),
    ),
    "basic-23": Requirement(
        "oidcc-id-token-hint: in silence, also by an expired hint.",
        ("certification/test_basic.py::test_an_id_token_hint_in_silence_gives_the_same_person",),
    ),
    "basic-24": Requirement(
        "oidcc-login-hint: an unknown one can be changed on the page.",
        ("certification/test_basic.py::test_a_login_hint_of_a_stranger_leads_to_a_page_where_it_can_be_changed",),
    ),
    "basic-25": Requirement(
        "oidcc-ui-locales: unsupported ones are ignored.",
        ("certification/test_basic.py::test_a_locale_we_do_not_speak_is_ignored",),
    ),
    "basic-26": Requirement(
        "oidcc-claims-locales: unsupported ones are ignored.",
        ("certification/test_basic.py::test_a_locale_we_do_not_speak_is_ignored",),
    ),
    "basic-27": Requirement(
        "oidcc-ensure-request-with-acr-values-succeeds: the acr is one of those asked for.",
        ("certification/test_basic.py::test_acr_values_give_an_acr_that_was_asked_for",),
    ),
    "basic-28": Requirement(
        "oidcc-codereuse: 400 invalid_grant.",
        ("certification/test_basic.py::test_a_code_used_again_is_refused_and_after_a_while_its_token_is_dead",),
    ),
    "basic-29": Requirement(
        "oidcc-codereuse-30seconds: and the access token is dead.",
        ("certification/test_basic.py::test_a_code_used_again_is_refused_and_after_a_while_its_token_is_dead",),
    ),
    "basic-30": Requirement(
        "oidcc-ensure-registered-redirect-uri: a page, never a redirect.",
        ("certification/test_basic.py::test_an_unregistered_redirect_uri_is_shown_and_never_followed",),
    ),
    "basic-31": Requirement(
        "oidcc-ensure-post-request-succeeds: a form from another site.",
        ("certification/test_basic.py::test_a_request_posted_from_another_site_succeeds",),
    ),
    "basic-32": Requirement(
        "oidcc-server-client-secret-post.",
        ("certification/test_basic.py::test_a_secret_in_the_form_authenticates",),
    ),
    "basic-33": Requirement(
        "oidcc-request-uri-unsigned: request_uri_not_supported.",
        ("certification/test_basic.py::test_request_objects_are_refused_by_name",),
    ),
    "basic-34": Requirement(
        "oidcc-unsigned-request-object: request_not_supported.",
        ("certification/test_basic.py::test_request_objects_are_refused_by_name",),
    ),
    "basic-35": Requirement(
        "oidcc-claims-essential: at userinfo, and not in the ID token.",
        ("certification/test_basic.py::test_an_essential_claim_is_at_userinfo_alone",),
    ),
    "basic-36": Requirement(
        "oidcc-ensure-request-object-with-redirect-uri: an unregistered outer redirect URI is shown.",
        ("certification/test_basic.py::test_a_request_object_does_not_cure_an_unregistered_redirect_uri",),
    ),
    "basic-37": Requirement(
        "oidcc-refresh-token: a new ID token of the same sign-in; another client's is refused.",
        ("certification/test_basic.py::test_a_refresh_token_gives_a_new_id_token_and_is_its_clients_alone",),
    ),
    "basic-38": Requirement(
        "oidcc-ensure-request-with-valid-pkce-succeeds.",
        ("certification/test_basic.py::test_pkce_works_with_a_confidential_client",),
    ),
    "basic-39": Requirement(
        "HEAD answers nothing that a code could be in.",
        ("certification/test_basic.py::test_head_gives_nothing_away",),
    ),
    "basic-40": Requirement(
        "A claim that was asked for in the ID token is there.",
        ("certification/test_basic.py::test_a_claim_asked_for_in_the_id_token_is_there",),
    ),
    "config-01": Requirement(
        "oidcc-discovery-endpoint-verification: members, types, addresses and keys.",
        (
            "certification/test_config.py::test_discovery_says_what_a_provider_must_and_only_what_is_registered",
            "certification/test_config.py::test_every_member_has_its_type_and_every_address_is_https",
            "certification/test_config.py::test_the_keys_are_distinct_named_public_and_of_every_advertised_algorithm",
            "certification/test_config.py::test_both_addresses_of_the_metadata_say_the_same",
        ),
    ),
    "config-02": Requirement(
        "Discovery is what it says: each member registered, of its kind, and true.",
        (
            "endpoints/test_discovery.py::test_discovery_is_true",
            "endpoints/test_discovery_truth.py::test_every_member_is_registered_and_of_its_kind",
            "endpoints/test_discovery_truth.py::test_claims_about_the_sign_in_are_in_the_id_token",
            "endpoints/test_discovery_truth.py::test_languages",
        ),
    ),
    "form-post-01": Requirement(
        "Every case of Basic passes in form_post too, errors and state included: the same tests, by their parameter.",
        (
            "certification/test_basic.py::test_the_code_flow_completes_and_the_id_token_is_slim",
            "certification/test_basic.py::test_a_missing_response_type_is_told_to_the_client",
            "certification/test_basic.py::test_prompt_none_without_a_session_is_told_with_its_long_state",
            "certification/test_basic.py::test_any_state_comes_back_byte_for_byte",
            "endpoints/test_authorize_form_post.py::test_an_error_is_a_form_with_the_state_and_the_issuer",
        ),
    ),
    "form-post-02": Requirement(
        "The form posts itself in a real browser and onward from there, and has a button where scripts are off.",
        (
            "endpoints/test_authorize_form_post.py::test_a_real_browser_posts_the_answer_and_follows_the_client_onward",
            "pages/test_moving_on.py::test_the_answer_is_posted_by_itself",
            "pages/test_moving_on.py::test_without_scripts_the_answer_waits_for_the_button",
        ),
    ),
    "form-post-03": Requirement(
        "Its values are escaped, its policy lets it leave and nothing else, and nobody keeps it.",
        (
            "endpoints/test_authorize_form_post.py::test_success_is_a_form_with_code_state_and_issuer_and_nothing_else",
            "endpoints/test_authorize_form_post.py::test_the_page_is_kept_by_nobody_and_may_post_to_web_addresses_alone",
        ),
    ),
    "dynamic-01": Requirement(
        "oidcc-idtoken-rs256, and every other algorithm that is offered.",
        ("certification/test_registration.py::test_the_registered_algorithm_signs_the_id_token",),
    ),
    "dynamic-02": Requirement(
        "oidcc-userinfo-rs256: signed, with iss and aud.",
        ("certification/test_registration.py::test_userinfo_is_signed_for_a_client_that_asked",),
    ),
    "dynamic-03": Requirement(
        "oidcc-ensure-redirect-uri-in-authorization-request.",
        ("certification/test_registration.py::test_no_redirect_uri_is_shown_and_not_guessed",),
    ),
    "dynamic-04": Requirement(
        "oidcc-redirect-uri-query-OK, -query-mismatch, -query-added.",
        ("certification/test_registration.py::test_a_query_in_a_redirect_uri_stays_and_must_match",),
    ),
    "dynamic-05": Requirement(
        "oidcc-redirect-uri-regfrag: invalid_redirect_uri.",
        ("certification/test_registration.py::test_a_fragment_in_a_redirect_uri_is_refused",),
    ),
    "dynamic-06": Requirement(
        "oidcc-server with private_key_jwt and a key without a kid.",
        ("certification/test_registration.py::test_a_client_with_a_key_without_a_name_authenticates_by_it",),
    ),
    "dynamic-07": Requirement(
        "oidcc-registration-logo-uri, -policy-uri, -tos-uri: shown, never fetched by us.",
        ("certification/test_registration.py::test_logo_policy_and_terms_are_shown_before_the_first_yes",),
    ),
    "dynamic-08": Requirement(
        "oidcc-registration-jwks-uri, oidcc-refresh-token-rp-key-rotation: from its address, again for an unknown kid.",
        ("certification/test_registration.py::test_keys_are_read_from_the_clients_address_and_again_when_they_rotate",),
    ),
    "dynamic-09": Requirement(
        "oidcc-registration-sector-uri, -sector-bad.",
        (
            "certification/test_registration.py::test_a_sector_gives_its_clients_one_subject_and_others_another",
            "certification/test_registration.py::test_a_sector_that_does_not_hold_the_redirect_uri_is_refused",
        ),
    ),
    "dynamic-10": Requirement(
        "oidcc-server-rotate-keys: a new kid signs, the old one stays published.",
        (
            "certification/test_registration.py::test_a_rotated_key_signs_under_a_new_name_and_the_old_one_stays_published",
        ),
    ),
    "dynamic-11": Requirement(
        "oidcc-ensure-client-assertion-with-iss-aud-succeeds.",
        ("certification/test_registration.py::test_an_assertion_may_name_the_issuer_or_the_token_endpoint",),
    ),
    "dynamic-12": Requirement(
        "A registration is read and deleted with its own token.",
        ("certification/test_registration.py::test_a_registration_is_read_and_deleted_with_its_own_token",),
    ),
    "dynamic-13": Requirement(
        "What is sent comes back registered; without a scope all of OpenID's are meant; a secret tells when it ends.",
        (
            "certification/test_registration.py::test_a_client_with_a_key_without_a_name_authenticates_by_it",
            "endpoints/test_register.py::test_a_client_registers_itself_and_learns_what_stands",
            "endpoints/test_register.py::test_what_certification_registers_is_taken_and_stands",
            "endpoints/test_register.py::test_a_client_that_names_no_scope_may_ask_for_all_of_openid",
        ),
    ),
    "dynamic-14": Requirement(
        "An initial access token registers where one is asked for.",
        (
            "endpoints/test_registration_tokens.py::test_a_token_registers_one_client_and_is_kept_hashed",
            "endpoints/test_registration_tokens.py::test_without_a_token_nobody_registers",
        ),
    ),
    "dynamic-15": Requirement(
        "oidcc-request-uri-signed-rs256, -unsigned: request_uri_not_supported, and nothing is fetched.",
        ("certification/test_basic.py::test_request_objects_are_refused_by_name",),
    ),
    "dynamic-16": Requirement(
        "What others name is fetched from this machine's own addresses only where a test asks for that.",
        (
            "endpoints/test_client_keys.py::test_without_the_switch_nothing_on_this_machine_is_ever_connected_to",
            "workspace/test_settings.py::test_a_setting_that_cannot_be_used_is_named_in_one_line",
        ),
    ),
    "third-party-01": Requirement(
        "initiate_login_uri is echoed, and refused unless https.",
        ("certification/test_registration.py::test_an_initiate_login_uri_is_kept_and_must_be_https",),
    ),
    "rp-logout-01": Requirement(
        "A hint and a registered address: signed out and sent back with exactly the state.",
        ("certification/test_logout.py::test_a_hint_ends_the_session_and_the_browser_is_sent_back_with_its_state",),
    ),
    "rp-logout-02": Requirement(
        "-bad-post-logout-redirect-uri, -query-added: an error page.",
        ("certification/test_logout.py::test_another_return_address_is_an_error_page",),
    ),
    "rp-logout-03": Requirement(
        "-modified-id-token-hint, -bad-id-token-hint: an error page.",
        ("certification/test_logout.py::test_a_hint_that_we_did_not_sign_is_an_error_page",),
    ),
    "rp-logout-04": Requirement(
        "-no-id-token-hint: an error page.",
        ("certification/test_logout.py::test_a_return_address_without_a_hint_is_an_error_page",),
    ),
    "rp-logout-05": Requirement(
        "-no-params, -no-post-logout-redirect-uri, -only-state: signed out on our page.",
        ("certification/test_logout.py::test_without_a_return_address_the_person_ends_on_our_page",),
    ),
    "rp-logout-06": Requirement(
        "-no-state: no empty state comes back.",
        ("certification/test_logout.py::test_a_hint_ends_the_session_and_the_browser_is_sent_back_with_its_state",),
    ),
    "rp-logout-07": Requirement(
        "-discovery-endpoint-verification: the end_session_endpoint is named, on https.",
        (
            "certification/test_config.py::test_discovery_says_what_a_provider_must_and_only_what_is_registered",
            "certification/test_config.py::test_every_member_has_its_type_and_every_address_is_https",
        ),
    ),
    "rp-logout-08": Requirement(
        "An expired hint is a hint; one about this session needs no question, another one does.",
        (
            "endpoints/test_logout.py::test_an_expired_hint_is_good",
            "endpoints/test_logout.py::test_a_hint_about_this_session_ends_it_and_leads_back_with_exactly_the_state",
            "endpoints/test_logout.py::test_a_hint_about_somebody_else_asks",
        ),
    ),
    "back-channel-01": Requirement(
        "oidcc-backchannel-rp-initiated-logout: one form with one logout token, over TLS 1.3.",
        ("certification/test_logout.py::test_a_back_channel_client_is_told_by_a_logout_token",),
    ),
    "back-channel-02": Requirement(
        "-discovery-endpoint-verification: the channel is announced, with sessions.",
        ("certification/test_config.py::test_discovery_says_what_a_provider_must_and_only_what_is_registered",),
    ),
    "back-channel-03": Requirement(
        "200 and 204 are success, and a client that hangs delays nobody.",
        (
            "endpoints/test_backchannel_logout.py::test_204_is_as_good_as_200",
            "endpoints/test_backchannel_logout.py::test_a_sink_that_hangs_delays_no_sign_out_no_sign_in_and_no_other_host",
        ),
    ),
    "front-channel-01": Requirement(
        "The sign-out page loads the client with iss and sid, then goes on.",
        (
            "certification/test_logout.py::test_a_front_channel_client_is_loaded_in_a_frame_with_issuer_and_session",
            "endpoints/test_frontchannel_logout.py::test_a_real_browser_loads_every_frame_and_then_goes_back",
        ),
    ),
    "front-channel-02": Requirement(
        "-discovery-endpoint-verification: the channel is announced, with sessions.",
        ("certification/test_config.py::test_discovery_says_what_a_provider_must_and_only_what_is_registered",),
    ),
}
