//! What a training run that was interrupted leaves to the next one.
//!
//! The costly steps of fitting end in a matrix each: the singular vectors of the log's words, and the
//! cross-fitted predictions of each learner. A step's matrix is one file, named by the step. Its
//! metadata says what it was computed from, so another log, configuration, seed or build never takes it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use farthing_core::Digest;
use farthing_data::Record;
use nalgebra::DMatrix;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::progress::Steps;
use crate::{TrainConfig, TrainError};

/// Goes up whenever what a step computes changes.
const FORMAT_VERSION: &str = "1";
const EXTENSION: &str = "step.safetensors";
const KEY: &str = "key";
const CONTENT: &str = "content";
const MATRIX: &str = "matrix";

/// Where steps are left, and what they are computed from; nowhere: every step is computed.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    dir: Option<PathBuf>,
    source: Digest,
}

impl Checkpoint {
    /// For a fit on these records.
    pub(crate) fn new(records: &[&Record], candidates: &[String], config: &TrainConfig) -> Self {
        let dir = config.checkpoint.clone();
        let source = match dir {
            Some(_) => source(records, candidates, config),
            None => Digest::of(&[]),
        };
        Self { dir, source }
    }

    /// The step's matrix as an earlier run left it, all its parts then done; else it is computed, and
    /// left for a later run.
    pub(crate) fn step(
        &self,
        (name, parts): (&str, usize),
        steps: &Steps<'_>,
        compute: impl FnOnce() -> DMatrix<f64>,
    ) -> DMatrix<f64> {
        let Some(dir) = &self.dir else { return compute() };
        let path = dir.join(format!("{name}.{EXTENSION}"));
        let key = Digest::of(format!("{name} {}", self.source).as_bytes());
        match read(&path, &key) {
            Ok(Some(matrix)) => {
                steps.note(format!("`{}` is taken from an earlier run", path.display()));
                steps.advance(parts);
                return matrix;
            }
            Ok(None) => {}
            Err(why) => steps.note(format!("`{}` is computed anew: {why}", path.display())),
        }
        let matrix = compute();
        if let Err(error) = write(&path, &key, &matrix) {
            steps.note(format!(
                "cannot write `{}`, so it cannot be resumed: {error}",
                path.display()
            ));
        }
        matrix
    }
}

/// Makes the directory, so that one that cannot be used is noticed before hours of work.
pub(crate) fn prepare(config: &TrainConfig) -> Result<(), TrainError> {
    let Some(dir) = &config.checkpoint else { return Ok(()) };
    std::fs::create_dir_all(dir)
        .map_err(|source| TrainError::Checkpoint { path: dir.clone(), source })
}

/// Removes the steps, and the directory if nothing else is in it.
pub(crate) fn clear(config: &TrainConfig) -> Result<(), TrainError> {
    let Some(dir) = &config.checkpoint else { return Ok(()) };
    let failed = |source| TrainError::Checkpoint { path: dir.clone(), source };
    let mut others = false;
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.to_string_lossy().ends_with(EXTENSION) {
            std::fs::remove_file(&path).map_err(failed)?;
        } else {
            others = true;
        }
    }
    if others { Ok(()) } else { std::fs::remove_dir(dir).map_err(failed) }
}

/// Digest of all that the steps are computed from. Neither the gate's verdict nor where the steps are
/// left is part of it.
fn source(records: &[&Record], candidates: &[String], config: &TrainConfig) -> Digest {
    let config = TrainConfig { checkpoint: None, force: false, ..config.clone() };
    let version = env!("CARGO_PKG_VERSION");
    let mut text = format!("{FORMAT_VERSION} {version} {config:?} {candidates:?}").into_bytes();
    if let Some(table) = config.encoder.table() {
        text.extend(table.tokenizer().digest().hex().bytes());
        for (row, scale) in (0..).map_while(|id| table.rows().get(id)) {
            text.extend(row.iter().map(|value| value.cast_unsigned()));
            text.extend(scale.to_le_bytes());
        }
    }
    if let Some(encoder) = config.encoder.sentence() {
        text.extend(encoder.card().digest.hex().bytes());
    }
    for Record { key, group, labels, cells, .. } in records {
        text.extend(format!("{key} {group} {labels:?} {cells:?}").bytes());
    }
    Digest::of(&text)
}

/// `None` where there is no such file; else its matrix, or why it cannot be used.
fn read(path: &Path, key: &Digest) -> Result<Option<DMatrix<f64>>, String> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let damaged = |_| "it is damaged".to_owned();
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(damaged)?;
    let said = |name: &str| header.metadata().as_ref().and_then(|metadata| metadata.get(name));
    if said(KEY) != Some(&key.to_string()) {
        return Err("it is of another log, configuration, seed or build".to_owned());
    }
    let tensors = SafeTensors::deserialize(&bytes).map_err(damaged)?;
    let tensor = tensors.tensor(MATRIX).map_err(damaged)?;
    let &[columns, rows] = tensor.shape() else { return Err("it is damaged".to_owned()) };
    let whole = said(CONTENT) == Some(&Digest::of(tensor.data()).to_string());
    if !whole || tensor.dtype() != Dtype::F64 {
        return Err("it is damaged".to_owned());
    }
    let value = |chunk: &[u8]| chunk.try_into().map_or(f64::NAN, f64::from_le_bytes);
    Ok(Some(DMatrix::from_iterator(rows, columns, tensor.data().chunks_exact(8).map(value))))
}

/// Writes a file that is whole or not there: first beside its place, then by renaming.
fn write(path: &Path, key: &Digest, matrix: &DMatrix<f64>) -> std::io::Result<()> {
    let data: Vec<u8> = matrix.iter().flat_map(|value| value.to_le_bytes()).collect();
    let metadata = HashMap::from([
        (KEY.to_owned(), key.to_string()),
        (CONTENT.to_owned(), Digest::of(&data).to_string()),
    ]);
    // Column by column, which is row by row of its transpose.
    let shape = vec![matrix.ncols(), matrix.nrows()];
    let tensor = TensorView::new(Dtype::F64, shape, &data).map_err(std::io::Error::other)?;
    let bytes = safetensors::serialize([(MATRIX, tensor)], Some(metadata))
        .map_err(std::io::Error::other)?;
    let beside = path.with_extension("tmp");
    std::fs::write(&beside, bytes)?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use farthing_model::encoder::TextEncoder;
    use farthing_model::static_table::StaticTable;

    use super::*;
    use crate::Encoder;

    #[test]
    fn steps_of_another_encoder_are_not_taken() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let table = Arc::new(StaticTable::load(&root.join("models/base")).unwrap());
        // The fixture, and the same with the other pooling.
        let fixture = root.join("tests/fixtures/encoder");
        let other = tempfile::tempdir().unwrap();
        for name in ["config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt"] {
            fs::copy(fixture.join(name), other.path().join(name)).unwrap();
        }
        fs::create_dir(other.path().join("1_Pooling")).unwrap();
        let pooling = r#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#;
        fs::write(other.path().join("1_Pooling/config.json"), pooling).unwrap();
        let sentence = |dir: &Path| {
            Encoder::Sentence(Arc::new(TextEncoder::load(dir).unwrap()), Arc::clone(&table))
        };
        let encoders = [
            Encoder::None,
            Encoder::Static(Arc::clone(&table)),
            sentence(&fixture),
            sentence(other.path()),
        ];
        let key = |encoder: &Encoder| {
            let config = TrainConfig { encoder: encoder.clone(), ..TrainConfig::default() };
            assert!(format!("{config:?}").len() < 2_000, "weights are not spelled out");
            source(&[], &[], &config)
        };
        for (i, encoder) in encoders.iter().enumerate() {
            for other in &encoders[..i] {
                assert_ne!(key(encoder), key(other), "{encoder:?} {other:?}");
            }
        }
    }
}
