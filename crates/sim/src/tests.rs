//! What the traffic promises to those who test and measure with it.

mod learning;
mod traffic;
mod truth;
