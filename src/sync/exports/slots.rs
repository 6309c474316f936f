//! How many exports a client may have running, so that none takes all the connections that there are for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::http::Problem;

/// Exports of one account, or of one address without an account, that may run at once on a server.
const MOST: usize = 2;

/// The exports that are running, by whose they are.
#[derive(Debug, Clone, Default)]
pub struct Slots(Arc<Mutex<HashMap<String, usize>>>);

/// One export that is running, until it is dropped.
#[derive(Debug)]
pub struct Slot {
    slots: Slots,
    client: String,
}

impl Slots {
    /// Begins an export of this client.
    ///
    /// # Errors
    /// 503 if as many of its own are running as may.
    pub fn take(&self, client: String) -> Result<Slot, Problem> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = running.entry(client.clone()).or_default();
        if *own >= MOST {
            let detail = format!("{MOST} exports of this account or address are running; ask again when one has ended");
            return Err(Problem::unavailable(detail));
        }
        *own += 1;
        Ok(Slot { slots: self.clone(), client })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut running = self.slots.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = running.get_mut(&self.client) {
            *own -= 1;
            if *own == 0 {
                running.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_two_at_once_and_leaves_nothing_behind() {
        let slots = Slots::default();
        let taken = |client: &str| slots.take(client.to_owned());
        let (one, two) = (taken("a").unwrap(), taken("a").unwrap());
        assert!(taken("a").is_err());
        let other = taken("b").unwrap();
        drop(one);
        let again = taken("a").unwrap();
        drop((two, again, other));
        assert!(slots.0.lock().unwrap().is_empty());
    }
}
