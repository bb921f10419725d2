//! What a rule asks. What is not given, holds.

use std::collections::{BTreeMap, BTreeSet};

use super::{Chosen, Known};
use crate::{Role, estimated_input_tokens};

/// What a rule asks of a request, and of the choice if it asks for that.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct When {
    /// Values of the request's context, by name; any of them.
    pub context: BTreeMap<String, BTreeSet<String>>,
    /// Input tokens, as estimated from the length of the text.
    pub input_tokens: Span,
    /// Longest answer that the client accepts; a request without a limit is in no range.
    pub max_tokens: Span,
    /// Turns of the user.
    pub turns: Span,
    /// Whether tools are offered.
    pub tools: Option<bool>,
    /// Whether an image is shown.
    pub vision: Option<bool>,
    /// Whether the answer has to keep to a JSON schema.
    pub json_schema: Option<bool>,
    /// Time of the day, UTC.
    pub hours: Option<Hours>,
    /// Day of the week, UTC; none: any.
    pub weekdays: BTreeSet<Weekday>,
    /// Arm of the experiment.
    pub arm: Option<String>,
    /// What it asks of the choice.
    pub chosen: Option<WhenChosen>,
}

/// What a rule asks of a choice.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WhenChosen {
    /// Who was chosen; none: anybody.
    pub models: BTreeSet<String>,
    /// Its calibrated probability of being good enough.
    pub p_above_bar: Span,
    /// How far the choice is from another one.
    pub margin: Span,
    /// What it is expected to cost, in USD; an unknown cost is in no range.
    pub cost_usd: Span,
}

/// A range of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Span {
    /// The least.
    pub at_least: Option<f64>,
    /// Less than this.
    pub below: Option<f64>,
}

/// A part of every day, in minutes since midnight; from the first to before the second, over midnight where
/// that is earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// The first minute.
    pub from: u16,
    /// The first minute after it.
    pub to: u16,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

const MINUTES_A_DAY: u64 = 24 * 60;

impl When {
    /// Whether it holds for a request; what it asks of the choice is not asked here.
    pub(super) fn holds(&self, known: &Known<'_>) -> bool {
        let Self { context, input_tokens, max_tokens, turns, .. } = self;
        let Known { request, unix_seconds, arm } = *known;
        let is = |asked: Option<bool>, given: bool| asked.is_none_or(|asked| asked == given);
        let has = |(name, values): (&String, &BTreeSet<String>)| {
            request.context.get(name).is_some_and(|value| values.contains(value))
        };
        let user = || request.messages().iter().filter(|message| message.role == Role::User);
        context.iter().all(has)
            && is(self.tools, request.tools > 0)
            && is(self.vision, request.vision)
            && is(self.json_schema, request.json_schema)
            && self.arm.as_deref().is_none_or(|asked| arm == Some(asked))
            && max_tokens.has(request.max_tokens.map(|tokens| tokens as f64))
            && input_tokens.holds(|| estimated_input_tokens(request.text_bytes()))
            && turns.holds(|| user().count() as f64)
            && self.is_time(unix_seconds)
    }

    fn is_time(&self, unix_seconds: Option<u64>) -> bool {
        let Self { hours, weekdays, .. } = self;
        if hours.is_none() && weekdays.is_empty() {
            return true;
        }
        let Some(minutes) = unix_seconds.map(|seconds| seconds / 60) else { return false };
        hours.is_none_or(|hours| hours.has(minutes % MINUTES_A_DAY))
            && (weekdays.is_empty() || weekdays.contains(&Weekday::of_day(minutes / MINUTES_A_DAY)))
    }
}

impl WhenChosen {
    pub(super) fn holds(&self, chosen: &Chosen<'_>) -> bool {
        (self.models.is_empty() || self.models.contains(chosen.model))
            && self.p_above_bar.has(Some(chosen.p_above_bar))
            && self.margin.has(Some(chosen.margin))
            && self.cost_usd.has(chosen.cost_usd)
    }
}

impl Span {
    /// Whether every number is in it.
    fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a number is in it; an unknown one is only in the range of all.
    fn has(&self, number: Option<f64>) -> bool {
        let inside = |number: f64| {
            self.at_least.is_none_or(|least| number >= least)
                && self.below.is_none_or(|below| number < below)
        };
        self.is_all() || number.is_some_and(inside)
    }

    /// The same of a number that costs something to know.
    fn holds(&self, number: impl FnOnce() -> f64) -> bool {
        self.is_all() || self.has(Some(number()))
    }
}

impl Hours {
    fn has(self, minute: u64) -> bool {
        let (from, to) = (u64::from(self.from), u64::from(self.to));
        if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to }
    }
}

impl Weekday {
    /// All of them, from Monday.
    pub const ALL: [Self; 7] =
        [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];
    /// Their names, as configuration has them.
    pub const NAMES: [&'static str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

    /// The day of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        let position = Self::NAMES.iter().position(|known| *known == name)?;
        Some(Self::ALL[position])
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// That of a day since 1970-01-01, which was a Thursday.
    fn of_day(day: u64) -> Self {
        let since_monday = ((day + 3) % 7) as usize;
        Self::ALL[since_monday]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Request;

    fn holds(when: &When, request: &Request, unix_seconds: Option<u64>) -> bool {
        when.holds(&Known { request, unix_seconds, arm: Some("b") })
    }

    #[test]
    fn ranges_have_their_lower_end_only() {
        let span = Span { at_least: Some(2.0), below: Some(4.0) };
        for (number, inside) in [(1.9, false), (2.0, true), (3.9, true), (4.0, false)] {
            assert_eq!(span.has(Some(number)), inside, "{number}");
        }
        assert!(!span.has(None));
        assert!(Span::default().has(None));
        assert!(!span.has(Some(f64::NAN)));
    }

    #[test]
    fn requests_are_known_by_what_they_ask_for() {
        let mut request = Request::from_prompt("12345678").unwrap();
        request.tools = 1;
        let exactly = |n: f64| Span { at_least: Some(n), below: Some(n + 1.0) };
        let all = When {
            input_tokens: exactly(2.0),
            turns: exactly(1.0),
            tools: Some(true),
            vision: Some(false),
            json_schema: Some(false),
            arm: Some("b".to_owned()),
            ..When::default()
        };
        assert!(holds(&all, &request, None));
        let others = [
            When { input_tokens: exactly(3.0), ..all.clone() },
            When { turns: exactly(2.0), ..all.clone() },
            When { tools: Some(false), ..all.clone() },
            When { vision: Some(true), ..all.clone() },
            When { json_schema: Some(true), ..all.clone() },
            When { arm: Some("a".to_owned()), ..all.clone() },
            When { max_tokens: exactly(9.0), ..all.clone() },
        ];
        for (n, other) in others.iter().enumerate() {
            assert!(!holds(other, &request, None), "{n}");
        }
        request.max_tokens = Some(9);
        assert!(holds(&others[6], &request, None));
    }

    #[test]
    fn time_is_utc() {
        // 2026-11-24 was a Tuesday; 22:30.
        let at = Some(1_795_559_400);
        let request = Request::from_prompt("hi").unwrap();
        let hours = |from, to| When { hours: Some(Hours { from, to }), ..When::default() };
        let days =
            |days: &[Weekday]| When { weekdays: days.iter().copied().collect(), ..When::default() };
        assert!(holds(&days(&[Weekday::Tue]), &request, at));
        assert!(!holds(&days(&[Weekday::Mon, Weekday::Wed]), &request, at));
        assert!(holds(&hours(22 * 60, 6 * 60), &request, at));
        assert!(!holds(&hours(6 * 60, 22 * 60), &request, at));
        assert!(holds(&hours(22 * 60 + 30, 22 * 60 + 31), &request, at));
        assert!(!holds(&hours(22 * 60 + 31, 22 * 60 + 30), &request, at));
        assert!(!holds(&hours(0, 24 * 60), &request, None));
        assert_eq!(Weekday::of_day(0), Weekday::Thu);
        for (day, name) in Weekday::ALL.iter().zip(Weekday::NAMES) {
            assert_eq!(Weekday::from_name(name), Some(*day));
            assert_eq!(day.name(), name);
        }
    }
}
