//! Nobody fills a log with what changes nothing, and nobody is kept from deciding.

use events::event::{Choice, VoteRefusal};
use review::{Answer, Command};
use serde_json::json;

use crate::{
    commands::vote,
    world::{World, request, wish},
};

const TOO_OFTEN: Answer = Answer::NotCounted { why: VoteRefusal::TooOften, ending: None };

/// A review that two of this many people in a group have to approve, asked for.
fn open(people: usize) -> World {
    let mut world = World::new();
    let members: Vec<String> = (0..people).map(|number| format!("p{number}@x.com")).collect();
    world.group("many", &members.iter().map(String::as_str).collect::<Vec<_>>());
    world.then(wish(request(json!({"reviewers": [{"group": "many"}], "policy": {"quorum": 2}})), None))
}

fn comment(who: &str, number: usize) -> Command {
    let Command::Vote(mut vote) = vote(who, "comment") else { unreachable!() };
    vote.reason = Some(format!("remark {number}"));
    Command::Vote(vote)
}

fn counted(world: &mut World, command: &Command) -> bool {
    let before = world.commits.len();
    match world.does(command).answer {
        Answer::Counted { .. } => true,
        TOO_OFTEN => {
            assert_eq!(world.commits.len(), before, "nothing of it is on record");
            false
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_comments_of_one_person_are_kept_up_to_a_hundred_by_whichever_id() {
    let mut world = open(3);
    world.register("p0@x.com", &["other0@x.com"]);
    let kept = (0..150).filter(|number| counted(&mut world, &comment(["p0@x.com", "other0@x.com"][number % 2], *number))).count();
    assert_eq!(kept, 100);
    assert!(counted(&mut world, &comment("p1@x.com", 0)), "others go on");
    assert!(counted(&mut world, &vote("p0@x.com", "approve")), "and so does their choice");
}

#[test]
fn the_comments_of_all_people_are_kept_up_to_five_hundred() {
    let mut world = open(8);
    let kept = (0..800).filter(|number| counted(&mut world, &comment(&format!("p{}@x.com", number % 8), *number))).count();
    assert_eq!(kept, 500);
    assert!(counted(&mut world, &vote("p0@x.com", "reject")));
    assert!(world.fold.state.review().is_some_and(|review| review.ending.is_some()));
}

#[test]
fn long_comments_are_kept_up_to_a_megabyte() {
    let mut world = open(2);
    let long = |number: usize| {
        let Command::Vote(mut vote) = vote(&format!("p{}@x.com", number % 2), "comment") else { unreachable!() };
        vote.reason = Some(format!("{number:04}{}", "😀".repeat(3_996)));
        Command::Vote(vote)
    };
    let kept = (0..100).filter(|number| counted(&mut world, &long(*number))).count();
    assert_eq!(kept, 65);
    assert!(counted(&mut world, &vote("p0@x.com", "approve")));
}

#[test]
fn who_changes_their_mind_without_end_is_stopped_where_they_wish_for_changes() {
    let mut world = open(3);
    let mut turns = 0;
    loop {
        assert!(counted(&mut world, &vote("p0@x.com", "approve")));
        if !counted(&mut world, &vote("p0@x.com", "request-changes")) {
            break;
        }
        turns += 1;
    }
    assert_eq!(turns, 50);
    assert_eq!(world.does(&vote("p0@x.com", "approve")).answer, Answer::AlreadyCounted);
    assert!(counted(&mut world, &vote("p1@x.com", "request-changes")), "others go on");
    assert!(counted(&mut world, &vote("p0@x.com", "reject")), "a rejection always counts");
    let votes = &world.fold.state.review().expect("a review").votes;
    assert_eq!(votes.iter().filter(|cast| cast.what.choice == Choice::Approve).count(), 51);
}
