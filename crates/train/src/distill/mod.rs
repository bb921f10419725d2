//! From a sentence encoder to a static token table.
//!
//! Every vocabulary entry goes through the encoder once, as `[CLS] entry [SEP]`, pooled as the
//! encoder pools. The pooled vectors are centred and projected on their first principal components,
//! and each is weighted by how rare its entry is: a vocabulary lists entries by falling frequency,
//! so a rank gives a Zipf probability. This is the recipe of model2vec. No text is read and nothing
//! is drawn at random: the same encoder gives the same bytes.

mod error;
mod pca;

use std::path::Path;

use farthing_model::encoder::SentenceEncoder;
use farthing_model::static_table::{Rows, Vocabulary, write_static_table};
use nalgebra::DMatrix;

pub use error::DistillError;

/// Entries in one forward pass, inside which candle uses every core.
const BATCH: usize = 128;
/// The probability at which an entry keeps half of its length.
const HALF_AT: f64 = 1e-4;

/// A distilled table, not yet written.
#[derive(Debug, Clone)]
pub struct Distilled {
    /// The encoder's vocabulary without special and unused entries.
    pub vocabulary: Vocabulary,
    /// `(entries, dims)`, row-major, weighted; the unknown token's vector is zero.
    pub vectors: Vec<f32>,
    /// Width of a vector.
    pub dims: usize,
    /// Share of the pooled vectors' variance that the kept components explain, before weighting.
    pub explained: f64,
}

impl Distilled {
    /// Writes the table directory, eight bits a value.
    pub fn write(&self, dir: &Path) -> Result<(), DistillError> {
        let rows = Rows::quantize(&self.vectors, self.dims);
        Ok(write_static_table(dir, &rows, &self.vocabulary)?)
    }
}

/// Distils the sentence-transformer directory `encoder` into vectors of width `dims`. `progress`
/// is told how many entries are done and of how many.
pub fn distill(
    encoder: &Path,
    dims: usize,
    progress: &dyn Fn(usize, usize),
) -> Result<Distilled, DistillError> {
    let encoder = SentenceEncoder::load(encoder)?;
    if dims == 0 || dims > encoder.hidden() {
        return Err(DistillError::Dims { dims, hidden: encoder.hidden() });
    }
    let all = encoder.vocabulary();
    let (vocabulary, ids) =
        all.retain(|token| !all.is_special(token) && !token.starts_with("[unused"));
    // The first is the unknown token, whose vector is never used.
    let ids = ids.get(1..).unwrap_or_default();
    let pooled = encode(&encoder, ids, progress)?;
    let projected = pca::project(&pooled, dims);
    let vectors = vec![0.0; dims].into_iter().chain(weighted(&projected.scores)).collect();
    Ok(Distilled { vocabulary, vectors, dims, explained: projected.explained })
}

/// `(entries) -> (entries, hidden)`: one pooled vector an entry.
fn encode(
    encoder: &SentenceEncoder,
    ids: &[u32],
    progress: &dyn Fn(usize, usize),
) -> Result<DMatrix<f64>, DistillError> {
    let hidden = encoder.hidden();
    let mut values = Vec::with_capacity(ids.len() * hidden);
    for (batch, before) in ids.chunks(BATCH).zip((0..).step_by(BATCH)) {
        let texts: Vec<&[u32]> = batch.iter().map(std::slice::from_ref).collect();
        values.extend(encoder.encode(&texts).map_err(|source| DistillError::Forward { source })?);
        progress(before + batch.len(), ids.len());
    }
    if let Some(at) = values.iter().position(|value| !value.is_finite()) {
        let token = encoder.vocabulary().tokens()[ids[at / hidden] as usize].clone();
        return Err(DistillError::NotFinite { token });
    }
    Ok(DMatrix::from_row_iterator(ids.len(), hidden, values.into_iter().map(f64::from)))
}

/// `(entries, dims)`, row-major, each row times a / (a + p) with p the Zipf probability of its rank.
fn weighted(scores: &DMatrix<f64>) -> Vec<f32> {
    let zipf = |rank: usize| 1.0 / (rank as f64 + 2.0);
    let total: f64 = (0..scores.nrows()).map(zipf).sum();
    let mut vectors = Vec::with_capacity(scores.len());
    for (rank, row) in scores.row_iter().enumerate() {
        let weight = HALF_AT / (HALF_AT + zipf(rank) / total);
        #[expect(clippy::cast_possible_truncation, reason = "the table holds less than f32")]
        vectors.extend(row.iter().map(|value| (value * weight) as f32));
    }
    vectors
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;
    use std::path::PathBuf;

    use farthing_model::static_table::StaticTable;

    use super::*;

    /// Forty words `w0` to `w39` and twenty others, eight dimensions.
    fn encoder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/encoder")
    }

    #[test]
    fn a_distilled_table_loads_and_is_the_same_each_time() {
        let run = || {
            let dir = tempfile::tempdir().unwrap();
            let distilled = distill(&encoder(), 6, &|_, _| {}).unwrap();
            distilled.write(dir.path()).unwrap();
            let read = |name| fs::read(dir.path().join(name)).unwrap();
            (read("table.safetensors"), read("tokenizer.json"))
        };
        let (rows, tokenizer) = run();
        assert!(run() == (rows.clone(), tokenizer.clone()));
        let table = StaticTable::from_bytes(&rows, &tokenizer).unwrap();
        assert_eq!(table.dims(), 6);
        assert_eq!(table.token_ids("w0 w2 [CLS] [unused1] nothing"), [1, 3]);
        assert!(table.embed("w1 w2").iter().any(|value| value.abs() > 1e-6));
    }

    #[test]
    fn rarer_entries_weigh_more() {
        let vectors = weighted(&DMatrix::from_element(1000, 1, 1.0));
        assert!(vectors.windows(2).all(|pair| pair[0] < pair[1]));
        // p = (1 / 2) / (H(1001) - 1), H(1001) = 7.486470.
        assert!((f64::from(vectors[0]) - 1e-4 / (1e-4 + 0.5 / 6.486_470)).abs() < 1e-8);
    }

    #[test]
    fn progress_ends_at_the_number_of_entries() {
        let last = Cell::new((0, 0));
        distill(&encoder(), 2, &|done, of| last.set((done, of))).unwrap();
        assert_eq!(last.get(), (60, 60));
    }

    #[test]
    fn more_dimensions_than_the_encoder_has_are_refused() {
        let error = distill(&encoder(), 9, &|_, _| {}).unwrap_err();
        let expected = "`--dims` is not in 1..=8, the width of the encoder: 9";
        assert_eq!(error.to_string(), expected);
    }
}
