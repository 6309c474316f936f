//! Who calls and what they may do: accounts, tokens, keys, and THE table role × operation.

use actix_web::http::header;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::http::{Code, Problem};
use crate::values::labels;

pub mod accounts;
pub mod inbox;
pub mod issuers;
pub mod keys;
pub mod oauth;
pub mod remembered;
pub mod secrets;
pub mod table;
pub mod tokens;

labels! {
    /// What an account may do; see the table of permissions.
    Role {
        /// reads what is public or for partners
        Reader = "reader",
        /// writes in the name of the cities it is granted
        Editor = "editor",
        /// verifies observations, writes external evaluations, sees compliance
        Verifier = "verifier",
        /// may do everything, in any city's name; each such act is marked
        Administrator = "administrator",
    }
}

/// The account behind a request.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its id.
    pub id: Uuid,
    /// The name it logs in with.
    pub client_id: String,
    /// What it may do.
    pub role: Role,
    /// The cities it acts for.
    pub cities: Vec<Uuid>,
}

/// Who calls: nobody known, an account, or the registry itself.
#[derive(Debug, Clone)]
pub struct Caller(Identity);

#[derive(Debug, Clone)]
enum Identity {
    Anonymous,
    Account(Account),
    Registry,
}

/// How far somebody sees in a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// What is public.
    Public,
    /// That and what is for partners.
    Partners,
    /// That and what is private to these cities.
    Cities(Vec<Uuid>),
    /// All of it.
    Everything,
}

/// How far somebody sees in all collections at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// How many of public, partners, private they see wherever they are.
    level: usize,
    /// The cities whose private records they see.
    pub cities: Vec<Uuid>,
    /// The collections that they see all of.
    pub whole: Vec<String>,
}

impl Reach {
    /// The visibilities that they see whatever cities are involved.
    pub fn sees(&self) -> &'static [&'static str] {
        &["public", "partners", "private"][..self.level]
    }

    /// Whether it shows anything that another one does not.
    pub fn is_beyond(&self, other: &Self) -> bool {
        let is_all = other.level == 3;
        self.level > other.level
            || !(is_all || self.cities.iter().all(|city| other.cities.contains(city)))
            || !(is_all || self.whole.iter().all(|collection| other.whole.contains(collection)))
    }
}

/// The collections whose private records verifiers see.
const VERIFIABLE: &[&str] = &["outcomes", "observations", "compliance"];

impl Caller {
    /// Without a token.
    pub fn anonymous() -> Self {
        Self(Identity::Anonymous)
    }

    /// With the token of this account.
    pub fn account(account: Account) -> Self {
        Self(Identity::Account(account))
    }

    /// The registry itself: when it loads its own data, and when it reads back what was written.
    pub fn registry() -> Self {
        Self(Identity::Registry)
    }

    fn known(&self) -> Option<&Account> {
        match &self.0 {
            Identity::Account(account) => Some(account),
            Identity::Anonymous | Identity::Registry => None,
        }
    }

    /// The account's id.
    pub fn account_id(&self) -> Option<Uuid> {
        self.known().map(|account| account.id)
    }

    /// The name the account logs in with.
    pub fn client_id(&self) -> Option<&str> {
        self.known().map(|account| account.client_id.as_str())
    }

    /// The account's role.
    pub fn role(&self) -> Option<Role> {
        self.known().map(|account| account.role)
    }

    /// Whether nobody is logged in.
    pub fn is_anonymous(&self) -> bool {
        matches!(self.0, Identity::Anonymous)
    }

    /// Whether it may act in any city's name.
    pub fn is_administrator(&self) -> bool {
        matches!(self.0, Identity::Registry) || self.role() == Some(Role::Administrator)
    }

    /// The cities it acts for.
    pub fn cities(&self) -> &[Uuid] {
        self.known().map_or(&[], |account| &account.cities)
    }

    /// The first of these cities that an editor acts for.
    pub fn city_among(&self, cities: &[Uuid]) -> Option<Uuid> {
        if self.role() != Some(Role::Editor) {
            return None;
        }
        cities.iter().copied().find(|city| self.cities().contains(city))
    }

    /// How far it sees in a collection.
    pub fn sight(&self, collection: &str) -> Sight {
        match self.role() {
            _ if self.is_administrator() => Sight::Everything,
            None => Sight::Public,
            Some(Role::Verifier) if VERIFIABLE.contains(&collection) => Sight::Everything,
            Some(Role::Editor) => Sight::Cities(self.cities().to_vec()),
            Some(_) => Sight::Partners,
        }
    }

    /// How far it sees in all collections at once: what [`Caller::sight`] says of each.
    pub fn reach(&self) -> Reach {
        let whole = if self.role() == Some(Role::Verifier) { VERIFIABLE } else { &[] };
        let whole = whole.iter().map(|&collection| collection.to_owned()).collect();
        let (level, cities) = match self.sight("") {
            Sight::Public => (1, vec![]),
            Sight::Partners => (2, vec![]),
            Sight::Cities(own) => (2, own),
            Sight::Everything => (3, vec![]),
        };
        Reach { level, cities, whole }
    }

    /// Whether it may see a record of this audience.
    pub fn may_see(&self, collection: &str, visibility: &str, cities: &[Uuid]) -> bool {
        match self.sight(collection) {
            Sight::Everything => true,
            Sight::Public => visibility == "public",
            Sight::Partners => visibility != "private",
            Sight::Cities(own) => visibility != "private" || own.iter().any(|city| cities.contains(city)),
        }
    }
}

/// 401 without a token: the challenge names no error then [RFC 6750 3.1].
pub fn token_needed(detail: &str) -> Problem {
    Problem::new(Code::Unauthenticated, detail).header(header::WWW_AUTHENTICATE, "Bearer realm=\"pilot-exchange\"")
}

/// 401 with the challenge of RFC 6750.
pub fn unauthenticated(detail: &str) -> Problem {
    let challenge = format!(
        "Bearer realm=\"pilot-exchange\", error=\"invalid_token\", error_description=\"{}\"",
        detail.replace('"', "'")
    );
    Problem::new(Code::Unauthenticated, detail).header(header::WWW_AUTHENTICATE, &challenge)
}

/// 403: it can be seen, but only accounts of the cities involved may do this.
pub fn unauthorised_city() -> Problem {
    Problem::new(
        Code::Forbidden,
        "only an account that acts for the city concerned may do this; see /docs for who may do what",
    )
}
