//! Who is connected. Who comes when there is no room takes the place of whoever waits longest without a request.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::time::Instant;

use crate::{limits::Limits, line::Line};

/// All connections.
pub(crate) struct Room {
    limits: Limits,
    guests: Mutex<Guests>,
}

#[derive(Default)]
struct Guests {
    next: u64,
    all: HashMap<u64, Guest>,
    /// How many each client has; proxies are not counted.
    clients: HashMap<IpAddr, usize>,
}

struct Guest {
    client: Option<IpAddr>,
    line: Arc<Line>,
}

/// Whether there is room.
pub(crate) enum Admitted {
    Yes {
        ticket: Ticket,
        /// Whether somebody else had to go.
        instead_of: bool,
    },
    No,
}

/// A place, free again when this is dropped.
pub(crate) struct Ticket {
    room: Arc<Room>,
    number: u64,
    pub(crate) line: Arc<Line>,
}

impl Room {
    pub(crate) fn new(limits: Limits) -> Room {
        Room { limits, guests: Mutex::default() }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().all.len()
    }

    pub(crate) fn admit(self: &Arc<Self>, peer: IpAddr) -> Admitted {
        let peer = peer.to_canonical();
        let client = (!self.limits.speaks_for_many(peer)).then(|| network(peer));
        let mut guests = self.lock();
        let has_many = client.is_some_and(|client| guests.clients.get(&client).is_some_and(|count| *count >= self.limits.client));
        let is_full = guests.all.len() >= self.limits.connections;
        // Whoever has too many makes room for themselves.
        let of = if has_many { client } else { None };
        if (has_many || is_full) && !guests.sends_away(of) {
            return Admitted::No;
        }
        let line = Arc::new(Line::new(Instant::now()));
        let number = guests.next;
        guests.next += 1;
        guests.all.insert(number, Guest { client, line: Arc::clone(&line) });
        if let Some(client) = client {
            *guests.clients.entry(client).or_default() += 1;
        }
        drop(guests);
        Admitted::Yes { ticket: Ticket { room: Arc::clone(self), number, line }, instead_of: has_many || is_full }
    }

    /// Closes whoever took longer than they may.
    pub(crate) fn close_late(&self) {
        let (now, guests) = (Instant::now(), self.lock());
        guests.all.values().filter(|guest| guest.line.is_late(&self.limits, now)).for_each(|guest| guest.line.close());
    }

    /// Closes a tenth of those who wait: the system has no more to give.
    pub(crate) fn make_room(&self) {
        let mut guests = self.lock();
        let places = guests.all.len() / 10 + 1;
        let _ = (0..places).take_while(|_| guests.sends_away(None)).count();
    }

    fn lock(&self) -> MutexGuard<'_, Guests> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guests {
    /// Sends away whoever is readiest to go, of this client or of whichever has most; false when all are busy.
    fn sends_away(&mut self, client: Option<IpAddr>) -> bool {
        let count = |guest: &Guest| guest.client.and_then(|client| self.clients.get(&client)).copied().unwrap_or_default();
        let candidates = self.all.iter().filter(|(_, guest)| client.is_none() || guest.client == client);
        let ready = candidates.filter_map(|(number, guest)| {
            let (has_begun, since) = guest.line.may_go()?;
            Some(((has_begun, std::cmp::Reverse(count(guest)), since), *number))
        });
        let Some((_, number)) = ready.min() else { return false };
        if let Some(guest) = self.remove(number) {
            guest.line.close();
        }
        true
    }

    fn remove(&mut self, number: u64) -> Option<Guest> {
        let guest = self.all.remove(&number)?;
        if let Some(client) = guest.client
            && let Some(count) = self.clients.get_mut(&client)
        {
            *count -= 1;
            if *count == 0 {
                self.clients.remove(&client);
            }
        }
        Some(guest)
    }
}

impl Ticket {
    pub(crate) fn limits(&self) -> &Limits {
        self.room.limits()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.room.lock().remove(self.number);
    }
}

/// One client has 2^64 addresses of IPv6: what counts is its network (RFC 6177).
fn network(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V6(peer) => Ipv6Addr::from_bits(peer.to_bits() >> 64 << 64).into(),
        peer => peer,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::line::At;

    fn room(connections: usize, client: usize) -> Arc<Room> {
        Arc::new(Room::new(Limits { connections, client, ..Limits::default() }))
    }

    fn admit(room: &Arc<Room>, peer: &str) -> Option<Ticket> {
        match room.admit(peer.parse().expect("an address")) {
            Admitted::Yes { ticket, .. } => Some(ticket),
            Admitted::No => None,
        }
    }

    async fn is_closed(ticket: &Ticket) -> bool {
        tokio::time::timeout(Duration::from_millis(1), ticket.line.closed()).await.is_ok()
    }

    async fn pass(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_when_all_is_full_takes_the_place_of_who_is_idle_longest() {
        let room = room(3, 100);
        let oldest = admit(&room, "192.0.2.1").expect("room");
        oldest.line.moves(At::Busy, Instant::now());
        pass(1).await;
        let begun = admit(&room, "192.0.2.2").expect("room");
        begun.line.read(Instant::now());
        pass(1).await;
        let idle = admit(&room, "192.0.2.3").expect("room");
        pass(1).await;
        let new = admit(&room, "192.0.2.4").expect("the idle one goes");
        assert_eq!((is_closed(&oldest).await, is_closed(&begun).await, is_closed(&idle).await), (false, false, true));
        new.line.moves(At::Busy, Instant::now());
        let last = admit(&room, "192.0.2.5").expect("who has not said what it wants goes");
        assert!(is_closed(&begun).await);
        last.line.moves(At::Busy, Instant::now());
        assert!(admit(&room, "192.0.2.6").is_none(), "all have requests under way");
        assert_eq!(room.len(), 3);
        drop(oldest);
        assert!(admit(&room, "192.0.2.6").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_with_too_many_pushes_out_its_own_and_nobody_elses() {
        let room = room(100, 2);
        let other = admit(&room, "198.51.100.1").expect("room");
        pass(1).await;
        // One network of IPv6 is one client.
        let (first, second) = (admit(&room, "2001:db8::1").expect("room"), admit(&room, "2001:db8::2").expect("room"));
        first.line.moves(At::Busy, Instant::now());
        let third = admit(&room, "2001:db8::3").expect("room");
        assert_eq!((is_closed(&other).await, is_closed(&first).await, is_closed(&second).await), (false, false, true));
        third.line.moves(At::Busy, Instant::now());
        assert!(admit(&room, "2001:db8::4").is_none());
        assert!(admit(&room, "2001:db8:0:1::4").is_some(), "another network");
    }

    #[tokio::test(start_paused = true)]
    async fn when_all_is_full_who_holds_most_gives_way_first() {
        let room = room(4, 100);
        let honest = admit(&room, "192.0.2.1").expect("room");
        pass(1).await;
        let many: Vec<_> = (0..3).map(|_| admit(&room, "203.0.113.9").expect("room")).collect();
        assert!(admit(&room, "192.0.2.2").is_some());
        assert!(!is_closed(&honest).await, "though it waits longest");
        assert_eq!(many.len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_proxy_of_ours_is_no_client() {
        let room = room(100, 1);
        for peer in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            let many: Vec<_> = (0..5).map(|_| admit(&room, peer).expect("room")).collect();
            for ticket in &many {
                assert!(!is_closed(ticket).await);
            }
        }
        let limits = Limits { client: 1, is_proxy: Arc::new(|peer| peer.to_string() == "10.0.0.7"), ..Limits::default() };
        let room = Arc::new(Room::new(limits));
        for (peer, is_closed_for_the_next) in [("10.0.0.7", false), ("10.0.0.8", true)] {
            let first = admit(&room, peer).expect("room");
            let _second = admit(&room, peer).expect("room");
            assert_eq!(is_closed(&first).await, is_closed_for_the_next, "{peer}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_part_of_a_request_has_its_time() {
        let limits = Limits::default();
        let line = Line::new(Instant::now());
        let late = || line.is_late(&limits, Instant::now());
        pass(74).await;
        assert!(!late(), "idle");
        pass(1).await;
        assert!(late());
        line.read(Instant::now());
        pass(14).await;
        line.read(Instant::now());
        assert!(!late(), "the head");
        pass(1).await;
        assert!(late(), "from its first byte, however many come");
        line.moves(At::Busy, Instant::now());
        pass(3_600).await;
        assert!(!late(), "who waits for news");
        line.wrote(false, Instant::now());
        pass(9).await;
        line.wrote(false, Instant::now());
        assert!(!late() && line.may_go().is_none());
        pass(1).await;
        assert!(late(), "who takes nothing of the answer");
        line.wrote(true, Instant::now());
        assert!(!late());
        line.moves(At::Idle, Instant::now());
        assert!(!late());
    }
}
