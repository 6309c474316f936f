//! Progress, computed in one place. The same words stand in the head of the OpenAPI document.
//!
//! `progress = (actual − baseline) / (target − baseline)`, right for rising and falling indicators alike.

use bigdecimal::{BigDecimal, One, RoundingMode, Zero};
use chrono::NaiveDate;

use super::indicators::{Direction, Measure};
use crate::values::{Decimal, PartialDate, labels};

labels! {
    /// Why progress cannot be computed.
    ProgressReason {
        /// there is no baseline
        NoBaseline = "no_baseline",
        /// there is no target
        NoTarget = "no_target",
        /// no observation counts yet
        NoActual = "no_actual",
        /// target and baseline are the same
        TargetEqualsBaseline = "target_equals_baseline",
        /// it is told in words
        Qualitative = "qualitative",
        /// the indicator is to be held: it is met or not met
        Hold = "hold",
    }
}

labels! {
    /// How an outcome stands against its target.
    ProgressStatus {
        /// the target is reached
        Achieved = "achieved",
        /// at least 90 % of the progress expected by now
        OnTrack = "on_track",
        /// at least 60 % of the progress expected by now
        AtRisk = "at_risk",
        /// less
        OffTrack = "off_track",
        /// not computable
        NoData = "no_data",
    }
}

/// What progress is computed from.
#[derive(Debug, Clone)]
pub struct Measured<'a> {
    /// What kind of quantity.
    pub measure: Measure,
    /// Which way is better.
    pub direction: Direction,
    /// Where it began, and when.
    pub baseline: Option<(&'a Decimal, &'a PartialDate)>,
    /// Where it should go, by when; in any order.
    pub targets: &'a [(Decimal, PartialDate)],
    /// Where it is.
    pub actual: Option<&'a Decimal>,
    /// How far off a held indicator may be.
    pub tolerance: Option<&'a Decimal>,
}

/// How an outcome stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Unclamped, rounded to six decimals, half to even.
    pub value: Option<Decimal>,
    /// Why there is no value.
    pub reason: Option<ProgressReason>,
    /// In a word.
    pub status: ProgressStatus,
}

impl Progress {
    fn none(reason: ProgressReason) -> Self {
        Self { value: None, reason: Some(reason), status: ProgressStatus::NoData }
    }
}

/// The target that counts on a day: the next one due, else the last.
pub fn current_target(targets: &[(Decimal, PartialDate)], today: NaiveDate) -> Option<&(Decimal, PartialDate)> {
    let next = targets.iter().filter(|(_, due)| due.last_day() >= today).min_by_key(|(_, due)| due.last_day());
    next.or_else(|| targets.iter().max_by_key(|(_, due)| due.last_day()))
}

/// How an outcome stands on a day.
pub fn compute(measured: &Measured<'_>, today: NaiveDate) -> Progress {
    if measured.measure == Measure::Qualitative {
        return Progress::none(ProgressReason::Qualitative);
    }
    let target = current_target(measured.targets, today);
    if measured.direction == Direction::Hold {
        return hold(measured, target);
    }
    let Some((baseline, since)) = measured.baseline else {
        return Progress::none(ProgressReason::NoBaseline);
    };
    let Some((target, due)) = target else {
        return Progress::none(ProgressReason::NoTarget);
    };
    let Some(actual) = measured.actual else {
        return Progress::none(ProgressReason::NoActual);
    };
    let whole = &target.0 - &baseline.0;
    if whole.is_zero() {
        return Progress::none(ProgressReason::TargetEqualsBaseline);
    }
    let progress = (&actual.0 - &baseline.0) / whole;
    let status = status(&progress, since.last_day(), due.last_day(), today);
    Progress { value: Some(Decimal(progress.with_scale_round(6, RoundingMode::HalfEven))), reason: None, status }
}

fn hold(measured: &Measured<'_>, target: Option<&(Decimal, PartialDate)>) -> Progress {
    let Some((target, _)) = target else {
        return Progress::none(ProgressReason::NoTarget);
    };
    let Some(actual) = measured.actual else {
        return Progress::none(ProgressReason::NoActual);
    };
    let tolerance = measured.tolerance.map_or_else(BigDecimal::zero, |tolerance| tolerance.0.clone());
    let met = (&actual.0 - &target.0).abs() <= tolerance;
    Progress {
        value: None,
        reason: Some(ProgressReason::Hold),
        status: if met { ProgressStatus::Achieved } else { ProgressStatus::OffTrack },
    }
}

/// Compares with what a straight line from baseline to target would have reached by now.
fn status(progress: &BigDecimal, since: NaiveDate, due: NaiveDate, today: NaiveDate) -> ProgressStatus {
    if progress >= &BigDecimal::one() {
        return ProgressStatus::Achieved;
    }
    let days = (due - since).num_days();
    let passed = (today - since).num_days().clamp(0, days.max(0));
    let expected = if days > 0 { BigDecimal::from(passed) / BigDecimal::from(days) } else { BigDecimal::from(1) };
    let part = |percent: i64| &expected * BigDecimal::from(percent) / BigDecimal::from(100);
    if *progress >= part(90) {
        ProgressStatus::OnTrack
    } else if *progress >= part(60) {
        ProgressStatus::AtRisk
    } else {
        ProgressStatus::OffTrack
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }
    fn date(text: &str) -> PartialDate {
        text.parse().unwrap()
    }
    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn stands(direction: Direction, baseline: &str, target: &str, actual: &str, today: &str) -> Progress {
        let (baseline, since, actual) = (decimal(baseline), date("2020-01-01"), decimal(actual));
        let targets = [(decimal(target), date("2021-01-01"))];
        let measured = Measured {
            measure: Measure::Number,
            direction,
            baseline: Some((&baseline, &since)),
            targets: &targets,
            actual: Some(&actual),
            tolerance: None,
        };
        compute(&measured, day(today))
    }

    #[test]
    fn falling_indicators_progress_like_rising_ones() {
        assert_eq!(stands(Direction::Up, "10", "20", "15", "2020-07-02").value, Some(decimal("0.5")));
        assert_eq!(stands(Direction::Down, "20", "10", "15", "2020-07-02").value, Some(decimal("0.5")));
        assert_eq!(stands(Direction::Down, "20", "10", "25", "2020-07-02").value, Some(decimal("-0.5")));
    }

    #[test]
    fn thirds_are_rounded_half_to_even_at_six_decimals() {
        assert_eq!(stands(Direction::Up, "0", "3", "1", "2020-07-02").value, Some(decimal("0.333333")));
        assert_eq!(stands(Direction::Up, "0", "2000000", "1", "2020-07-02").value, Some(decimal("0")));
        assert_eq!(stands(Direction::Up, "0", "2000000", "3", "2020-07-02").value, Some(decimal("0.000002")));
    }

    #[test]
    fn the_status_follows_the_straight_line() {
        let at = |actual: &str| stands(Direction::Up, "0", "100", actual, "2020-07-02").status;
        assert_eq!(at("100"), ProgressStatus::Achieved);
        assert_eq!(at("45"), ProgressStatus::OnTrack);
        assert_eq!(at("44"), ProgressStatus::AtRisk);
        assert_eq!(at("30"), ProgressStatus::AtRisk);
        assert_eq!(at("29"), ProgressStatus::OffTrack);
    }

    #[test]
    fn the_next_target_due_counts_else_the_last() {
        let targets = [(decimal("1"), date("2020")), (decimal("2"), date("2021-06"))];
        assert_eq!(current_target(&targets, day("2020-12-31")).unwrap().0, decimal("1"));
        assert_eq!(current_target(&targets, day("2021-01-01")).unwrap().0, decimal("2"));
        assert_eq!(current_target(&targets, day("2025-01-01")).unwrap().0, decimal("2"));
    }

    #[test]
    fn what_is_missing_is_named_and_is_never_zero() {
        let actual = decimal("98");
        let targets = [(decimal("30"), date("2030"))];
        let mut measured = Measured {
            measure: Measure::Percentage,
            direction: Direction::Up,
            baseline: None,
            targets: &targets,
            actual: Some(&actual),
            tolerance: None,
        };
        assert_eq!(compute(&measured, day("2017-03-16")), Progress::none(ProgressReason::NoBaseline));
        measured.measure = Measure::Qualitative;
        assert_eq!(compute(&measured, day("2017-03-16")).reason, Some(ProgressReason::Qualitative));
    }

    #[test]
    fn a_held_indicator_is_met_within_its_tolerance() {
        let (actual, tolerance) = (decimal("21"), decimal("1"));
        let targets = [(decimal("20"), date("2020"))];
        let mut measured = Measured {
            measure: Measure::Number,
            direction: Direction::Hold,
            baseline: None,
            targets: &targets,
            actual: Some(&actual),
            tolerance: Some(&tolerance),
        };
        assert_eq!(compute(&measured, day("2020-01-01")).status, ProgressStatus::Achieved);
        measured.tolerance = None;
        let off = compute(&measured, day("2020-01-01"));
        assert_eq!((off.value, off.reason, off.status), (None, Some(ProgressReason::Hold), ProgressStatus::OffTrack));
    }
}
