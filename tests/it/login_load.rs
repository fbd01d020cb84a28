//! 10,000 log-ins with wrong passwords at a time against the running example, built for release.
//!
//! `cargo test --all-features --test it login_load -- --ignored --nocapture`
//!
//! Answers and memory are asserted. How long other pages take meanwhile is printed: that depends
//! on what else the processors do, among it being 10,000 clients.
#![expect(clippy::disallowed_methods, reason = "what is measured is time")]

mod client;

use std::{
    env, fs,
    path::PathBuf,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::{
    sync::{Barrier, Semaphore},
    task::JoinSet,
};

use crate::login_example::{RIGHT, said, started};
use client::{Client, raise_open_files};

const ATTEMPTS: u16 = 10_000;
const ROUNDS: u16 = 6;
const QUIET: Duration = Duration::from_secs(2);

#[tokio::test]
#[ignore = "minutes of load"]
async fn ten_thousand_bogus_log_ins_at_a_time() {
    raise_open_files(u64::from(ATTEMPTS) + 500);
    let (mut service, base) = started(Command::new(built_for_release()));
    let port: u16 = base.rsplit(':').next().unwrap().parse().unwrap();
    let stated = said(&mut service);
    let ceiling = stated.split(' ').find_map(|word| word.parse::<u64>().ok());
    let ceiling = 1024 * ceiling.unwrap_or_else(|| panic!("no ceiling is stated: {stated}"));
    let memory = |field| kib(service.0.id(), field);
    let start = memory("VmRSS:");

    let mut owner = Client::connect(port, [127, 2, 0, 0]).await;
    let (status, owner_cookies) = owner.log_in("alice", RIGHT, "").await;
    assert_eq!(status, 303);
    let probe = Probe::start(port, owner_cookies.clone());
    // From here on this thread is the strangers', whose own work is no business of the service's:
    // elsewhere they would have other processors.
    step_back();
    let mut strangers = connected(port).await;
    let base = memory("VmRSS:");

    let mut ratios = Vec::new();
    let (mut counts, mut quiet, mut flooded) = ([0; 3], Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let from = Instant::now();
        tokio::time::sleep(QUIET).await;
        let calm = probe.between(from, Instant::now());
        let from = Instant::now();
        let statuses;
        (strangers, statuses) = attempts(strangers, round).await;
        let (lasted, busy) = (from.elapsed(), probe.between(from, Instant::now()));
        for status in statuses {
            let among = [401, 429, 503].iter().position(|one| *one == status);
            counts[among.unwrap_or_else(|| panic!("{status} for a wrong password"))] += 1;
        }
        let (before, during) = (p99(&calm), p99(&busy));
        println!(
            "round {round}: p99 {before:?} quiet ({} requests), {during:?} in the flood of \
             {lasted:.1?} ({} requests)",
            calm.len(),
            busy.len()
        );
        ratios.push(during.as_secs_f64() / before.as_secs_f64());
        quiet.extend(calm);
        flooded.extend(busy);
    }
    let peak = memory("VmHWM:");
    ratios.sort_by(f64::total_cmp);
    println!("p99 of all rounds: {:?} quiet, {:?} in floods", p99(&quiet), p99(&flooded));
    println!("ratios of p99 by round: {ratios:.1?}");
    println!("401, 429, 503: {counts:?}");
    println!(
        "KiB: {start} at the start with {ceiling} of them for hashes, {base} with {ATTEMPTS} \
         connections, {peak} at the most"
    );
    assert!(counts.iter().all(|count| *count > 0), "each has its turn: {counts:?}");
    assert!(peak <= base + ceiling, "{peak} KiB");

    // Another log-in ends the session that the visitor has.
    drop(probe);
    assert_eq!(owner.log_in("alice", RIGHT, &owner_cookies).await.0, 303, "the owner gets in");
}

/// Builds the example anew for this: unoptimised, it would be the load.
fn built_for_release() -> PathBuf {
    let arguments =
        ["build", "--quiet", "--release", "--locked", "--all-features", "--example", "login"];
    let status = Command::new(env!("CARGO")).args(arguments).status().unwrap();
    assert!(status.success(), "`cargo build --release --example login` fails");
    // target/debug/deps/it-… → target/release/examples/login
    let profile = env::current_exe().unwrap();
    profile.ancestors().nth(3).unwrap().join("release/examples/login")
}

/// Lets every other thread of the machine go first. On Linux a priority is a thread's own.
#[cfg(target_os = "linux")]
fn step_back() {
    rustix::process::nice(19).unwrap();
}

#[cfg(not(target_os = "linux"))]
fn step_back() {}

/// What a process's `status` tells of its memory.
fn kib(process: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Connections of as many clients, each with an address of its own, that have seen one page.
async fn connected(port: u16) -> Vec<Client> {
    let at_a_time = Arc::new(Semaphore::new(256));
    let mut connecting = JoinSet::new();
    for stranger in 0..ATTEMPTS {
        let at_a_time = Arc::clone(&at_a_time);
        connecting.spawn(async move {
            let _turn = at_a_time.acquire().await.unwrap();
            let [high, low] = stranger.to_be_bytes();
            let mut client = Client::connect(port, [127, 1, high, low]).await;
            assert_eq!(client.page("/", "").await, 200);
            client
        });
    }
    connecting.join_all().await
}

/// One attempt of each, all at once: every other one at the account that is there.
async fn attempts(strangers: Vec<Client>, round: u16) -> (Vec<Client>, Vec<u16>) {
    let together = Arc::new(Barrier::new(strangers.len()));
    let mut attempting = JoinSet::new();
    for (number, mut client) in strangers.into_iter().enumerate() {
        let together = Arc::clone(&together);
        attempting.spawn(async move {
            together.wait().await;
            let nobody = format!("nobody-{round}-{number}");
            let user = if number % 2 == 0 { "alice" } else { &nobody };
            let (status, _) = client.log_in(user, "guess", "").await;
            (client, status)
        });
    }
    attempting.join_all().await.into_iter().unzip()
}

/// A visitor in a thread of its own, who looks at pages all the time.
struct Probe {
    seen: Arc<Mutex<Vec<(Instant, Duration)>>>,
    goes_on: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Probe {
    fn start(port: u16, cookies: String) -> Self {
        let (seen, goes_on) = (Arc::<Mutex<Vec<_>>>::default(), Arc::new(AtomicBool::new(true)));
        let (sees, going_on) = (Arc::clone(&seen), Arc::clone(&goes_on));
        let look = async move {
            // The example lets each address ask 50 times a second.
            let mut clients = Vec::new();
            for last in 1..=20 {
                clients.push(Client::connect(port, [127, 2, 0, last]).await);
            }
            for turn in 0.. {
                if !going_on.load(Relaxed) {
                    break;
                }
                let count = clients.len();
                let path = if turn % 2 == 0 { "/" } else { "/account" };
                let cookies = if turn % 2 == 0 { "" } else { &*cookies };
                let from = Instant::now();
                assert_eq!(clients[turn % count].page(path, cookies).await, 200, "{path}");
                sees.lock().unwrap().push((from, from.elapsed()));
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let thread = Some(thread::spawn(move || runtime.block_on(look)));
        Self { seen, goes_on, thread }
    }

    /// How long each took of those that began between the two.
    fn between(&self, from: Instant, to: Instant) -> Vec<Duration> {
        // The last one may be under way.
        thread::sleep(Duration::from_millis(500));
        let seen = self.seen.lock().unwrap();
        let inside = seen.iter().filter(|(at, _)| (from..to).contains(at));
        inside.map(|(_, took)| *took).collect()
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.goes_on.store(false, Relaxed);
        let result = self.thread.take().unwrap().join();
        assert!(result.is_ok() || thread::panicking(), "the visitor was refused");
    }
}

fn p99(all: &[Duration]) -> Duration {
    let mut all = all.to_vec();
    all.sort();
    all[all.len() * 99 / 100]
}
