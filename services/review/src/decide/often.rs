//! How often one person may say something that changes nothing.

use events::event::Choice;

use crate::{command::Vote, directory::Directory, primary::PrimaryId, state::Review};

/// The most comments of one person on a review: more than anybody reads.
const COMMENTS_OF_ONE_MAX: usize = 100;
/// The most comments on a review: a page shows them all.
const COMMENTS_MAX: usize = 500;
/// The most bytes of all comments on a review together.
const COMMENTS_BYTES_MAX: usize = 1024 * 1024;
/// How often one person may ask for changes, each time after they had approved.
const CHANGES_OF_ONE_MAX: usize = 50;

/// Whether this would be once too often. Approving and rejecting never are: the same choice again counts once, so
/// whoever can ask for changes no more can approve no more than once more, and nobody is kept from deciding.
pub(super) fn is_too_often(review: &Review, person: &PrimaryId, vote: &Vote, directory: &Directory) -> bool {
    let all = review.votes.iter().filter(|cast| cast.what.choice == vote.choice);
    let bytes = |reason: &Option<String>| reason.as_ref().map_or(0, String::len);
    let with_this = || bytes(&vote.reason) + all.clone().map(|cast| bytes(&cast.what.reason)).sum::<usize>();
    let of_one = || all.clone().filter(|cast| directory.is(&cast.what.person, person)).count();
    match vote.choice {
        Choice::Comment => {
            all.clone().count() >= COMMENTS_MAX || of_one() >= COMMENTS_OF_ONE_MAX || with_this() > COMMENTS_BYTES_MAX
        }
        Choice::RequestChanges => of_one() >= CHANGES_OF_ONE_MAX,
        Choice::Approve | Choice::Reject => false,
    }
}
