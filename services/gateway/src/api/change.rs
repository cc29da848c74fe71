//! Who makes a change of the directory or of an integration, by which door, and why.

use events::event::{Changed, Changer, Door};

use super::{access::Caller, input::Input};

const REASON: &str = "a text of at most 500 bytes";

/// Reads the members `reason` and `door`, both optional, of a body or a query. What is wrong with them is noted in
/// `input`. Only the holder of the operator's key says that the command line was used: the door of an integration
/// is always the API.
pub(super) fn changed(caller: &Caller, input: &mut Input) -> Changed {
    let reason: Option<String> = input.read("reason", REASON);
    if reason.as_ref().is_some_and(|reason| reason.len() > Changed::REASON_MAX) {
        input.fault("reason", REASON);
    }
    let door = input.take("door");
    let (by, door) = match (caller, door.as_ref().map(|door| door.as_str())) {
        (Caller::Operator, Some(Some("cli"))) => (Changer::Operator, Door::Cli),
        (Caller::Operator, None | Some(Some("api"))) => (Changer::Operator, Door::Api),
        (Caller::Operator, Some(_)) => {
            input.fault("door", "\"api\" or \"cli\"");
            (Changer::Operator, Door::Api)
        }
        (Caller::Integration(name, _), door) => {
            if !matches!(door, None | Some(Some("api"))) {
                input.fault("door", "\"api\" (an integration comes by no other door)");
            }
            (Changer::Integration(name.clone()), Door::Api)
        }
    };
    Changed::new(by, door).because(reason)
}
