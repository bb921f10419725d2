//! The service from outside: every endpoint and every error, mostly without a socket.

#[cfg(test)]
mod admin;
#[cfg(test)]
mod auth;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod batch;
#[cfg(test)]
mod constraints;
#[cfg(test)]
mod decision_log;
#[cfg(test)]
mod endpoints;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod gateway;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod outcomes;
#[cfg(test)]
mod overload;
#[cfg(test)]
mod reload;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod socket;
#[cfg(test)]
mod tiny;
