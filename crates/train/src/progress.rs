//! How far a training run is.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Steps of a training run, in order, for progress bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Requests become features; with a sentence encoder this takes longest.
    Featurize,
    /// Latent semantic analysis.
    Represent,
    /// The difficulty head.
    Difficulty,
    /// Learners and their blend.
    Learners,
    /// Calibration and certificates.
    Certify,
    /// The deployment gate.
    Gate,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Self; 6] = [
        Self::Featurize,
        Self::Represent,
        Self::Difficulty,
        Self::Learners,
        Self::Certify,
        Self::Gate,
    ];

    /// What a person reads.
    pub fn label(self) -> &'static str {
        match self {
            Self::Featurize => "featurizing requests",
            Self::Represent => "learning the representation",
            Self::Difficulty => "fitting difficulty",
            Self::Learners => "fitting and blending learners",
            Self::Certify => "calibrating and certifying",
            Self::Gate => "judging at the gate",
        }
    }
}

/// What a training run says on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A stage has so many of its parts behind it; most stages are one part.
    At {
        /// The stage.
        stage: Stage,
        /// Parts done.
        done: usize,
        /// All of its parts.
        due: usize,
    },
    /// Something that a person should know.
    Note(String),
}

/// Is told how far a run is, from any thread.
pub type Observer<'o> = dyn Fn(Progress) + Sync + 'o;

/// The parts of a stage, counted.
pub(crate) struct Steps<'o> {
    observer: &'o Observer<'o>,
    stage: Stage,
    done: AtomicUsize,
    due: usize,
}

impl<'o> Steps<'o> {
    /// Enters a stage of so many parts.
    pub(crate) fn enter(observer: &'o Observer<'o>, stage: Stage, due: usize) -> Self {
        observer(Progress::At { stage, done: 0, due });
        Self { observer, stage, done: AtomicUsize::new(0), due }
    }

    /// So many parts more are done.
    pub(crate) fn advance(&self, parts: usize) {
        let done = self.done.fetch_add(parts, Ordering::Relaxed) + parts;
        (self.observer)(Progress::At { stage: self.stage, done, due: self.due });
    }

    pub(crate) fn note(&self, what: String) {
        (self.observer)(Progress::Note(what));
    }
}
