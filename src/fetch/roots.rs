//! Whom servers are certified by.

use std::fmt;

use rustls::{RootCertStore, pki_types::CertificateDer};
use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

/// The authorities that may certify a server: those of Mozilla, or your own and nobody else.
///
/// ```no_run
/// use portcullis::fetch::{Refresher, Roots};
/// # use portcullis::authn::jwt::{RemoteKeys, RemoteSet};
/// # let keys = RemoteKeys::new(RemoteSet::at("https://id.internal/keys"))?;
///
/// let inside = Roots::from_pem(std::fs::read("/etc/ssl/inside.pem")?)?;
/// let _refresher = Refresher::trusting(inside, &keys)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Roots(RootCerts);

/// Why there are no roots to trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RootsError {
    /// There is no certificate in the text.
    #[error("no section `CERTIFICATE` in the PEM text")]
    Missing,
    /// There is something else in the text, such as a private key, or it is no PEM.
    #[error("something else than certificates in the PEM text")]
    NotCertificates,
    /// A certificate that cannot be a root.
    #[error("a certificate that cannot be a root")]
    Unfit,
}

impl Roots {
    /// Trusts these certificates (RFC 7468) of authorities, and nobody else.
    ///
    /// # Errors
    /// When there is none, or anything that is none.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, RootsError> {
        let roots = parse_pem(pem.as_ref()).map(|section| {
            let Ok(PemItem::Certificate(certificate)) = section else {
                return Err(RootsError::NotCertificates);
            };
            fit(certificate)
        });
        let roots = roots.collect::<Result<Vec<_>, _>>()?;
        if roots.is_empty() { Err(RootsError::Missing) } else { Ok(Self(RootCerts::from(roots))) }
    }

    pub(super) fn certs(&self) -> RootCerts {
        self.0.clone()
    }
}

/// The client passes over a root that it cannot use, and trusts nobody then.
fn fit(certificate: Certificate<'static>) -> Result<Certificate<'static>, RootsError> {
    let der = CertificateDer::from(certificate.der());
    RootCertStore::empty().add(der).map_err(|_| RootsError::Unfit)?;
    Ok(certificate)
}

impl Default for Roots {
    /// Those of Mozilla, as they were when `webpki-roots` was released.
    fn default() -> Self {
        Self(RootCerts::WebPki)
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let RootCerts::Specific(own) = &self.0 {
            write!(f, "Roots({} of its own)", own.len())
        } else {
            f.write_str("Roots(Mozilla's)")
        }
    }
}
