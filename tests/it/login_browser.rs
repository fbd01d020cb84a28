//! The example of logging in, in a real browser: with scripts and without, wide and narrow.

mod driver;

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use portcullis::{authn::otp::OtpKey, clock};

use crate::login_example::{RIGHT, start};
use driver::{Browser, Driver, Scripts};

#[test]
fn logging_in_without_scripts_on_a_wide_screen() {
    walk("wide", Scripts::Off, 1_000);
}

#[test]
fn logging_in_with_scripts_on_a_narrow_screen() {
    walk("narrow", Scripts::On, 320);
}

/// One visitor and the pictures of what they see.
struct Visitor<'a> {
    browser: Browser<'a>,
    base: &'a str,
    pictures: &'a Path,
}

fn walk(name: &str, scripts: Scripts, width: u32) {
    let (_service, base) = start();
    let driver = Driver::start(name);
    let pictures = pictures(name);
    let visitor =
        || Visitor { browser: driver.browser(scripts, width), base: &base, pictures: &pictures };
    let (desk, phone) = (visitor(), visitor());

    let trap = site_with_a_trap(&base);
    desk.browser.open(&format!("http://127.0.0.1:{trap}/"));
    let title = if scripts == Scripts::On { "scripts run" } else { "no script runs" };
    assert_eq!(desk.browser.title(), title);

    log_in_by_the_password(&desk);
    phone.log_in("alice", RIGHT, "");
    assert_eq!(phone.browser.place(), "/account");
    lured(&desk, trap);
    let (key, recovery) = set_up_an_app(&desk);
    phone.open("/account");
    assert_eq!(phone.alert(), "Please log in.", "who came by the password alone is out");
    log_in_by_a_code(&desk, &phone, &key);
    log_in_by_a_recovery_code(&desk, &phone, &recovery);
    log_out_everywhere(&desk, &phone);

    if scripts == Scripts::On {
        desk.open("/");
        let overflows = "document.documentElement.scrollWidth > window.innerWidth";
        assert_eq!(desk.browser.evaluate(overflows), false);
    }
    drop((desk, phone));
    assert!(!driver.running().is_empty(), "or nothing is shown by what follows");
    let left = driver.close();
    assert!(left.is_empty(), "processes that are left: {left:?}");
}

fn log_in_by_the_password(desk: &Visitor<'_>) {
    desk.open("/account");
    desk.sees("Log in", "please-log-in");
    assert_eq!(desk.alert(), "Please log in.");
    desk.open("/");
    desk.sees("Log in", "log-in");

    desk.log_in("alice", "guess", "");
    desk.sees("Log in", "wrong");
    let wrong = desk.browser.source();
    assert_eq!(desk.alert(), "Name, password or code is wrong.");
    desk.log_in("mallory", "guess", "");
    assert_eq!(desk.browser.source(), wrong, "a user whom nobody knows");
    assert!(desk.browser.cookie("__Host-session").is_none());

    desk.log_in("alice", RIGHT, "");
    assert_eq!(desk.browser.place(), "/account");
    desk.sees("Your account", "account");
    assert!(desk.text().contains("You are alice, logged in by pwd."), "{}", desk.text());
    for (name, lasts) in [("__Host-session", false), ("__Host-device", true)] {
        let cookie = desk.browser.cookie(name).unwrap();
        assert_eq!(cookie["domain"], "localhost", "of this host alone: {cookie}");
        assert_eq!((&cookie["path"], &cookie["sameSite"]), (&"/".into(), &"Lax".into()));
        assert_eq!((&cookie["secure"], &cookie["httpOnly"]), (&true.into(), &true.into()));
        assert_eq!(cookie.get("expiry").is_some(), lasts, "{cookie}");
    }
    let readable = desk.browser.evaluate("document.cookie");
    assert_eq!(readable, "", "no script reads them");
}

/// A form of another site is sent without the cookies, and one of another port of this host with
/// them.
fn lured(desk: &Visitor<'_>, trap: u16) {
    for host in ["127.0.0.1", "localhost"] {
        for words in ["Log out everywhere", "Set up", "Log in"] {
            desk.browser.open(&format!("http://{host}:{trap}/"));
            desk.browser.press(words);
            if host == "127.0.0.1" && words != "Log in" {
                assert_eq!(desk.alert(), "Please log in.", "without cookies");
            } else {
                assert_eq!(desk.alert(), "That form came from another site.", "{host}, {words}");
            }
        }
    }
    desk.sees("Refused", "other-site");
    desk.open("/account");
    assert!(desk.text().contains("Sessions: 2."), "nothing came of it: {}", desk.text());
}

/// Hands back the key and the recovery codes. The code of the present step is used then.
fn set_up_an_app(desk: &Visitor<'_>) -> (OtpKey, Vec<String>) {
    desk.browser.press("Set up an authenticator app");
    desk.sees("Authenticator app", "enrol");
    let key = OtpKey::from_base32(&desk.browser.text("pre")).unwrap();
    desk.browser.fill("code", &code(&OtpKey::generate().unwrap(), 0));
    desk.browser.press("Confirm");
    desk.sees("Authenticator app", "enrol-wrong");
    assert_eq!(desk.alert(), "That code is wrong, or was used before.");

    let before = desk.browser.cookie("__Host-session").unwrap();
    desk.browser.fill("code", &code(&key, 0));
    desk.browser.press("Confirm");
    desk.sees("Recovery codes", "recovery-codes");
    let after = desk.browser.cookie("__Host-session").unwrap();
    assert_ne!(before["value"], after["value"], "another factor, another id");
    let recovery: Vec<_> = desk.browser.text("pre").lines().map(str::to_owned).collect();
    assert_eq!(recovery.len(), 10);
    (key, recovery)
}

fn log_in_by_a_code(desk: &Visitor<'_>, phone: &Visitor<'_>, key: &OtpKey) {
    desk.open("/account");
    desk.sees("Your account", "account-with-app");
    let stolen = desk.browser.cookie("__Host-session").unwrap();
    desk.browser.press("Log out");
    assert_eq!(desk.browser.place(), "/");
    assert!(desk.browser.cookie("__Host-session").is_none());
    let stolen = format!("Cookie: __Host-session={}", stolen["value"].as_str().unwrap());
    let output =
        Command::new("curl").args(["-s", "-H", &stolen]).arg(desk.url("/account")).output();
    let page = String::from_utf8(output.unwrap().stdout).unwrap();
    assert!(page.contains("Please log in."), "the session is over, not only its cookie: {page}");

    let wrong = "Name, password or code is wrong.";
    desk.log_in("alice", RIGHT, "");
    assert_eq!(desk.alert(), wrong, "the password alone is not enough any more");
    let next = code(key, 1);
    desk.log_in("alice", "guess", &next);
    assert_eq!(desk.alert(), wrong, "nor is the code");
    desk.log_in("alice", RIGHT, &next);
    assert!(desk.text().contains("logged in by pwd + otp."), "{}", desk.text());
    phone.log_in("alice", RIGHT, &next);
    assert_eq!(phone.alert(), wrong, "a code counts once");
}

fn log_in_by_a_recovery_code(desk: &Visitor<'_>, phone: &Visitor<'_>, recovery: &[String]) {
    phone.log_in("alice", RIGHT, &recovery[0]);
    let text = phone.text();
    assert!(text.contains("logged in by pwd + recovery."), "{text}");
    assert!(text.contains("Sessions: 2. Recovery codes left: 9."), "{text}");
    phone.browser.press("Log out");
    phone.log_in("alice", RIGHT, &recovery[0]);
    assert_eq!(phone.alert(), "Name, password or code is wrong.", "it counts once");
    phone.log_in("alice", RIGHT, &recovery[1]);
    assert_eq!(phone.browser.place(), "/account");
    desk.open("/account");
    assert_eq!(desk.browser.place(), "/account");
}

fn log_out_everywhere(desk: &Visitor<'_>, phone: &Visitor<'_>) {
    phone.browser.press("Log out everywhere");
    phone.sees("Log in", "logged-out");
    for visitor in [desk, phone] {
        visitor.open("/account");
        assert_eq!(visitor.alert(), "Please log in.");
    }
}

impl Visitor<'_> {
    fn open(&self, path: &str) {
        self.browser.open(&self.url(path));
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn log_in(&self, user: &str, password: &str, code: &str) {
        self.open("/");
        for (name, text) in [("user", user), ("password", password), ("code", code)] {
            self.browser.fill(name, text);
        }
        self.browser.press("Log in");
    }

    /// Looks at the page, and keeps a picture of it.
    fn sees(&self, title: &str, picture: &str) {
        assert_eq!((self.browser.title(), self.browser.text("h1")), (title.into(), title.into()));
        self.browser.picture(&self.pictures.join(format!("{picture}.png")));
    }

    fn alert(&self) -> String {
        self.browser.text("[role=alert]")
    }

    fn text(&self) -> String {
        self.browser.text("main")
    }
}

/// Where pictures are kept: `target/tmp/login-pages`.
fn pictures(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("login-pages").join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Another site, whose forms go to the example. Its port; it serves until the tests end.
fn site_with_a_trap(base: &str) -> u16 {
    let form = |path: &str, words: &str| {
        format!("<form method=post action={base}{path}><button>{words}</button></form>")
    };
    let page = format!(
        "<!doctype html><title>no script runs</title><script>document.title='scripts run'</script>\
         {}{}{}",
        form("/logout-everywhere", "Log out everywhere"),
        form("/totp/enrol", "Set up"),
        form("/login", "Log in"),
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let page = page.clone();
            thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                let length = page.len();
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\
                     Content-Length: {length}\r\n\r\n{page}"
                );
            });
        }
    });
    port
}

/// The code of the step that is so many after the present one.
fn code(key: &OtpKey, ahead: u64) -> String {
    key.code(clock::now().wall.as_secs() / 30 + ahead)
}
