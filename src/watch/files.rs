//! Files as texts, and texts as policies.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::{
    authz::{CedarPolicies, Document, PolicyErrors, PolicySet},
    crypto::sha256,
};

/// The files that a set of policies is made of: at most 32 MiB in all.
///
/// ```
/// use portcullis::{authz::{CedarPolicies, PolicySet}, watch::PolicyFiles};
///
/// // One text, whose policies are skipped where Cedar skips them.
/// let files = PolicyFiles::with(["policies.cedar"], |texts| {
///     let texts = texts.iter().map(|(_, text)| *text).collect::<String>();
///     let policies = CedarPolicies::parse(&texts)?.named_by_id()?;
///     PolicySet::from_policies(policies).map(PolicySet::cedar_compat)
/// });
/// ```
pub struct PolicyFiles {
    paths: Vec<PathBuf>,
    build: Box<Build>,
    pub(super) loaded: Option<Print>,
}

type Build = dyn Fn(&[(&Path, &str)]) -> Result<PolicySet, String> + Send;

/// One digest for each file.
pub(super) type Print = Vec<[u8; 32]>;

/// What was read.
pub(super) struct Contents {
    pub(super) print: Print,
    texts: Vec<String>,
}

/// Why policies were not put in force: what they are told to whoever looks after them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// A file is not there, is too large, or is no text. Names the file.
    #[error("{0}")]
    Unreadable(String),
    /// The texts are no policies: a line for each error, with file, place and hint.
    #[error("{0}")]
    Wrong(String),
    /// Whoever was to put the policies in force did not take them.
    #[error("{0}")]
    Refused(String),
}

impl PolicyFiles {
    /// A role document in TOML.
    pub fn document(path: impl Into<PathBuf>) -> Self {
        Self::new([path.into()], |texts| {
            let mut texts = texts.iter().map(|(path, text)| {
                let document = Document::from_toml(text).and_then(PolicySet::from_document);
                document.map_err(|errors| told(path, &errors))
            });
            texts.next_back().unwrap_or_else(|| Ok(PolicySet::default()))
        })
    }

    /// Texts in Cedar's language, each whole by itself. Policies are called by their annotation
    /// `@id`; those without one by their place among all.
    pub fn cedar(paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        Self::new(paths, |texts| {
            let read = |(path, text): &(&Path, &str)| {
                CedarPolicies::parse(text).map_err(|errors| told(path, &errors))
            };
            let (read, wrong): (Vec<_>, Vec<_>) = texts.iter().map(read).partition(Result::is_ok);
            let wrong: Vec<_> = wrong.into_iter().filter_map(Result::err).collect();
            if !wrong.is_empty() {
                return Err(wrong.join("\n"));
            }
            let mut read = read.into_iter().flatten();
            let all = read.try_fold(CedarPolicies::default(), CedarPolicies::and);
            let all = all.and_then(CedarPolicies::named_by_id);
            all.and_then(PolicySet::from_policies).map_err(|errors| errors.to_string())
        })
    }

    /// Any files, and what makes policies of their paths and texts: for templates, entities, and
    /// other formats.
    pub fn with<E: fmt::Display>(
        paths: impl IntoIterator<Item = impl Into<PathBuf>>,
        build: impl Fn(&[(&Path, &str)]) -> Result<PolicySet, E> + Send + 'static,
    ) -> Self {
        Self::new(paths, move |texts| build(texts).map_err(|error| error.to_string()))
    }

    fn new(
        paths: impl IntoIterator<Item = impl Into<PathBuf>>,
        build: impl Fn(&[(&Path, &str)]) -> Result<PolicySet, String> + Send + 'static,
    ) -> Self {
        let paths = paths.into_iter().map(Into::into).collect();
        Self { paths, build: Box::new(build), loaded: None }
    }

    /// Reads the files, to start with. What it found is not put in force a second time.
    ///
    /// # Errors
    /// What is wrong with the files or with the policies; that there are none among it.
    pub fn load(&mut self) -> Result<PolicySet, ReloadError> {
        let contents = self.read()?;
        let policies = self.build(&contents)?;
        self.loaded = Some(contents.print);
        Ok(policies)
    }

    pub(super) fn read(&self) -> Result<Contents, ReloadError> {
        let mut contents = Contents { print: Vec::new(), texts: Vec::new() };
        let mut left = MAX_BYTES;
        for path in &self.paths {
            let text = read(path, left).map_err(|problem| {
                ReloadError::Unreadable(format!("{}: {problem}", path.display()))
            })?;
            left = left.saturating_sub(text.len());
            contents.print.push(sha256(text.as_bytes()));
            contents.texts.push(text);
        }
        Ok(contents)
    }

    pub(super) fn build(&self, contents: &Contents) -> Result<PolicySet, ReloadError> {
        let paths = self.paths.iter().map(PathBuf::as_path);
        let texts: Vec<_> = paths.zip(contents.texts.iter().map(String::as_str)).collect();
        let policies = (self.build)(&texts).map_err(ReloadError::Wrong)?;
        if policies.is_empty() {
            let files: Vec<_> = self.paths.iter().map(|path| path.display().to_string()).collect();
            return Err(ReloadError::Wrong(format!("{}: no policies in it", files.join(", "))));
        }
        Ok(policies)
    }
}

impl fmt::Debug for PolicyFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyFiles").field("paths", &self.paths).finish_non_exhaustive()
    }
}

/// A file's text, of at most so many bytes.
fn read(path: &Path, most: usize) -> io::Result<String> {
    let wrong = |problem: String| io::Error::new(io::ErrorKind::InvalidData, problem);
    // Opening a pipe would wait for whoever writes to it.
    if !fs::metadata(path)?.is_file() {
        return Err(wrong("it is no file".to_owned()));
    }
    let mut bytes = Vec::new();
    let enough = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)?.take(enough).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(wrong(format!("more than {MAX_BYTES} bytes, with the files before it")));
    }
    String::from_utf8(bytes)
        .map_err(|error| wrong(format!("byte {} is no UTF-8", error.utf8_error().valid_up_to())))
}

/// A line for each error.
fn told(path: &Path, errors: &PolicyErrors) -> String {
    let lines: Vec<_> = errors.iter().map(|error| format!("{}: {error}", path.display())).collect();
    lines.join("\n")
}

/// More are refused, of all files together.
const MAX_BYTES: usize = 32 * 1024 * 1024;
