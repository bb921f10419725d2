//! Bad input of every kind: a message that names place and remedy, no panic, and nothing lost silently.

mod columns;
mod contradictions;
mod evaluation;
mod long_prompt;
mod models;
mod policies;
mod prices;
mod requests;
mod router_directory;
mod rows;
mod unreadable;
