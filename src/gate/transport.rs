//! Whether a request travelled a way on which secrets may be shown.

use std::net::IpAddr;

use crate::{Facts, IpNet, net::canonical};

/// How the gate knows of encryption.
#[derive(Debug, Default)]
pub(super) struct Transport {
    /// Peers that terminate TLS for this service.
    pub(super) terminators: Vec<IpNet>,
    pub(super) cleartext: Cleartext,
}

/// What becomes of a credential that came in the clear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Cleartext {
    #[default]
    Refused,
    Allowed,
}

impl Transport {
    /// Whether the request is known to have come encrypted. Unknown counts as no.
    pub(super) fn is_secure(&self, facts: &Facts<'_>) -> bool {
        let trusted = |peer: IpAddr| self.terminators.iter().any(|net| net.contains(peer));
        facts.secure || facts.peer.is_some_and(trusted)
    }

    /// Whether a credential may be looked at.
    pub(super) fn carries_secrets(&self, facts: &Facts<'_>) -> bool {
        // A client that a proxy on this machine names is not on this machine.
        let local =
            |address: Option<IpAddr>| address.is_some_and(|one| canonical(one).is_loopback());
        let loopback = local(facts.peer) && local(facts.client_address());
        self.cleartext == Cleartext::Allowed || loopback || self.is_secure(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_counts_as_not_secure() {
        let behind_proxy =
            Transport { terminators: vec!["10.0.0.0/8".parse().unwrap()], ..Transport::default() };
        let check = |peer: Option<&str>, secure: bool, expected: (bool, bool)| {
            let peer = peer.map(|peer| peer.parse().unwrap());
            let facts = Facts { peer, secure, ..Facts::default() };
            let found = (behind_proxy.is_secure(&facts), behind_proxy.carries_secrets(&facts));
            assert_eq!(found, expected, "{facts:?}");
        };
        check(None, false, (false, false));
        check(None, true, (true, true));
        check(Some("192.0.2.1"), false, (false, false));
        check(Some("127.0.0.1"), false, (false, true));
        check(Some("::1"), false, (false, true));
        check(Some("::ffff:127.0.0.1"), false, (false, true));
        check(Some("10.1.2.3"), false, (true, true));
        check(Some("::ffff:10.1.2.3"), false, (true, true));
    }
}
