//! What the fuzz targets do with their input, as plain functions: each hands bytes to a parser
//! through the public API, and holds the answer against a plainer reading of the same bytes. A
//! difference panics.

pub mod api_key;
pub mod authorization;
pub mod cedar_condition;
pub mod cedar_text;
mod cedar_world;
pub mod cookies;
pub mod discovery;
pub mod document;
pub mod expression;
pub mod forwarded;
pub mod introspection;
pub mod jwks;
pub mod jwt;
pub mod phc;
mod plain;

pub use self::api_key::stored as api_key_record;
pub use self::phc::PASSWORD;
pub use self::plain::NOW;

/// One fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of the folder of its corpus.
    pub name: &'static str,
    /// Says whether the input got past every refusal; panics where it got past wrongly.
    pub run: fn(&[u8]) -> bool,
}

/// All of them.
pub const TARGETS: [Target; 13] = [
    Target { name: "api_key", run: api_key::run },
    Target { name: "authorization", run: authorization::run },
    Target { name: "cedar_condition", run: cedar_condition::run },
    Target { name: "cedar_text", run: cedar_text::run },
    Target { name: "cookies", run: cookies::run },
    Target { name: "discovery", run: discovery::run },
    Target { name: "document", run: document::run },
    Target { name: "expression", run: expression::run },
    Target { name: "forwarded", run: forwarded::run },
    Target { name: "introspection", run: introspection::run },
    Target { name: "jwks", run: jwks::run },
    Target { name: "jwt", run: jwt::run },
    Target { name: "phc", run: phc::run },
];
