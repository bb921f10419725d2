//! Rules and the experiment as they stand in a configuration file.

use farthing_core::rules::{
    ConditionalRule, Experiment, Hours, Rules, Span, Unit, When, WhenChosen,
};
use toml::{Table, Value};

/// The sections of a file: what stands between the brackets of each header, and its keys.
pub(super) fn sections(rules: &Rules) -> Vec<(&'static str, Table)> {
    let experiment = rules.experiment.iter().map(|shown| ("experiment", experiment(shown)));
    experiment.chain(rules.list.iter().map(|shown| ("[rules]", rule(shown)))).collect()
}

fn experiment(Experiment { name, by, arms }: &Experiment) -> Table {
    let by = match by {
        Unit::Session => "session".to_owned(),
        Unit::Context(name) => format!("context.{name}"),
    };
    let arms: Table =
        arms.iter().map(|(arm, weight)| (arm.to_string(), (*weight).into())).collect();
    [("name", name.as_str().into()), ("by", by.into()), ("arms", arms.into())]
        .map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .collect()
}

fn rule(ConditionalRule { name, when, then }: &ConditionalRule) -> Table {
    let exclude = Some(&then.exclude).filter(|names| !names.is_empty());
    table([
        ("name", Some((**name).into())),
        ("when", some(self::when(when))),
        ("use", then.only.clone().map(Value::from)),
        ("exclude", exclude.cloned().map(Value::from)),
        ("bar", then.bar.map(Value::from)),
        ("policy", then.policy.clone().map(Value::from)),
    ])
}

fn when(when: &When) -> Table {
    let When { context, input_tokens, max_tokens, turns, tools, vision, json_schema, .. } = when;
    let values = context
        .iter()
        .map(|(name, values)| (name.clone(), values.iter().cloned().collect::<Vec<_>>().into()));
    let days: Vec<_> = when.weekdays.iter().map(|day| day.name().to_owned()).collect();
    let clock = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let hours = |Hours { from, to }| format!("{}-{}", clock(from), clock(to)).into();
    table([
        ("context", some(values.collect())),
        ("input_tokens", some(span(*input_tokens))),
        ("max_tokens", some(span(*max_tokens))),
        ("turns", some(span(*turns))),
        ("tools", tools.map(Value::from)),
        ("vision", vision.map(Value::from)),
        ("json_schema", json_schema.map(Value::from)),
        ("hours", when.hours.map(hours)),
        ("weekdays", Some(days).filter(|days| !days.is_empty()).map(Value::from)),
        ("arm", when.arm.clone().map(Value::from)),
        // That it asks for the choice at all says when it is applied.
        ("chosen", when.chosen.as_ref().map(|asked| chosen(asked).into())),
    ])
}

fn chosen(WhenChosen { models, p_above_bar, margin, cost_usd }: &WhenChosen) -> Table {
    let models: Vec<_> = models.iter().cloned().collect();
    table([
        ("models", Some(models).filter(|models| !models.is_empty()).map(Value::from)),
        ("p_above_bar", some(span(*p_above_bar))),
        ("margin", some(span(*margin))),
        ("cost_usd", some(span(*cost_usd))),
    ])
}

fn span(Span { at_least, below }: Span) -> Table {
    table([("at_least", at_least.map(Value::from)), ("below", below.map(Value::from))])
}

fn some(table: Table) -> Option<Value> {
    Some(table).filter(|table| !table.is_empty()).map(Value::from)
}

fn table<const N: usize>(keys: [(&str, Option<Value>); N]) -> Table {
    keys.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}
