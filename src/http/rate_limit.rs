//! The response fields that tell a caller how often it may still come.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::limit::Allowance;

/// Which fields tell a caller about the limits it is counted by.
///
/// How they read is not settled: it is an Internet-Draft, and earlier revisions read otherwise.
/// So nothing is told unless it is said how, and the version is part of the name.
///
/// ```
/// use portcullis::{Gate, Quota, http::RateLimitFields, testing::request, tower::RateLimitLayer};
/// use tower::{Layer, ServiceExt, service_fn};
///
/// let layer = RateLimitLayer::new(Gate::builder().limit_clients(Quota::per_minute(1)))?
///     .peer(|_| Some([127, 0, 0, 1].into()))
///     .rate_limit_fields(RateLimitFields::Draft10);
/// let service = layer.layer(service_fn(async |_: http::Request<String>| {
///     Ok::<_, std::convert::Infallible>(http::Response::new(http_body_util::Empty::new()))
/// }));
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # let ask = || runtime.block_on(service.clone().oneshot(request("GET", "/").build())).unwrap();
/// for (status, retry_after) in [(200, None), (429, Some("60"))] {
///     let response = ask();
///     let field = |name| response.headers().get(name).map(|value| value.to_str().unwrap());
///     assert_eq!(response.status(), status);
///     assert_eq!(field("ratelimit-policy"), Some("\"client-1-per-minute\";q=1;w=60"));
///     assert_eq!(field("ratelimit"), Some("\"client-1-per-minute\";r=0;t=60"));
///     assert_eq!(field("retry-after"), retry_after);
/// }
/// # Ok::<(), portcullis::GateErrors>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RateLimitFields {
    /// None.
    #[default]
    Off,
    /// `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-10, a work in
    /// progress. One policy is named, the one that leaves the least.
    Draft10,
}

impl RateLimitFields {
    /// Adds the fields to a response's headers, behind those that are there: they are lists. For
    /// edges other than the tower layer; the fields have no place in trailers.
    pub fn append(self, allowance: &Allowance, headers: &mut HeaderMap) {
        match self {
            Self::Off => {}
            Self::Draft10 => {
                for (name, value) in [(POLICY, policy(allowance)), (LIMIT, limit(allowance))] {
                    if let Ok(value) = HeaderValue::try_from(value) {
                        // A full map is the handler's doing, and its own headers come first.
                        let _ = headers.try_append(name, value);
                    }
                }
            }
        }
    }
}

/// A list of one item (RFC 9651 section 3.1): a string with the quota and its window.
fn policy(it: &Allowance) -> String {
    format!("\"{}\";q={};w={}", it.policy(), it.burst(), whole_secs(it.window()))
}

/// Likewise, with what remains and the seconds until there is more.
fn limit(it: &Allowance) -> String {
    format!("\"{}\";r={};t={}", it.policy(), it.remaining(), whole_secs(it.more_after()))
}

/// Rounded up: who waits that long does not come too early.
fn whole_secs(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0))
}

const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Mono, Quota, limit::LimitSet};

    /// The string and the integer parameters of a list of one item, read strictly after RFC 9651
    /// section 4.2.
    fn parsed(text: &str) -> Option<(&str, Vec<(&str, u64)>)> {
        let (name, mut rest) = text.strip_prefix('"')?.split_once('"')?;
        let plain = |b: u8| matches!(b, b' '..=b'~') && b != b'\\';
        if !name.bytes().all(plain) {
            return None;
        }
        let mut parameters = Vec::new();
        while !rest.is_empty() {
            let parameter = rest.strip_prefix(';')?;
            let end = parameter.find(';').unwrap_or(parameter.len());
            let (parameter, after) = parameter.split_at(end);
            let (key, value) = parameter.split_once('=')?;
            let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
            let key_fits = key.starts_with(|c: char| c.is_ascii_lowercase());
            if !digits || value.len() > 15 || !key_fits {
                return None;
            }
            parameters.push((key, value.parse().ok()?));
            rest = after;
        }
        Some((name, parameters))
    }

    fn charged(quota: Quota, cost: u32) -> Option<Allowance> {
        let set = LimitSet::<str>::new(quota, 4).ok()?;
        let charge = set.charge_at("alice", cost, Mono::from_nanos(1)).ok()?;
        set.allowance("principal", &charge)
    }

    #[test]
    fn the_parser_refuses_what_is_no_item() {
        let parameters = vec![("q", 1), ("w", 60)];
        assert_eq!(parsed("\"a-b\";q=1;w=60"), Some(("a-b", parameters)));
        for text in ["a;q=1", "\"a;q=1", "\"a\" ;q=1", "\"a\";q=", "\"a\";q=-1", "\"\u{e9}\";q=1"] {
            assert_eq!(parsed(text), None, "{text}");
        }
        assert_eq!(parsed("\"a\";q=1234567890123456"), None);
    }

    #[test]
    fn seconds_are_rounded_up() {
        let check = |nanos, expected| {
            assert_eq!(whole_secs(Duration::from_nanos(nanos)), expected, "{nanos} ns");
        };
        check(0, 0);
        check(1, 1);
        check(1_000_000_000, 1);
        check(1_000_000_001, 2);
    }

    #[test]
    fn what_stands_there_already_stays() {
        let it = charged(Quota::per_minute(6).burst(4), 3).unwrap();
        let mut headers = HeaderMap::new();
        RateLimitFields::Off.append(&it, &mut headers);
        assert!(headers.is_empty());
        headers.insert(LIMIT, HeaderValue::from_static("\"own\";r=1"));
        RateLimitFields::Draft10.append(&it, &mut headers);
        let values: Vec<_> = headers.get_all(LIMIT).iter().collect();
        assert_eq!(values, ["\"own\";r=1", "\"principal-6-per-minute\";r=1;t=10"]);
        assert_eq!(headers[POLICY], "\"principal-6-per-minute\";q=4;w=40");
    }

    proptest! {
        #[test]
        fn every_quota_reads_back(count in 1..=u32::MAX, burst in 1..=u32::MAX, cost in 1..9_u32) {
            for quota in [Quota::per_second(count), Quota::per_hour(count), Quota::per_day(count)] {
                let quota = quota.burst(burst);
                let Some(it) = charged(quota, cost) else { continue };
                let (policy, limit) = (policy(&it), limit(&it));
                let (name, policy) = parsed(&policy).unwrap();
                let (same, limit) = parsed(&limit).unwrap();
                prop_assert_eq!(name, same);
                let [("q", q), ("w", w)] = policy[..] else { panic!("{policy:?}") };
                let [("r", r), ("t", t)] = limit[..] else { panic!("{limit:?}") };
                prop_assert_eq!((q, r), (u64::from(burst), u64::from(burst - cost)));
                prop_assert!(w > 0 && t > 0 && t <= w);
            }
        }
    }
}
