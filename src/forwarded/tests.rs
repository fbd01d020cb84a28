use proptest::prelude::*;

use super::*;

#[derive(Debug)]
struct Lines(Vec<(&'static str, Vec<u8>)>);

impl crate::Headers for Lines {
    fn values(&self, name: &str, each: &mut dyn FnMut(&[u8])) {
        for (_, value) in self.0.iter().filter(|(known, _)| *known == name) {
            each(value);
        }
    }
}

const PROXY: &str = "10.0.0.1";

fn nets() -> [IpNet; 2] {
    ["10.0.0.0/8".parse().unwrap(), "2001:db8:a::/48".parse().unwrap()]
}

fn client(proxies: &TrustedProxies, peer: &str, lines: Lines) -> Result<IpAddr, ForwardedError> {
    let peer = peer.parse().ok();
    let facts = Facts { peer, headers: Some(&lines), ..Facts::default() };
    proxies.client(&facts).map(Option::unwrap)
}

fn told(result: Result<IpAddr, ForwardedError>) -> String {
    result.map_or("refused".to_owned(), |address| address.to_string())
}

fn xff(peer: &str, lines: &[&str]) -> String {
    let lines = lines.iter().map(|line| ("x-forwarded-for", line.as_bytes().to_vec()));
    told(client(&TrustedProxies::x_forwarded_for(nets()), peer, Lines(lines.collect())))
}

fn forwarded(lines: &[&str]) -> String {
    let lines = lines.iter().map(|line| ("forwarded", line.as_bytes().to_vec()));
    told(client(&TrustedProxies::forwarded(nets()), PROXY, Lines(lines.collect())))
}

#[test]
fn attack_a_stranger_writes_the_header_itself() {
    assert_eq!(xff("203.0.113.5", &["10.0.0.9"]), "203.0.113.5");
    assert_eq!(xff("203.0.113.5", &["nonsense"]), "203.0.113.5");
    assert_eq!(xff("::ffff:10.0.0.1", &["192.0.2.7"]), "192.0.2.7");
}

#[test]
fn attack_the_client_writes_the_left_of_the_list() {
    assert_eq!(xff(PROXY, &["8.8.8.8, 192.0.2.7, 10.0.0.2"]), "192.0.2.7");
    assert_eq!(xff(PROXY, &["10.0.0.3, 192.0.2.7"]), "192.0.2.7");
    assert_eq!(xff(PROXY, &["\u{7f}, [, 192.0.2.7"]), "192.0.2.7");
}

#[test]
fn attack_the_client_writes_lines_of_its_own() {
    assert_eq!(xff(PROXY, &["8.8.8.8", "192.0.2.7", "10.0.0.2"]), "192.0.2.7");
    assert_eq!(xff(PROXY, &["192.0.2.7", ""]), "192.0.2.7");
    assert_eq!(forwarded(&["for=8.8.8.8", "for=192.0.2.7"]), "192.0.2.7");
}

#[test]
fn attack_another_header_is_brought_along() {
    let both = || {
        let value = |text: &str| text.as_bytes().to_vec();
        Lines(vec![
            ("x-forwarded-for", value("192.0.2.7")),
            ("forwarded", value("for=192.0.2.8")),
            ("x-real-ip", value("192.0.2.9")),
        ])
    };
    let one = client(&TrustedProxies::x_forwarded_for(nets()), PROXY, both());
    let other = client(&TrustedProxies::forwarded(nets()), PROXY, both());
    assert_eq!((told(one), told(other)), ("192.0.2.7".to_owned(), "192.0.2.8".to_owned()));
}

#[test]
fn a_chain_that_ends_among_proxies() {
    assert_eq!(xff(PROXY, &[]), PROXY);
    assert_eq!(xff(PROXY, &["", " , ,"]), PROXY);
    assert_eq!(xff(PROXY, &["10.9.9.9, 10.0.0.2"]), "10.9.9.9");
}

#[test]
fn a_node_that_counts_and_cannot_be_read_is_refused() {
    for node in ["unknown", "_hidden", "10.0.0", "192.0.2.7:", "192.0.2.7:123456", "[::1", "[::1]x"]
    {
        assert_eq!(xff(PROXY, &[&format!("192.0.2.7, {node}")]), "refused", "{node}");
        assert_eq!(xff(PROXY, &[&format!("{node}, 10.0.0.2")]), "refused", "{node}");
        assert_eq!(xff(PROXY, &[&format!("{node}, 192.0.2.7")]), "192.0.2.7", "{node}");
    }
}

#[test]
fn nodes_with_ports_and_brackets() {
    let check = |node: &str, expected: &str| {
        assert_eq!(xff(PROXY, &[node]), expected, "{node}");
        assert_eq!(forwarded(&[&format!("for=\"{node}\"")]), expected, "{node}");
    };
    check("192.0.2.7:4711", "192.0.2.7");
    check("192.0.2.7:_a.b", "192.0.2.7");
    check("2001:db8::1", "2001:db8::1");
    check("[2001:db8::1]", "2001:db8::1");
    check("[2001:db8::1]:4711", "2001:db8::1");
    check("::ffff:192.0.2.7", "192.0.2.7");
    check("[::ffff:192.0.2.7]:80", "192.0.2.7");
    check("[192.0.2.7]", "refused");
    check("fe80::1%eth0", "refused");
    check("192.0.2.7:80:80", "refused");
}

#[test]
fn forwarded_elements() {
    let check = |line: &str, expected: &str| assert_eq!(forwarded(&[line]), expected, "{line}");
    check("for=192.0.2.43, for=198.51.100.17;by=203.0.113.60;proto=http", "198.51.100.17");
    check("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17");
    check("for=192.0.2.43, for=\"[2001:db8:a::17]\"", "192.0.2.43");
    check("by=10.0.0.2 ; FOR=192.0.2.7 ;", "192.0.2.7");
    check(", for=192.0.2.7 , ,", "192.0.2.7");
    check("host=\"a,b;for=\\\"8.8.8.8\";for=192.0.2.7", "192.0.2.7");
    check("host=\"\u{e9}\";for=192.0.2.7", "192.0.2.7");
    check("for=unknown, for=192.0.2.7", "192.0.2.7");
    // The node that counts is hidden.
    check("for=192.0.2.7, for=unknown", "refused");
    check("for=192.0.2.7, for=_SEVKISEK;by=10.0.0.2", "refused");
    check("for=192.0.2.7, proto=https", "refused");
    check("for=192.0.2.7, for=\"192.0\\.2.8\"", "refused");
}

#[test]
fn forwarded_lines_that_break_the_grammar_are_refused_wherever() {
    for line in [
        "192.0.2.7",
        "for",
        "for=",
        "for =192.0.2.7",
        "for= 192.0.2.7",
        "for=192.0.2.7:80",
        "for=[2001:db8::1]",
        "for=192.0.2.7;for=192.0.2.8",
        "for=\"192.0.2.7",
        "for=\"192.0.2.7\"x",
        "for=\"\u{1}\"",
        "=192.0.2.7",
    ] {
        assert_eq!(forwarded(&[line]), "refused", "{line}");
        assert_eq!(forwarded(&[line, "for=192.0.2.9"]), "refused", "{line}");
        assert_eq!(forwarded(&["for=192.0.2.9", line]), "refused", "{line}");
    }
}

#[test]
fn attack_an_open_quote_swallows_what_the_proxy_wrote() {
    for own in ["for=8.8.8.8;by=\"", "by=\"", "for=8.8.8.8;by=\"\\"] {
        for proxys in ["for=192.0.2.7", "for=\"[2001:db8::1]\"", "by=\"_x\";for=\"192.0.2.7\""] {
            let found = forwarded(&[&format!("{own}, {proxys}")]);
            assert_eq!(found, "refused", "{own}, {proxys}");
        }
    }
}

#[test]
fn a_giant_is_not_read() {
    let line = "192.0.2.7,".repeat(MAX_BYTES / 10);
    assert_eq!(xff(PROXY, &[&line]), "192.0.2.7");
    assert_eq!(xff(PROXY, &[&line, "192.0.2.7,"]), "refused");
}

#[test]
fn what_the_edge_knows_already_stands() {
    let proxies = TrustedProxies::x_forwarded_for(nets());
    let lines = Lines(vec![("x-forwarded-for", b"nonsense".to_vec())]);
    let known = "192.0.2.7".parse().ok();
    let peer = PROXY.parse().ok();
    let facts = Facts { client: known, peer, headers: Some(&lines), ..Facts::default() };
    assert_eq!(proxies.client(&facts), Ok(known));
    assert_eq!(proxies.client(&Facts { client: None, ..facts }), Err(ForwardedError));
    assert_eq!(proxies.client(&Facts { client: None, headers: None, ..facts }), Ok(peer));
    assert_eq!(proxies.client(&Facts::default()), Ok(None));
}

#[test]
fn set_ups_that_trust_nobody_or_everybody_are_named() {
    let problem = |nets: &[&str]| {
        let nets = nets.iter().map(|net| net.parse().unwrap());
        TrustedProxies::forwarded(nets).problem()
    };
    assert_eq!(problem(&["10.0.0.0/8"]), None);
    assert!(problem(&[]).is_some());
    assert!(problem(&["10.0.0.0/8", "::/0"]).is_some());
}

proptest! {
    #[test]
    fn no_bytes_panic(
        lines in prop::collection::vec("[ ,;=:\"\\\\\\[\\]fo.r1é_]{0,40}", 0..4), header: bool,
    ) {
        let proxies = if header {
            TrustedProxies::forwarded(nets())
        } else {
            TrustedProxies::x_forwarded_for(nets())
        };
        let name = proxies.header.name();
        let lines = lines.into_iter().map(|line| (name, line.into_bytes())).collect();
        let _ = client(&proxies, PROXY, Lines(lines));
    }

    #[test]
    fn whatever_the_client_writes_the_proxys_word_counts_or_the_request_is_refused(
        own in prop::collection::vec(any::<u8>(), 0..60), quoted: bool,
    ) {
        let proxys = if quoted { "for=\"192.0.2.7:80\"" } else { "for=192.0.2.7" };
        let line = [&own[..], b", ", proxys.as_bytes()].concat();
        let lines = Lines(vec![("forwarded", line)]);
        let found = client(&TrustedProxies::forwarded(nets()), PROXY, lines);
        prop_assert!(found.is_err() || found == Ok("192.0.2.7".parse().unwrap()), "{:?}", found);

        let line = [&own[..], b", 192.0.2.7"].concat();
        let lines = Lines(vec![("x-forwarded-for", line)]);
        let found = client(&TrustedProxies::x_forwarded_for(nets()), PROXY, lines);
        prop_assert_eq!(found, Ok("192.0.2.7".parse().unwrap()));
    }

    #[test]
    fn the_client_is_the_last_stranger_or_the_first_of_all(
        nodes in prop::collection::vec((any::<bool>(), 0..9_u8), 1..9), split in 0..9_usize,
    ) {
        let text = |(trusted, host): &(bool, u8)| {
            if *trusted { format!("10.0.0.{host}") } else { format!("192.0.2.{host}") }
        };
        // From the right, as one would write it down.
        let walked = nodes.iter().rev().find(|(trusted, _)| !trusted).unwrap_or(&nodes[0]);
        let (first, second) = nodes.split_at(split.min(nodes.len()));
        let line = |nodes: &[(bool, u8)], prefix: &str| {
            let nodes = nodes.iter().map(|node| format!("{prefix}{}", text(node)));
            nodes.collect::<Vec<_>>().join(", ")
        };
        prop_assert_eq!(xff(PROXY, &[&line(first, ""), &line(second, "")]), text(walked));
        prop_assert_eq!(forwarded(&[&line(first, "for="), &line(second, "for=")]), text(walked));
    }
}
