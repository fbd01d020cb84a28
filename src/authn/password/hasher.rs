//! Hashing and verifying, counted and bounded.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use argon2::{Algorithm, Argon2, Params, Version};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{
    Cost, HasherError, MAX_PASSWORD,
    blocks::Blocks,
    phc::{HASH, Phc, SALT},
};
use crate::{
    Secret,
    authn::{AuthnError, AuthnErrorKind, oneshot::Receiver, pool::Pool},
    crypto::random,
};

/// Hashes passwords with Argon2id on threads of its own. Clones share them.
///
/// All of its memory, [`memory_ceiling`](Self::memory_ceiling), is taken at start: so many
/// threads times the memory of one hash. When the queue is full the answer is *unavailable*, at
/// once. A hash that was begun or queued runs to its end even if nobody waits for it any more.
///
/// The threads end when the last clone is gone and the queue is empty.
///
/// ```
/// use portcullis::{AuthnErrorKind, Secret, authn::password::{Hasher, Match}};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let hasher = Hasher::with_threads(2).start()?;
/// assert_eq!(hasher.memory_ceiling(), 2 * 19_456 * 1024);
///
/// let stored = hasher.hash(&Secret::new(*b"correct horse battery staple")).await?;
/// assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
///
/// let good = hasher.verify(&Secret::new(*b"correct horse battery staple"), Some(&stored)).await?;
/// assert_eq!(good, Match::Current);
/// let bad = hasher.verify(&Secret::new(*b"Tr0ub4dor&3"), Some(&stored)).await.unwrap_err();
/// assert_eq!(bad.kind(), AuthnErrorKind::Invalid);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Hasher(Arc<Inner>);

struct Inner {
    cost: Cost,
    /// What stands in for the hash that a user lacks.
    dummy: Arc<Phc>,
    memory_kib: u32,
    /// What every no is made to cost.
    work: u64,
    pool: Pool<Blocks>,
    meter: Arc<Meter>,
    threads: usize,
}

/// What has been done since the start.
#[derive(Default)]
struct Meter {
    runs: AtomicU64,
    work: AtomicU64,
}

/// A hasher being set up; see [`Hasher::with_threads`].
#[derive(Clone, Debug)]
#[must_use = "nothing is hashed before it is started"]
pub struct HasherBuilder {
    threads: usize,
    places: Option<usize>,
    cost: Cost,
    stored: Option<Cost>,
}

/// The password is right.
#[derive(Clone, PartialEq, Eq)]
pub enum Match {
    /// And its hash is as strong as new ones are.
    Current,
    /// And here is a stronger hash of it to store instead.
    Renewed(String),
}

impl Hasher {
    /// A hasher with this many threads: as many hashes run at a time. One for every two
    /// processors leaves room for the rest of the service.
    pub fn with_threads(threads: usize) -> HasherBuilder {
        HasherBuilder { threads, places: None, cost: Cost::default(), stored: None }
    }

    /// A new hash of `password`, as a PHC string to store.
    ///
    /// # Errors
    /// *Unavailable* when the queue is full, *password too long* for more than
    /// [`MAX_PASSWORD`](super::MAX_PASSWORD) bytes.
    pub fn hash(
        &self,
        password: &Secret,
    ) -> impl Future<Output = Result<String, AuthnError>> + Send + use<> {
        let (cost, meter) = (self.0.cost, Arc::clone(&self.0.meter));
        let hashed = self.submit(password, move |password, blocks| {
            let hashed = new_hash(password, cost, blocks, &meter);
            hashed.map(|phc| phc.to_string())
        });
        async move { hashed?.await.flatten().ok_or(unavailable("the password was not hashed")) }
    }

    /// Whether `password` is the one that `stored` was made from. Without a stored hash, or with
    /// one that cannot be used, the answer is no after as much work as for a wrong password. Every
    /// no costs the same [`work`](Self::work), that of a new hash or of the dearest stored one:
    /// where the stored hash is cheaper, something else is hashed for the rest.
    ///
    /// A stored hash is used if it is an Argon2 hash of at most 10 passes and 16 lanes, with no
    /// more memory and no more work than a new one or than
    /// [`stored_up_to`](HasherBuilder::stored_up_to). A right password with a hash weaker than
    /// new ones is hashed anew, never the other way.
    ///
    /// # Errors
    /// *Invalid* when it is not, *unavailable* when the queue is full, *password too long* for
    /// more than [`MAX_PASSWORD`](super::MAX_PASSWORD) bytes.
    pub fn verify(
        &self,
        password: &Secret,
        stored: Option<&str>,
    ) -> impl Future<Output = Result<Match, AuthnError>> + Send + use<> {
        let (memory_kib, most) = (self.0.memory_kib, self.0.work);
        let fits = |phc: &Phc| phc.cost.memory_kib() <= memory_kib && phc.cost.work() <= most;
        let known = stored.and_then(Phc::parse).filter(fits);
        let otherwise = match (&known, stored) {
            (Some(_), _) => "the password is wrong",
            (None, Some(_)) => "the stored hash cannot be used",
            (None, None) => "there is no such user",
        };
        let (cost, dummy) = (self.0.cost, Arc::clone(&self.0.dummy));
        let meter = Arc::clone(&self.0.meter);
        let checked = self.submit(password, move |password, blocks| {
            let stored = known.as_ref().unwrap_or(&dummy);
            let hash = run(password, stored, blocks, &meter)?;
            let equal = bool::from(hash.as_slice().ct_eq(&stored.hash));
            if !equal || known.is_none() {
                // Otherwise a cheap stored hash would tell its user from unknown ones.
                let rest = Cost::of_work(most.saturating_sub(stored.cost.work()), memory_kib);
                rest.map_or(Some(()), |rest| spend(password, rest, blocks, &meter))?;
                return Some(None);
            }
            let renew = stored.is_weaker_than(cost);
            // A hash that is not renewed today is renewed another day.
            let renewed = renew.then(|| new_hash(password, cost, blocks, &meter)).flatten();
            Some(Some(renewed.map_or(Match::Current, |phc| Match::Renewed(phc.to_string()))))
        });
        async move {
            let checked = checked?.await.flatten();
            let checked = checked.ok_or(unavailable("the password was not checked"))?;
            checked.ok_or(AuthnError::new(AuthnErrorKind::Invalid, otherwise))
        }
    }

    /// What new hashes cost.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.0.cost
    }

    /// The most memory that hashes ever take, in bytes.
    #[must_use]
    pub fn memory_ceiling(&self) -> usize {
        let block = usize::try_from(self.0.memory_kib).unwrap_or(usize::MAX);
        block.saturating_mul(1024).saturating_mul(self.0.threads)
    }

    /// How many hashes have been run since the start.
    #[must_use]
    pub fn hashes(&self) -> u64 {
        self.0.meter.runs.load(Relaxed)
    }

    /// What they cost together: the memory of each in KiB, times its passes.
    #[must_use]
    pub fn work(&self) -> u64 {
        self.0.meter.work.load(Relaxed)
    }

    fn submit<T: Send + 'static>(
        &self,
        password: &Secret,
        work: impl FnOnce(&[u8], &mut Blocks) -> T + Send + 'static,
    ) -> Result<Receiver<T>, AuthnError> {
        if password.expose().len() > MAX_PASSWORD {
            return Err(TOO_LONG);
        }
        let password = password.clone();
        let work = move |blocks: &mut Blocks| work(password.expose(), blocks);
        self.0.pool.submit(work).map_err(|_| unavailable("too many passwords wait to be hashed"))
    }
}

impl HasherBuilder {
    /// How many hashes may wait for a thread, 1 to 65,536; 32 for each thread unless said
    /// otherwise, which at 40 ms a hash is a wait of 1.3 s at most.
    pub fn queue(mut self, places: usize) -> Self {
        self.places = Some(places);
        self
    }

    /// What new hashes cost.
    pub fn cost(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }

    /// Verifies stored hashes that are dearer than new ones, too, up to this cost. Say it where
    /// the cost was lowered, or hashes come from elsewhere: without it they cannot be used. Every
    /// no costs as much from then on, since a user is not to be told by the time it takes.
    pub fn stored_up_to(mut self, cost: Cost) -> Self {
        self.stored = Some(cost);
        self
    }

    /// Takes the memory, runs one hash, and starts the threads.
    ///
    /// # Errors
    /// When a number is out of its range or the system lacks memory, threads or random bytes.
    pub fn start(self) -> Result<Hasher, HasherError> {
        let Self { threads, cost, stored, .. } = self;
        if !(1..=256).contains(&threads) {
            return Err(HasherError::Threads { threads });
        }
        let places = self.places.unwrap_or(32 * threads);
        if !(1..=65_536).contains(&places) {
            return Err(HasherError::Queue { places });
        }
        let dearest = stored.unwrap_or(cost);
        let memory_kib = cost.memory_kib().max(dearest.memory_kib());
        let work = cost.work().max(dearest.work());
        let buffers: Option<Vec<_>> = (0..threads).map(|_| Blocks::new(memory_kib)).collect();
        let mut buffers = buffers.ok_or(HasherError::Memory { threads, memory_kib })?;
        // Made as every other hash is: a dummy of another cost, or one that does not parse, would
        // tell unknown users from known ones.
        let dummy = buffers.first_mut().and_then(|blocks| {
            let password = random::<32>()?;
            new_hash(&password, cost, blocks, &Meter::default())
        });
        let dummy = Arc::new(dummy.ok_or(HasherError::Random)?);
        let pool = Pool::start("portcullis-hash", buffers, places);
        let pool = pool.map_err(|_| HasherError::Spawn)?;
        let meter = Arc::default();
        Ok(Hasher(Arc::new(Inner { cost, dummy, memory_kib, work, pool, meter, threads })))
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher")
            .field("cost", &self.0.cost)
            .field("threads", &self.0.threads)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Current => "Current",
            Self::Renewed(_) => "Renewed(***)",
        })
    }
}

fn new_hash(password: &[u8], cost: Cost, blocks: &mut Blocks, meter: &Meter) -> Option<Phc> {
    let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
    let (salt, hash) = (random::<SALT>()?.to_vec(), vec![0; HASH]);
    let mut phc = Phc { algorithm, version, cost, salt, hash };
    phc.hash = run(password, &phc, blocks, meter)?.to_vec();
    Some(phc)
}

/// Hashes for nothing but the time it takes.
fn spend(password: &[u8], cost: Cost, blocks: &mut Blocks, meter: &Meter) -> Option<()> {
    let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
    let phc = Phc { algorithm, version, cost, salt: vec![0; SALT], hash: vec![0; HASH] };
    run(password, &phc, blocks, meter).map(drop)
}

/// The hash of `password` with the salt and cost of `like`. `None` cannot come of what a caller
/// sends: costs and lengths were checked when they were parsed.
fn run(
    password: &[u8],
    like: &Phc,
    blocks: &mut Blocks,
    meter: &Meter,
) -> Option<Zeroizing<Vec<u8>>> {
    meter.runs.fetch_add(1, Relaxed);
    meter.work.fetch_add(like.cost.work(), Relaxed);
    let (memory, passes, lanes) = (like.cost.memory_kib(), like.cost.passes(), like.cost.lanes());
    let params = Params::new(memory, passes, lanes, Some(like.hash.len())).ok()?;
    let mut hash = Zeroizing::new(vec![0; like.hash.len()]);
    Argon2::new(like.algorithm, like.version, params)
        .hash_password_into_with_memory(password, &like.salt, &mut hash, &mut blocks.0)
        .ok()?;
    Some(hash)
}

pub(super) const TOO_LONG: AuthnError =
    AuthnError::new(AuthnErrorKind::PasswordTooLong, "more than 1,024 bytes");

const fn unavailable(detail: &'static str) -> AuthnError {
    AuthnError::new(AuthnErrorKind::Unavailable, detail)
}

#[cfg(test)]
mod tests;
