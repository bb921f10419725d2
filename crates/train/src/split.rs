//! Who may see which request: fit, certificate and sealed are disjoint groups of prompts.

use farthing_core::Digest;
use farthing_data::Record;

/// The certificate and the sealed split take a tenth each, at most this many requests.
const MAX_HELD_OUT: usize = 2000;

/// Positions of records, ascending.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Roles {
    /// What learners, blending and calibration see.
    pub(crate) fit: Vec<usize>,
    /// What thresholds are certified on.
    pub(crate) certificate: Vec<usize>,
    /// What the gate is judged on.
    pub(crate) sealed: Vec<usize>,
}

/// Splits records by group in an order drawn from the seed: near-duplicates share a role, and each
/// held-out role has at least a tenth of the requests.
pub(crate) fn assign(records: &[&Record], seed: u64) -> Roles {
    let mut order: Vec<(u64, u64, usize)> = records
        .iter()
        .enumerate()
        .map(|(i, record)| {
            let key = [seed.to_le_bytes(), record.group.to_le_bytes()].concat();
            (Digest::of(&key).prefix(), record.group, i)
        })
        .collect();
    order.sort_unstable();
    let due = records.len().div_ceil(10).min(MAX_HELD_OUT);
    let mut roles = Roles { fit: Vec::new(), certificate: Vec::new(), sealed: Vec::new() };
    for group in order.chunk_by(|a, b| a.1 == b.1) {
        let role = if roles.sealed.len() < due {
            &mut roles.sealed
        } else if roles.certificate.len() < due {
            &mut roles.certificate
        } else {
            &mut roles.fit
        };
        role.extend(group.iter().map(|(_, _, i)| i));
    }
    roles.fit.sort_unstable();
    roles.certificate.sort_unstable();
    roles.sealed.sort_unstable();
    roles
}
