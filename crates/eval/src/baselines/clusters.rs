//! Spherical k-means (Dhillon and Modha 2001) over sparse vectors.

use rayon::prelude::*;

use super::words::Terms;

const ROUNDS: usize = 20;

/// Clusters of vectors.
pub(super) struct Clusters {
    /// `(clusters, terms)` centres of length 1.
    centres: Vec<Vec<f32>>,
    /// Cluster of each vector that they were made of.
    assigned: Vec<usize>,
}

impl Clusters {
    /// At most `count` clusters. The first centres are vectors at equal steps through the list, whose
    /// order is that of request keys and so as good as drawn.
    pub(super) fn new(vectors: &[Terms], count: usize) -> Self {
        let width = vectors.iter().flatten().map(|(term, _)| *term as usize + 1).max().unwrap_or(0);
        let count = count.min(vectors.len()).max(1);
        let seeds = (0..count).map(|i| vectors.get(i * vectors.len() / count));
        let centres = seeds.map(|seed| centre(seed.into_iter(), width)).collect();
        let mut clusters = Self { centres, assigned: vec![0; vectors.len()] };
        for _ in 0..ROUNDS {
            let assigned: Vec<usize> =
                vectors.par_iter().map(|vector| clusters.of(vector)).collect();
            if assigned == clusters.assigned {
                break;
            }
            for (i, kept) in clusters.centres.iter_mut().enumerate() {
                let mut members = vectors.iter().zip(&assigned).filter(|(_, of)| **of == i);
                // A cluster that lost its members stays where it was.
                if members.clone().next().is_some() {
                    *kept = centre(members.by_ref().map(|(vector, _)| vector), width);
                }
            }
            clusters.assigned = assigned;
        }
        clusters
    }

    pub(super) fn len(&self) -> usize {
        self.centres.len()
    }

    /// Cluster of each vector that they were made of.
    pub(super) fn assigned(&self) -> &[usize] {
        &self.assigned
    }

    /// The cluster of a vector, of equally close ones the first.
    pub(super) fn of(&self, vector: &Terms) -> usize {
        let cosine = |centre: &Vec<f32>| {
            let there = |term: u32| centre.get(term as usize).copied().unwrap_or_default();
            vector.iter().map(|&(term, weight)| weight * there(term)).sum::<f32>()
        };
        let cosines: Vec<f32> = self.centres.iter().map(cosine).collect();
        let closer = |&a: &usize, &b: &usize| cosines[b].total_cmp(&cosines[a]).then(a.cmp(&b));
        (0..cosines.len()).min_by(closer).unwrap_or_default()
    }
}

/// The direction of the sum of some vectors.
fn centre<'a>(vectors: impl Iterator<Item = &'a Terms>, width: usize) -> Vec<f32> {
    let mut sum = vec![0.0; width];
    for &(term, weight) in vectors.flatten() {
        sum[term as usize] += weight;
    }
    let length = sum.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        for value in &mut sum {
            *value /= length;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_go_together_form_a_cluster() {
        let about = |topic: u32, i: u32| vec![(10 * topic, 0.8), (10 * topic + i % 5 + 1, 0.6)];
        let vectors: Vec<Terms> = (0..40).map(|i| about(i / 20, i)).collect();
        let clusters = Clusters::new(&vectors, 2);
        let of = clusters.assigned();
        assert_ne!(of[0], of[20]);
        assert!((0..40).all(|i| of[i] == of[20 * (i / 20)]));
        assert_eq!(clusters.of(&vec![(11, 1.0), (999, 0.1)]), of[20]);
        assert_eq!(Clusters::new(&[], 3).of(&vec![(1, 1.0)]), 0);
    }
}
