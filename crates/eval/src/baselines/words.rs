//! Requests as vectors over hashed words and word pairs, the rarer the heavier.

use farthing_data::Record;
use farthing_model::features::Featurizer;

/// A vector of length 1: terms and their weights, by rising term. Empty where no term is known.
pub(super) type Terms = Vec<(u32, f32)>;

/// How rare each term is among some requests.
pub(super) struct Words {
    featurizer: Featurizer,
    requests: f64,
    /// Requests with each term, by term.
    with: Vec<u32>,
}

impl Words {
    pub(super) fn new(records: &[&Record]) -> Self {
        // Neither tokens nor an encoder: these are plain words, whatever the router reads.
        let featurizer = Featurizer::new(Vec::new(), None);
        let with = vec![0; 1 << featurizer.schema().bucket_bits];
        let mut words = Self { featurizer, requests: records.len() as f64, with };
        for record in records {
            for term in words.distinct(record) {
                words.with[term as usize] += 1;
            }
        }
        words
    }

    /// Weights `ln((1 + n) / (1 + df)) + 1`, scaled to length 1. A term counts once, and one that no
    /// request had is left out.
    pub(super) fn terms(&self, record: &Record) -> Terms {
        let weigh = |term: u32| {
            let with = f64::from(self.with[term as usize]);
            (with > 0.0).then(|| (term, ((1.0 + self.requests) / (1.0 + with)).ln() + 1.0))
        };
        let weighed: Vec<(u32, f64)> =
            self.distinct(record).into_iter().filter_map(weigh).collect();
        let length = weighed.iter().map(|(_, weight)| weight * weight).sum::<f64>().sqrt();
        #[expect(clippy::cast_possible_truncation, reason = "weights are shares of 1")]
        weighed.into_iter().map(|(term, weight)| (term, (weight / length) as f32)).collect()
    }

    /// The terms of a request, rising.
    fn distinct(&self, record: &Record) -> Vec<u32> {
        // Only an encoder can fail, and there is none.
        let features = self.featurizer.featurize(&record.request);
        let mut terms = features.map(|features| features.buckets).unwrap_or_default();
        terms.sort_unstable();
        terms.dedup();
        terms
    }
}

/// Cosine of two vectors of length 1.
#[cfg(test)]
pub(super) fn cosine(a: &Terms, b: &Terms) -> f32 {
    let there = |term: u32| b.iter().find(|(other, _)| *other == term).map(|(_, weight)| weight);
    a.iter().filter_map(|(term, weight)| Some(weight * there(*term)?)).sum()
}
