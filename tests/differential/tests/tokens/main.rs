//! What the verifier accepts, two other implementations accept: random tokens, whole and damaged,
//! under every algorithm that all have. jsonwebtoken runs on RustCrypto, jwt-simple on cryptography
//! of its own; neither is ours.

mod cases;
mod peers;

use std::{cell::RefCell, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use cases::Cases;
use jsonwebtoken::Algorithm as Theirs;
use peers::Peer;
use portcullis::{Algorithm, JwtVerifier, clock, testing::Issuer};
use portcullis_differential::Choices;
use proptest::{
    collection::vec,
    prelude::any,
    test_runner::{Config, TestError, TestRunner},
};
use serde_json::Value;

const TOKENS: u32 = 500;
const ISSUER: &str = "https://id.example";
const AUDIENCE: &str = "orders";
const LEEWAY: u64 = 30;

/// All that we have.
const ALGORITHMS: [Theirs; 12] = [
    Theirs::ES256,
    Theirs::ES384,
    Theirs::HS256,
    Theirs::HS384,
    Theirs::HS512,
    Theirs::PS256,
    Theirs::PS384,
    Theirs::PS512,
    Theirs::RS256,
    Theirs::RS384,
    Theirs::RS512,
    Theirs::EdDSA,
];

/// How many tokens were accepted by whom.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    both: u32,
    neither: u32,
    /// The peer alone; the reverse must not be.
    theirs: u32,
}

/// Ours and its peers, under one algorithm.
struct Verifiers {
    cases: Cases,
    ours: JwtVerifier,
    peers: [(Box<dyn Peer>, RefCell<Counts>); 2],
}

#[test]
fn what_we_accept_others_accept() {
    for theirs in ALGORITHMS {
        let ours = Algorithm::try_from(theirs).unwrap();
        let verifiers = Verifiers::new(ours, theirs);
        let mut runner = TestRunner::new(Config {
            cases: TOKENS,
            failure_persistence: None,
            max_shrink_iters: 2_000,
            ..Config::default()
        });
        let result = runner.run(&vec(any::<u8>(), 0..80), |bytes| {
            verifiers.compare(&mut Choices::new(bytes));
            Ok(())
        });
        if let Err(TestError::Fail(reason, _) | TestError::Abort(reason)) = result {
            panic!("{theirs:?}: {reason}");
        }
        for (peer, counts) in &verifiers.peers {
            let (name, counts) = (peer.name(), *counts.borrow());
            println!("{theirs:?}, {name}: {counts:?}");
            assert!(counts.both > TOKENS / 10, "{theirs:?}, {name}: {counts:?}");
            assert!(counts.neither > TOKENS / 10, "{theirs:?}, {name}: {counts:?}");
            assert!(counts.theirs > 0, "we are the stricter: {theirs:?}, {name}: {counts:?}");
        }
    }
}

impl Verifiers {
    fn new(ours: Algorithm, theirs: Theirs) -> Self {
        let issuer = Issuer::new(ISSUER).with_algorithm(ours);
        let jwks: Value = serde_json::from_str(&issuer.jwks()).unwrap();
        let jwk = &jwks["keys"][0];
        Self {
            cases: Cases::new(theirs, jwk),
            ours: issuer.verifier("staff").leeway(Duration::from_secs(LEEWAY)),
            peers: peers::all(theirs, jwk).map(|peer| (peer, RefCell::default())),
        }
    }

    fn compare(&self, choices: &mut Choices) {
        let token = self.cases.token(choices);
        // A token whose time is up within a second could be taken by one and not by the other;
        // none is drawn.
        let ours = self.ours.verify_token(&token, clock::now().wall);
        for (peer, counts) in &self.peers {
            let mut counts = counts.borrow_mut();
            match (&ours, peer.subject(&token)) {
                (Ok(principal), Ok(subject)) => {
                    counts.both += 1;
                    assert_eq!(principal.id(), format!("staff/{subject}"), "{token}");
                }
                (Err(_), Err(_)) => counts.neither += 1,
                (Err(_), Ok(_)) => counts.theirs += 1,
                (Ok(principal), Err(error)) => {
                    let (name, shown) = (peer.name(), shown(&token));
                    panic!("{principal:?} by us, {error} by {name}: {token}\n{shown}");
                }
            }
        }
    }
}

/// Header and claims of a token, where they can be read.
fn shown(token: &str) -> String {
    let parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap_or_default());
    parts.take(2).map(|part| String::from_utf8_lossy(&part).into_owned()).collect()
}
