//! The languages of the traffic.

/// A language in which prompts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// English.
    English,
    /// German.
    German,
    /// French.
    French,
    /// Spanish.
    Spanish,
    /// Japanese.
    Japanese,
    /// Chinese.
    Chinese,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 6] =
        [Self::English, Self::German, Self::French, Self::Spanish, Self::Japanese, Self::Chinese];

    /// ISO 639-1 code.
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::French => "fr",
            Self::Spanish => "es",
            Self::Japanese => "ja",
            Self::Chinese => "zh",
        }
    }

    /// Share of the requests of families that occur in every language.
    pub(crate) fn share(self) -> f64 {
        match self {
            Self::English => 0.6,
            Self::German | Self::French => 0.09,
            Self::Spanish => 0.08,
            Self::Japanese | Self::Chinese => 0.07,
        }
    }

    /// What stands between two sentences.
    pub(crate) fn gap(self) -> &'static str {
        match self {
            Self::English | Self::German | Self::French | Self::Spanish => " ",
            Self::Japanese | Self::Chinese => "",
        }
    }

    /// How far the language is from what most candidates learned best, in [0, 1].
    pub(crate) fn distance(self) -> f64 {
        match self {
            Self::English => 0.0,
            Self::German | Self::French | Self::Spanish => 0.5,
            Self::Japanese | Self::Chinese => 1.0,
        }
    }
}
