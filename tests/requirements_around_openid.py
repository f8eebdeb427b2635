"""What every case of certification checks, the traps other providers fell into, and the clients that are not ours."""

from collections.abc import Mapping

from tests.requirements import Requirement

AROUND_OPENID: Mapping[str, Requirement] = {
    "every-01": Requirement(
        "The key set holds usable public keys, each under a kid of its own.",
        (
            "certification/test_config.py::test_the_keys_are_distinct_named_public_and_of_every_advertised_algorithm",
            "endpoints/test_discovery.py::test_the_keys_are_public_distinct_and_usable",
        ),
    ),
    "every-02": Requirement(
        "The answer comes in the mode that was asked for, with the state byte for byte and the issuer.",
        (
            "certification/test_basic.py::test_any_state_comes_back_byte_for_byte",
            "endpoints/test_authorize_errors.py::test_a_state_of_128_characters_comes_back_whole_and_an_ambiguous_one_not_at_all",
            "protocol/test_authorization_response.py::test_any_state_comes_back_byte_for_byte_and_breaks_nothing",
        ),
    ),
    "every-03": Requirement(
        "A token response is complete JSON that nobody keeps, with tokens and codes that nobody guesses.",
        (
            "certification/test_basic.py::test_the_code_flow_completes_and_the_id_token_is_slim",
            "endpoints/test_authorization_code.py::test_a_code_gives_a_complete_token_response",
            "endpoints/test_opaque_tokens.py::test_no_two_tokens_are_alike",
        ),
    ),
    "every-04": Requirement(
        "An ID token verifies by the published key of its kid and holds right values, at_hash too.",
        (
            "certification/test_basic.py::test_the_code_flow_completes_and_the_id_token_is_slim",
            "certification/test_registration.py::test_the_registered_algorithm_signs_the_id_token",
            "endpoints/test_opaque_tokens.py::test_the_id_token_is_bound_to_the_opaque_token",
        ),
    ),
    "every-05": Requirement(
        "An ID token holds nothing that belongs to UserInfo, unless it was asked for there by itself.",
        (
            "certification/test_basic.py::test_the_code_flow_completes_and_the_id_token_is_slim",
            "certification/test_basic.py::test_a_scope_shows_all_its_claims_at_userinfo_and_none_in_the_id_token",
            "endpoints/test_authorization_code.py::test_both_tokens_hold_exactly_their_claims",
        ),
    ),
    "every-06": Requirement(
        "UserInfo is JSON about the same subject, of the right types, without null and without empty text.",
        (
            "certification/test_basic.py::test_a_scope_shows_all_its_claims_at_userinfo_and_none_in_the_id_token",
            "endpoints/test_userinfo.py::test_what_is_unknown_is_absent_and_never_null",
        ),
    ),
    "every-07": Requirement(
        "A token error is 400, or 401 for who is not the client, as JSON in characters that may be sent.",
        (
            "certification/test_basic.py::test_every_token_error_is_json_in_plain_characters",
            "certification/test_basic.py::test_who_is_not_the_client_is_challenged_in_the_way_it_used",
            "endpoints/test_token_requests.py::test_a_malformed_request_is_refused",
        ),
    ),
    "every-08": Requirement(
        "An authorization error holds nothing but error, description, state and issuer.",
        (
            "certification/test_basic.py::test_a_missing_response_type_is_told_to_the_client",
            "endpoints/test_authorize_errors.py::test_with_a_trusted_target_the_client_gets_the_error_with_state_and_issuer",
        ),
    ),
    "user-data-01": Requirement(
        "All twenty standard claims can be stored by the operator's command and are returned, with their types.",
        (
            "certification/test_basic.py::test_a_scope_shows_all_its_claims_at_userinfo_and_none_in_the_id_token",
            "endpoints/test_userinfo.py::test_all_twenty_standard_claims_are_known_here",
            "protocol/test_token_claims.py::test_profile_holds_the_fourteen_claims_of_the_specification",
        ),
    ),
    "trap-01": Requirement(
        "No prefix and no wildcard of a redirect URI matches, and no error goes to an unregistered one.",
        (
            "certification/test_basic.py::test_an_unregistered_redirect_uri_is_shown_and_never_followed",
            "endpoints/test_authorize_redirect_uris.py::test_what_is_not_registered_byte_for_byte_shows_a_page",
        ),
    ),
    "trap-02": Requirement(
        "auth_time is when the person signed in, in single sign-on and after a refresh too; max_age is honoured.",
        (
            "certification/test_basic.py::test_a_long_max_age_does_not_ask_and_auth_time_stays",
            "certification/test_basic.py::test_max_age_of_a_second_asks_again",
            "certification/test_basic.py::test_a_refresh_token_gives_a_new_id_token_and_is_its_clients_alone",
        ),
    ),
    "trap-03": Requirement(
        "prompt=none shows no page, and neither way into /authorize loses the session to SameSite.",
        (
            "certification/test_basic.py::test_prompt_none_with_a_session_answers_at_once",
            "endpoints/test_authorize.py::test_a_request_by_post_from_another_site_goes_on_in_the_browsers_session",
            "endpoints/test_authorize.py::test_prompt_none_by_post_is_answered_at_the_client",
        ),
    ),
    "trap-04": Requirement(
        "A person who signed in by a code has a session.",
        ("certification/test_basic.py::test_prompt_none_with_a_session_answers_at_once",),
    ),
    "trap-05": Requirement(
        "A posted error has its state, and updated_at counts seconds.",
        (
            "endpoints/test_authorize_form_post.py::test_an_error_is_a_form_with_the_state_and_the_issuer",
            "certification/test_basic.py::test_a_scope_shows_all_its_claims_at_userinfo_and_none_in_the_id_token",
        ),
    ),
    "trap-06": Requirement(
        "What is unknown of a person is absent.",
        ("endpoints/test_userinfo.py::test_what_is_unknown_is_absent_and_never_null",),
    ),
    "trap-07": Requirement(
        "What a client can mend is told to the client, and not shown as JSON.",
        (
            "endpoints/test_authorize_errors.py::test_with_a_trusted_target_the_client_gets_the_error_with_state_and_issuer",
        ),
    ),
    "trap-08": Requirement(
        "An ID token says no more than it must.",
        ("certification/test_basic.py::test_the_code_flow_completes_and_the_id_token_is_slim",),
    ),
    "trap-09": Requirement(
        "HTTP Basic is asked for only of who used it.",
        (
            "certification/test_basic.py::test_who_is_not_the_client_is_challenged_in_the_way_it_used",
            "endpoints/test_token_requests.py::test_only_who_used_the_header_is_challenged",
        ),
    ),
    "trap-10": Requirement(
        "A secret needs no encoding in HTTP Basic, and may have it.",
        (
            "endpoints/test_client_secrets.py::test_a_secret_has_256_bits_in_plain_letters_and_only_its_hash_is_kept",
            "endpoints/test_client_secrets.py::test_a_secret_may_be_form_encoded_inside_http_basic",
        ),
    ),
    "trap-11": Requirement(
        "A real browser leaves our forms for the client and goes on from there, under form-action.",
        (
            "endpoints/test_authorize_form_post.py::test_a_real_browser_posts_the_answer_and_follows_the_client_onward",
            "journeys/test_demo.py::test_a_person_signs_in_keeps_a_note_in_the_api_and_signs_out",
            "journeys/test_demo.py::test_another_client_asks_for_consent_and_the_api_knows_what_it_may_not_do",
        ),
    ),
    "trap-12": Requirement(
        "In test mode one person may sign in as often as a plan needs; production refuses that switch.",
        (
            "certification/test_basic.py::test_prompt_login_asks_again_and_auth_time_moves",
            "workspace/test_settings.py::test_a_setting_that_cannot_be_used_is_named_in_one_line",
        ),
    ),
    "trap-13": Requirement(
        "So may clients register themselves, and elsewhere a network only so many an hour.",
        (
            "certification/test_registration.py::test_a_registration_is_read_and_deleted_with_its_own_token",
            "endpoints/test_register.py::test_a_network_registers_so_many_clients_an_hour",
        ),
    ),
    "clients-01": Requirement(
        "Authlib, by the issuer's URL alone.",
        (
            "independent/test_authlib.py::test_authlibs_validators_accept_what_discovery_says",
            "independent/test_authlib.py::test_authlib_discovers_registers_signs_in_refreshes_asks_and_signs_out",
            "independent/test_authlib.py::test_authlib_revokes_and_introspects",
            "independent/test_authlib.py::test_authlib_authenticates_by_a_key_of_its_own",
            "independent/test_authlib.py::test_authlibs_assertions_of_an_hour_authenticate_as_they_are",
            "independent/test_authlib.py::test_authlib_redeems_what_was_posted",
            "independent/test_authlib.py::test_a_registration_is_read_changed_and_ended_by_its_own_token",
            "independent/test_authlib.py::test_the_recipe_signs_in_refreshes_and_signs_out",
        ),
    ),
    "clients-02": Requirement(
        "openid-client, by the issuer's URL alone.",
        (
            "independent/test_openid_client.py::test_it_signs_in_refreshes_asks_and_signs_out",
            "independent/test_openid_client.py::test_it_verifies_what_is_signed_as_it_registered",
            "independent/test_openid_client.py::test_it_authenticates_by_a_key_of_its_own",
            "independent/test_openid_client.py::test_it_revokes_and_introspects",
            "independent/test_openid_client.py::test_it_reads_an_answer_that_is_posted",
            "independent/test_openid_client.py::test_every_refusal_reaches_its_caller_as_a_typed_error",
            "independent/test_openid_client.py::test_the_recipe_signs_in_refreshes_and_signs_out",
        ),
    ),
    "clients-03": Requirement(
        "oauth4webapi, by either discovery document.",
        (
            "independent/test_oauth4webapi.py::test_it_discovers_the_same_by_either_document",
            "independent/test_oauth4webapi.py::test_it_signs_in_refreshes_asks_and_signs_out",
            "independent/test_oauth4webapi.py::test_it_verifies_what_is_signed_as_it_registered",
            "independent/test_oauth4webapi.py::test_it_authenticates_by_a_key_that_it_publishes",
            "independent/test_oauth4webapi.py::test_it_revokes_and_introspects",
            "independent/test_oauth4webapi.py::test_every_refusal_reaches_its_caller_as_a_typed_error",
            "independent/test_oauth4webapi.py::test_an_api_judges_an_access_token_by_its_signature",
            "independent/test_oauth4webapi.py::test_the_recipe_signs_in_refreshes_calls_an_api_and_signs_out",
        ),
    ),
    "clients-04": Requirement(
        "Apache's mod_auth_openidc: sign-in, refresh, and sign-out from both sides.",
        (
            "independent/test_mod_auth_openidc.py::test_a_person_signs_in_and_the_app_behind_reads_who_it_is",
            "independent/test_mod_auth_openidc.py::test_a_forged_header_never_reaches_the_app",
            "independent/test_mod_auth_openidc.py::test_it_refreshes_again_and_again",
            "independent/test_mod_auth_openidc.py::test_a_sign_out_here_ends_the_session_at_the_provider",
            "independent/test_mod_auth_openidc.py::test_a_sign_out_elsewhere_ends_the_session_here",
            "independent/test_mod_auth_openidc.py::test_an_answer_that_is_posted_is_read_too",
        ),
    ),
    "clients-05": Requirement(
        "oidc-client-ts in a real browser.",
        (
            "independent/test_oidc_client_ts.py::test_a_page_signs_a_person_in_and_reads_their_profile",
            "independent/test_oidc_client_ts.py::test_a_page_renews_by_its_refresh_token_without_a_frame",
            "independent/test_oidc_client_ts.py::test_a_page_signs_a_person_out_everywhere",
            "independent/test_oidc_client_ts.py::test_a_page_revokes_its_tokens_alone",
            "independent/test_oidc_client_ts.py::test_a_page_reads_why_its_refresh_was_refused",
        ),
    ),
}
