//! What every store of the log and the views must do: the same checks on SQLite and on DynamoDB
//! (an emulator, see `dynamodb-double`). A file holds the checks of one boundary; a check that only one
//! store can be put to is in the file that says so.

#![allow(clippy::expect_used, reason = "this is a test, helpers included")]

mod appending;
mod due;
mod dynamodb_distrust;
mod dynamodb_faults;
mod dynamodb_items;
mod dynamodb_shards;
mod following;
mod inbox;
mod linking;
mod loading;
mod proxy;
mod rows;
mod samples;
mod scanning;
mod searching;
mod sqlite_damage;
mod stores;
mod waiting;
mod working;

/// Makes a test of each check for each store. A check that is missing here is dead code, which the
/// compiler reports.
macro_rules! on_each_store {
    ($($boundary:ident { $($check:ident),+ $(,)? })+) => {
        on_each_store!(@ dynamodb $($boundary { $($check)+ })+);
        on_each_store!(@ sqlite $($boundary { $($check)+ })+);
    };
    (@ $store:ident $($boundary:ident { $($check:ident)+ })+) => {
        mod $store {
            $(mod $boundary {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $check() {
                    crate::$boundary::$check(crate::stores::$store().await).await;
                })+
            })+
        }
    };
}

on_each_store! {
    appending {
        of_racing_writers_one_wins_and_each_loser_is_given_its_commit,
        racing_writers_that_try_again_lose_nothing_and_leave_no_gap,
        a_repeated_append_succeeds_and_leaves_one_commit,
        the_same_body_with_another_sealed_handle_is_another_commit,
    }
    loading {
        a_stream_that_nobody_wrote_is_empty,
        a_stream_of_more_than_one_megabyte_loads_whole_and_in_order,
        a_load_goes_on_after_a_version,
        a_missing_version_is_a_gap_that_is_named,
        fields_that_this_build_does_not_know_are_kept_byte_for_byte,
        the_stored_hash_is_that_of_the_body_and_chains_to_the_one_before,
        a_sealed_handle_is_kept_and_so_is_its_absence,
        an_undecodable_event_fails_loudly_with_stream_and_version,
    }
    scanning {
        a_scan_gives_every_commit_once_and_each_stream_in_order,
        an_empty_log_has_nothing_to_scan,
        invariant_11_an_undecodable_event_hides_nothing_from_a_scan,
    }
    following {
        what_was_appended_is_followed_and_then_there_is_no_more,
        each_stream_is_followed_in_its_order_while_writers_race,
        after_a_crash_a_follower_goes_on_at_its_saved_position_and_misses_nothing,
        invariant_11_an_undecodable_event_hides_nothing_from_a_follower,
    }
    rows {
        a_lower_version_never_overwrites_a_higher,
        invariant_07_puts_in_every_order_end_equal,
        racing_puts_end_at_the_highest_version,
        of_several_rows_of_one_review_the_latest_stays,
        every_row_is_given_once,
        rewriting_replaces_the_same_version_and_mends_what_it_is_found_by_and_leaves_a_later_one,
        rows_that_are_there_otherwise_or_not_at_all_are_told_apart,
        a_removed_row_is_gone_from_every_list,
    }
    inbox {
        open_reviews_are_listed_nearest_expiry_first,
        pages_repeat_nothing_and_lose_nothing_also_at_equal_times,
        a_review_that_names_a_person_and_their_group_is_listed_once,
        a_review_that_ended_leaves_the_inbox,
        a_reviewer_who_is_no_longer_named_does_not_see_the_review,
    }
    searching {
        every_field_and_every_combination_narrows_and_the_newest_comes_first,
        a_row_is_found_where_it_stands_now,
        subject_and_voters_narrow_with_everything_else,
    }
    waiting {
        the_reviews_of_a_workflow_are_found_also_once_they_ended,
        a_workflow_that_came_later_is_found_and_a_removed_row_is_not,
    }
    due {
        what_is_due_comes_earliest_first,
        a_moment_that_moved_or_went_is_not_due,
    }
    working {
        of_sixteen_racers_one_has_the_claim,
        a_claim_can_be_had_again_when_its_lease_ends_or_it_is_released,
        a_claim_is_seen_until_its_lease_ends_and_looking_claims_nothing,
        of_two_owed_times_the_earlier_stays,
        what_is_owed_comes_earliest_first,
        settling_takes_back_what_is_not_later,
        a_parked_record_is_listed_until_it_is_taken_away,
        parking_again_replaces_the_error,
    }
}
