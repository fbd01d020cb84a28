//! A headless Chromium, told what to do over WebDriver: JSON over HTTP.

use std::{
    cell::RefCell,
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    thread,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use serde_json::{Value, json};

const INSTALL: &str = "apt-get update && apt-get install -y chromium chromium-driver";

/// chromedriver on a port of its own. Its browsers and all that they write end with it.
pub(super) struct Driver {
    process: Child,
    port: u16,
    sessions: RefCell<Vec<String>>,
    folder: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scripts {
    On,
    Off,
}

/// One browser with a profile of its own.
pub(super) struct Browser<'a> {
    driver: &'a Driver,
    path: String,
}

impl Driver {
    pub(super) fn start(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("browser-{name}-{}", process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").env("TMPDIR", &folder).env("HOME", &folder);
        let spawned = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut process =
            spawned.unwrap_or_else(|error| panic!("chromedriver: {error}; type\n    {INSTALL}\n"));
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let port = output.by_ref().lines().map(Result::unwrap).find_map(|line| {
            let (_, port) = line.split_once("successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        });
        let port = port.unwrap_or_else(|| panic!("chromedriver names no port"));
        // Whoever prints into a closed pipe dies of it.
        process.stdout = Some(output.into_inner());
        Self { process, port, sessions: RefCell::default(), folder }
    }

    pub(super) fn browser(&self, scripts: Scripts, width: u32) -> Browser<'_> {
        let mut arguments = vec!["--headless=new", "--disable-dev-shm-usage"];
        // Chromium's sandbox refuses to run for root, and is in the way inside containers.
        if geteuid().is_root() {
            arguments.push("--no-sandbox");
        }
        let allowed = if scripts == Scripts::On { 1 } else { 2 };
        let size = format!("--window-size={width},800");
        arguments.push(&size);
        let mut options = json!({
            "args": arguments,
            "prefs": { "profile.default_content_setting_values.javascript": allowed },
        });
        // No window is narrower than this.
        if width < 500 {
            let screen = json!({ "width": width, "height": 800, "pixelRatio": 1.0 });
            options["mobileEmulation"] = json!({ "deviceMetrics": screen });
        }
        // Without scripts the driver's own waiting for pages hangs.
        let wanted = json!({
            "browserName": "chrome", "pageLoadStrategy": "none", "goog:chromeOptions": options,
        });
        let answer =
            self.ask("/session", Some(json!({ "capabilities": { "alwaysMatch": wanted } })));
        let session = answer["sessionId"].as_str().unwrap();
        self.sessions.borrow_mut().push(session.to_owned());
        Browser { driver: self, path: format!("/session/{session}") }
    }

    /// Processes of its browsers: they all carry the folder in their environment.
    pub(super) fn running(&self) -> Vec<i32> {
        let needle = self.folder.to_str().unwrap().as_bytes();
        let driver = i32::try_from(self.process.id()).unwrap();
        let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let pid = entry.unwrap().file_name().to_str()?.parse().ok()?;
            let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
            let ours = environment.windows(needle.len()).any(|part| part == needle);
            (ours && pid != driver).then_some(pid)
        });
        pids.collect()
    }

    /// Closes all browsers, and says which processes of theirs are there 10 s later.
    pub(super) fn close(&self) -> Vec<i32> {
        for session in self.sessions.take() {
            let _ = self.exchange("DELETE", &format!("/session/{session}"), "");
        }
        for _ in 0..100 {
            if self.running().is_empty() {
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
        self.running()
    }

    /// Posts `body`, or gets what is there without one.
    fn ask(&self, path: &str, body: Option<Value>) -> Value {
        let body = body.map(|body| body.to_string());
        let method = if body.is_some() { "POST" } else { "GET" };
        let mut answer = self.exchange(method, path, &body.unwrap_or_default()).unwrap();
        let value = answer["value"].take();
        assert!(value.get("error").is_none(), "{method} {path}: {value}");
        value
    }

    fn exchange(&self, method: &str, path: &str, body: &str) -> io::Result<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + body).as_bytes())?;
        let mut answer = BufReader::new(stream);
        let mut length = 0;
        for line in answer.by_ref().lines() {
            let line = line?.to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
            if line.is_empty() {
                break;
            }
        }
        Ok(serde_json::from_reader(answer.take(length))?)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        for pid in self.close().into_iter().filter_map(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Browser<'_> {
    pub(super) fn open(&self, url: &str) {
        self.leave("url", json!({ "url": url }));
    }

    /// Types into the field of this name.
    pub(super) fn fill(&self, name: &str, text: &str) {
        let field = self.element("css selector", &format!("input[name={name}]"));
        self.ask(&format!("element/{field}/value"), json!({ "text": text }));
    }

    /// Presses the button with these words; goes on when the next page is there.
    pub(super) fn press(&self, words: &str) {
        let button = self.element("xpath", &format!("//button[.='{words}']"));
        self.leave(&format!("element/{button}/click"), json!({}));
    }

    /// Does what leads to another page, and waits for the whole of that one.
    fn leave(&self, what: &str, body: Value) {
        let page = self.element("css selector", "html");
        self.ask(what, body);
        let path = format!("{}/element/{page}/name", self.path);
        for _ in 0..600 {
            thread::sleep(Duration::from_millis(50));
            let answer = self.driver.exchange("GET", &path, "").unwrap();
            let left = answer["value"].get("error").is_some();
            if left && self.evaluate("document.readyState") == "complete" {
                return;
            }
        }
        panic!("`{what}` leads to no other page");
    }

    /// What stands in the first of these elements, as it is seen.
    pub(super) fn text(&self, css: &str) -> String {
        let element = self.element("css selector", css);
        self.told(&format!("element/{element}/text"))
    }

    pub(super) fn title(&self) -> String {
        self.told("title")
    }

    pub(super) fn source(&self) -> String {
        self.told("source")
    }

    /// The path it is at.
    pub(super) fn place(&self) -> String {
        let url = self.told("url");
        format!("/{}", url.splitn(4, '/').nth(3).unwrap_or_default())
    }

    pub(super) fn cookie(&self, name: &str) -> Option<Value> {
        let cookies = self.get("cookie");
        cookies.as_array().unwrap().iter().find(|cookie| cookie["name"] == name).cloned()
    }

    pub(super) fn evaluate(&self, script: &str) -> Value {
        let script = format!("return {script}");
        self.ask("execute/sync", json!({ "script": script, "args": [] }))
    }

    /// Keeps a picture of the page.
    pub(super) fn picture(&self, file: &Path) {
        let picture = STANDARD.decode(self.told("screenshot")).unwrap();
        assert!(picture.starts_with(b"\x89PNG"));
        fs::write(file, picture).unwrap();
    }

    fn element(&self, using: &str, value: &str) -> String {
        let element = self.ask("element", json!({ "using": using, "value": value }));
        element["element-6066-11e4-a52e-4f735466cecf"].as_str().unwrap().to_owned()
    }

    fn told(&self, what: &str) -> String {
        self.get(what).as_str().unwrap().to_owned()
    }

    fn get(&self, what: &str) -> Value {
        self.driver.ask(&format!("{}/{what}", self.path), None)
    }

    fn ask(&self, what: &str, body: Value) -> Value {
        self.driver.ask(&format!("{}/{what}", self.path), Some(body))
    }
}
