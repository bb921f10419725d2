//! The task families: how often each is asked and where, how answers are scored, and how skilled
//! each candidate is at it. The texts are written in `crate::compose`.

use farthing_core::ScoreSource;

use crate::candidates::COUNT;

/// A kind of task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Questions to customer support.
    SupportFaq,
    /// Sentiment, urgency, department.
    Classification,
    /// Fields from a text, as JSON.
    Extraction,
    /// Mail and notes in other words.
    Rewriting,
    /// Short forms of notes and reports.
    Summary,
    /// From one language to another.
    Translation,
    /// New code.
    Coding,
    /// Faults in code that is given.
    Debugging,
    /// Queries for a schema that is given.
    Sql,
    /// Questions about a table of figures.
    TableQuestion,
    /// Sums told as stories.
    Arithmetic,
    /// Puzzles and schedules.
    Logic,
    /// Knowledge of the world.
    Facts,
    /// Poems, slogans, stories.
    CreativeWriting,
    /// Questions about a document of some pages.
    LongDocument,
    /// Conversations of several turns.
    Dialogue,
    /// Tasks done by calling tools.
    ToolUse,
}

/// How an answer is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scoring {
    /// Good or not: 1 or 0.
    Pass,
    /// The share of four demands that it meets.
    Rubric,
}

/// What is true of a family.
pub(crate) struct Profile {
    pub(crate) name: &'static str,
    /// Relative frequency.
    pub(crate) share: f64,
    /// The features of the application that send it: the usual one, then another.
    pub(crate) features: [&'static str; 2],
    pub(crate) scoring: Scoring,
    pub(crate) source: ScoreSource,
    /// Usual length of an answer, in tokens.
    pub(crate) answer_tokens: f64,
    /// Whether it is asked in every language, or in English only.
    pub(crate) multilingual: bool,
    /// Skill of each candidate, on the scale of difficulty.
    pub(crate) skill: [f64; COUNT],
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 17] = [
        Self::SupportFaq,
        Self::Classification,
        Self::Extraction,
        Self::Rewriting,
        Self::Summary,
        Self::Translation,
        Self::Coding,
        Self::Debugging,
        Self::Sql,
        Self::TableQuestion,
        Self::Arithmetic,
        Self::Logic,
        Self::Facts,
        Self::CreativeWriting,
        Self::LongDocument,
        Self::Dialogue,
        Self::ToolUse,
    ];

    /// Its name, as in the `task` column.
    pub fn name(self) -> &'static str {
        self.profile().name
    }

    pub(crate) fn profile(self) -> &'static Profile {
        &PROFILES[self as usize]
    }
}

/// By position in [`Family::ALL`].
static PROFILES: [Profile; Family::ALL.len()] = [
    Profile {
        name: "support-faq",
        share: 1.6,
        features: ["support-chat", "help-center"],
        scoring: Scoring::Pass,
        source: ScoreSource::Human,
        answer_tokens: 110.0,
        multilingual: true,
        skill: [1.2, 1.5, 1.5, 1.1, 1.2, 1.6],
    },
    Profile {
        name: "classification",
        share: 1.3,
        features: ["batch-labeller", "help-center"],
        scoring: Scoring::Pass,
        source: ScoreSource::Verifier,
        answer_tokens: 6.0,
        multilingual: true,
        skill: [1.1, 1.4, 1.3, 1.1, 1.3, 1.5],
    },
    Profile {
        name: "extraction",
        share: 1.0,
        features: ["batch-labeller", "form-filler"],
        scoring: Scoring::Pass,
        source: ScoreSource::Verifier,
        answer_tokens: 90.0,
        multilingual: false,
        skill: [0.2, 0.7, 0.4, 1.2, 0.8, 0.7],
    },
    Profile {
        name: "rewriting",
        share: 1.1,
        features: ["mail-assistant", "writing-studio"],
        scoring: Scoring::Rubric,
        source: ScoreSource::Judge,
        answer_tokens: 160.0,
        multilingual: true,
        skill: [0.7, 1.0, 1.3, 0.2, 0.4, 1.4],
    },
    Profile {
        name: "summary",
        share: 1.1,
        features: ["reports", "mail-assistant"],
        scoring: Scoring::Rubric,
        source: ScoreSource::Judge,
        answer_tokens: 150.0,
        multilingual: true,
        skill: [0.3, 0.7, 0.8, 0.0, 0.4, 1.2],
    },
    Profile {
        name: "translation",
        share: 1.0,
        features: ["writing-studio", "translate-box"],
        scoring: Scoring::Rubric,
        source: ScoreSource::Human,
        answer_tokens: 120.0,
        multilingual: true,
        skill: [-0.9, -0.3, 1.4, -0.9, -0.3, 0.4],
    },
    Profile {
        name: "coding",
        share: 1.2,
        features: ["ide-plugin", "playground"],
        scoring: Scoring::Pass,
        source: ScoreSource::Verifier,
        answer_tokens: 420.0,
        multilingual: false,
        skill: [-1.1, -0.5, -0.9, 1.3, 0.2, 0.2],
    },
    Profile {
        name: "debugging",
        share: 1.0,
        features: ["ide-plugin", "playground"],
        scoring: Scoring::Pass,
        source: ScoreSource::Verifier,
        answer_tokens: 350.0,
        multilingual: false,
        skill: [-1.3, -0.8, -1.1, 1.2, 0.3, 0.1],
    },
    Profile {
        name: "sql",
        share: 0.9,
        features: ["sql-helper", "agent-runner"],
        scoring: Scoring::Pass,
        source: ScoreSource::Verifier,
        answer_tokens: 140.0,
        multilingual: false,
        skill: [-0.6, 0.0, -0.6, 1.3, 0.2, 0.2],
    },
    Profile {
        name: "table-question",
        share: 0.8,
        features: ["reports", "sql-helper"],
        scoring: Scoring::Pass,
        source: ScoreSource::Verifier,
        answer_tokens: 120.0,
        multilingual: false,
        skill: [-0.9, -0.4, -0.7, 0.3, 1.1, 0.2],
    },
    Profile {
        name: "arithmetic",
        share: 0.9,
        features: ["tutor", "playground"],
        scoring: Scoring::Pass,
        source: ScoreSource::Verifier,
        answer_tokens: 220.0,
        multilingual: false,
        skill: [-1.0, -0.4, -0.9, 0.0, 1.5, 0.1],
    },
    Profile {
        name: "logic",
        share: 0.8,
        features: ["tutor", "playground"],
        scoring: Scoring::Pass,
        source: ScoreSource::Verifier,
        answer_tokens: 300.0,
        multilingual: false,
        skill: [-1.6, -1.2, -1.3, -0.6, 1.0, -0.3],
    },
    Profile {
        name: "facts",
        share: 1.0,
        features: ["tutor", "help-center"],
        scoring: Scoring::Pass,
        source: ScoreSource::Judge,
        answer_tokens: 130.0,
        multilingual: true,
        skill: [-0.9, -0.3, 0.1, -0.8, -0.3, 1.1],
    },
    Profile {
        name: "creative-writing",
        share: 0.8,
        features: ["writing-studio", "playground"],
        scoring: Scoring::Rubric,
        source: ScoreSource::Human,
        answer_tokens: 320.0,
        multilingual: true,
        skill: [0.6, 1.0, 1.1, 0.0, 0.1, 1.2],
    },
    Profile {
        name: "long-document",
        share: 0.8,
        features: ["reports", "form-filler"],
        scoring: Scoring::Pass,
        source: ScoreSource::Judge,
        answer_tokens: 210.0,
        multilingual: true,
        skill: [-0.9, -0.2, 0.0, -0.6, -0.1, 1.1],
    },
    Profile {
        name: "dialogue",
        share: 1.1,
        features: ["support-chat", "translate-box"],
        scoring: Scoring::Pass,
        source: ScoreSource::Implicit,
        answer_tokens: 130.0,
        multilingual: true,
        skill: [0.3, 0.8, 1.0, 0.0, 0.2, 1.1],
    },
    Profile {
        name: "tool-use",
        share: 0.8,
        features: ["agent-runner", "form-filler"],
        scoring: Scoring::Pass,
        source: ScoreSource::Verifier,
        answer_tokens: 80.0,
        multilingual: false,
        skill: [-0.9, -0.3, -0.6, 0.9, 0.6, 0.4],
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn profiles_stand_in_the_order_of_the_families() {
        let names: Vec<_> = Family::ALL.iter().map(|f| f.name()).collect();
        for (family, name) in Family::ALL.iter().zip(&names) {
            let spoken = format!("{family:?}").to_lowercase();
            assert_eq!(spoken, name.replace('-', ""));
        }
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }

    #[test]
    fn every_feature_sends_more_than_one_family() {
        for profile in &PROFILES {
            for feature in profile.features {
                let senders = PROFILES.iter().filter(|p| p.features.contains(&feature)).count();
                assert!(senders > 1, "{feature}");
            }
        }
    }
}
