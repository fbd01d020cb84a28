//! The inputs that the fuzz targets have been through, replayed without a fuzzer.

use std::{
    fs,
    path::{Path, PathBuf},
};

use self::fuzz::{TARGETS, Target};

#[expect(unreachable_pub, reason = "it is the library of the fuzz targets' own package")]
#[path = "../fuzz/src/lib.rs"]
mod fuzz;
mod seeds;

/// All corpora together, in files and bytes.
const MOST: (usize, usize) = (300, 200 * 1024);

fn folder(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target.name)
}

/// The files of a target's corpus, by name.
fn files(target: &Target) -> Vec<PathBuf> {
    let folder = folder(target);
    let found = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut files: Vec<_> = found.map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{folder:?} is empty");
    files
}

/// Runs a target over inputs with names, and wants some of them refused, and some not.
fn replay(target: &Target, inputs: impl IntoIterator<Item = (String, Vec<u8>)>) {
    let mut found = Vec::new();
    for (name, input) in inputs {
        // Shown when the test fails.
        println!("{name}");
        found.push((target.run)(&input));
    }
    assert!(found.contains(&true), "nothing gets through");
    assert!(found.contains(&false), "nothing is refused");
}

fn holds(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let seeds = seeds::of(name).into_iter().enumerate();
    replay(target, seeds.map(|(number, seed)| (format!("seed {number}"), seed)));
    let read = |file: PathBuf| (file.display().to_string(), fs::read(&file).unwrap());
    replay(target, files(target).into_iter().map(read));
}

macro_rules! one_test_each {
    ($($name:ident)*) => {
        /// The targets that have a test.
        const TESTED: &[&str] = &[$(stringify!($name)),*];
        $(#[test] fn $name() { holds(stringify!($name)); })*
    };
}

one_test_each!(
    api_key authorization cedar_condition cedar_text cookies discovery document expression forwarded
    introspection jwks jwt phc
);

#[test]
fn corpora_stay_small_and_every_target_is_there() {
    let all: Vec<_> = TARGETS.iter().flat_map(files).collect();
    let bytes: u64 = all.iter().map(|file| fs::metadata(file).unwrap().len()).sum();
    assert!(all.len() <= MOST.0 && bytes as usize <= MOST.1, "{} files, {bytes} bytes", all.len());

    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/Cargo.toml");
    let manifest: toml::Table = fs::read_to_string(manifest).unwrap().parse().unwrap();
    let built = manifest["bin"].as_array().unwrap().iter().map(|bin| bin["name"].as_str().unwrap());
    let names = TARGETS.map(|target| target.name);
    assert!(built.eq(names) && names == *TESTED);
}

/// Writes the seeds into the folders of the corpora:
/// `cargo test --all-features --test it corpus::write_seeds -- --ignored`
#[test]
#[ignore = "it writes into the source tree"]
fn write_seeds() {
    for target in &TARGETS {
        let folder = folder(target);
        fs::create_dir_all(&folder).unwrap();
        for (number, seed) in seeds::of(target.name).into_iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:02}")), seed).unwrap();
        }
    }
}
