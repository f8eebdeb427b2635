"""What must hold, by the stable ids of the security criteria, and the tests that prove each."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Requirement:
    """One criterion in a line, and its tests as `file::function`, below `tests/`."""

    text: str
    tests: tuple[str, ...]


REQUIREMENTS: Mapping[str, Requirement] = {
    "F-01": Requirement(
        "Session ids are random, 256 bits, stored hashed, and never taken from the client.",
        (
            "login/test_cookies.py::test_a_session_gets_a_new_secret_at_every_sign_in_and_the_old_one_is_dead",
            "login/test_cookies.py::test_a_session_secret_set_by_somebody_else_is_never_adopted",
        ),
    ),
    "F-02": Requirement(
        "Signing in gives a new session id, and the old one is dead.",
        ("login/test_cookies.py::test_a_session_gets_a_new_secret_at_every_sign_in_and_the_old_one_is_dead",),
    ),
    "F-03": Requirement(
        "Cookies are __Host-, Secure, HttpOnly, SameSite=Lax and without a domain; one that stands twice is absent.",
        (
            "login/test_cookies.py::test_on_https_cookies_are_host_bound_and_secure",
            "login/test_cookies.py::test_a_cookie_that_stands_twice_counts_as_absent",
        ),
    ),
    "F-04": Requirement(
        "Idle and absolute limits of sessions hold at the server.",
        (
            "login/test_cookies.py::test_a_session_ends_when_it_was_not_used_for_a_day",
            "login/test_cookies.py::test_a_session_is_over_after_thirty_days_however_much_it_is_used",
        ),
    ),
    "F-05": Requirement(
        "Signing out and disabling end sessions and refresh families at once.",
        (
            "endpoints/test_authorization_code.py::test_a_disabled_account_redeems_nothing_and_cannot_sign_in",
            "login/test_sameness.py::test_a_disabled_account_loses_its_session_and_is_refused_after_the_proof_with_a_page",
            "endpoints/test_refresh.py::test_signing_out_ends_the_family_unless_it_is_for_offline_use",
            "endpoints/test_refresh.py::test_what_is_kept_for_offline_use_ends_with_its_account_and_its_client",
            "endpoints/test_introspection.py::test_what_is_kept_for_offline_use_is_over_with_its_account_and_its_client",
            "endpoints/test_userinfo.py::test_a_token_is_dead_the_moment_its_person_signs_out",
        ),
    ),
    "F-07": Requirement(
        "What changes state refuses calls from other sites, and needs a signed token; GET and HEAD never write.",
        (
            "login/test_forged_forms.py::test_a_form_from_another_site_is_refused",
            "login/test_forged_forms.py::test_a_form_without_its_own_token_is_refused",
            "login/test_forged_forms.py::test_only_a_posted_form_acts",
            "endpoints/test_sweep.py::test_every_route_that_takes_a_post_says_what_protects_it",
            "endpoints/test_sweep.py::test_a_route_for_programs_takes_nothing_that_a_form_can_send",
        ),
    ),
    "F-08": Requirement(
        "Forms before the login are protected in the same way.",
        ("login/test_forged_forms.py::test_a_form_without_the_browsers_cookie_is_refused",),
    ),
    "F-09": Requirement(
        "Every page is under a policy without inline script, framing, base or foreign form targets.",
        (
            "login/test_headers.py::test_every_page_is_under_the_strict_policy",
            "pages/test_rendering.py::test_no_page_holds_a_script_a_style_or_an_event_attribute_of_its_own",
        ),
    ),
    "F-10": Requirement(
        "HSTS off loopback, nosniff and a referrer policy on every answer.",
        (
            "login/test_headers.py::test_every_route_answers_every_method_properly",
            "login/test_cookies.py::test_elsewhere_browsers_are_told_to_stay_on_https",
        ),
    ),
    "F-11": Requirement(
        "Nothing is kept by caches but keys, discovery and static files.",
        ("endpoints/test_sweep.py::test_only_what_is_public_for_everybody_is_kept_by_caches",),
    ),
    "F-12": Requirement(
        "Redirects are 303.",
        (
            "login/test_headers.py::test_every_route_answers_every_method_properly",
            "endpoints/test_authorize.py::test_no_redirect_ever_repeats_a_body",
            "workspace/test_static_rules.py::test_no_redirect_that_repeats_a_body_exists",
        ),
    ),
    "F-13": Requirement(
        "No foreign, scheme-relative, backslash, control-character or encoded target is followed.",
        (
            "endpoints/test_hostile_input.py::test_no_target_that_is_not_registered_is_ever_redirected_to",
            "endpoints/test_hostile_input.py::test_pages_follow_no_address_in_their_query",
            "protocol/test_logout.py::test_a_foreign_address_is_displayed_even_with_a_good_hint",
        ),
    ),
    "F-14": Requirement(
        "Absolute URLs come from the issuer; another Host gets 400.",
        (
            "endpoints/test_sweep.py::test_a_request_by_another_name_is_refused_unless_it_is_a_probe",
            "endpoints/test_sweep.py::test_no_header_and_no_target_changes_the_addresses_we_give",
            "endpoints/test_hosts.py::test_another_host_is_refused_shortly",
        ),
    ),
    "F-16": Requirement(
        "No token, code or identifier stands in an address of ours.",
        ("login/test_headers.py::test_no_code_or_address_stands_in_an_address_of_ours",),
    ),
    "F-18": Requirement(
        "CORS answers exact registered origins, on five endpoints alone.",
        (
            "endpoints/test_sweep.py::test_only_a_public_clients_own_origin_may_read_and_only_where_it_should",
            "endpoints/test_sweep.py::test_a_look_alike_origin_may_read_nothing",
            "endpoints/test_cross_origin.py::test_null_and_look_alikes_get_no_header",
        ),
    ),
    "I-01": Requirement(
        "One wrapper verifies all JWTs.",
        (
            "workspace/test_static_rules.py::test_one_wrapper_alone_reads_tokens",
            "protocol/test_jwt.py::test_one_type_never_passes_for_another",
        ),
    ),
    "I-02": Requirement(
        "Hostile JWTs are refused.",
        (
            "protocol/test_jwt.py::test_a_bent_header_is_refused",
            "protocol/test_jwt.py::test_a_bent_shape_is_refused",
            "protocol/test_jwt.py::test_segments_are_read_back_and_only_in_their_canonical_form",
            "protocol/test_jwt.py::test_a_key_of_one_rsa_algorithm_never_verifies_the_other",
            "protocol/test_jwt.py::test_a_salt_of_another_length_than_the_hash_is_refused",
            "protocol/test_jwt.py::test_a_signature_is_good_in_one_form_alone",
            "middleware/test_hostile_tokens.py::test_every_hostile_token_gets_401_at_the_door",
        ),
    ),
    "I-03": Requirement(
        "JOSE libraries are at fixed versions, and the lock is pinned by hashes.",
        (
            "workspace/test_makefile_and_locks.py::test_every_requirement_is_pinned_and_hashed",
            "workspace/test_static_rules.py::test_libraries_with_known_flaws_are_locked_at_fixed_versions",
        ),
    ),
    "I-04": Requirement(
        "Nothing shows private key material.",
        (
            "endpoints/test_private_keys.py::test_no_output_of_any_kind_holds_private_key_material",
            "stores/test_keys.py::test_the_published_set_holds_public_members_only",
            "stores/test_keys.py::test_no_representation_shows_a_secret",
        ),
    ),
    "I-05": Requirement(
        "Private keys are sealed to their place under a key outside the store.",
        (
            "stores/test_keys.py::test_a_ciphertext_in_another_row_does_not_open",
            "stores/test_keys.py::test_a_ciphertext_in_another_table_does_not_open",
            "stores/test_keys.py::test_no_private_part_stands_in_the_file",
            "stores/test_keys.py::test_a_symmetric_key_opens_for_its_own_purpose_alone",
            "stores/test_key_rotation.py::test_resealing_that_is_killed_in_the_middle_leaves_every_key_to_be_opened",
        ),
    ),
    "I-06": Requirement(
        "Keys are published before they sign and until their last token is dead; no token fails while they rotate.",
        (
            "journeys/test_rotation.py::test_keys_rotate_under_load_and_not_one_token_fails",
            "journeys/test_rotation.py::test_a_revoked_key_is_dead_within_seconds_and_sign_in_goes_on",
            "journeys/test_rotation.py::test_keys_from_elsewhere_keep_verifying_and_sign_after_a_rotation",
            "stores/test_key_rotation.py::test_a_rotation_waits_until_caches_know_the_next_key",
            "stores/test_key_rotation.py::test_a_key_is_published_until_its_last_token_is_dead_and_a_day_longer",
            "stores/test_key_rotation.py::test_the_private_part_of_a_key_is_destroyed_when_it_retires",
            "stores/test_key_rotation.py::test_of_60_rotations_at_once_one_happens",
            "stores/test_key_rotation.py::test_a_rotation_that_is_killed_in_the_middle_leaves_the_keys_whole",
        ),
    ),
    "I-07": Requirement(
        "Weak keys are refused, our own and those of clients.",
        (
            "protocol/test_key_strength.py::test_a_short_rsa_key_is_refused",
            "protocol/test_key_strength.py::test_another_curve_is_refused",
            "stores/test_keys.py::test_a_weak_key_in_the_store_is_refused",
            "protocol/test_client_keys.py::test_a_weak_key_never_becomes_a_clients",
            "stores/test_key_import.py::test_what_cannot_be_used_is_refused_in_one_line",
        ),
    ),
    "M-01": Requirement(
        "Sizes and times hold at the app itself.",
        (
            "workspace/test_http_limits.py::test_a_head_beyond_its_limits_is_refused_and_the_connection_ends",
            "workspace/test_http_limits.py::test_a_body_that_drips_is_answered_408_and_the_connection_ends",
            "workspace/test_under_way.py::test_an_answer_that_takes_too_long_is_given_up",
            "endpoints/test_hostile_input.py::test_a_query_of_100_kilobytes_is_refused",
            "workspace/test_under_way.py::test_whoever_has_many_slow_requests_is_refused_until_they_are_answered",
        ),
    ),
    "M-02": Requirement(
        "Hostile JSON gives 400, never 500.",
        (
            "endpoints/test_register.py::test_hostile_json_is_refused",
            "endpoints/test_hostile_input.py::test_any_bytes_at_any_route_have_an_answer_of_ours",
        ),
    ),
    "M-03": Requirement(
        "Each field answers in less than 20 ms for 100 kB.",
        (
            "endpoints/test_hostile_input.py::test_a_long_value_in_any_field_takes_less_than_20_ms",
            "endpoints/test_hostile_input.py::test_a_long_header_takes_less_than_20_ms",
        ),
    ),
    "M-04": Requirement(
        "Without the ephemeral store no code is sent or compared; refresh, token and keys go on.",
        (
            "journeys/test_store_failures.py::test_without_the_ephemeral_store_no_code_is_sent_or_compared_and_the_rest_goes_on",
        ),
    ),
    "M-05": Requirement(
        "No counter falls back to memory.",
        (
            "journeys/test_store_failures.py::test_without_the_ephemeral_store_no_code_is_sent_or_compared_and_the_rest_goes_on",
            "stores/test_ephemeral_redis.py::test_a_server_that_is_killed_refuses_every_verb_and_serves_again_when_it_is_back",
        ),
    ),
    "M-06": Requirement(
        "Redis evicts nothing, and every key goes by itself.",
        (
            "stores/test_ephemeral_redis.py::test_a_server_that_evicts_is_unfit",
            "stores/test_ephemeral_redis.py::test_every_key_has_our_prefix_and_goes_by_itself",
        ),
    ),
    "M-07": Requirement(
        "A burst of 1,000 connections queues and is answered.",
        (
            "workspace/test_burst.py::test_a_thousand_connections_at_once_are_all_answered",
            "journeys/test_store_failures.py::test_200_requests_at_once_over_few_connections_are_all_answered",
        ),
    ),
    "M-08": Requirement(
        "Errors hold a code and a request id; no stack, SQL or path.",
        (
            "login/test_audit.py::test_a_sign_in_that_fails_leaves_neither_account_nor_session_nor_event",
            "endpoints/test_hostile_input.py::test_any_bytes_at_any_route_have_an_answer_of_ours",
        ),
    ),
    "M-09": Requirement(
        "A start refuses insecure choices.",
        (
            "workspace/test_startup_refusals.py::test_an_insecure_choice_is_refused",
            "workspace/test_startup_refusals.py::test_a_secret_that_everybody_on_the_machine_can_read_is_refused",
            "workspace/test_startup_refusals.py::test_a_secret_that_stands_in_a_document_or_an_example_is_none",
            "workspace/test_startup_refusals.py::test_a_database_whose_clock_is_another_is_refused",
        ),
    ),
    "M-10": Requirement(
        "Statements are written out and their values bound.",
        ("workspace/test_static_rules.py::test_every_statement_is_written_out_and_its_values_are_bound",),
    ),
    "M-11": Requirement(
        "The container runs as nobody, on a read-only root, without a shell.",
        (
            "workspace/test_dockerfile.py::test_it_runs_as_a_user_that_is_seen_not_to_be_root",
            "workspace/test_dockerfile.py::test_nothing_that_runs_needs_a_shell",
            "workspace/test_compose.py::test_our_services_are_unprivileged_on_a_read_only_root",
        ),
    ),
    "N-01": Requirement(
        "Every event is provoked by a test.",
        ("login/test_audit.py::test_every_event_of_the_catalogue_is_provoked_and_no_other",),
    ),
    "N-02": Requirement(
        "No code, token, cookie, secret or whole identifier is in any log of the whole suite.",
        (
            "test_zz_log_sweep.py::test_no_log_of_the_suite_holds_a_secret",
            "endpoints/test_metrics.py::test_a_login_shows_in_the_counts_and_nobody_can_be_recognised",
        ),
    ),
    "N-03": Requirement(
        "Identifiers are masked by one rule.",
        ("login/test_identifier.py::test_a_masked_identifier_shows_its_ends_alone",),
    ),
    "N-04": Requirement(
        "Input can neither split nor forge a line of the log.",
        ("endpoints/test_log_lines.py::test_no_input_splits_or_forges_a_line",),
    ),
    "N-05": Requirement(
        "Changed, deleted, inserted, swapped and truncated rows of the audit trail are found.",
        (
            "stores/test_audit_chain.py::test_a_changed_event_is_found",
            "stores/test_audit_chain.py::test_a_removed_event_is_found",
            "stores/test_audit_chain.py::test_an_event_that_somebody_wrote_into_the_table_is_found",
            "stores/test_audit_chain.py::test_two_events_that_changed_places_are_found",
            "stores/test_audit_chain.py::test_an_end_that_was_cut_off_shows_against_a_checkpoint",
        ),
    ),
    "N-06": Requirement(
        "Times are UTC and of one clock.",
        (
            "endpoints/test_log_lines.py::test_times_are_utc",
            "login/test_audit.py::test_every_event_tells_who_and_when_and_in_which_request",
            "stores/test_database.py::test_now_is_the_clock_with_its_offset_in_microseconds",
        ),
    ),
}
