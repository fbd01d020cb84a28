//! The example of logging in, as a browser goes through it: curl with a jar of cookies.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use portcullis::{authn::otp::OtpKey, clock};

use crate::examples::{Service, built};

pub(crate) const RIGHT: &str = "correct horse battery staple";

/// The example on a port of its own, and its address under the name `localhost`, to which curl
/// sends cookies of TLS in the clear.
pub(crate) fn start() -> (Service, String) {
    started(Command::new(built("login")))
}

pub(crate) fn started(mut login: Command) -> (Service, String) {
    login.env("LOGIN_ADDR", "127.0.0.1:0").stdout(Stdio::piped()).stderr(Stdio::null());
    let mut service = Service(login.spawn().unwrap());
    let address = said(&mut service);
    (service, address.trim_end_matches('/').to_owned())
}

/// The next line that it prints.
pub(crate) fn said(service: &mut Service) -> String {
    // No byte is read ahead, and the pipe stays: whoever prints into a closed one dies of it.
    let mut stdout = BufReader::with_capacity(1, service.0.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    service.0.stdout = Some(stdout.into_inner());
    line.trim().to_owned()
}

/// One browser, with its own cookies.
struct Browser<'a> {
    base: &'a str,
    jar: PathBuf,
}

impl<'a> Browser<'a> {
    fn new(base: &'a str, name: &str) -> Self {
        let jar = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("login-{name}.cookies"));
        let _ = fs::remove_file(&jar);
        Self { base, jar }
    }

    fn get(&self, path: &str) -> (u16, String) {
        self.curl(path, &[])
    }

    /// A form of the site's own.
    fn post(&self, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
        self.post_from(self.base, path, fields)
    }

    fn post_from(&self, origin: &str, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
        let mut arguments = vec!["-H".to_owned(), format!("Origin: {origin}")];
        arguments.extend(["-d".to_owned(), String::new()]);
        for (name, value) in fields {
            arguments.extend(["--data-urlencode".to_owned(), format!("{name}={value}")]);
        }
        self.curl(path, &arguments)
    }

    fn log_in(&self, password: &str, code: &str) -> u16 {
        self.post("/login", &[("user", "alice"), ("password", password), ("code", code)]).0
    }

    fn curl(&self, path: &str, arguments: &[String]) -> (u16, String) {
        let mut curl = Command::new("curl");
        curl.args(["-s", "-w", "\n%{http_code}", "-b"]).arg(&self.jar).arg("-c").arg(&self.jar);
        let output = curl.args(arguments).arg(format!("{}{path}", self.base)).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), body.to_owned())
    }

    fn cookie(&self) -> Option<String> {
        let jar = fs::read_to_string(&self.jar).unwrap();
        let mut cookies = jar.lines().filter(|line| line.contains("__Host-session"));
        cookies.next().map(str::to_owned)
    }
}

/// What stands between the tags of the page's `pre`.
fn shown(page: &str) -> &str {
    let (_, rest) = page.split_once("<pre>").unwrap_or_else(|| panic!("nothing is shown: {page}"));
    rest.split_once("</pre>").unwrap().0
}

/// The code of the step that is so many after the present one.
fn code(key: &OtpKey, ahead: u64) -> String {
    key.code(clock::now().wall.as_secs() / 30 + ahead)
}

/// Logs in, sets up an authenticator app, and hands back its key and the recovery codes. The
/// code of the present step is used then.
fn enrol(browser: &Browser<'_>) -> (OtpKey, Vec<String>) {
    let (status, page) = browser.post("/totp/enrol", &[]);
    assert_eq!(status, 200);
    let key = OtpKey::from_base32(shown(&page)).unwrap();
    let (before, wrong) = (browser.cookie(), OtpKey::generate().unwrap());
    assert_eq!(browser.post("/totp/confirm", &[("code", &code(&wrong, 0))]).0, 422);
    let (status, page) = browser.post("/totp/confirm", &[("code", &code(&key, 0))]);
    assert_eq!(status, 200, "{page}");
    assert_ne!(browser.cookie(), before, "another factor, another id");
    let codes: Vec<_> = shown(&page).lines().map(str::to_owned).collect();
    assert_eq!(codes.len(), 10);
    (key, codes)
}

#[test]
fn a_browser_logs_in_sets_up_codes_and_logs_out() {
    let (_service, base) = start();
    let (desk, phone) = (Browser::new(&base, "desk"), Browser::new(&base, "phone"));

    assert_eq!(desk.get("/account").0, 401);
    assert_eq!(desk.log_in("guess", ""), 401);
    assert_eq!(desk.cookie(), None);
    assert!(desk.get("/").1.contains("name=password"));
    assert_eq!(desk.log_in(RIGHT, ""), 303);
    let (status, page) = desk.get("/account");
    assert_eq!(status, 200);
    assert!(page.contains("<b>alice</b>, logged in by <b>pwd</b>"), "{page}");

    assert_eq!(phone.log_in(RIGHT, ""), 303);
    let (key, recovery) = enrol(&desk);
    assert_eq!(phone.get("/account").0, 401, "who came by the password alone is out");
    assert!(desk.get("/account").1.contains("<b>pwd + otp</b>"));

    assert_eq!(desk.post("/logout", &[]).0, 303);
    assert_eq!((desk.cookie(), desk.get("/account").0), (None, 401));
    assert_eq!(desk.log_in(RIGHT, ""), 401, "the password alone is not enough any more");
    let next = code(&key, 1);
    assert_eq!(desk.log_in("guess", &next), 401, "nor is the code");
    assert_eq!(desk.log_in(RIGHT, &next), 303);
    assert_eq!(phone.log_in(RIGHT, &next), 401, "a code counts once");

    assert_eq!(phone.log_in(RIGHT, &recovery[0]), 303);
    let (_, page) = phone.get("/account");
    assert!(page.contains("pwd + recovery") && page.contains("Sessions: 2."), "{page}");
    assert!(page.contains("Recovery codes left: 9."), "{page}");
    assert_eq!(Browser::new(&base, "thief").log_in(RIGHT, &recovery[0]), 401, "so does it");

    assert_eq!(phone.post("/logout-everywhere", &[]).0, 303);
    assert_eq!((phone.get("/account").0, desk.get("/account").0), (401, 401));
}

#[test]
fn attack_a_form_of_another_site() {
    let (_service, base) = start();
    let browser = Browser::new(&base, "lured");
    assert_eq!(browser.log_in(RIGHT, ""), 303);
    for path in ["/logout-everywhere", "/logout", "/totp/enrol", "/login"] {
        assert_eq!(browser.post_from("https://evil.example", path, &[]).0, 403, "{path}");
    }
    assert_eq!(browser.get("/account").0, 200, "nothing came of it");
}

#[test]
fn attack_the_id_of_before_another_log_in() {
    let (_service, base) = start();
    let (browser, thief) = (Browser::new(&base, "again"), Browser::new(&base, "before"));
    assert_eq!(browser.log_in(RIGHT, ""), 303);
    fs::copy(&browser.jar, &thief.jar).unwrap();
    assert_eq!(thief.get("/account").0, 200);
    assert_eq!(browser.log_in(RIGHT, ""), 303);
    assert_ne!(browser.cookie(), thief.cookie(), "another log-in, another id");
    assert_eq!((browser.get("/account").0, thief.get("/account").0), (200, 401));
    assert!(browser.get("/account").1.contains("Sessions: 1."));
}

#[test]
fn attack_guessing_codes_with_the_right_password() {
    let (_service, base) = start();
    let (owner, thief) = (Browser::new(&base, "owner"), Browser::new(&base, "guesser"));
    assert_eq!(owner.log_in(RIGHT, ""), 303);
    let (_, recovery) = enrol(&owner);
    let other = OtpKey::generate().unwrap();
    let statuses: Vec<_> = (0..7).map(|ahead| thief.log_in(RIGHT, &code(&other, ahead))).collect();
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429]);
    assert_eq!(owner.log_in(RIGHT, &recovery[0]), 303, "the owner is not locked out");
}

#[test]
fn attack_locking_the_owner_out() {
    let (_service, base) = start();
    let (owner, stranger) = (Browser::new(&base, "known"), Browser::new(&base, "stranger"));
    assert_eq!(owner.log_in(RIGHT, ""), 303);
    assert_eq!(owner.post("/logout", &[]).0, 303);
    let statuses: Vec<_> = (0..6).map(|_| stranger.log_in("guess", "")).collect();
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429]);
    assert_eq!(stranger.log_in(RIGHT, ""), 429, "no word about the password");
    assert_eq!(owner.log_in(RIGHT, ""), 303, "on a device that is known");
}
