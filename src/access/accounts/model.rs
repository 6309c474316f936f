//! What an account is, as it is answered and sent.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::Role;
use crate::http::body::Input;
use crate::values::{CityRef, Line};

/// Somebody at an outside issuer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OidcSubject {
    /// The issuer, as in its tokens (`iss`).
    #[schema(min_length = 1, max_length = 500, example = "https://login.busan.example")]
    pub issuer: String,
    /// The subject, as in its tokens (`sub`).
    #[schema(min_length = 1, max_length = 255, example = "248289761001")]
    pub subject: String,
}

/// An account as administrators see it, and as it sees itself at `/v1/me`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AccountView {
    /// Its id.
    pub id: Uuid,
    /// From 1; the first part of the ETag.
    pub version: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
    /// The name it logs in with.
    #[schema(example = "demo-busan")]
    pub client_id: String,
    /// What it is for.
    #[schema(example = "Busan's pilot office")]
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The cities it acts for.
    #[schema(example = json!(["KRPUS"]))]
    pub cities: Vec<String>,
    /// Whom it stands for at outside issuers: their tokens act as this account.
    pub oidc_subjects: Vec<OidcSubject>,
    /// A disabled account can do nothing.
    pub disabled: bool,
    /// Shown once: when the account is made and when its secret is rotated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
}

/// A new account.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"client_id": "barcelona-reports", "name": "Nightly reports of Barcelona", "role": "reader", "cities": ["ESBCN"]}))]
pub struct AccountInput {
    /// The name it logs in with; stays the same.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]*$", min_length = 3, max_length = 60, example = "barcelona-reports")]
    pub client_id: String,
    /// What it is for. One account per person or system.
    pub name: Line,
    /// What it may do.
    pub role: Role,
    /// The cities it acts for.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub cities: Vec<CityRef>,
    /// Whom it stands for at outside issuers; each subject of an issuer stands for one account.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub oidc_subjects: Vec<OidcSubject>,
}

/// What can be changed of an account.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    /// What it is for.
    pub name: Line,
    /// What it may do.
    pub role: Role,
    /// The cities it acts for.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub cities: Vec<CityRef>,
    /// Whom it stands for at outside issuers; each subject of an issuer stands for one account.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub oidc_subjects: Vec<OidcSubject>,
    /// A disabled account can do nothing.
    #[serde(default)]
    pub disabled: bool,
}

impl Input for AccountInput {}
impl Input for AccountChange {}

/// What is changed of an account; what is not given stays as it is.
#[derive(Debug, Default)]
pub struct Change {
    /// What it is for.
    pub name: Option<String>,
    /// What it may do.
    pub role: Option<Role>,
    /// The cities it acts for.
    pub cities: Option<Vec<Uuid>>,
    /// Whom it stands for at outside issuers.
    pub oidc_subjects: Option<Vec<OidcSubject>>,
    /// A disabled account can do nothing.
    pub disabled: Option<bool>,
}

/// What a new account is made of.
pub struct New<'a> {
    /// The name it logs in with.
    pub client_id: &'a str,
    /// What it is for.
    pub name: &'a str,
    /// What it may do.
    pub role: Role,
    /// The cities it acts for.
    pub cities: Vec<Uuid>,
    /// Whom it stands for at outside issuers.
    pub oidc_subjects: Vec<OidcSubject>,
    /// Whether it is one of `serve --demo`.
    pub demo: bool,
}
