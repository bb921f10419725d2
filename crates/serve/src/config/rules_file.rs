//! The keys of a configuration file that are about rules and the experiment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use farthing_core::rules::{
    ConditionalRule, Experiment, Hours, Rules, Span, Then, Unit, Weekday, When, WhenChosen,
};
use toml::de::DeValue;

use super::kinds::{Due, flag, not_negative, one_of_each, text, text_or_texts, within};
use super::table::{Placed, Table};

/// Most of an arm's weight.
const MOST_WEIGHT: u64 = 1_000_000;

/// The rules of a file. `named` gets every place where a candidate is named.
pub(super) fn read(root: &mut Table<'_>, named: &mut Vec<Placed<String>>) -> Rules {
    let experiment = experiment(root);
    let arms: Option<BTreeSet<&str>> =
        experiment.as_ref().map(|known| known.arms.iter().map(|(arm, _)| &**arm).collect());
    let (mut list, mut names): (Vec<ConditionalRule>, BTreeSet<Arc<str>>) = Default::default();
    for table in root.tables("rules") {
        let (rule, at) = rule(table, arms.as_ref(), named);
        let Some(rule) = rule else { continue };
        if !names.insert(Arc::clone(&rule.name)) {
            let message = format!("two rules are called `{}`; hint: rename one of them", rule.name);
            root.mistake(at, message);
        }
        list.push(rule);
    }
    Rules { list, experiment }
}

fn experiment(root: &mut Table<'_>) -> Option<Experiment> {
    let mut table = root.table("experiment");
    if !table.is_given() {
        return None;
    }
    let name = table.need("name", text);
    let mut by = Unit::Session;
    table.set("by", &mut by, |value: &DeValue<'_>| unit(&text(value)?));
    let arms = table.need("arms", weights);
    table.finish();
    Some(Experiment { name: name?, by, arms: arms?.into_iter().collect() })
}

fn unit(name: &str) -> Result<Unit, Due> {
    match name.split_once('.') {
        None if name == "session" => Ok(Unit::Session),
        Some(("context", key)) if !key.is_empty() => Ok(Unit::Context(key.to_owned())),
        _ => Err("\"session\", or \"context.\" and the name of a value in it".to_owned()),
    }
}

fn weights(value: &DeValue<'_>) -> Result<BTreeMap<Arc<str>, u32>, Due> {
    let due = || format!("a table of at least two arms with weights from 1 to {MOST_WEIGHT}");
    let arms = value.as_table().into_iter().flatten().map(|(name, weight)| {
        Ok((name.get_ref().as_ref().into(), within(1, MOST_WEIGHT)(weight.get_ref())?))
    });
    let arms = arms.collect::<Result<BTreeMap<_, _>, Due>>();
    arms.ok().filter(|arms| arms.len() > 1).ok_or_else(due)
}

fn rule(
    mut table: Table<'_>,
    arms: Option<&BTreeSet<&str>>,
    named: &mut Vec<Placed<String>>,
) -> (Option<ConditionalRule>, usize) {
    let at = table.at();
    let name = table.need("name", text);
    let when = when(table.table("when"), arms, named);
    let is_empty = !["use", "exclude", "bar", "policy"].iter().any(|key| table.has(key));
    let mut names = |key| {
        let names = table.read(key, text_or_texts)?;
        let placed = |name: &String| Placed { value: name.clone(), at: names.at };
        named.extend(names.value.iter().map(placed));
        Some(names.value)
    };
    let (only, exclude) = (names("use"), names("exclude").unwrap_or_default());
    let bar = table.read("bar", not_negative).map(|placed| placed.value);
    let policy = table.read("policy", text).map(|placed| placed.value);
    let then = Then { only, exclude, bar, policy };
    if is_empty {
        let hint = "hint: give it `use`, `exclude`, `bar` or `policy`";
        table.mistake(at, format!("nothing follows from this rule; {hint}"));
    }
    table.finish();
    (name.map(|name| ConditionalRule { name: name.into(), when, then }), at)
}

fn when(
    mut table: Table<'_>,
    arms: Option<&BTreeSet<&str>>,
    named: &mut Vec<Placed<String>>,
) -> When {
    let values = table.table("context").read_all(text_or_texts);
    let arm = table.read("arm", text);
    if let Some(Placed { value, at }) = &arm
        && !arms.is_some_and(|known| known.contains(value.as_str()))
    {
        let message = format!("there is no arm `{value}`; hint: name it in `experiment.arms`");
        table.mistake(*at, message);
    }
    let mut chosen = table.table("chosen");
    let asks_choice = chosen.is_given();
    let models = chosen.read("models", text_or_texts);
    let models = models.map_or_else(BTreeSet::new, |models| {
        let placed = |name: &String| Placed { value: name.clone(), at: models.at };
        named.extend(models.value.iter().map(placed));
        models.value.into_iter().collect()
    });
    let choice = WhenChosen {
        models,
        p_above_bar: span(chosen.table("p_above_bar")),
        margin: span(chosen.table("margin")),
        cost_usd: span(chosen.table("cost_usd")),
    };
    chosen.finish();
    let is = |table: &mut Table<'_>, key| table.read(key, flag).map(|placed| placed.value);
    let days = one_of_each(Weekday::NAMES, Weekday::from_name);
    let when = When {
        context: values.into_iter().map(|(name, any)| (name, any.into_iter().collect())).collect(),
        input_tokens: span(table.table("input_tokens")),
        max_tokens: span(table.table("max_tokens")),
        turns: span(table.table("turns")),
        tools: is(&mut table, "tools"),
        vision: is(&mut table, "vision"),
        json_schema: is(&mut table, "json_schema"),
        hours: table.read("hours", hours).map(|placed| placed.value),
        weekdays: table.read("weekdays", days).into_iter().flat_map(|days| days.value).collect(),
        arm: arm.map(|arm| arm.value),
        chosen: asks_choice.then_some(choice),
    };
    table.finish();
    when
}

/// A range: `at_least`, `below` or both.
fn span(mut table: Table<'_>) -> Span {
    let mut bound = |key| table.read(key, not_negative).map(|placed| placed.value);
    let span = Span { at_least: bound("at_least"), below: bound("below") };
    table.finish();
    span
}

/// `HH:MM-HH:MM`.
fn hours(value: &DeValue<'_>) -> Result<Hours, Due> {
    let minute = |time: &str| {
        let (hour, minute) = time.split_once(':')?;
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        let minutes = hour.checked_mul(60)?.checked_add(minute)?;
        (minute < 60 && minutes <= 24 * 60).then_some(minutes)
    };
    let read = |text: &str| {
        let (from, to) = text.split_once('-')?;
        Some(Hours { from: minute(from)?, to: minute(to)? })
    };
    let read = value.as_str().and_then(read).filter(|hours| hours.from != hours.to);
    read.ok_or_else(|| "a time of the day, UTC, such as \"22:00-06:00\"".to_owned())
}
