//! What the token says: 9 claims, 8 scopes, 4 roles, one nested object.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{AUDIENCE, ISSUER, unix_seconds};

/// The claims as a service would type them.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) sub: String,
    pub(crate) aud: String,
    pub(crate) exp: u64,
    pub(crate) iat: u64,
    pub(crate) jti: String,
    pub(crate) scope: String,
    pub(crate) roles: Vec<String>,
    pub(crate) ctx: Details,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Details {
    pub(crate) tenant: String,
    pub(crate) department: String,
    pub(crate) region: String,
    pub(crate) mfa: bool,
}

/// The same claims, borrowed from the payload where they can be.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "parsing a claim is the work, whether or not it is looked at")]
pub(crate) struct BorrowedClaims<'a> {
    #[serde(borrow)]
    pub(crate) iss: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) sub: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) aud: Cow<'a, str>,
    pub(crate) exp: u64,
    pub(crate) iat: u64,
    #[serde(borrow)]
    pub(crate) jti: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) scope: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) roles: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) ctx: BorrowedDetails<'a>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "parsing a claim is the work, whether or not it is looked at")]
pub(crate) struct BorrowedDetails<'a> {
    #[serde(borrow)]
    pub(crate) tenant: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) department: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) region: Cow<'a, str>,
    pub(crate) mfa: bool,
}

impl Claims {
    /// A token of user number `user`, good for half a day.
    pub(crate) fn of(user: u64) -> Self {
        let now = unix_seconds();
        Self {
            iss: ISSUER.to_owned(),
            sub: format!("7b1f2c0e-5a44-4d8e-9a61-{user:012x}"),
            aud: AUDIENCE.to_owned(),
            exp: now + 12 * 3600,
            iat: now - 60,
            jti: format!("c0ffee00-1111-4222-8333-{user:012x}"),
            scope: "openid profile email orders:read orders:write invoices:read users:read \
                    offline_access"
                .to_owned(),
            roles: ["editor", "billing-viewer", "team-lead", "on-call"].map(str::to_owned).into(),
            ctx: Details {
                tenant: "acme-europe".to_owned(),
                department: "finance".to_owned(),
                region: "eu-west-1".to_owned(),
                mfa: true,
            },
        }
    }

    /// One that no verifier may take: it was good until a day ago.
    #[cfg(feature = "tokens")]
    pub(crate) fn expired(mut self) -> Self {
        self.exp = unix_seconds() - 24 * 3600;
        self
    }
}
