//! What somebody wants to see: a tab, filters and a place in the list, as an address says it.

use events::request::Risk;
use ledger::{ReviewRow, Status};
use review::Directory;
use serde::Deserialize;

/// A list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    /// A person's: what they have not decided yet.
    Waiting,
    /// A person's: what they asked for.
    Asked,
    /// The operator's: whatever is open.
    Open,
    /// The operator's: whatever is not.
    Ended,
    /// Everything that whoever looks may see.
    All,
}

/// The statuses that can be chosen.
pub(super) const STATUSES: [Status; 6] =
    [Status::Open, Status::Approved, Status::Rejected, Status::Expired, Status::Cancelled, Status::Refused];
/// The risks that can be chosen.
pub(super) const RISKS: [Risk; 3] = [Risk::Low, Risk::Normal, Risk::High];

impl Tab {
    /// The lists of a person or of the operator, in order; the first is shown unasked.
    pub(super) fn all(person: bool) -> [Tab; 3] {
        if person { [Tab::Waiting, Tab::Asked, Tab::All] } else { [Tab::Open, Tab::Ended, Tab::All] }
    }

    /// In addresses.
    fn key(self) -> &'static str {
        match self {
            Tab::Waiting => "waiting",
            Tab::Asked => "asked",
            Tab::Open => "open",
            Tab::Ended => "ended",
            Tab::All => "all",
        }
    }

    /// On the page.
    pub(super) fn name(self) -> &'static str {
        match self {
            Tab::Waiting => "Waiting for me",
            Tab::Asked => "Asked by me",
            Tab::Open => "Open",
            Tab::Ended => "Ended",
            Tab::All => "All",
        }
    }

    /// Whether a status can be chosen beside it.
    pub(super) fn has_statuses(self) -> bool {
        matches!(self, Tab::Asked | Tab::Ended | Tab::All)
    }
}

/// A query as it comes.
#[derive(Debug, Default, Deserialize)]
pub(in super::super) struct Query {
    #[serde(default)]
    show: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    risk: String,
    #[serde(default)]
    q: String,
    from: Option<String>,
}

/// What is wanted; what an address says wrongly is left out.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) tab: Tab,
    pub(super) status: Option<Status>,
    pub(super) risk: Option<Risk>,
    /// Words to be found, as typed.
    pub(super) text: String,
    /// Where the page starts; absent on the first.
    pub(super) from: Option<String>,
}

impl Wish {
    pub(super) fn read(query: Query, person: bool) -> Wish {
        let tabs = Tab::all(person);
        let tab = tabs.into_iter().find(|tab| tab.key() == query.show).unwrap_or(tabs[0]);
        let status = STATUSES.into_iter().find(|status| status.as_str() == query.status).filter(|_| tab.has_statuses());
        let risk = RISKS.into_iter().find(|risk| risk_key(*risk) == query.risk);
        let from = query.from.filter(|from| !from.is_empty());
        Wish { tab, status, risk, text: query.q.trim().chars().take(200).collect(), from }
    }

    /// Whether rows of the list may have to be left out.
    pub(super) fn narrows(&self) -> bool {
        self.status.is_some() || self.risk.is_some() || !self.text.is_empty()
    }

    /// Whether a row of the list is wanted: every word is found in its title, its source, or the name
    /// or address of who asked.
    pub(super) fn wants(&self, row: &ReviewRow, directory: &Directory) -> bool {
        let requester = row.requester.as_ref();
        let name = requester.map_or("", |id| directory.name(id));
        let address = requester.map_or("", |id| id.as_str());
        let said = [row.title.as_str(), &row.source, name, address].join("\n").to_lowercase();
        self.status.is_none_or(|status| status == row.status)
            && self.risk.is_none_or(|risk| risk == row.risk)
            && self.text.to_lowercase().split_whitespace().all(|word| said.contains(word))
    }

    /// The address of a tab, without filters.
    pub(super) fn address_of(tab: Tab, person: bool) -> String {
        if tab == Tab::all(person)[0] { "/".to_owned() } else { format!("/?show={}", tab.key()) }
    }

    /// The address of this list from another place on.
    pub(super) fn address_from(&self, from: Option<&str>) -> String {
        let fields = self.fields().into_iter().chain([("q", self.text.as_str()), ("from", from.unwrap_or_default())]);
        let status = self.status.map_or("", Status::as_str);
        let fields = fields.chain([("status", status), ("risk", self.risk.map_or("", risk_key))]);
        let fields: Vec<String> =
            fields.filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name}={}", escape(value))).collect();
        format!("/?{}", fields.join("&"))
    }

    /// What the form of filters carries along.
    pub(super) fn fields(&self) -> [(&'static str, &'static str); 1] {
        [("show", self.tab.key())]
    }
}

/// A risk in addresses.
pub(super) fn risk_key(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "low",
        Risk::Normal => "normal",
        Risk::High => "high",
    }
}

/// Percent-encodes a value of a query.
pub(in crate::web) fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
