//! From values and days to places, with ticks that people would choose. Places have few decimals, so that the same chart
//! is the same bytes everywhere.

use chrono::{Datelike, Months, NaiveDate};

/// With one decimal, and without a negative zero.
pub fn px(value: f64) -> f64 {
    (value * 10.0).round() / 10.0 + 0.0
}

/// The same with two decimals, for percentages of a width.
pub fn percent(value: f64) -> f64 {
    (value * 100.0).round() / 100.0 + 0.0
}

/// A range of values, and where they go.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// From these values to this range of places; a range of one value is widened.
    pub fn new(low: f64, high: f64, from: f64, to: f64) -> Self {
        if high > low {
            return Self { low, high, from, to };
        }
        let around = if low == 0.0 { 1.0 } else { low.abs() / 2.0 };
        Self { low: low - around, high: low + around, from, to }
    }

    /// Widened to whole steps, and the ticks at them.
    pub fn with_ticks(self, about: usize) -> (Self, Vec<f64>) {
        let step = step_of((self.high - self.low) / about.max(1) as f64);
        let (first, last) = ((self.low / step).floor(), (self.high / step).ceil());
        let ticks = (first as i64..=last as i64).map(|place| place as f64 * step).collect();
        (Self { low: first * step, high: last * step, ..self }, ticks)
    }

    /// Where a value goes.
    pub fn place(self, value: f64) -> f64 {
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }
}

/// The step of 1, 2 or 5 times a power of ten that is next above.
fn step_of(rough: f64) -> f64 {
    let power = 10f64.powf(rough.log10().floor());
    let lead = [1.0, 2.0, 5.0, 10.0].into_iter().find(|lead| lead * power >= rough * 0.999_999);
    lead.unwrap_or(10.0) * power
}

/// A tick as text: as many decimals as the step has, thousands apart.
pub fn tick_text(value: f64, ticks: &[f64]) -> String {
    let step = ticks.windows(2).map(|pair| pair[1] - pair[0]).next().unwrap_or(1.0);
    let decimals = (-step.log10().floor()).clamp(0.0, 6.0) as usize;
    let text = format!("{:.decimals$}", value.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    let sign = if value < 0.0 && text.chars().any(|one| matches!(one, '1'..='9')) { "−" } else { "" };
    format!("{sign}{grouped}{rest}")
}

/// A day as a number.
pub fn number_of(day: NaiveDate) -> f64 {
    f64::from(day.num_days_from_ce())
}

/// Days at which an axis of time is marked, each with its text.
pub fn days_between(first: NaiveDate, last: NaiveDate) -> Vec<(NaiveDate, String)> {
    let span = (last - first).num_days();
    let months = match span {
        0..=45 => return few_days(first, last),
        46..=200 => 1,
        201..=420 => 3,
        421..=900 => 6,
        _ => 12 * step_of(span as f64 / 365.25 / 7.0).max(1.0) as u32,
    };
    let mut ticks = vec![];
    let year = if months >= 12 { first.year() - first.year().rem_euclid(months as i32 / 12) } else { first.year() };
    let mut day = NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or(first);
    while day <= last {
        if day >= first {
            let text = if day.month() == 1 && months >= 3 { day.format("%Y") } else { day.format("%Y-%m") };
            ticks.push((day, text.to_string()));
        }
        let Some(next) = day.checked_add_months(Months::new(months)) else { break };
        day = next;
    }
    if ticks.is_empty() { few_days(first, last) } else { ticks }
}

/// The first day and the last.
fn few_days(first: NaiveDate, last: NaiveDate) -> Vec<(NaiveDate, String)> {
    let mut days = vec![first, last];
    days.dedup();
    days.into_iter().map(|day| (day, day.to_string())).collect()
}

/// A text that is too long, cut at a character.
pub fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// The same as it is heard: what is seen first [WCAG 2.5.3], then the whole where that was cut.
pub fn heard(text: &str, most: usize) -> String {
    let seen = shortened(text, most);
    if seen == text { seen } else { format!("{seen} – {text}") }
}

/// About how wide a text of 13 pixels is: Chinese, Japanese and Korean characters are twice as wide as others.
pub fn width_of(text: &str) -> f64 {
    text.chars().map(|one| if one >= '\u{1100}' { 13.0 } else { 6.8 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_hold_all_values() {
        for (low, high, expected) in [
            (0.0, 98.0, vec!["0", "20", "40", "60", "80", "100"]),
            (-0.12, 0.31, vec!["−0.2", "−0.1", "0.0", "0.1", "0.2", "0.3", "0.4"]),
            (
                12_000.0,
                51_000.0,
                vec![
                    "10\u{202f}000",
                    "20\u{202f}000",
                    "30\u{202f}000",
                    "40\u{202f}000",
                    "50\u{202f}000",
                    "60\u{202f}000",
                ],
            ),
            (7.0, 7.0, vec!["2", "4", "6", "8", "10", "12"]),
        ] {
            let (scale, ticks) = Scale::new(low, high, 0.0, 100.0).with_ticks(5);
            let texts: Vec<_> = ticks.iter().map(|tick| tick_text(*tick, &ticks)).collect();
            assert_eq!(texts, expected, "{low} to {high}");
            assert!((0.0..=100.0).contains(&scale.place(low)) && (0.0..=100.0).contains(&scale.place(high)));
        }
    }

    #[test]
    fn an_axis_of_time_has_a_handful_of_marks_of_one_kind() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        for (first, last, expected) in [
            ("2026-01-03", "2026-01-20", vec!["2026-01-03", "2026-01-20"]),
            ("2026-01-03", "2026-05-20", vec!["2026-02", "2026-03", "2026-04", "2026-05"]),
            ("2025-11-30", "2026-11-30", vec!["2026", "2026-04", "2026-07", "2026-10"]),
            ("2016-12-31", "2023-05-01", vec!["2017", "2018", "2019", "2020", "2021", "2022", "2023"]),
            ("1999-01-01", "2042-01-01", vec!["2000", "2010", "2020", "2030", "2040"]),
        ] {
            let texts: Vec<_> = days_between(day(first), day(last)).into_iter().map(|(_, text)| text).collect();
            assert_eq!(texts, expected, "{first} to {last}");
        }
    }
}
