//! Random requests by several actors, and a small model that says beforehand what each is answered and what is there at the
//! end: hostings and their life, observations and their checking, versions, and Idempotency-Keys.
//!
//! `SEQUENCES=2000 STEPS=100` (so 50 on average) is the full form (with `FAULTS=full`); `SEED=…` runs the same sequences again. What fails is made
//! shorter by proptest until nothing can be left out.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use self::actions::{Action, action};
use self::registry::Registry;
use crate::faults::report;
use crate::support::{App, setting};

mod actions;
mod expected;
mod registry;

#[test]
fn whatever_is_asked_in_whatever_order_is_answered_as_the_model_says() {
    let is_full = std::env::var("FAULTS").is_ok_and(|form| form == "full");
    let (few, short) = if is_full { (2_000, 100) } else { (25, 80) };
    let (sequences, steps) = (setting("SEQUENCES", few), setting("STEPS", short));
    let seed = setting("SEED", chrono::Utc::now().timestamp_micros().try_into().unwrap());
    println!("SEED={seed}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: sequences.try_into().unwrap(),
        max_shrink_iters: 2_000,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let app = runtime.block_on(App::start());
    let actors = RefCell::new((Instant::now(), runtime.block_on(registry::actors(&app))));
    let reached = RefCell::new(BTreeMap::<&str, usize>::new());
    let found = runner.run(&prop::collection::vec(action(), 1..=steps), |actions: Vec<Action>| {
        // Tokens live for 15 minutes.
        if actors.borrow().0.elapsed() > Duration::from_secs(600) {
            actors.replace((Instant::now(), runtime.block_on(registry::actors(&app))));
        }
        let actors = actors.borrow().1.clone();
        runtime.block_on(async {
            let mut registry = Registry::new(&actors).await;
            for one in &actions {
                registry.ask(one).await;
            }
            registry.check_all(&app).await;
            let mut reached = reached.borrow_mut();
            for state in registry.states() {
                *reached.entry(state).or_default() += 1;
            }
        });
        Ok(())
    });
    let _inside = runtime.enter();
    drop(app);
    if let Err(failure) = found {
        panic!("SEED={seed}: {failure}");
    }
    let reached = reached.into_inner();
    report(
        "random requests against a model",
        &[("sequences", &sequences), ("steps at most", &steps), ("states at their ends", &format!("{reached:?}"))],
    );
    assert!(reached.len() >= 9, "most states of hostings and observations are reached: {reached:?}");
}
