//! Exact nearest neighbours by cosine, through an inverted index.

use super::words::Terms;

/// Vectors to be searched.
pub(super) struct Nearest {
    len: usize,
    /// Of each term, by number: who has it, with its weight there.
    postings: Vec<Vec<(u32, f32)>>,
}

impl Nearest {
    pub(super) fn new(vectors: &[Terms]) -> Self {
        let last = vectors.iter().flatten().map(|(term, _)| *term as usize).max();
        let mut postings = vec![Vec::new(); last.map_or(0, |last| last + 1)];
        for (i, vector) in (0_u32..).zip(vectors) {
            for &(term, weight) in vector {
                postings[term as usize].push((i, weight));
            }
        }
        Self { len: vectors.len(), postings }
    }

    /// The `count` vectors closest to one, of equal ones the first.
    pub(super) fn of(&self, vector: &Terms, count: usize) -> Vec<usize> {
        let mut cosines = vec![0.0_f32; self.len];
        for &(term, weight) in vector {
            for &(i, there) in self.postings.get(term as usize).into_iter().flatten() {
                cosines[i as usize] += weight * there;
            }
        }
        let closer = |a: &usize, b: &usize| cosines[*b].total_cmp(&cosines[*a]).then(a.cmp(b));
        let mut order: Vec<usize> = (0..self.len).collect();
        if count < order.len() {
            order.select_nth_unstable_by(count, closer);
            order.truncate(count);
        }
        order.sort_unstable_by(closer);
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baselines::words::cosine;

    #[test]
    fn the_closest_come_first() {
        let vectors: Vec<Terms> = vec![
            vec![(1, 1.0)],
            vec![(1, 0.6), (2, 0.8)],
            vec![(2, 1.0)],
            vec![(9, 1.0)],
            vec![(1, 0.6), (2, 0.8)],
        ];
        let asked: Terms = vec![(1, 0.8), (2, 0.6), (7, 0.0), (1000, 0.0)];
        let nearest = Nearest::new(&vectors);
        assert_eq!(nearest.of(&asked, 3), [1, 4, 0]);
        assert_eq!(nearest.of(&asked, 9), [1, 4, 0, 2, 3]);
        assert!((cosine(&vectors[1], &asked) - 0.96).abs() < 1e-6);
        assert_eq!(Nearest::new(&[]).of(&asked, 3), [0; 0]);
    }
}
