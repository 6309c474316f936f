//! What a server bears at once: how many connections are open, how many requests are worked on and how many of these it
//! takes on.
//!
//! A request beyond the bound is refused at once, before its body is read, so that those before it are answered in time
//! and memory stays bounded. Whoever only waits for changes bears on nobody and is not counted.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::problem::Problem;

/// So many requests are worked on at once. Each waits at most a second for one of the connections to the database; more
/// than these would wait in vain on a machine of two cores.
const MOST: usize = 1_000;

/// The counts of one server.
#[derive(Debug)]
pub struct Load {
    /// Connections that are open.
    pub connections: Count,
    /// Requests that are worked on.
    pub requests: Count,
}

impl Default for Load {
    fn default() -> Self {
        Self { connections: Count::new(), requests: Count::new() }
    }
}

impl Load {
    /// Takes a request on.
    ///
    /// # Errors
    /// 503 if there are too many.
    pub fn take_on(&self) -> Result<Counted, Problem> {
        let counted = self.requests.one();
        match self.requests.now() {
            now if now > MOST => Err(Problem::unavailable(
                "the service has more requests than it can work on; send it again after a pause",
            )),
            _ => Ok(counted),
        }
    }
}

/// How many there are of something.
#[derive(Debug, Clone)]
pub struct Count(watch::Sender<usize>);

impl Count {
    fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// One more, until it is dropped.
    pub fn one(&self) -> Counted {
        self.0.send_modify(|count| *count += 1);
        Counted(self.0.clone())
    }

    /// How many there are.
    pub fn now(&self) -> usize {
        *self.0.borrow()
    }

    /// Returns when there has been none for so long.
    pub async fn none_for(&self, pause: Duration) {
        let mut count = self.0.subscribe();
        loop {
            // The sender lives as long as this.
            let _ = count.wait_for(|count| *count == 0).await;
            if timeout(pause, count.changed()).await.is_err() {
                return;
            }
        }
    }
}

/// One of those that are counted.
#[derive(Debug)]
pub struct Counted(watch::Sender<usize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Code;

    #[test]
    fn so_many_requests_are_taken_on_and_the_next_when_one_has_ended() {
        let load = Load::default();
        let mut taken: Vec<Counted> = (0..MOST).map(|_| load.take_on().unwrap()).collect();
        assert_eq!(load.take_on().unwrap_err().code(), Code::Unavailable);
        assert_eq!(load.requests.now(), MOST, "who is refused is not counted");
        taken.pop();
        load.take_on().unwrap();
    }

    #[tokio::test]
    async fn none_is_when_all_have_ended() {
        let load = Load::default();
        let (one, other) = (load.connections.one(), load.connections.one());
        let none = tokio::spawn({
            let connections = load.connections.clone();
            async move { connections.none_for(Duration::from_millis(1)).await }
        });
        drop(one);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!none.is_finished());
        drop(other);
        none.await.unwrap();
    }
}
