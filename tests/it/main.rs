//! Every promise of the crate, one module each, in one binary.
#![cfg_attr(
    feature = "testing",
    expect(clippy::wildcard_enum_match_arm, reason = "a test names the cases it is about")
)]

#[cfg(test)]
#[cfg(all(feature = "testing", feature = "tower"))]
mod answers;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "tower"))]
mod api_keys;
#[cfg(test)]
mod architecture;
#[cfg(test)]
mod attacks_on_tokens;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "aws-lc-rs"))]
mod backends;
#[cfg(test)]
#[cfg(feature = "testing")]
mod callers;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "tower", feature = "password", feature = "tracing"))]
mod canary;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "password"))]
mod conformance;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "tower", feature = "password"))]
mod corpus;
#[cfg(test)]
mod exact;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "tower"))]
mod examples;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "tower"))]
mod examples_policy;
#[cfg(test)]
#[cfg(feature = "testing")]
mod factors;
#[cfg(test)]
#[cfg(feature = "testing")]
mod gate;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "tower"))]
mod grpc;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "tower"))]
mod hidden;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "fetch"))]
mod introspection;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "jsonwebtoken"))]
mod jsonwebtoken;
#[cfg(test)]
#[cfg(feature = "testing")]
mod kit;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "tower"))]
mod layers;
#[cfg(test)]
mod limit_calendars;
#[cfg(test)]
mod limit_histories;
#[cfg(test)]
mod limit_operations;
#[cfg(test)]
mod limit_sets;
#[cfg(test)]
mod limit_stats;
#[cfg(test)]
mod limit_successors;
#[cfg(test)]
mod limits;
#[cfg(test)]
#[cfg(feature = "testing")]
mod listed_limits;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "tower", feature = "password", unix))]
mod login_browser;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "tower", feature = "password"))]
mod login_example;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "tower", feature = "password", target_os = "linux"))]
mod login_load;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "password"))]
mod logins;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "fetch"))]
mod oidc_provider;
#[cfg(test)]
#[cfg(feature = "testing")]
mod otp_codes;
#[cfg(test)]
#[cfg(all(feature = "testing", any(feature = "password", feature = "tower")))]
mod page;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "password"))]
mod passwords;
#[cfg(test)]
mod policies;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "tower"))]
mod proxies;
#[cfg(test)]
#[cfg(feature = "testing")]
mod quotas;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "tower"))]
mod rate_limit_fields;
#[cfg(test)]
#[cfg(feature = "watch")]
mod reloads;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "fetch"))]
mod remote_keys;
#[cfg(test)]
#[cfg(feature = "testing")]
mod replaced_limits;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "tower"))]
mod routes;
#[cfg(test)]
#[cfg(feature = "testing")]
mod sessions;
#[cfg(test)]
#[cfg(feature = "testing")]
mod shadows;
#[cfg(test)]
#[cfg(feature = "testing")]
mod signatures;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "tower"))]
mod standards;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "tower"))]
mod stores;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "fetch"))]
mod tls;
#[cfg(test)]
#[cfg(feature = "testing")]
mod tokens;
#[cfg(test)]
#[cfg(all(feature = "testing", feature = "tower"))]
mod tower;
