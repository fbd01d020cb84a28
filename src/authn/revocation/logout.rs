//! What a logout token ends.

use std::time::Duration;

use super::{Revocation, Revocations, RevokeError, Target};
use crate::{UnixTime, authn::jwt::profile::LogoutToken};

/// Whoever verified the token granted its issuer's clock no more than this.
const MOST_LEEWAY: Duration = Duration::from_secs(300);

impl LogoutToken {
    /// Revokes what this token says is over: the session that it names, or else all that its
    /// subject was issued by then. `longest` is the longest that a token of this issuer counts, from
    /// `iat` to `exp` and with the leeway.
    ///
    /// This is all that there is to do of OpenID Connect Back-Channel Logout 1.0 section 2.7, once
    /// the token is [verified](crate::authn::jwt::profile::LogoutTokens::verify): answer 200, or 400 on an
    /// error. If it fails half-way the issuer may send the token again. A token for a session ends
    /// tokens with that `sid`: where the issuer's access tokens have none, revoke the
    /// [subject](Self::subject) instead.
    ///
    /// ```
    /// # #[cfg(feature = "testing")] {
    /// use std::{sync::Arc, time::Duration};
    /// use portcullis::{Algorithm, UnixTime, testing::Issuer};
    /// use portcullis::authn::{jwt::profile::LogoutTokens, revocation::{Denylist, RevokeError}};
    /// use serde_json::json;
    ///
    /// let (now, hour) = (UnixTime::from_secs(1_700_000_000), Duration::from_secs(3600));
    /// let issuer = Issuer::new("https://id.example");
    /// let revoked = Arc::new(Denylist::new(100_000));
    /// let staff = issuer.verifier("staff").revocations(Arc::clone(&revoked));
    /// let logouts =
    ///     LogoutTokens::new("https://id.example", "orders", Algorithm::Es256, issuer.keys());
    ///
    /// let token = issuer.token("alice").claim("sid", "s1").sign(now);
    /// assert!(staff.verify_token(&token, now).is_ok());
    ///
    /// let event = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    /// let posted = issuer.token("alice").header("typ", "logout+jwt").claim("events", event);
    /// let logout = logouts.verify(&posted.claim("sid", "s1").sign(now), now)?;
    /// assert_eq!(logout.revoke(&*revoked, hour, now), Ok(()));
    /// assert!(staff.verify_token(&token, now).is_err());
    /// assert_eq!(logout.revoke(&*revoked, hour, now), Err(RevokeError::Repeated));
    /// # }
    /// # Ok::<(), portcullis::AuthnError>(())
    /// ```
    ///
    /// # Errors
    /// [`Repeated`](RevokeError::Repeated) when this token was used before: for as long as it can be
    /// verified, its id is kept in the same list. The list's own errors, when what it says is over
    /// goes on.
    pub fn revoke(
        &self,
        revocations: &dyn Revocations,
        longest: Duration,
        now: UnixTime,
    ) -> Result<(), RevokeError> {
        let until = now.max(self.issued_at()).saturating_add(longest);
        let issuer = self.issuer();
        if let Some(sid) = self.session().filter(|sid| !sid.is_empty()) {
            revocations.revoke(&Revocation::session(issuer, sid, until), now)?;
        } else if let Some(sub) = self.subject().filter(|sub| !sub.is_empty()) {
            let all = Revocation::subject(issuer, sub, until).issued_by(self.issued_at());
            revocations.revoke(&all, now)?;
        }
        // Last, so that an attempt that fails uses up no token. That one which is repeated comes so
        // far does no harm: it ends what is over.
        let end = self.expires_at().saturating_add(MOST_LEEWAY);
        let used = Revocation::of(issuer, Target::Logout(self.id()), end);
        let first = revocations.revoke(&used, now)?;
        if first { Ok(()) } else { Err(RevokeError::Repeated) }
    }
}
