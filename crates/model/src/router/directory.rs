//! Reading and writing the router directory.
//!
//! The manifest names every other file by digest and itself by the digest of its own bytes, so a
//! single changed byte anywhere is noticed at load.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use farthing_core::{Digest, PriceTable};

use super::manifest::{FORMAT_VERSION, Manifest, OLDEST_READABLE};
use super::{Router, SeenPrompts};
use crate::network::{self, Network, Shape, ShapeError, Weights};

const MANIFEST: &str = "manifest.json";
const WEIGHTS: &str = "model.safetensors";
const PRICES: &str = "prices.json";
const CARD: &str = "README.md";
pub(super) const SEEN: &str = "seen.bin";

/// What stands in for a manifest's own digest while it is computed.
const BLANK: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// Everything a router directory is made of.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The manifest; `digest`, `format_version`, `feature_digest` and `files` are filled in.
    pub manifest: Manifest,
    /// What was learned.
    pub weights: Weights,
    /// Known prices of the candidates.
    pub prices: PriceTable,
    /// The prompts that were used.
    pub seen: SeenPrompts,
    /// The model card.
    pub card: String,
}

/// Why a router directory cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RouterError {
    /// A file is missing or unreadable.
    #[error("cannot read `{}`; hint: give the directory that `farthing train -o` wrote", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A JSON file does not have the expected shape.
    #[error("`{}` is not valid", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The cause, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// The directory was written by another version of farthing.
    #[error("`{}` has format version {found}, this build reads {OLDEST_READABLE} to {FORMAT_VERSION}; hint: train it again or use the matching farthing", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
    },
    /// The content of a file is not what was written.
    #[error("`{}` was changed after training: its digest is not the one in the manifest; hint: copy the directory again or retrain", path.display())]
    Digest {
        /// The file.
        path: PathBuf,
    },
    /// The featurizer that trained the router is not the one of this build.
    #[error("`{}` was trained with another featurizer; hint: train it again with this build", path.display())]
    Features {
        /// The manifest.
        path: PathBuf,
    },
    /// A manifest whose parts do not belong together.
    #[error("`{}` contradicts itself: {what}", path.display())]
    Inconsistent {
        /// The manifest.
        path: PathBuf,
        /// What does not fit.
        what: &'static str,
    },
    /// The weights cannot be read.
    #[error("`{}` is not a safetensors file of a router", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: safetensors::SafeTensorError,
    },
    /// The weights do not fit the manifest.
    #[error("`{}` does not fit the manifest", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: ShapeError,
    },
    /// The forward pass cannot be built.
    #[error("cannot prepare the forward pass of `{}`", path.display())]
    Network {
        /// The directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: candle_core::Error,
    },
}

/// Writes a router directory and returns its digest. An existing directory is replaced file by file.
pub fn write_router(dir: &Path, parts: Parts) -> Result<Digest, RouterError> {
    let Parts { mut manifest, weights, prices, seen, card } = parts;
    let shape = shape_of(&manifest);
    let tensors = network::to_safetensors(&weights, &shape)
        .map_err(|source| RouterError::Weights { path: dir.join(WEIGHTS), source })?;
    let files: BTreeMap<&str, Vec<u8>> = BTreeMap::from([
        (WEIGHTS, tensors),
        (PRICES, to_json(&dir.join(PRICES), &prices)?),
        (SEEN, seen.to_bytes()),
        (CARD, card.into_bytes()),
    ]);
    manifest.format_version = FORMAT_VERSION;
    manifest.feature_digest = manifest.features.digest();
    manifest.files =
        files.iter().map(|(name, bytes)| ((*name).to_owned(), Digest::of(bytes))).collect();
    BLANK.clone_into(&mut manifest.digest);
    let blank = to_json(&dir.join(MANIFEST), &manifest)?;
    let digest = Digest::of(&blank);
    manifest.digest = digest.to_string();

    fs::create_dir_all(dir).map_err(|source| RouterError::Write { path: dir.into(), source })?;
    for (name, bytes) in files {
        write(dir, name, &bytes)?;
    }
    write(dir, MANIFEST, &to_json(&dir.join(MANIFEST), &manifest)?)?;
    Ok(digest)
}

/// Loads a router directory and verifies every digest in it.
pub(super) fn load(dir: &Path) -> Result<Router, RouterError> {
    let (parts, digest) = Parts::load(dir)?;
    assemble(dir, digest, parts.manifest, parts.weights, parts.prices)
}

impl Parts {
    /// The parts of a router directory and its digest; every digest in it is verified.
    pub fn load(dir: &Path) -> Result<(Self, Digest), RouterError> {
        let path = dir.join(MANIFEST);
        let bytes = read(dir, MANIFEST)?;
        let manifest = parse_manifest(&path, &bytes)?;
        let digest = own_digest(&path, &bytes, &manifest.digest)?;
        let supported = manifest.features.is_supported();
        if !supported || manifest.features.digest() != manifest.feature_digest {
            return Err(RouterError::Features { path });
        }
        check_consistency(&path, &manifest)?;
        let mut files = verified_files(dir, &manifest)?;
        let mut file = |name: &'static str| files.remove(name).unwrap_or_default();
        let prices = serde_json::from_slice::<PriceTable>(&file(PRICES))
            .map_err(|source| RouterError::Json { path: dir.join(PRICES), source })?;
        let weights = network::from_safetensors(&file(WEIGHTS), &shape_of(&manifest))
            .map_err(|source| RouterError::Weights { path: dir.join(WEIGHTS), source })?;
        let seen = SeenPrompts::from_bytes(&file(SEEN));
        let card = String::from_utf8_lossy(&file(CARD)).into_owned();
        Ok((Self { manifest, weights, prices, seen, card }, digest))
    }

    /// How many outputs of each kind the weights have.
    pub fn shape(&self) -> Shape {
        shape_of(&self.manifest)
    }
}

/// The bytes of every file that the manifest names, by name.
fn verified_files(
    dir: &Path,
    manifest: &Manifest,
) -> Result<BTreeMap<String, Vec<u8>>, RouterError> {
    let mut files = BTreeMap::new();
    for (name, digest) in &manifest.files {
        let bytes = read(dir, name)?;
        if Digest::of(&bytes) != *digest {
            return Err(RouterError::Digest { path: dir.join(name) });
        }
        files.insert(name.clone(), bytes);
    }
    Ok(files)
}

/// The router of some parts, as it would load from `dir`.
pub(super) fn assemble(
    dir: &Path,
    digest: Digest,
    manifest: Manifest,
    weights: Weights,
    prices: PriceTable,
) -> Result<Router, RouterError> {
    let shape = shape_of(&manifest);
    weights
        .check(&shape)
        .map_err(|source| RouterError::Shape { path: dir.join(WEIGHTS), source })?;
    let network = Network::new(weights, shape)
        .map_err(|source| RouterError::Network { path: dir.into(), source })?;
    let names: Vec<String> = manifest.candidates.iter().map(|card| card.model.clone()).collect();
    let reference = names.iter().position(|name| *name == manifest.reference).unwrap_or_default();
    Ok(Router { manifest, digest, names, reference, prices, network })
}

/// The version is read first, so that a newer directory is named as such and not as malformed.
fn parse_manifest(path: &Path, bytes: &[u8]) -> Result<Manifest, RouterError> {
    let json = |source| RouterError::Json { path: path.into(), source };
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(json)?;
    let found = value["format_version"].as_u64().unwrap_or_default();
    if !(u64::from(OLDEST_READABLE)..=u64::from(FORMAT_VERSION)).contains(&found) {
        return Err(RouterError::Version { path: path.into(), found });
    }
    serde_json::from_value(value).map_err(json)
}

fn own_digest(path: &Path, bytes: &[u8], claimed: &str) -> Result<Digest, RouterError> {
    let changed = || RouterError::Digest { path: path.into() };
    let digest = Digest::try_from(claimed.to_owned()).map_err(|_| changed())?;
    let text = std::str::from_utf8(bytes).map_err(|_| changed())?;
    let blank = text.replacen(claimed, BLANK, 1);
    if Digest::of(blank.as_bytes()) == digest { Ok(digest) } else { Err(changed()) }
}

fn check_consistency(path: &Path, manifest: &Manifest) -> Result<(), RouterError> {
    let candidates = &manifest.candidates;
    let what = if candidates.is_empty() {
        "it has no candidates"
    } else if !candidates.iter().any(|card| card.model == manifest.reference) {
        "`reference` is not a candidate"
    } else if manifest.bars.is_empty() {
        "it has no bars"
    } else if manifest.bars.iter().any(|bar| bar.calibration.len() != candidates.len()) {
        "a bar's `calibration` does not have one entry a candidate"
    } else if !manifest.policies.contains_key(&manifest.default_policy) {
        "`default_policy` is not one of its policies"
    } else if [WEIGHTS, PRICES, SEEN, CARD].iter().any(|name| !manifest.files.contains_key(*name)) {
        "`files` does not name every file"
    } else {
        return Ok(());
    };
    Err(RouterError::Inconsistent { path: path.into(), what })
}

fn shape_of(manifest: &Manifest) -> Shape {
    Shape {
        buckets: manifest.features.buckets(),
        candidates: manifest.candidates.len(),
        mixtures: manifest.mixtures.clone(),
        context: manifest.features.context.len(),
    }
}

pub(super) fn read(dir: &Path, name: &str) -> Result<Vec<u8>, RouterError> {
    let path = dir.join(name);
    fs::read(&path).map_err(|source| RouterError::Read { path, source })
}

fn write(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), RouterError> {
    let path = dir.join(name);
    fs::write(&path, bytes).map_err(|source| RouterError::Write { path, source })
}

fn to_json<T: serde::Serialize>(path: &Path, value: &T) -> Result<Vec<u8>, RouterError> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|source| RouterError::Json { path: path.into(), source })?;
    bytes.push(b'\n');
    Ok(bytes)
}
