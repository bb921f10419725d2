//! Families of several turns: conversations with customers, and tasks done with tools.

use super::{FunctionCall, ToolCall, Turn};
use crate::pen::Pen;

/// A conversation that ends with a user's turn.
pub(super) fn dialogue(level: f64, pen: &mut Pen<'_>) -> Vec<Turn> {
    let mut turns = Vec::new();
    if pen.chance(0.6) {
        // System prompts are written by developers, in English.
        turns.push(Turn::says("system", pen.say("system")));
    }
    turns.push(Turn::says("user", pen.say("opener") + pen.language().gap() + &pen.say("faq")));
    for _ in 0..pen.count(level, 1, 7) {
        turns.push(Turn::says("assistant", spoken("reply", level, pen)));
        turns.push(Turn::says("user", spoken("followup", level, pen)));
    }
    turns
}

/// A task with tool calls and their results; the next word is the assistant's.
pub(super) fn tool_use(level: f64, pen: &mut Pen<'_>) -> Vec<Turn> {
    let steps = pen.count(level, 0, 4);
    let mut task = vec![pen.say("tool_ask")];
    task.extend(pen.several("tool_step", steps));
    let mut turns =
        vec![Turn::says("system", pen.say("tool_system")), Turn::says("user", task.join(" "))];
    for call in 0..pen.count(level, 1, 5) {
        turns.extend(tool_call(call, pen));
    }
    if pen.chance(0.5) {
        turns.push(Turn::says("assistant", pen.say("reply")));
        turns.push(Turn::says("user", pen.say("tool_next")));
    }
    turns
}

/// The assistant calls a tool, and the tool answers.
fn tool_call(call: usize, pen: &mut Pen<'_>) -> [Turn; 2] {
    let id = format!("call_{call}_{}", pen.number(1000, 9999));
    let function = FunctionCall {
        name: pen.say("tool"),
        arguments: pen.fill(r#"{"id": "<id>", "city": "<city>", "limit": <n2>}"#),
    };
    let calls = vec![ToolCall { id: id.clone(), r#type: "function", function }];
    let asked = Turn { role: "assistant", content: None, tool_calls: calls, tool_call_id: None };
    let answer = Turn { tool_call_id: Some(id), ..Turn::says("tool", pen.say("tool_result")) };
    [asked, answer]
}

/// A turn, with some talk around it.
fn spoken(slot: &str, level: f64, pen: &mut Pen<'_>) -> String {
    let talk = pen.count(level, 0, 2);
    let mut parts = pen.several("sentence", talk);
    let place = pen.count(0.5, 0, parts.len());
    parts.insert(place, pen.say(slot));
    parts.join(pen.language().gap())
}
