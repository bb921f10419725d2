//! The rows of a token table and their file.
//!
//! A safetensors file with `rows` i8 `(entries, dims)`, `scales` f32 `(entries)` and the metadata
//! `format_version`. An entry's vector is its row times its scale.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::StaticTableError;

/// Version of the file that is written and the only one that is read.
pub(super) const FORMAT_VERSION: &str = "1";

const VERSION: &str = "format_version";
const ROWS: &str = "rows";
const SCALES: &str = "scales";
/// The largest value of a row; -128 stays unused, so that a row and its negative are alike.
const LARGEST: f32 = 127.0;

/// Vectors by token id, eight bits a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// `(entries, dims)`, row-major.
    values: Vec<i8>,
    /// `(entries)`, what a value of 1 stands for.
    scales: Vec<f32>,
    dims: usize,
}

impl Rows {
    /// The nearest rows to finite `vectors`, `(entries, dims)` row-major.
    pub fn quantize(vectors: &[f32], dims: usize) -> Self {
        let mut rows = Self { values: Vec::with_capacity(vectors.len()), scales: Vec::new(), dims };
        for vector in vectors.chunks_exact(dims.max(1)) {
            let scale = vector.iter().fold(0.0_f32, |max, value| max.max(value.abs())) / LARGEST;
            let inverse = if scale > 0.0 { scale.recip() } else { 0.0 };
            rows.values.extend(vector.iter().map(|value| nearest(value * inverse)));
            rows.scales.push(scale);
        }
        rows
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.scales.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.scales.is_empty()
    }

    /// Width of a vector.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// `(dims)` values of an entry and what a value of 1 stands for; none outside the vocabulary.
    pub fn get(&self, id: u32) -> Option<(&[i8], f32)> {
        let id = id as usize;
        let scale = *self.scales.get(id)?;
        Some((self.values.get(id * self.dims..(id + 1) * self.dims)?, scale))
    }

    /// Adds the vector of an entry to `sum`, `(dims)`; an id outside the vocabulary adds nothing.
    pub fn add(&self, id: u32, sum: &mut [f32]) {
        let Some((row, scale)) = self.get(id) else { return };
        for (sum, &value) in sum.iter_mut().zip(row) {
            *sum += scale * f32::from(value);
        }
    }

    /// The bytes of the file; `path` is where they go, for errors.
    pub(super) fn to_bytes(&self, path: &Path) -> Result<Vec<u8>, StaticTableError> {
        let table = |source| StaticTableError::Table { path: path.into(), source };
        let values: Vec<u8> = self.values.iter().map(|value| value.cast_unsigned()).collect();
        let scales: Vec<u8> = self.scales.iter().flat_map(|scale| scale.to_le_bytes()).collect();
        let shape = vec![self.len(), self.dims];
        let tensors = [
            (ROWS, TensorView::new(Dtype::I8, shape, &values).map_err(table)?),
            (SCALES, TensorView::new(Dtype::F32, vec![self.len()], &scales).map_err(table)?),
        ];
        let metadata = HashMap::from([(VERSION.to_owned(), FORMAT_VERSION.to_owned())]);
        safetensors::serialize(tensors, Some(metadata)).map_err(table)
    }

    /// The rows of a file; `path` is where it came from, for errors.
    pub(super) fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, StaticTableError> {
        let table = |source| StaticTableError::Table { path: path.into(), source };
        check_version(path, bytes)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(table)?;
        let rows = tensors.tensor(ROWS).map_err(table)?;
        let scales = tensors.tensor(SCALES).map_err(table)?;
        let read = |chunk: &[u8]| chunk.try_into().map_or(f32::NAN, f32::from_le_bytes);
        let values: Vec<f32> = scales.data().chunks_exact(4).map(read).collect();
        match (rows.shape(), scales.shape()) {
            (&[entries, dims], &[scaled])
                if entries == scaled
                    && rows.dtype() == Dtype::I8
                    && scales.dtype() == Dtype::F32
                    && values.iter().all(|scale| scale.is_finite()) =>
            {
                let rows = rows.data().iter().map(|byte| byte.cast_signed()).collect();
                Ok(Self { values: rows, scales: values, dims })
            }
            (of_rows, of_scales) => {
                let (row, scale) = (rows.dtype(), scales.dtype());
                let found = format!("`rows` {row} {of_rows:?} and `scales` {scale} {of_scales:?}");
                Err(StaticTableError::Shape { path: path.into(), found })
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "rounded and within -127..=127")]
fn nearest(value: f32) -> i8 {
    value.round().clamp(-LARGEST, LARGEST) as i8
}

/// The version is read first, so that a newer file is named as such and not as malformed.
fn check_version(path: &Path, bytes: &[u8]) -> Result<(), StaticTableError> {
    let (_, header) = SafeTensors::read_metadata(bytes)
        .map_err(|source| StaticTableError::Table { path: path.into(), source })?;
    let version = header.metadata().as_ref().and_then(|metadata| metadata.get(VERSION));
    match version.map(String::as_str) {
        Some(FORMAT_VERSION) => Ok(()),
        other => {
            let found = other.unwrap_or_default().to_owned();
            Err(StaticTableError::Version { path: path.into(), found })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_within_half_a_step_of_its_vector() {
        let vectors = [0.5, -1.27, 0.013, 0.0, 0.0, 0.0, 3.0, 1e-9, -3.0];
        let rows = Rows::quantize(&vectors, 3);
        for (id, vector) in (0..).zip(vectors.chunks_exact(3)) {
            let (row, scale) = rows.get(id).unwrap();
            for (&value, expected) in row.iter().zip(vector) {
                let error = (f32::from(value) * scale - expected).abs();
                assert!(error <= scale * 0.501, "{row:?} * {scale} is not {vector:?}");
            }
        }
        assert_eq!(rows.get(1), Some((&[0_i8, 0, 0][..], 0.0)));
        assert_eq!(rows.get(3), None);
    }

    #[test]
    fn bytes_round_trip() {
        let rows = Rows::quantize(&[1.0, -2.0, 0.25, 8.0], 2);
        let bytes = rows.to_bytes(Path::new("t")).unwrap();
        assert_eq!(Rows::from_bytes(Path::new("t"), &bytes).unwrap(), rows);
    }

    #[test]
    fn bad_files_are_refused() {
        let check = |bytes: &[u8], message: &str| {
            assert_eq!(Rows::from_bytes(Path::new("t"), bytes).unwrap_err().to_string(), message);
        };
        check(b"", "`t` is not a safetensors file of a token table");
        let scales = 1.0_f32.to_le_bytes();
        let file = |metadata: Option<HashMap<String, String>>| {
            let rows = TensorView::new(Dtype::I8, vec![2, 1], &[1, 2]).unwrap();
            let scales = TensorView::new(Dtype::F32, vec![1], &scales).unwrap();
            safetensors::serialize([(ROWS, rows), (SCALES, scales)], metadata).unwrap()
        };
        let version = |version: &str| Some(HashMap::from([(VERSION.into(), version.into())]));
        check(
            &file(version("9")),
            "`t` has format version 9, this build reads 1; hint: distil it again",
        );
        check(
            &file(version("1")),
            "`t` holds `rows` I8 [2, 1] and `scales` F32 [1]; expected `rows` i8 (entries, dims) and `scales` finite f32 (entries)",
        );
    }
}
