//! From an HTTP request to what the gate is asked about.

use std::{net::IpAddr, sync::Arc};

use http::{Extensions, Request, header::HOST};

use crate::{
    Admission, Caller, Facts, Gate, Now, clock,
    http::{Problem, RateLimitFields, Respond, claim, mark_sensitive, strip_credentials},
};

/// How this server's requests are read and its refusals written.
#[derive(Clone)]
pub(super) struct Edge {
    pub(super) now: Option<Arc<Reading>>,
    pub(super) peer: Option<Arc<Peer>>,
    pub(super) rate_limit_fields: RateLimitFields,
    pub(super) respond: Arc<dyn Respond>,
    pub(super) afterwards: Afterwards,
    pub(super) dialects: Dialects,
    pub(super) proof: Proof,
    pub(super) secure: Option<Arc<Secure>>,
    pub(super) template: Option<Arc<Template>>,
}

/// In whose words refusals are told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Dialects {
    #[default]
    Http,
    /// gRPC's where a request's content type is gRPC's.
    Grpc,
}

/// Where the proof of who is calling comes from.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Proof {
    /// The request's credentials.
    #[default]
    Credentials,
    /// A layer further out left a caller or a principal; without one there is none. The caller
    /// that is left for the handler is this layer's.
    Extensions,
    /// Likewise, but a caller from further out stays.
    ExtensionsInPassing,
}

/// What becomes of credentials once they are read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Afterwards {
    #[default]
    Marked,
    Stripped,
}

// What the layer is told to read out of a request's extensions.
type Peer = dyn Fn(&Extensions) -> Option<IpAddr> + Send + Sync;
type Reading = dyn Fn(&Extensions) -> Option<Now> + Send + Sync;
type Secure = dyn Fn(&Extensions) -> bool + Send + Sync;
type Template = dyn for<'a> Fn(&'a Extensions) -> Option<&'a str> + Send + Sync;

impl Default for Edge {
    fn default() -> Self {
        Self {
            now: None,
            peer: None,
            rate_limit_fields: RateLimitFields::default(),
            respond: Arc::new(Problem),
            afterwards: Afterwards::default(),
            dialects: Dialects::default(),
            proof: Proof::default(),
            secure: None,
            template: None,
        }
    }
}

impl Edge {
    pub(super) fn admit<B>(&self, gate: &Gate, request: &Request<B>) -> Admission {
        let extensions = request.extensions();
        let outer = extensions.get::<Caller>();
        let read = self.now.as_ref().and_then(|now| now(extensions));
        // A gate further out has read the clocks for this request already.
        let now = read.or(outer.map(Caller::now)).unwrap_or_else(clock::now);
        let template = |read: &Arc<Template>| {
            // A router that matched nothing left no template; the empty one is in no table.
            read(extensions).unwrap_or_default()
        };
        let facts = Facts {
            peer: self.peer.as_ref().and_then(|peer| peer(extensions)),
            secure: self.secure.as_ref().is_some_and(|secure| secure(extensions)),
            method: Some(request.method().as_str()),
            authority: authority(request),
            path: Some(request.uri().path()),
            template: self.template.as_ref().map(template),
            headers: Some(request.headers()),
            ..Facts::default()
        };
        match self.proof {
            Proof::Credentials => {
                let claim = claim(request.headers(), gate.sources());
                gate.stages(claim, &facts, now, outer)
            }
            Proof::Extensions | Proof::ExtensionsInPassing => {
                let left = outer.and_then(Caller::principal).or_else(|| extensions.get());
                Admission::Done(gate.stages_proven(left.cloned(), &facts, now, outer))
            }
        }
    }

    /// Leaves the caller for whoever comes next.
    pub(super) fn introduce<B>(&self, caller: &Caller, request: &mut Request<B>) {
        let extensions = request.extensions_mut();
        let stays = matches!(self.proof, Proof::ExtensionsInPassing);
        if !stays || extensions.get::<Caller>().is_none() {
            extensions.insert(caller.clone());
        }
    }

    /// Keeps credentials from the handler, or at least from its logs.
    pub(super) fn put_away<B>(&self, gate: &Gate, request: &mut Request<B>) {
        match self.afterwards {
            Afterwards::Marked => mark_sensitive(request.headers_mut(), gate.sources()),
            Afterwards::Stripped => strip_credentials(request.headers_mut(), gate.sources()),
        }
    }
}

/// HTTP/2 names it in the target, HTTP/1.1 in `Host`.
fn authority<B>(request: &Request<B>) -> Option<&str> {
    let target = request.uri().authority().map(http::uri::Authority::as_str);
    target.or_else(|| request.headers().get(HOST)?.to_str().ok())
}
