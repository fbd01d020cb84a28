//! Policies from real files: replaced, cut, deleted, filled with garbage, and good again.

use std::{
    fs::{self, File, FileTimes},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, mpsc},
    time::{Duration, SystemTime},
};

use portcullis::{
    Gate, PolicySet, Routes, UnixTime,
    authz::CedarPolicies,
    watch::{Health, PolicyFiles, ReloadError, Reloader, Watcher},
};
use proptest::prelude::*;

const READ: &str = "@id(\"a\") permit (principal, action == Action::\"read\", resource);\n";
const WRITE: &str = "@id(\"a\") permit (principal, action == Action::\"write\", resource);\n";
const ROLES: &str =
    "[resources.Order]\nactions = [\"read\"]\n[roles]\nclerk = { may = [\"read\"] }\n";

fn at(secs: u64) -> UnixTime {
    UnixTime::from_secs(secs)
}

/// A folder of the test's own, empty, and gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("reloads-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// As one should replace a file.
    fn renamed(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::rename(self.file("new", text), &path).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A reloader and what it put in force, set by set: the actions of each.
struct Service {
    reloader: Reloader,
    taken: Arc<Mutex<Vec<String>>>,
    clock: u64,
}

impl Service {
    fn new(files: PolicyFiles) -> Self {
        let taken = Arc::<Mutex<Vec<String>>>::default();
        let log = Arc::clone(&taken);
        let reloader = Reloader::new(files, at(1), move |set: PolicySet, _| {
            log.lock().unwrap().push(set.actions().collect::<Vec<_>>().join(" "));
            Ok::<(), String>(())
        });
        Self { reloader, taken, clock: 1 }
    }

    fn look(&mut self) -> Health {
        self.clock += 1;
        self.reloader.look(at(self.clock));
        self.reloader.health()
    }

    fn looks(&mut self) -> Health {
        self.look();
        self.look()
    }

    fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }
}

fn problem(health: &Health) -> String {
    health.problem.as_ref().map(|problem| problem.error.to_string()).unwrap_or_default()
}

#[test]
fn a_file_that_is_replaced_is_in_force_after_two_looks() {
    let folder = Folder::new("replaced");
    let path = folder.file("p.cedar", READ);
    let mut files = PolicyFiles::cedar([&path]);
    assert!(files.load().unwrap().action("read").is_some());
    let mut service = Service::new(files);
    let health = service.looks();
    assert_eq!((health.loaded, health.looked, health.problem), (Some(at(1)), Some(at(3)), None));
    folder.renamed("p.cedar", WRITE);
    service.look();
    assert_eq!(service.taken(), [""; 0], "one look is not enough");
    let health = service.look();
    assert_eq!((service.taken(), health.loaded), (vec!["write".to_owned()], Some(at(5))));
    service.looks();
    assert_eq!(service.taken(), ["write"], "once is enough");
    folder.renamed("p.cedar", READ);
    service.looks();
    assert_eq!(service.taken(), ["write", "read"]);
}

#[test]
fn attack_times_of_files_may_lie() {
    let folder = Folder::new("times");
    let path = folder.file("p.cedar", READ);
    let mut files = PolicyFiles::cedar([&path]);
    files.load().unwrap();
    let mut service = Service::new(files);
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    let set = |time: SystemTime| {
        let file = File::options().write(true).open(&path).unwrap();
        file.set_times(FileTimes::new().set_modified(time)).unwrap();
    };
    // Of the same length, and of the same time.
    fs::write(&path, READ.replace("read", "send")).unwrap();
    set(time);
    service.looks();
    assert_eq!(service.taken(), ["send"]);
    // Touched, but the same.
    set(time + Duration::from_secs(60));
    service.looks();
    assert_eq!(service.taken(), ["send"]);
}

#[test]
fn attack_a_file_is_read_while_it_is_written() {
    let folder = Folder::new("cut");
    let path = folder.file("p.cedar", READ);
    let mut files = PolicyFiles::cedar([&path]);
    files.load().unwrap();
    let mut service = Service::new(files);
    let text = [READ, WRITE.replace("\"a\"", "\"b\"").as_str()].concat();
    // More with each look: even what is whole by chance is not taken.
    for end in (0..text.len()).step_by(7) {
        fs::write(&path, &text.as_bytes()[..end]).unwrap();
        assert_eq!(service.look().problem, None);
    }
    assert_eq!(service.taken(), [""; 0]);
    // It stays cut: that is told, and what was in force stays.
    fs::write(&path, &text.as_bytes()[..text.len() - 2]).unwrap();
    let health = service.looks();
    assert_eq!(
        problem(&health),
        format!(
            "{}: line 2, column 65: expected `when`, `unless` or `;`, found the end",
            path.display()
        ),
    );
    fs::write(&path, &text).unwrap();
    assert_eq!(service.looks().problem, None);
    assert_eq!(service.taken(), ["read write"]);
}

#[test]
fn a_file_that_is_gone_is_told_and_found_again() {
    let folder = Folder::new("gone");
    let path = folder.file("p.cedar", READ);
    let mut files = PolicyFiles::cedar([&path]);
    files.load().unwrap();
    let mut service = Service::new(files);
    fs::remove_file(&path).unwrap();
    assert_eq!(service.look().problem, None);
    let health = service.look();
    assert!(problem(&health).starts_with(&path.display().to_string()), "{health:?}");
    assert!(matches!(health.problem.unwrap().error, ReloadError::Unreadable(_)));
    // What is wrong changes, since when does not.
    fs::create_dir(&path).unwrap();
    let health = service.looks();
    assert!(problem(&health).ends_with("it is no file"), "{health:?}");
    assert_eq!(health.problem.unwrap().since, at(3));
    // Back as it was: nothing is put in force that is in force.
    fs::remove_dir(&path).unwrap();
    folder.file("p.cedar", READ);
    assert_eq!(service.looks().problem, None);
    assert_eq!(service.taken(), [""; 0]);
}

#[test]
fn attack_garbage_leaves_the_old_set_in_force() {
    let folder = Folder::new("garbage");
    let path = folder.file("roles.toml", ROLES);
    let mut files = PolicyFiles::document(&path);
    files.load().unwrap();
    let mut service = Service::new(files);
    let mut check = |bytes: &[u8], expected: &str| {
        fs::write(&path, bytes).unwrap();
        let problem = problem(&service.looks());
        assert_eq!(problem.replace(&path.display().to_string(), "F"), expected);
        assert_eq!(service.reloader.health().loaded, Some(at(1)));
        assert_eq!(service.taken(), [""; 0]);
    };
    check(b"", "F: resources: a document declares at least one resource type");
    check(b"[roles]\nclerk = { may = [\"\xff\"] }", "F: byte 26 is no UTF-8");
    check(b"\0\0\0", "F: line 1, column 4: key with no value, expected `=`");
    check(
        ROLES.replace("may = [\"read\"]", "may = [\"raed\"]").as_bytes(),
        "F: roles.clerk.may[0] (line 4, column 18): no action `raed`; did you mean `read`?",
    );
    check(
        ROLES.replace("actions", "action").as_bytes(),
        "F: resources.Order (line 1, column 1): `Order` has neither attributes nor actions; \
         `attributes = {}` says so\n\
         F: resources.Order.action (line 2, column 10): no field `action`; did you mean `actions`?\n\
         F: roles.clerk.may[0] (line 4, column 18): no action `read`",
    );
    fs::write(&path, ROLES.replace("clerk", "boss")).unwrap();
    assert_eq!(service.looks().problem, None);
    assert_eq!(service.taken(), ["read"]);
}

#[test]
fn attack_a_file_that_was_just_emptied_is_no_set() {
    let folder = Folder::new("emptied");
    let path = folder.file("p.cedar", READ);
    let mut files = PolicyFiles::cedar([&path]);
    files.load().unwrap();
    let mut service = Service::new(files);
    for text in ["", "// nothing\n", "permit (principal, action, resource);"] {
        fs::write(&path, text).unwrap();
        let expected = format!("{}: no policies in it", path.display());
        assert_eq!(problem(&service.looks()), expected);
    }
    assert_eq!(service.taken(), [""; 0]);
}

#[test]
fn attack_more_than_fits_is_not_read() {
    let folder = Folder::new("huge");
    let (one, other) = (folder.file("1.cedar", READ), folder.file("2.cedar", ""));
    let mut files = PolicyFiles::cedar([&one, &other]);
    files.load().unwrap();
    let mut service = Service::new(files);
    let wide = |len: u64| File::options().write(true).open(&other).unwrap().set_len(len).unwrap();
    let most = 32 * 1024 * 1024;
    for len in [most + 1, most - READ.len() as u64 + 1, 1 << 40] {
        wide(len);
        let expected = "more than 33554432 bytes, with the files before it";
        assert!(problem(&service.looks()).ends_with(expected));
        wide(0);
        assert_eq!(service.looks().problem, None);
    }
    #[cfg(unix)]
    {
        let endless = PolicyFiles::cedar(["/dev/zero"]).load().unwrap_err().to_string();
        assert_eq!(endless, "/dev/zero: it is no file");
    }
    assert_eq!(service.taken(), [""; 0]);
}

#[test]
fn several_files_are_one_set_and_each_is_told_by_its_name() {
    let folder = Folder::new("several");
    let (one, other) = (folder.file("1.cedar", READ), folder.file("2.cedar", WRITE));
    let load = || PolicyFiles::cedar([&one, &other]).load().map_err(|error| error.to_string());
    assert_eq!(load().unwrap_err(), "two policies are called `a`");
    let unnamed = "permit (principal, action == Action::\"write\", resource);\n".repeat(2);
    fs::write(&other, &unnamed).unwrap();
    let set = load().unwrap();
    let names = set.bearing_on(set.action("write").unwrap()).map(|one| set.rule_name(one.rule));
    assert!(names.eq([Some("policy1"), Some("policy2")]));
    // What one file leaves open, the next does not close.
    fs::write(&one, "permit (principal, action, resource)").unwrap();
    fs::write(&other, "when { true };\n\nallow").unwrap();
    let (one, other) = (one.display(), other.display());
    assert_eq!(
        load().unwrap_err(),
        format!(
            "{one}: line 1, column 37: expected `when`, `unless` or `;`, found the end\n\
             {other}: line 1, column 1: expected `permit` or `forbid`, found `when`\n\
             {other}: line 3, column 1: expected `permit` or `forbid`, found `allow`"
        )
    );
}

#[test]
fn files_of_two_versions_are_not_mixed() {
    let folder = Folder::new("versions");
    let (one, other) = (folder.file("1.cedar", READ), folder.file("2.cedar", ""));
    let mut files = PolicyFiles::cedar([&one, &other]);
    files.load().unwrap();
    let mut service = Service::new(files);
    fs::write(&one, "").unwrap();
    service.look();
    fs::write(&other, WRITE).unwrap();
    service.look();
    assert_eq!(service.taken(), [""; 0]);
    service.look();
    assert_eq!(service.taken(), ["write"]);
}

#[cfg(unix)]
#[test]
fn a_link_that_is_turned_is_followed() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new("links");
    folder.file("1.cedar", READ);
    folder.file("2.cedar", WRITE);
    let link = folder.0.join("now.cedar");
    symlink("1.cedar", &link).unwrap();
    let mut files = PolicyFiles::cedar([&link]);
    files.load().unwrap();
    let mut service = Service::new(files);
    symlink("2.cedar", folder.0.join("next")).unwrap();
    fs::rename(folder.0.join("next"), &link).unwrap();
    service.looks();
    assert_eq!(service.taken(), ["write"]);
}

#[test]
fn a_gate_takes_what_fits_its_routes_and_nothing_else() {
    let folder = Folder::new("gate");
    let path = folder.file("p.cedar", READ);
    let mut files = PolicyFiles::cedar([&path]);
    let routes = Routes::new().action("GET", "/", "read");
    let gate = Gate::builder().policies(files.load().unwrap()).routes(routes);
    let policies = gate.proven_elsewhere().build().unwrap().policies();
    let target = policies.clone();
    let reloader = Reloader::new(files, at(1), move |set, now| target.replace(set, now));
    fs::write(&path, READ.replace("read", "raed")).unwrap();
    let error = reloader.reload(at(2)).unwrap_err();
    assert_eq!(
        error,
        ReloadError::Refused(
            "the gate cannot be built, 1 error\n\
             - route `GET /`: no action `read` in the policies; did you mean `raed`?"
                .to_owned()
        )
    );
    assert_eq!(reloader.health().problem.unwrap().error, error);
    assert!(!policies.roll_back(at(2)), "nothing was displaced");
    // By call one look is enough, and what is in force may be put in force again.
    fs::write(&path, READ).unwrap();
    assert_eq!(reloader.reload(at(3)), Ok(()));
    assert_eq!(reloader.reload(at(4)), Ok(()));
    assert_eq!((reloader.health().loaded, reloader.health().problem), (Some(at(4)), None));
    assert!(policies.roll_back(at(5)));
}

#[test]
fn what_makes_policies_of_the_texts_may_be_ones_own() {
    let folder = Folder::new("own");
    let template = "permit (principal == ?principal, action == Action::\"read\", resource);";
    let paths = [folder.file("templates.cedar", template), folder.file("users", "alice\nbob\n")];
    let build = |texts: &[(&Path, &str)]| {
        let [(_, templates), (_, users)] = texts else { panic!("two files") };
        let link = |all: CedarPolicies, user: &str| {
            all.link("policy0", user, portcullis::authz::Slots::default().principal("User", user))
        };
        let all = users.lines().try_fold(CedarPolicies::parse(templates)?, link)?;
        PolicySet::from_policies(all)
    };
    let set = PolicyFiles::with(paths, build).load().unwrap();
    let names = set.bearing_on(set.action("read").unwrap()).map(|one| set.rule_name(one.rule));
    assert!(names.eq([Some("alice"), Some("bob")]));
}

#[test]
fn the_watcher_looks_by_itself_until_it_is_dropped() {
    let folder = Folder::new("watcher");
    let path = folder.file("p.cedar", READ);
    let mut files = PolicyFiles::cedar([&path]);
    files.load().unwrap();
    let (sender, taken) = mpsc::channel();
    let reloader = Reloader::new(files, at(1), move |set: PolicySet, _| {
        sender.send(set.actions().collect::<String>())
    });
    let watcher = Watcher::start(&reloader, Duration::ZERO).unwrap();
    let soon = Duration::from_secs(30);
    folder.renamed("p.cedar", WRITE);
    assert_eq!(taken.recv_timeout(soon).as_deref(), Ok("write"));
    folder.renamed("p.cedar", READ);
    assert_eq!(taken.recv_timeout(soon).as_deref(), Ok("read"));
    assert!(reloader.health().looked > Some(at(1)), "by the clock");
    drop((watcher, reloader));
    // The thread held the last of it.
    let end = taken.recv_timeout(soon);
    assert_eq!(end, Err(mpsc::RecvTimeoutError::Disconnected));
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum On {
    Good(&'static str),
    Bad(&'static str),
    Gone,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_happens_to_a_file_what_is_in_force_was_there_for_two_looks(
        row in prop::collection::vec(
            prop::sample::select(vec![
                On::Good(READ), On::Good(WRITE), On::Bad("permit"), On::Bad("\0"), On::Gone,
            ]),
            0..12,
        ),
    ) {
        let folder = Folder::new("any-row");
        let path = folder.file("p.cedar", READ);
        let mut files = PolicyFiles::cedar([&path]);
        files.load().unwrap();
        let mut service = Service::new(files);
        let (mut last, mut settled, mut in_force) = (On::Good(READ), On::Good(READ), READ);
        let mut taken = Vec::new();
        for on in row {
            match on {
                On::Good(text) | On::Bad(text) => fs::write(&path, text).unwrap(),
                On::Gone => drop(fs::remove_file(&path)),
            }
            let health = service.look();
            if on == last && on != settled {
                settled = on;
                if let On::Good(text) = on && text != in_force {
                    in_force = text;
                    taken.push(if text == READ { "read" } else { "write" });
                }
            }
            last = on;
            prop_assert_eq!(service.taken(), taken.clone());
            prop_assert_eq!(health.problem.is_none(), matches!(settled, On::Good(_)));
        }
    }
}
