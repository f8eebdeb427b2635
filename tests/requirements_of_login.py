"""The security criteria of one-time codes, guessing, sending and identifiers, and the tests that prove each."""

from collections.abc import Mapping

from tests.requirements import Requirement

OF_LOGIN: Mapping[str, Requirement] = {
    "F-17": Requirement(
        "A remembered browser is known from strangers and never spared the first factor.",
        (
            "login/test_limits_guessing.py::test_a_stolen_device_cookie_signs_nobody_in",
            "login/test_limits_guessing.py::test_a_device_of_another_account_is_a_stranger",
            "login/test_limits_guessing.py::test_a_forgotten_device_and_one_of_a_disabled_account_are_strangers",
            "login/test_limits_guessing.py::test_a_device_is_forgotten_after_sixty_days",
        ),
    ),
    "A-01": Requirement(
        "A code has six to ten digits, spread evenly, from a secret nobody else has.",
        (
            "login/test_limits_settings.py::test_a_limit_outside_its_range_stops_the_start",
            "login/test_one_time_code.py::test_a_code_has_exactly_its_length_leading_zeros_included",
            "login/test_one_time_code.py::test_codes_are_spread_evenly",
        ),
    ),
    "A-02": Requirement(
        "A code lives five minutes, with resends ten, by the store's clock.",
        (
            "login/test_resending.py::test_a_code_is_good_to_its_last_seconds",
            "login/test_resending.py::test_a_code_is_over_after_five_minutes",
            "login/test_resending.py::test_no_resend_keeps_a_code_alive_beyond_ten_minutes",
            "login/test_limits_settings.py::test_a_limit_outside_its_range_stops_the_start",
        ),
    ),
    "A-03": Requirement(
        "Nothing is kept without the time it ends.",
        ("login/test_challenge.py::test_a_challenge_cannot_be_without_its_end",),
    ),
    "A-04": Requirement(
        "No store, queue or log holds a code or what a code could be searched with.",
        (
            "login/test_dump.py::test_a_copy_of_both_stores_gives_no_code_and_nothing_to_search_one_with",
            "login/test_dump.py::test_the_search_would_find_a_salted_hash",
        ),
    ),
    "A-05": Requirement(
        "A code depends on everything it belongs to, field by field.",
        (
            "login/test_one_time_code.py::test_the_code_is_the_hmac_of_its_length_prefixed_fields",
            "login/test_one_time_code.py::test_every_field_the_code_is_bound_to_changes_it",
            "login/test_one_time_code.py::test_the_same_characters_in_other_fields_are_another_code",
        ),
    ),
    "A-06": Requirement(
        "Codes are compared in constant time, and nothing equals a code that is not there.",
        ("login/test_one_time_code.py::test_only_the_very_same_digits_are_right",),
    ),
    "A-07": Requirement(
        "A code works once, also for sixty at one moment.",
        (
            "login/test_guessing.py::test_a_code_works_once",
            "journeys/test_races.py::test_of_sixty_right_codes_one_signs_in",
        ),
    ),
    "A-08": Requirement(
        "A code whose sign-in fails is used up, and there is no session.",
        ("login/test_limits_guessing.py::test_a_right_code_for_a_disabled_account_hands_nothing_back",),
    ),
    "A-09": Requirement(
        "A resend repeats the live code with the guesses it has left; a code is sent three times at most.",
        (
            "login/test_resending.py::test_a_resend_repeats_the_live_code_under_another_delivery",
            "login/test_resending.py::test_each_wait_is_longer_and_a_code_is_sent_three_times_at_most",
            "login/test_resending.py::test_a_new_code_after_expiry_inherits_the_guesses_that_were_spent",
        ),
    ),
    "A-10": Requirement(
        "Blanks and dashes are forgiven; every other shape gets 400 without a comparison.",
        (
            "login/test_one_time_code.py::test_blanks_and_dashes_of_a_copied_code_are_forgiven",
            "login/test_one_time_code.py::test_nothing_else_is_read_as_a_code",
            "login/test_guessing.py::test_what_is_no_code_costs_no_guess",
            "login/test_limits_guessing.py::test_what_is_no_code_counts_for_the_network_alone",
        ),
    ),
    "A-11": Requirement(
        "Only the browser that asked can use a code, or spend its guesses.",
        ("login/test_guessing.py::test_another_browser_can_neither_use_a_code_nor_spend_its_guesses",),
    ),
    "A-12": Requirement(
        "Another browser's request ends no challenge; five live ones for an identifier at most.",
        ("login/test_limits_sending.py::test_another_browser_neither_ends_a_challenge_nor_gets_a_sixth",),
    ),
    "A-13": Requirement(
        "Fixed codes exist in test mode alone.",
        ("workspace/test_settings.py::test_a_setting_that_cannot_be_used_is_named_in_one_line",),
    ),
    "A-14": Requirement(
        "A code outlives one rotation of the secret key and ends with the next.",
        ("login/test_secret_rotation.py::test_a_live_code_and_its_form_outlive_a_rotation_and_end_with_the_next",),
    ),
    "B-01": Requirement(
        "Five comparisons a challenge, also for sixty guesses at one moment.",
        (
            "login/test_guessing.py::test_after_five_wrong_codes_the_right_one_is_refused_too",
            "login/test_limits_guessing.py::test_a_challenge_may_have_fewer_guesses",
            "journeys/test_races.py::test_of_sixty_wrong_guesses_five_are_compared",
            "journeys/test_limit_races.py::test_of_sixty_guesses_in_ten_browsers_ten_are_compared",
        ),
    ),
    "B-02": Requirement(
        "A guess is counted and committed before it is compared; only the sign-in it leads to takes it back.",
        (
            "login/test_limits_guessing.py::test_a_guess_that_cannot_be_counted_is_not_compared",
            "login/test_limits_guessing.py::test_a_right_code_for_a_disabled_account_hands_nothing_back",
        ),
    ),
    "B-03": Requirement(
        "Ten wrong codes an hour, twenty a day, a hundred in thirty days for an identifier, from everywhere together.",
        (
            "login/test_guessing.py::test_each_window_is_counted_at_the_guess_itself",
            "login/test_limits_guessing.py::test_an_identifier_takes_ten_wrong_codes_an_hour_over_all_browsers",
            "login/test_limits_guessing.py::test_asking_again_and_guessing_for_a_day_gives_twenty_comparisons",
            "login/test_limits_guessing.py::test_a_month_has_its_own_window",
            "login/test_limits_guessing.py::test_many_guesses_at_one_moment_get_no_more_than_the_budget",
            "login/test_limits_rules.py::test_a_budget_lifts_when_its_last_full_window_opens",
            "login/test_limits_rules.py::test_more_than_a_hundred_failures_in_thirty_days_are_refused_however_long_the_codes",
            "journeys/test_limit_races.py::test_of_sixty_guesses_in_ten_browsers_ten_are_compared",
        ),
    ),
    "B-04": Requirement(
        "Failures count for the same identifier however it is written.",
        ("login/test_limits_guessing.py::test_spellings_clients_and_networks_share_one_budget",),
    ),
    "B-05": Requirement(
        "Every route that takes a code goes through the one place that counts and compares.",
        ("login/test_limits_cost.py::test_codes_are_compared_in_one_place_and_by_one_route",),
    ),
    "B-06": Requirement(
        "A right code gives back its own charge and clears nothing else.",
        (
            "login/test_limits_guessing.py::test_a_right_code_hands_back_its_own_charge_and_no_other",
            "login/test_limits_guessing.py::test_right_codes_use_up_no_network",
        ),
    ),
    "B-07": Requirement(
        "Strangers never keep an owner from signing in where they signed in before.",
        (
            "login/test_limits_guessing.py::test_strangers_lock_nobody_out_of_the_browser_they_use",
            "login/test_limits_guessing.py::test_a_remembered_browser_has_a_budget_of_its_own",
            "login/test_limits_sending.py::test_a_remembered_browser_is_sent_codes_whatever_strangers_used_up",
            "journeys/test_limit_races.py::test_an_owner_signs_in_where_strangers_spent_everything",
        ),
    ),
    "B-08": Requirement(
        "Failures far above what is usual turn on guarded mode, with an event, and it ends by itself.",
        (
            "login/test_limits_breaker.py::test_it_trips_above_its_setting_and_ends_an_hour_after_the_last_renewal",
            "login/test_limits_breaker.py::test_what_is_usual_at_this_hour_does_not_trip_it",
            "login/test_limits_breaker.py::test_one_guess_on_each_of_many_accounts_gives_everybody_unknown_longer_codes",
        ),
    ),
    "B-09": Requirement(
        "Guarded codes have 26 bits by phone and 34 by email.",
        (
            "login/test_limits_guessing.py::test_after_ten_failures_strangers_get_letters",
            "login/test_limits_guessing.py::test_a_number_keeps_a_budget_of_longer_codes",
            "login/test_limits_rules.py::test_codes_of_letters_have_no_vowels_and_are_typed_large_or_small",
        ),
    ),
    "B-10": Requirement(
        "Settings that let a year of guessing succeed with more than 1 % stop the start, with the arithmetic.",
        (
            "login/test_limits_rules.py::test_odds_above_one_percent_a_year_are_refused_with_their_arithmetic",
            "login/test_limits_settings.py::test_a_limit_outside_its_range_stops_the_start",
        ),
    ),
    "B-11": Requirement(
        "IPv6 callers are limited by /64, /56 and /48.",
        (
            "login/test_limits_rules.py::test_an_address_counts_for_its_network_and_nothing_counts_for_none",
            "login/test_limits_sending.py::test_ipv6_networks_are_one_caller_by_64_56_and_48",
        ),
    ),
    "B-12": Requirement(
        "Steps cannot be skipped.",
        (
            "login/test_interactions.py::test_a_step_cannot_be_skipped",
            "login/test_interactions.py::test_the_code_page_before_an_identifier_leads_to_the_first_page",
        ),
    ),
    "B-13": Requirement(
        "No window of a limit ever admits more than its amount.",
        (
            "stores/test_limits.py::test_no_window_admits_more_than_the_amount",
            "login/test_limits_rules.py::test_no_window_ever_admits_more_than_its_amount",
        ),
    ),
    "B-14": Requirement(
        "Limits and budgets go by the stores' clocks; another clock decides nothing.",
        ("login/test_limits_cost.py::test_another_clock_than_the_stores_decides_nothing",),
    ),
    "C-01": Requirement(
        "An identifier waits 30 to 300 seconds between codes, and gets 3 a minute, 5 an hour, 10 a day.",
        (
            "login/test_limits_sending.py::test_an_identifier_gets_ten_codes_a_day_whoever_asks_from_wherever",
            "login/test_limits_sending.py::test_a_second_browser_waits_out_the_cool_down_of_the_first",
            "login/test_limits_rules.py::test_cool_downs_admit_exactly_when_the_growing_waits_are_over",
            "login/test_limits_settings.py::test_the_defaults_are_those_of_the_guide",
        ),
    ),
    "C-02": Requirement(
        "A network asks for 10 codes in ten minutes, 30 an hour, 100 a day.",
        (
            "login/test_limits_sending.py::test_one_network_asks_for_so_many_people_and_no_more",
            "login/test_limits_sending.py::test_a_network_has_all_of_its_windows",
            "journeys/test_limit_races.py::test_of_sixty_first_requests_of_one_network_five_are_sent",
        ),
    ),
    "C-08": Requirement(
        "What is refused counts nowhere and sends nothing; ten presses at once give one message.",
        (
            "login/test_limits_sending.py::test_a_full_network_charges_no_identifier",
            "login/test_limits_sending.py::test_a_refused_identifier_charges_no_network",
            "login/test_limits_sending.py::test_a_refused_request_leaves_no_challenge_and_no_message",
            "login/test_limits_sending.py::test_of_ten_presses_at_once_one_sends_and_all_are_told_so",
            "journeys/test_races.py::test_of_ten_resends_at_once_one_message_leaves",
        ),
    ),
    "C-09": Requirement(
        "Forwarded addresses are believed of configured proxies alone; no header disables a limit.",
        (
            "login/test_limits_sending.py::test_an_address_counts_from_the_right_past_trusted_proxies_alone",
            "login/test_limits_sending.py::test_a_forwarded_header_is_ignored_where_no_proxy_is_trusted",
            "login/test_limits_sending.py::test_a_header_that_is_no_address_never_lifts_a_limit",
        ),
    ),
    "D-01": Requirement(
        "Known, unknown, disabled and throttled identifiers get the same answers.",
        (
            "login/test_sameness.py::test_known_unknown_and_disabled_identifiers_get_the_same_answers",
            "login/test_sameness.py::test_a_refused_resend_says_the_same_to_everybody",
            "login/test_limits_sending.py::test_a_refusal_says_the_same_of_people_nobody_knows",
        ),
    ),
    "D-02": Requirement(
        "Nor do they take other steps, so that no clock tells them apart.",
        ("login/test_limits_cost.py::test_known_and_unknown_people_cost_the_same",),
    ),
    "D-03": Requirement(
        "Messages leave outside of the request.",
        ("login/test_delivery_failure.py::test_a_page_is_answered_while_the_server_hangs",),
    ),
    "D-04": Requirement(
        "Nothing of an account is shown before the first factor.",
        ("login/test_accounts.py::test_nothing_is_known_of_a_person_before_the_proof_and_all_of_it_after",),
    ),
    "D-05": Requirement(
        "A number is one identifier however it is written; a national one needs its country.",
        (
            "login/test_identifier.py::test_however_a_number_is_written_it_is_one_identifier",
            "login/test_identifier.py::test_what_is_no_single_number_is_refused",
            "login/test_identifier.py::test_a_national_number_needs_a_country_that_exists",
        ),
    ),
    "D-06": Requirement(
        "An address has a canonical form, in which neither dots nor plus are folded.",
        ("login/test_identifier.py::test_however_an_address_is_written_it_is_one_identifier",),
    ),
    "D-07": Requirement(
        "Letters that only look the same make another address, or none.",
        (
            "login/test_identifier.py::test_a_domain_that_only_looks_the_same_is_another_one",
            "login/test_identifier.py::test_what_is_no_single_plain_address_is_refused",
        ),
    ),
    "D-08": Requirement(
        "A message goes to the canonical identifier, whatever was typed for it.",
        ("login/test_accounts.py::test_an_identifier_leads_to_the_same_account_however_it_is_written",),
    ),
    "D-09": Requirement(
        "A value given twice is refused.",
        (
            "login/test_accounts.py::test_two_identifiers_in_one_request_are_refused",
            "login/test_guessing.py::test_a_missing_or_doubled_code_is_refused",
        ),
    ),
    "D-10": Requirement(
        "No hint and no silent request tells whether an account exists.",
        ("login/test_sameness.py::test_no_side_door_tells_whether_somebody_has_an_account",),
    ),
}
