//! Chance that is the same for the same seed, on every machine: whole numbers only, from ChaCha.

use chrono::{DateTime, NaiveDate, Utc};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;

use crate::ids;

/// What is thrown for; each record of each kind has dice of its own, so that more of one kind changes no other.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    City,
    Account,
    Organisation,
    Pilot,
    Need,
    Applicability,
    Hosting,
    Compliance,
    Outcome,
    Observation,
    Evaluation,
    // Partnerships, initiatives, activities and agreements come here: at the end, so that the others stay the same.
}

/// The dice of one record.
pub struct Dice(ChaCha8Rng);

/// Seconds of a day.
pub const DAY: i64 = 86_400;

impl Dice {
    /// For the record of this kind and number in the world of this seed.
    pub fn of(seed: u64, kind: Kind, number: usize) -> Self {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        chance.set_stream(((kind as u64) << 48) | number as u64);
        Self(chance)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0.random_range(low..=high.max(low))
    }

    /// An index below `length`.
    pub fn below(&mut self, length: usize) -> usize {
        usize::try_from(self.between(0, length as i64 - 1)).unwrap_or_default()
    }

    /// Whether it happens, in so many of a hundred cases.
    pub fn chance(&mut self, percent: i64) -> bool {
        self.between(1, 100) <= percent
    }

    /// One of these.
    pub fn pick<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }

    /// One of these, by weight.
    pub fn weighed<T: Copy>(&mut self, list: &[(T, i64)]) -> T {
        let mut at = self.between(1, list.iter().map(|(_, weight)| weight).sum());
        for (value, weight) in list {
            at -= weight;
            if at <= 0 {
                return *value;
            }
        }
        list[0].0
    }

    /// A rank below `length`, the first ones most often: each doubling of the rank is as likely as the one before.
    pub fn rank(&mut self, length: usize) -> usize {
        let doublings = i64::from(usize::BITS - length.leading_zeros());
        let low = 1_i64 << self.between(0, doublings - 1);
        let rank = self.between(low - 1, (2 * low - 2).min(length as i64 - 1));
        usize::try_from(rank).unwrap_or_default()
    }

    /// An instant on a day from `low` to `high` (seconds), in working hours.
    pub fn instant(&mut self, low: i64, high: i64) -> i64 {
        let day = self.between(low / DAY, high / DAY);
        day * DAY + self.between(7 * 3600, 17 * 3600)
    }

    /// The id of a record that was made at this instant (seconds).
    pub fn id(&mut self, at: i64) -> Uuid {
        let milliseconds = at * 1000 + self.between(0, 999);
        ids::made_of(milliseconds.unsigned_abs(), &self.0.random())
    }
}

/// The day of an instant in seconds.
pub fn day(at: i64) -> NaiveDate {
    instant(at).date_naive()
}

/// An instant in seconds as the database has it.
pub fn instant(at: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(at, 0).unwrap_or_default()
}

/// The first second of a day.
pub fn seconds(year: i32, month: u32, day: u32) -> i64 {
    NaiveDate::from_ymd_opt(year, month, day)
        .and_then(|date| date.and_hms_opt(0, 0, 0))
        .map_or(0, |time| time.and_utc().timestamp())
}
