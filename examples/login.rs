//! Logging in with a browser: a password, a second factor, a session. At start it prints where.
//!
//! `cargo run --example login --features password,tower`
//!
//! One audit event per request goes to standard error. `LOGIN_ADDR` sets another address to
//! listen on than `127.0.0.1:3001`. The pages are plain HTML forms, without scripts.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{
    collections::HashMap, env, error::Error, io, net::SocketAddr, sync::Arc, thread, time::Duration,
};

use axum::{
    Extension, Form, Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, MatchedPath, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use portcullis::{
    AuthnError, AuthnErrorKind, Caller, Gate, Now, Quota, Reason, Refusal, Routes, Secret, StepUp,
    audit::JsonLines,
    authn::{
        otp::{MemoryRecovery, MemorySteps, OtpKey, Recovery, Totp},
        password::{Attempt, Hasher, MemoryPasswords, PasswordRecord, Passwords},
        session::{Factor, MemorySessions, SessionKey, Sessions},
    },
    gate::GuardedPasswords,
    http::{Refused, Respond},
    limit::{Login, LoginGuard, Verdict},
    tower::GateLayer,
};
use serde::Deserialize;
use tokio::{net::TcpListener, sync::Mutex};
use tower_http::csrf::{CsrfLayer, ProtectionError};

const USER: &str = "alice";
const PASSWORD: &str = "correct horse battery staple";

/// Tells a device on which its owner has logged in before: strangers' failures do not count there.
const DEVICE: &str = "__Host-device";

/// All that it takes to log somebody in. A real service keeps users, keys and sessions in a
/// database, and the keys encrypted.
struct Site {
    passwords: GuardedPasswords,
    sessions: Sessions,
    totp: Totp,
    recovery: Recovery,
    /// Counts wrong codes: whoever knows the password may not guess on.
    codes: LoginGuard,
    keys: Mutex<HashMap<String, Keys>>,
}

/// The keys of one account's authenticator app.
#[derive(Default)]
struct Keys {
    /// Shown, and not in use before a code of it was typed.
    offered: Option<OtpKey>,
    confirmed: Option<OtpKey>,
}

impl Site {
    async fn new(hasher: Hasher) -> Result<Self, Box<dyn Error>> {
        let users = MemoryPasswords::default();
        let stored = hasher.hash(&Secret::new(PASSWORD.as_bytes())).await?;
        users.insert(PasswordRecord::new(USER, USER, stored))?;
        let passwords = Passwords::new("users", users, hasher);
        let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3_600));
        let codes = LoginGuard::builder().attempts(5).account_attempts(5);
        Ok(Self {
            passwords: GuardedPasswords::new(passwords, LoginGuard::builder().start()?),
            sessions: Sessions::new("users", MemorySessions::new(10_000)),
            totp: Totp::new(MemorySteps::new(10_000)),
            recovery: Recovery::new(MemoryRecovery::new(10_000)),
            codes: codes.delays(minute, hour).forget(hour).start()?,
            keys: Mutex::default(),
        })
    }

    /// The factor that `code` proves; none for an account without an authenticator app.
    async fn second(
        &self,
        account: &str,
        code: &str,
        now: Now,
    ) -> Result<Option<Factor>, AuthnError> {
        let keys = self.keys.lock().await;
        let Some(key) = keys.get(account).and_then(|keys| keys.confirmed.clone()) else {
            return Ok(None);
        };
        drop(keys);
        match code.trim() {
            "" => Err(AuthnError::new(AuthnErrorKind::Invalid, "the account needs a code too")),
            // Nobody guesses one of those, and they work while guesses at codes are held up.
            long if long.len() > 16 => {
                self.recovery.redeem(account, long).await?;
                Ok(Some(Factor::new("recovery", now.wall)))
            }
            code => self.one_time_code(account, &key, code, now).await.map(Some),
        }
    }

    async fn one_time_code(
        &self,
        account: &str,
        key: &OtpKey,
        code: &str,
        now: Now,
    ) -> Result<Factor, AuthnError> {
        let attempt = match self.codes.reserve(&Login::new(account), now.mono) {
            Verdict::Allow(attempt) => attempt,
            Verdict::Deny { retry_after } | Verdict::Challenge { retry_after } => {
                let throttled = AuthnError::new(AuthnErrorKind::Throttled, "too many wrong codes");
                return Err(throttled.with_retry_after(retry_after));
            }
        };
        let taken = self.totp.verify(account, key, code, now.wall).await;
        match &taken {
            Ok(()) => attempt.succeeded(),
            Err(error) if error.kind() == AuthnErrorKind::Unavailable => attempt.released(),
            Err(_) => attempt.failed(),
        }
        taken.map(|()| Factor::new("otp", now.wall))
    }
}

#[derive(Deserialize)]
struct LoginForm {
    user: String,
    password: String,
    #[serde(default)]
    code: String,
}

async fn log_in(
    Extension(caller): Extension<Caller>,
    State(site): State<Arc<Site>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Form(form): Form<LoginForm>,
) -> Result<impl IntoResponse, Refused> {
    // The gate sees to it for credentials in headers, and knows nothing of forms.
    if !(caller.is_secure() || peer.ip().is_loopback()) {
        Err(Reason::Cleartext)?;
    }
    let (now, password) = (caller.now(), Secret::new(form.password.into_bytes()));
    // As the gate knows it, should there be proxies in front one day.
    let client = caller.client().unwrap_or(peer.ip());
    let mut attempt = Attempt::new(&form.user, &password).client(client);
    if let Some(cookie) = device(&headers) {
        attempt = attempt.device(cookie);
    }
    let user = site.passwords.verify_password(&attempt, now).await.map_err(Refusal::from)?;
    let second = site.second(user.id(), &form.code, now).await.map_err(Refusal::from)?;
    let factors = [Factor::new("pwd", now.wall)].into_iter().chain(second);
    let opened = site.sessions.open(&user, factors, now.wall).await.map_err(Refusal::from)?;

    // The browser forgets the session it had, so the server does too.
    if let Some(before) = caller.principal()
        && let Some(key) = SessionKey::of(before)
    {
        site.sessions.end(before.id(), &key).await.map_err(Refusal::from)?;
    }
    caller.logged_in(&user);
    let known = site.passwords.device_cookie(&form.user).map(|cookie| {
        let year = 365 * 86_400;
        format!("{DEVICE}={cookie}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={year}")
    });
    let cookies = [opened.set_cookie().expose().to_owned()].into_iter().chain(known);
    let cookies: Vec<_> = cookies.map(|cookie| (header::SET_COOKIE, cookie)).collect();
    Ok((AppendHeaders(cookies), Redirect::to("/account")))
}

fn device(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(|line| line.split("; ")).filter_map(|one| one.split_once('='));
    cookies.find_map(|(name, value)| (name == DEVICE).then_some(value))
}

async fn start(Extension(caller): Extension<Caller>) -> Response {
    match caller.principal() {
        Some(_) => Redirect::to("/account").into_response(),
        None => page("Log in", LOGIN_FORM).into_response(),
    }
}

async fn account(
    Extension(caller): Extension<Caller>,
    State(site): State<Arc<Site>>,
) -> Result<impl IntoResponse, Refused> {
    let user = caller.require()?;
    let listed = site.sessions.list(user.id(), caller.now().wall).await;
    let sessions = listed.map_err(Refusal::from)?.len();
    let left = site.recovery.left(user.id()).await.map_err(Refusal::from)?;
    let (name, factors) = (escaped(user.subject()), user.amr().collect::<Vec<_>>().join(" + "));
    let body = format!(
        "<p>You are <b>{name}</b>, logged in by <b>{factors}</b>.</p>\
         <p>Sessions: {sessions}. Recovery codes left: {left}.</p>{ACCOUNT_FORMS}"
    );
    Ok(page("Your account", &body))
}

async fn enrol(
    Extension(caller): Extension<Caller>,
    State(site): State<Arc<Site>>,
) -> Result<impl IntoResponse, Refused> {
    let user = caller.require()?;
    let no_key = AuthnError::new(AuthnErrorKind::Unavailable, "no key could be made");
    let key = OtpKey::generate().map_err(|_| Refusal::from(no_key))?;
    let shown = enrolment(&key, user.subject(), "<p>Add this key to your authenticator app.");
    site.keys.lock().await.entry(user.id().to_owned()).or_default().offered = Some(key);
    Ok(shown)
}

#[derive(Deserialize)]
struct CodeForm {
    code: String,
}

/// Takes the first code of the app. Its key is in use from then on, and only this session goes on.
async fn confirm(
    Extension(caller): Extension<Caller>,
    State(site): State<Arc<Site>>,
    Form(form): Form<CodeForm>,
) -> Result<Response, Refused> {
    let (user, now) = (caller.require()?, caller.now().wall);
    let own = SessionKey::of(user).ok_or(Reason::CredentialMissing)?;
    let offered = site.keys.lock().await.get(user.id()).and_then(|keys| keys.offered.clone());
    let key = offered.ok_or(Reason::ResourceUnknown)?;
    match site.totp.verify(user.id(), &key, &form.code, now).await {
        Ok(()) => {}
        Err(error) if error.kind() == AuthnErrorKind::Unavailable => Err(Refusal::from(error))?,
        Err(_) => {
            let wrong = "<p role=alert>That code is wrong, or was used before.";
            let again = enrolment(&key, user.subject(), wrong);
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response());
        }
    }
    let codes = site.recovery.issue(user.id()).await.map_err(Refusal::from)?;
    let keys = Keys { offered: None, confirmed: Some(key) };
    site.keys.lock().await.insert(user.id().to_owned(), keys);

    let renewed = site.sessions.renew(&own, user, [Factor::new("otp", now)], now).await;
    let renewed = renewed.map_err(Refusal::from)?;
    let others = site.sessions.end_others(user.id(), renewed.record().key()).await;
    others.map_err(Refusal::from)?;

    let codes: Vec<_> = codes.iter().map(|code| code.expose()).collect();
    let body = format!(
        "<p>From now on a log-in takes a code of your app. When the app is lost, one of these \
         does, each once. They are shown only now:</p><pre>{}</pre>\
         <p><a href=/account>I have written them down</a></p>",
        codes.join("\n")
    );
    let cookie = renewed.set_cookie().expose().to_owned();
    Ok(([(header::SET_COOKIE, cookie)], page("Recovery codes", &body)).into_response())
}

async fn log_out(
    Extension(caller): Extension<Caller>,
    State(site): State<Arc<Site>>,
) -> Result<impl IntoResponse, Refused> {
    let user = caller.require()?;
    let own = SessionKey::of(user).ok_or(Reason::CredentialMissing)?;
    site.sessions.end(user.id(), &own).await.map_err(Refusal::from)?;
    Ok(([(header::SET_COOKIE, site.sessions.removal_cookie())], Redirect::to("/")))
}

async fn log_out_everywhere(
    Extension(caller): Extension<Caller>,
    State(site): State<Arc<Site>>,
) -> Result<impl IntoResponse, Refused> {
    site.sessions.end_all(caller.require()?.id()).await.map_err(Refusal::from)?;
    Ok(([(header::SET_COOKIE, site.sessions.removal_cookie())], Redirect::to("/")))
}

fn app(site: Site) -> Result<Router, Box<dyn Error>> {
    // A session left open on a desk is not enough to change how its owner logs in.
    let fresh = || StepUp::within(Duration::from_secs(300));
    let routes = Routes::new()
        .public("GET", "/")
        .public("POST", "/login")
        .authenticated("GET", "/account")
        .authenticated("POST", "/totp/enrol")
        .step_up(fresh())
        .authenticated("POST", "/totp/confirm")
        .step_up(fresh())
        .authenticated("POST", "/logout")
        .authenticated("POST", "/logout-everywhere");
    let gate = Gate::builder()
        .authenticate(site.sessions.clone())
        .routes(routes)
        .limit_clients(Quota::per_second(50))
        .audit(JsonLines::new(io::stderr(), 1024)?)
        .build()?;
    let gate = GateLayer::new(gate)
        .peer(|ext| ext.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip()))
        .template(|ext| ext.get::<MatchedPath>().map(MatchedPath::as_str))
        .respond(Pages);
    Ok(Router::new()
        .route("/", get(start))
        .route("/login", post(log_in))
        .route("/account", get(account))
        .route("/totp/enrol", post(enrol))
        .route("/totp/confirm", post(confirm))
        .route("/logout", post(log_out))
        .route("/logout-everywhere", post(log_out_everywhere))
        .layer(DefaultBodyLimit::max(8 * 1024))
        // Browsers send the cookie with forms of other sites too; this refuses those.
        .layer(CsrfLayer::new().with_rejection_response(other_site))
        .layer(gate)
        .with_state(Arc::new(site)))
}

fn other_site(_: ProtectionError) -> Response {
    let refused = page("Refused", "<p role=alert>That form came from another site.</p>");
    (StatusCode::FORBIDDEN, refused).into_response()
}

/// Refusals as pages. What is wrong with a log-in, name, password or code, it does not tell.
#[derive(Debug)]
struct Pages;

impl Respond for Pages {
    fn body(&self, refusal: &Refusal, headers: &mut HeaderMap) -> Bytes {
        for (name, value) in PAGE_HEADERS {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let over = |error: AuthnError| error.kind() == AuthnErrorKind::SessionOver;
        let text = match (refusal.status(), refusal.reason()) {
            (401, Reason::Credential(error)) if !over(error) => {
                "Name, password or code is wrong.".to_owned()
            }
            (401, Reason::StepUpNeeded) => "This takes a fresh log-in.".to_owned(),
            (401, _) => "Please log in.".to_owned(),
            (429, _) => {
                let wait = refusal.retry_after_secs().unwrap_or(1);
                format!("Too many attempts. Try again in {wait} s.")
            }
            (status, _) => format!("{status}: {}.", refusal.class()),
        };
        let (title, rest) = match refusal.status() {
            401 => ("Log in", LOGIN_FORM),
            _ => ("Refused", "<p><a href=/>Back</a></p>"),
        };
        html(title, &format!("<p role=alert>{text}</p>{rest}")).into()
    }
}

const LOGIN_FORM: &str = "<form method=post action=/login>\
    <label>Name <input name=user autocomplete=username autocapitalize=none spellcheck=false \
    required></label>\
    <label>Password <input name=password type=password autocomplete=current-password required>\
    </label><label>Code <small>of your app, or a recovery code, once you have set one up</small> \
    <input name=code autocomplete=one-time-code autocapitalize=none spellcheck=false></label>\
    <button>Log in</button></form>";

const ACCOUNT_FORMS: &str = "\
    <form method=post action=/totp/enrol><button>Set up an authenticator app</button></form>\
    <form method=post action=/logout><button>Log out</button></form>\
    <form method=post action=/logout-everywhere><button>Log out everywhere</button></form>";

/// The page that shows a key to its owner. A real one draws the link as a QR code.
fn enrolment(key: &OtpKey, user: &str, text: &str) -> impl IntoResponse + use<> {
    let (secret, uri) = (key.to_base32(), key.totp_uri("Portcullis example", user));
    let body = format!(
        "{text}</p><pre>{}</pre><p><a href=\"{}\">Open it in the app</a></p>\
         <form method=post action=/totp/confirm><label>The code it shows \
         <input name=code inputmode=numeric autocomplete=one-time-code required></label>\
         <button>Confirm</button></form><p><a href=/account>Not now</a></p>",
        secret.expose(),
        escaped(uri.expose()),
    );
    page("Authenticator app", &body)
}

/// Pages hold secrets, and none of them runs a script or stands in a frame.
const PAGE_HEADERS: [(HeaderName, &str); 3] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (header::CACHE_CONTROL, "no-store"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    ),
];

fn page(title: &str, body: &str) -> impl IntoResponse + use<> {
    (PAGE_HEADERS, html(title, body))
}

fn html(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8>\
         <meta name=viewport content=\"width=device-width,initial-scale=1\"><title>{title}</title>\
         <style>{STYLE}</style><main><h1>{title}</h1>{body}</main></html>\n"
    )
}

const STYLE: &str = "\
    :root{color-scheme:light dark}\
    body{font:1rem/1.5 system-ui,sans-serif;max-width:24rem;margin:3rem auto;padding:0 1rem}\
    h1{font-size:1.5rem}\
    small{display:block;opacity:.7}\
    label,input,button{display:block;width:100%;box-sizing:border-box}\
    input,button{font:inherit;padding:.5rem;margin:.25rem 0 1rem}\
    pre{padding:1rem;background:#8882;white-space:pre-wrap;overflow-wrap:anywhere}\
    [role=alert]{padding:.5rem 1rem;border-left:.25rem solid #c33;background:#c332}";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::var("LOGIN_ADDR").unwrap_or_else(|_| "127.0.0.1:3001".to_owned());
    let listener = TcpListener::bind(&address).await?;
    let port = listener.local_addr()?.port();
    // The other half of the processors is for everything else.
    let threads = thread::available_parallelism().map_or(1, |all| all.get().div_ceil(2));
    let hasher = Hasher::with_threads(threads).start()?;
    let memory = hasher.memory_ceiling() / (1024 * 1024);
    let site = Site::new(hasher).await?;
    let app = app(site)?.into_make_service_with_connect_info::<SocketAddr>();
    println!("http://localhost:{port}/");
    println!("Hashing passwords takes {memory} MiB of memory, however many log in.");
    println!("Log in as `{USER}` with the password `{PASSWORD}`.");
    println!("Set up an authenticator app there, log out, and log in with one of its codes.");
    println!("No cookie comes back? It is for TLS. curl and new versions of Chromium make an");
    println!("exception for localhost, older ones make none, and neither does for other names.");
    Ok(axum::serve(listener, app).await?)
}
