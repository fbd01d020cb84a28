//! The picture that the code must keep: arrows, absences, sizes, the trusted core, the tree.

mod lexer;
mod rules;
mod security;
mod source;

use std::{collections::BTreeSet, fs, process::Command};

use rules::{Absence, Levels};
use source::{Source, sources};
pub(crate) use source::{root, rust_files};

/// adapters → tower → http → the clock → gate → audit → refusal → the three questions → the
/// vocabulary. The adapters are on one level, so none uses another.
const LEVELS: Levels = Levels {
    levels: &[
        &["fetch", "jsonwebtoken", "testing", "tracing", "watch"],
        &["tower"],
        &["http"],
        &["clock"],
        &["gate"],
        &["audit"],
        &["refusal"],
        &["authn", "authz", "limit"],
        &["crypto", "facts", "forwarded", "net", "principal", "secret", "snapshot", "time"],
    ],
    vocabulary: 8,
};

/// Every file that more than one thread may be inside of at once.
const LOCKS: Absence = Absence {
    what: "a lock, an atomic or a thread",
    words: &[
        "Atomic*",
        "Barrier",
        "Condvar",
        "LazyLock",
        "Mutex",
        "Once",
        "OnceCell",
        "OnceLock",
        "RwLock",
        "fence",
        "mpsc",
        "std::thread",
    ],
    only: &[
        "audit/lines",
        "authn/api_key/last_used",
        "authn/api_key/memory",
        "authn/introspection/flight",
        "authn/introspection/flights",
        "authn/jwt/cache",
        "authn/jwt/key_set",
        "authn/jwt/remote/keys",
        "authn/kept",
        "authn/oneshot",
        "authn/otp/recovery/memory",
        "authn/otp/steps",
        "authn/revocation/denylist",
        "authn/revocation/sync",
        "authn/revocation/table",
        "authn/session/memory",
        "authn/password/hasher",
        "authn/password/store",
        "authn/pool",
        "authz/hits",
        "clock.rs",
        "fetch/refresher",
        "gate/editions",
        "gate/ids",
        "gate/limits/listed",
        "gate/onlooker",
        "gate/visit",
        "limit/concurrency",
        "limit/guard",
        "limit/sync",
        "limit/table",
        "testing/recorder",
        "testing/stores.rs",
        "tower/future",
        "watch/reloader",
        "watch/watcher",
    ],
};

const ABSENCES: &[Absence] = &[
    LOCKS,
    Absence {
        what: "a clock",
        words: &["Instant", "SystemTime", "clock_gettime"],
        only: &["clock.rs"],
    },
    Absence {
        what: "input or output",
        words: &[
            "std::env",
            "std::fs",
            "std::io",
            "std::os",
            "std::process",
            "Tcp*",
            "Udp*",
            "UnixDatagram",
            "UnixListener",
            "UnixStream",
        ],
        only: &["audit/lines", "watch"],
    },
    Absence {
        what: "global state",
        words: &["static", "lazy_static", "thread_local"],
        only: &["clock.rs"],
    },
    Absence { what: "a choice for the whole process", words: &["install_default"], only: &[] },
    Absence { what: "a status", words: &["StatusCode"], only: &["fetch", "http"] },
    Absence {
        what: "of HTTP",
        words: &["http::", "http_body::", "bytes::"],
        only: &["http", "tower", "testing"],
    },
    Absence { what: "an HTTP client", words: &["rustls::", "ureq::"], only: &["fetch"] },
    Absence { what: "of tower", words: &["tower_layer::", "tower_service::"], only: &["tower"] },
    Absence {
        what: "a runtime or a framework",
        words: &["async_std::", "axum::", "hyper::", "smol::", "tokio::", "tonic::"],
        only: &[],
    },
    Absence { what: "of tracing", words: &["tracing::", "tracing_core::"], only: &["tracing"] },
    Absence {
        what: "the backend of the cryptography",
        words: &["ring::", "aws_lc_rs::"],
        only: &["crypto"],
    },
    Absence { what: "the atomic swap", words: &["arc_swap::"], only: &["snapshot"] },
    Absence {
        what: "of jsonwebtoken",
        words: &["jsonwebtoken::"],
        only: &["jsonwebtoken", "testing", "tracing"],
    },
];

/// What looks like a status and is none: the years after which the calendar repeats.
const PLAIN_NUMBERS: &[(&str, &str)] = &[("audit/rfc3339.rs", "400"), ("limit/calendar.rs", "400")];

const MOST_LINES_OF_A_FILE: usize = 500;
const MANY_LINES_OF_A_FILE: usize = 300;
const MOST_LINES_OF_A_FUNCTION: usize = 60;
const MOST_LINES_OF_THE_CORE: usize = 4_000;
const MOST_CRATES: usize = 45;

#[test]
fn arrows_point_one_way() {
    let sources = sources();
    let homes = rules::homes(&sources);
    hold(sources.iter().flat_map(|source| LEVELS.broken_by(source, &homes)));
}

#[test]
fn what_must_be_absent_is_absent() {
    let sources = sources();
    hold(ABSENCES.iter().flat_map(|absence| {
        sources.iter().flat_map(|source| absence.broken_by(source)).collect::<Vec<_>>()
    }));
    hold(LOCKS.stale(&sources));
}

#[test]
fn only_the_refusal_knows_a_status_number() {
    let sources = sources();
    let (refusal, others): (Vec<_>, Vec<_>) =
        sources.iter().partition(|source| source.file == "refusal.rs");
    assert!(refusal.iter().any(|source| !rules::status_numbers(source).is_empty()));
    let others = others.into_iter().flat_map(rules::status_numbers);
    let plain = |told: &String| {
        PLAIN_NUMBERS
            .iter()
            .any(|(file, number)| told.starts_with(file) && told.ends_with(&format!("`{number}`")))
    };
    hold(others.filter(|told| !plain(told)));
}

#[test]
fn files_and_functions_fit_a_reader() {
    let mut long = Vec::new();
    for folder in ["src", "tests", "examples"].map(|name| root().join(name)) {
        for path in folder.is_dir().then(|| rust_files(&folder)).into_iter().flatten() {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            let told =
                format!("{} has {lines} lines", path.strip_prefix(root()).unwrap().display());
            if lines > MOST_LINES_OF_A_FILE {
                long.push(told);
            } else if lines > MANY_LINES_OF_A_FILE {
                println!("{told}");
            }
        }
    }
    hold(long);
    hold(
        sources().iter().flat_map(|source| rules::long_functions(source, MOST_LINES_OF_A_FUNCTION)),
    );
}

#[test]
fn the_trusted_core_is_the_one_that_security_md_lists() {
    let (sources, markdown) = (sources(), read("SECURITY.md"));
    let core = security::rows(&markdown, "The trusted core");
    let used = security::rows(&markdown, "Trusted where it is used");
    let outside = security::rows(&markdown, "Outside the trusted core");
    let trusted = [&core[..], &used[..]].concat();
    hold(security::misplaced(&trusted, &outside, &sources));
    for (heading, listed) in [("The trusted core", &core), ("Trusted where it is used", &used)] {
        let (table, _) = security::core_table(listed, &sources);
        assert!(
            security::listed_table(listed) == table,
            "the table of `{heading}` should read:\n\n{table}"
        );
    }
    let (_, total) = security::core_table(&core, &sources);
    assert!(total <= MOST_LINES_OF_THE_CORE, "the trusted core has {total} lines");
}

#[test]
fn everybody_who_vouches_for_a_caller_is_listed() {
    let listed: BTreeSet<String> = security::rows(&read("SECURITY.md"), "Every assertion")
        .into_iter()
        .map(|(file, _)| file)
        .collect();
    let vouching = |source: &Source| {
        (!rules::assertions(source).is_empty()).then(|| format!("src/{}", source.file))
    };
    let found: BTreeSet<String> = sources().iter().filter_map(vouching).collect();
    assert_eq!(found, listed, "files that call `assertion`, and files that SECURITY.md lists");
}

#[test]
fn no_merge_was_left_half_done_in_a_document() {
    let documents = ["ARCHITECTURE.md", "CHANGELOG.md", "README.md", "SECURITY.md"];
    let marks = |text: &str| ["<<<<<<<", "=======", ">>>>>>>"].iter().any(|m| text.starts_with(m));
    let torn = |name: &str| read(name).lines().any(marks).then(|| format!("{name}: a torn merge"));
    hold(documents.into_iter().filter_map(torn));
}

#[test]
fn the_tree_stays_small() {
    let default = crates(&cargo_tree(&[]));
    let all = crates(&cargo_tree(&["--all-features"]));
    assert!(default.iter().any(|name| name.starts_with("ring ")), "{default:?}");
    assert!(default.len() <= MOST_CRATES, "{} crates: {default:?}", default.len());
    hold(
        all.into_iter()
            .filter(|name| ["openssl-sys ", "rsa "].iter().any(|no| name.starts_with(no))),
    );
}

#[test]
fn every_feature_says_what_it_adds() {
    hold(silent_features(&read("Cargo.toml")));
}

/// Names and versions of a `cargo tree` without prefixes.
fn crates(tree: &str) -> BTreeSet<String> {
    let name = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    tree.lines().filter(|line| !line.is_empty()).map(name).collect()
}

fn cargo_tree(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--edges", "normal,build", "--prefix", "none", "--locked"])
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Features without a comment on the line above.
fn silent_features(manifest: &str) -> Vec<String> {
    let section = manifest.lines().skip_while(|line| *line != "[features]");
    let lines: Vec<_> = section
        .take_while(|line| line.starts_with("[features]") || !line.starts_with('['))
        .collect();
    assert!(lines.len() > 1, "a table of features");
    let pairs =
        lines.windows(2).filter(|pair| pair[1].contains(" = ") && !pair[0].starts_with('#'));
    pairs.map(|pair| pair[1].to_owned()).collect()
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

/// Fails with all of `broken`, one a line.
#[track_caller]
fn hold(broken: impl IntoIterator<Item = String>) {
    let broken: Vec<_> = broken.into_iter().collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn crates_are_counted_once_by_name_and_version() {
    let tree = "a v1.0.0 (/somewhere)\nb v2.0.0\nb v2.0.0 (*)\n\nb v1.0.0\nc v1.0.0 (proc-macro)\n";
    assert_eq!(crates(tree).len(), 4);
}

#[test]
fn features_without_a_word_are_found() {
    let manifest = "[a]\nx = 1\n[features]\n# Says.\na = []\nb = [\"a\"]\n\nc = []\n[b]\ny = 1\n";
    assert_eq!(silent_features(manifest), ["b = [\"a\"]", "c = []"]);
}
