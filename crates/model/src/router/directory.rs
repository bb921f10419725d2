//! Reading and writing the router directory.
//!
//! The manifest names every other file by digest and itself by the digest of its own bytes, so a
//! single changed byte anywhere is noticed at load.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use farthing_core::rules::Rules;
use farthing_core::{CandidateFacts, Digest, PriceTable};

use super::manifest::{FORMAT_VERSION, Manifest, OLDEST_READABLE};
use super::{Router, SeenPrompts, price_of};
use crate::encoder::{EncoderError, Files, TextEncoder};
use crate::features::Featurizer;
use crate::network::{self, Frozen, Shape, ShapeError, Weights};
use crate::static_table::{StaticTableError, TextTokenizer};

const MANIFEST: &str = "manifest.json";
const WEIGHTS: &str = "model.safetensors";
const TOKENIZER: &str = "tokenizer.json";
const PRICES: &str = "prices.json";
const NULL: &str = "null.safetensors";
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
    /// The same learners fitted on shuffled labels: what evaluation holds the router against. No
    /// decision reads them.
    pub null: Option<Weights>,
    /// What cuts text into tokens, where the feature schema names one.
    pub tokenizer: Option<Arc<TextTokenizer>>,
    /// What embeds text, where the feature schema names one.
    pub encoder: Option<Arc<TextEncoder>>,
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
    /// Its prices are not those that were written.
    #[error("`{}` was changed after training: its digest is not the one in the manifest; hint: put the file back, and give other prices with `--prices FILE`, which needs no retraining", path.display())]
    Prices {
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
    /// The tokenizer cannot be read.
    #[error("the tokenizer of the router cannot be used")]
    Tokenizer(#[from] StaticTableError),
    /// The sentence encoder cannot be read or written.
    #[error("the sentence encoder of the router cannot be used")]
    Encoder(#[source] Box<EncoderError>),
}

impl From<EncoderError> for RouterError {
    fn from(error: EncoderError) -> Self {
        // Boxed: it is by far the largest.
        Self::Encoder(Box::new(error))
    }
}

/// Writes a router directory and returns its digest. An existing directory is replaced file by file.
pub fn write_router(dir: &Path, parts: Parts) -> Result<Digest, RouterError> {
    let Parts { mut manifest, weights, null, tokenizer, encoder, prices, seen, card } = parts;
    featurizer(&dir.join(MANIFEST), &manifest, (tokenizer.clone(), encoder.clone()))?;
    let shape = manifest.shape();
    let tensors = |name: &str, weights: &Weights| {
        network::to_safetensors(weights, &shape)
            .map_err(|source| RouterError::Weights { path: dir.join(name), source })
    };
    let mut files: BTreeMap<&str, Vec<u8>> = BTreeMap::from([
        (WEIGHTS, tensors(WEIGHTS, &weights)?),
        (PRICES, to_json(&dir.join(PRICES), &prices)?),
        (SEEN, seen.to_bytes()),
        (CARD, card.into_bytes()),
    ]);
    if let Some(null) = null {
        files.insert(NULL, tensors(NULL, &null)?);
    }
    if let Some(tokenizer) = tokenizer {
        files.insert(TOKENIZER, tokenizer.json().to_vec());
    }
    if let Some(encoder) = encoder {
        files.extend(encoder.to_files()?.named());
    }
    manifest.format_version = FORMAT_VERSION;
    manifest.feature_digest = manifest.features.digest();
    manifest.files =
        files.iter().map(|(name, bytes)| ((*name).to_owned(), Digest::of(bytes))).collect();
    let (manifest, digest) = sealed(&dir.join(MANIFEST), manifest)?;

    fs::create_dir_all(dir).map_err(|source| RouterError::Write { path: dir.into(), source })?;
    for (name, bytes) in files {
        write(dir, name, &bytes)?;
    }
    write(dir, MANIFEST, &manifest)?;
    Ok(digest)
}

/// The bytes of a manifest with its own digest in it, and that digest.
fn sealed(path: &Path, mut manifest: Manifest) -> Result<(Vec<u8>, Digest), RouterError> {
    BLANK.clone_into(&mut manifest.digest);
    let digest = Digest::of(&to_json(path, &manifest)?);
    manifest.digest = digest.to_string();
    Ok((to_json(path, &manifest)?, digest))
}

/// Loads a router directory and verifies every digest in it. What decisions do not read is not kept.
pub(super) fn load(dir: &Path) -> Result<Router, RouterError> {
    let (parts, digest) = load_parts(dir, |name| ![NULL, SEEN, CARD].contains(&name))?;
    assemble(dir, digest, parts)
}

/// The digest of the router in a directory, from its manifest alone; the other files are not read.
pub(super) fn stored_digest(dir: &Path) -> Result<Digest, RouterError> {
    let path = dir.join(MANIFEST);
    let bytes = read(dir, MANIFEST)?;
    let manifest = parse_manifest(&path, &bytes)?;
    own_digest(&path, &bytes, &manifest.digest)
}

/// The candidates of the router in a directory, from its manifest alone.
pub(super) fn stored_candidates(dir: &Path) -> Result<Vec<String>, RouterError> {
    let manifest = parse_manifest(&dir.join(MANIFEST), &read(dir, MANIFEST)?)?;
    Ok(manifest.candidates.into_iter().map(|card| card.model).collect())
}

impl Parts {
    /// The parts of a router directory and its digest; every digest in it is verified.
    pub fn load(dir: &Path) -> Result<(Self, Digest), RouterError> {
        load_parts(dir, |_| true)
    }

    /// The featurizer of its requests.
    pub fn featurizer(&self) -> Result<Featurizer, RouterError> {
        let reading = (self.tokenizer.clone(), self.encoder.clone());
        featurizer(Path::new(MANIFEST), &self.manifest, reading)
    }

    /// How many outputs of each kind the weights have.
    pub fn shape(&self) -> Shape {
        self.manifest.shape()
    }
}

/// The parts of a router directory, of which files that `keep` does not name are only verified.
fn load_parts(dir: &Path, keep: impl Fn(&str) -> bool) -> Result<(Parts, Digest), RouterError> {
    let path = dir.join(MANIFEST);
    let bytes = read(dir, MANIFEST)?;
    let manifest = parse_manifest(&path, &bytes)?;
    let digest = own_digest(&path, &bytes, &manifest.digest)?;
    let supported = manifest.features.is_supported();
    if !supported || manifest.features.digest() != manifest.feature_digest {
        return Err(RouterError::Features { path });
    }
    check_consistency(&path, &manifest)?;
    let mut files = verified_files(dir, &manifest, keep)?;
    let weights = |name: &str, bytes: &[u8]| {
        network::from_safetensors(bytes, &manifest.shape())
            .map_err(|source| RouterError::Weights { path: dir.join(name), source })
    };
    let null = files.remove(NULL).map(|bytes| weights(NULL, &bytes)).transpose()?;
    let mut file = |name: &'static str| files.remove(name).unwrap_or_default();
    let weights = weights(WEIGHTS, &file(WEIGHTS))?;
    let prices = serde_json::from_slice::<PriceTable>(&file(PRICES))
        .map_err(|source| RouterError::Json { path: dir.join(PRICES), source })?;
    let tokenizer = match manifest.features.tokenizer {
        Some(_) => Some(TextTokenizer::from_json(&dir.join(TOKENIZER), &file(TOKENIZER))?.into()),
        None => None,
    };
    let encoder = match manifest.features.encoder {
        Some(_) => Some(TextEncoder::from_files(dir, &Files::take(&mut file))?.into()),
        None => None,
    };
    let seen = SeenPrompts::from_bytes(&file(SEEN));
    let card = String::from_utf8_lossy(&file(CARD)).into_owned();
    Ok((Parts { manifest, weights, null, tokenizer, encoder, prices, seen, card }, digest))
}

/// The bytes of every file that the manifest and `keep` name, by name; all are verified.
fn verified_files(
    dir: &Path,
    manifest: &Manifest,
    keep: impl Fn(&str) -> bool,
) -> Result<BTreeMap<String, Vec<u8>>, RouterError> {
    let mut files = BTreeMap::new();
    for (name, digest) in &manifest.files {
        let bytes = read(dir, name)?;
        if Digest::of(&bytes) != *digest {
            let path = dir.join(name);
            return Err(match name.as_str() {
                PRICES => RouterError::Prices { path },
                _ => RouterError::Digest { path },
            });
        }
        if keep(name) {
            files.insert(name.clone(), bytes);
        }
    }
    Ok(files)
}

/// The router of some parts, as it would load from `dir`.
pub(super) fn assemble(dir: &Path, digest: Digest, parts: Parts) -> Result<Router, RouterError> {
    let Parts { manifest, weights, tokenizer, encoder, prices, .. } = parts;
    let featurizer = featurizer(&dir.join(MANIFEST), &manifest, (tokenizer, encoder))?;
    let shape = manifest.shape();
    weights
        .check(&shape)
        .map_err(|source| RouterError::Shape { path: dir.join(WEIGHTS), source })?;
    let network = Frozen::new(&weights, shape);
    let names: Vec<String> = manifest.candidates.iter().map(|card| card.model.clone()).collect();
    let reference = names.iter().position(|name| *name == manifest.reference).unwrap_or_default();
    let facts = vec![CandidateFacts::default(); names.len()];
    Ok(Router {
        price_of: price_of(&names, &prices),
        manifest,
        digest,
        names,
        reference,
        prices,
        own_prices: None,
        facts,
        when_none_eligible: None,
        rules: Rules::default(),
        featurizer,
        network: Arc::new(network),
    })
}

/// The featurizer of a manifest at `path`, with the tokenizer and the encoder beside it.
fn featurizer(
    path: &Path,
    manifest: &Manifest,
    (tokenizer, encoder): (Option<Arc<TextTokenizer>>, Option<Arc<TextEncoder>>),
) -> Result<Featurizer, RouterError> {
    Featurizer::of(manifest.features.clone(), tokenizer, encoder).ok_or_else(|| {
        RouterError::Inconsistent {
            path: path.into(),
            what: "its `features` name another tokenizer or encoder than those beside it",
        }
    })
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
    } else if !manifest.files.keys().all(|name| is_file_name(name)) {
        "`files` names something outside of its directory"
    } else if manifest.features.tokenizer.as_ref() != manifest.files.get(TOKENIZER) {
        "its `features` name another tokenizer than its `files`"
    } else {
        return Ok(());
    };
    Err(RouterError::Inconsistent { path: path.into(), what })
}

/// Whether it names a file of a directory and not a way out of it.
fn is_file_name(name: &str) -> bool {
    Path::new(name).file_name() == Some(OsStr::new(name))
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

#[cfg(test)]
mod tests {
    use farthing_core::Request;
    use half::f16;

    use super::*;
    use crate::features::{FeatureSchema, Features};
    use crate::router::ClusterShape;
    use crate::static_table::Vocabulary;

    fn tokenizer(words: &str) -> Arc<TextTokenizer> {
        let path = Path::new("vocab.txt");
        let vocabulary = Vocabulary::from_lines(path, words, true).unwrap();
        Arc::new(TextTokenizer::from_json(path, &vocabulary.to_json()).unwrap())
    }

    /// The fixture with a tokenizer of three entries.
    fn parts() -> Parts {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/router-v1");
        let bytes = read(&dir, MANIFEST).unwrap();
        let mut manifest = parse_manifest(&dir.join(MANIFEST), &bytes).unwrap();
        let mut weights =
            network::from_safetensors(&read(&dir, WEIGHTS).unwrap(), &manifest.shape()).unwrap();
        let tokenizer = tokenizer("[UNK]\nword\n##s\n");
        manifest.features.tokenizer = Some(tokenizer.digest().clone());
        weights.tokens = vec![1];
        weights.token_rows = vec![f16::ONE; manifest.shape().width()];
        Parts {
            manifest,
            weights,
            null: None,
            tokenizer: Some(tokenizer),
            encoder: None,
            prices: PriceTable::default(),
            seen: SeenPrompts::new(0, []),
            card: String::new(),
        }
    }

    #[test]
    fn a_tokenizer_is_written_and_read_with_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let parts = parts();
        write_router(dir.path(), parts.clone()).unwrap();
        let (loaded, made) =
            (Router::load(dir.path()).unwrap(), Router::from_parts(&parts).unwrap());
        let request = Request::from_prompt("Words!").unwrap();
        let features = loaded.featurize(&request).unwrap();
        assert_eq!(features.tokens, [1, 2]);
        assert_eq!(made.featurize(&request).unwrap(), features);
        let predict = |router: &Router, features: &Features| router.predict(features, 0);
        assert_eq!(predict(&loaded, &features), predict(&made, &features));
        let without = Features { tokens: Vec::new(), ..features.clone() };
        assert_ne!(predict(&loaded, &features), predict(&loaded, &without));
    }

    #[test]
    fn what_was_fitted_on_shuffled_labels_is_kept_apart() {
        let parts = parts();
        let shuffled =
            Weights { bias: vec![0.5; parts.weights.bias.len()], ..parts.weights.clone() };
        let dir = tempfile::tempdir().unwrap();
        write_router(dir.path(), Parts { null: Some(shuffled), ..parts.clone() }).unwrap();
        let (loaded, _) = Parts::load(dir.path()).unwrap();
        let predict = |router: &Router| {
            let request = Request::from_prompt("Words!").unwrap();
            router.predict(&router.featurize(&request).unwrap(), 0)
        };
        let of = |parts: &Parts| predict(&Router::from_parts(parts).unwrap());
        assert_eq!(of(&loaded), of(&parts));
        assert_ne!(predict(&Router::null_of(&loaded).unwrap().unwrap()), of(&parts));
        assert!(Router::null_of(&parts).unwrap().is_none());
    }

    /// Loads the fixture after a change of its manifest, digests put right.
    fn load_changed(change: impl FnOnce(&mut Manifest)) -> Result<Router, RouterError> {
        let dir = tempfile::tempdir().unwrap();
        write_router(dir.path(), parts()).unwrap();
        let (Parts { mut manifest, .. }, _) = Parts::load(dir.path()).unwrap();
        change(&mut manifest);
        manifest.feature_digest = manifest.features.digest();
        let (bytes, _) = sealed(Path::new(MANIFEST), manifest).unwrap();
        write(dir.path(), MANIFEST, &bytes).unwrap();
        Router::load(dir.path())
    }

    #[test]
    fn only_files_of_the_directory_are_read() {
        load_changed(|_| ()).unwrap();
        for name in ["", ".", "..", "../model.safetensors", "/dev/zero", "a/b", "a/"] {
            let named = load_changed(|manifest| {
                manifest.files.insert(name.into(), Digest::of(b""));
            });
            let error = named.unwrap_err().to_string();
            assert!(error.ends_with("names something outside of its directory"), "{name}: {error}");
        }
    }

    #[test]
    fn sizes_beyond_memory_are_refused() {
        let most = usize::MAX;
        let features = |change: fn(&mut FeatureSchema)| {
            let error = load_changed(|manifest| change(&mut manifest.features)).unwrap_err();
            assert!(matches!(error, RouterError::Features { .. }), "{error}");
        };
        features(|features| features.head_bytes = usize::MAX);
        features(|features| features.tail_bytes = usize::MAX);
        let shape = |change: &dyn Fn(&mut Manifest)| {
            let error = load_changed(change).unwrap_err();
            assert!(matches!(error, RouterError::Shape { .. }), "{error}");
        };
        shape(&|manifest| manifest.mixtures = vec![most, 2]);
        let clusters = |latent, count| Some(ClusterShape { latent, count, smallest: None });
        shape(&|manifest| manifest.clusters = clusters(most, 0));
    }

    #[test]
    fn a_missing_or_changed_tokenizer_is_named() {
        let dir = tempfile::tempdir().unwrap();
        write_router(dir.path(), parts()).unwrap();
        let path = dir.path().join(TOKENIZER);
        fs::write(&path, tokenizer("[UNK]\nwords\n").json()).unwrap();
        let error = Router::load(dir.path()).unwrap_err();
        assert!(matches!(&error, RouterError::Digest { path: at } if *at == path), "{error}");
        fs::remove_file(&path).unwrap();
        let error = Router::load(dir.path()).unwrap_err();
        assert!(matches!(&error, RouterError::Read { path: at, .. } if *at == path), "{error}");
    }

    #[test]
    fn a_schema_without_its_tokenizer_is_refused() {
        let refuse = |parts: Parts| {
            let error = Router::from_parts(&parts).unwrap_err().to_string();
            assert!(
                error.ends_with("another tokenizer or encoder than those beside it"),
                "{error}"
            );
            let dir = tempfile::tempdir().unwrap();
            write_router(dir.path(), parts).unwrap_err();
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        };
        refuse(Parts { tokenizer: None, ..parts() });
        refuse(Parts { tokenizer: Some(tokenizer("[UNK]\nwords\n")), ..parts() });
        let mut unnamed = parts();
        unnamed.manifest.features.tokenizer = None;
        refuse(unnamed);
    }

    /// The parts with the tiny encoder of tests.
    fn parts_with_encoder() -> Parts {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/encoder");
        let encoder = Arc::new(TextEncoder::load(&dir).unwrap());
        let mut parts = parts();
        parts.manifest.features.encoder = Some(encoder.card().clone());
        let shape = parts.shape();
        parts.weights.embedding_rows = vec![0.25; shape.embedding * shape.width()];
        Parts { encoder: Some(encoder), ..parts }
    }

    #[test]
    fn an_encoder_is_written_and_read_with_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let parts = parts_with_encoder();
        write_router(dir.path(), parts.clone()).unwrap();
        let (loaded, made) =
            (Router::load(dir.path()).unwrap(), Router::from_parts(&parts).unwrap());
        let request = Request::from_prompt("explain the table").unwrap();
        let features = loaded.featurize(&request).unwrap();
        assert_eq!(features.embedding.len(), 8);
        assert_eq!(made.featurize(&request).unwrap(), features);
    }

    #[test]
    fn a_missing_or_changed_encoder_is_named() {
        for name in Files::NAMES {
            let dir = tempfile::tempdir().unwrap();
            write_router(dir.path(), parts_with_encoder()).unwrap();
            let path = dir.path().join(name);
            let mut bytes = fs::read(&path).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            fs::write(&path, bytes).unwrap();
            let error = Router::load(dir.path()).unwrap_err();
            assert!(matches!(&error, RouterError::Digest { path: at } if *at == path), "{error}");
            fs::remove_file(&path).unwrap();
            let error = Router::load(dir.path()).unwrap_err();
            assert!(matches!(&error, RouterError::Read { path: at, .. } if *at == path), "{error}");
        }
        let unnamed = Parts { encoder: None, ..parts_with_encoder() };
        let error = Router::from_parts(&unnamed).unwrap_err().to_string();
        assert!(error.ends_with("another tokenizer or encoder than those beside it"), "{error}");
    }
}
